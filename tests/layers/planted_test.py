#!/usr/bin/env python3
"""The layer check finds every kind of violation when one is planted, and nothing else."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

LAYERS = pathlib.Path(__file__).parents[2] / "scripts" / "layers"

CLEAN = {
    "lib/base/bytes.hpp": "#pragma once\n#include <span>\nnamespace mq {}\n",
    "lib/wire/packet.hpp": '#pragma once\n#include "base/bytes.hpp"\nnamespace mq::wire {}\n',
    "lib/storage/store.hpp": '#include "base/bytes.hpp"\nnamespace mq::storage {}\n',
    "lib/storage/sqlite.hpp": "#include <sqlite3.h>\nnamespace mq::storage {}\n",
    "lib/broker/config.hpp": "namespace mq::broker {}\n",
    "lib/broker/core.hpp": '#include "storage/store.hpp"\n#include "wire/packet.hpp"\n',
    "lib/net/driver.cpp": '#include <uv.h>\n#include "broker/core.hpp"\nauto n = time(nullptr);\n',
    "lib/cli/options.cpp": '#include <cxxopts.hpp>\n#include "broker/config.hpp"\n',
    "apps/mqsub/main.cpp": '#include "local.hpp"\n#include "cli/options.hpp"\n',
    "apps/mqsub/local.hpp": "\n",
    "lib/cli/options.hpp": "// rand() and thread_local are only talked about\n",
    "lib/topic/filter.cpp": 'auto words = "time(nullptr)"; auto big = 1\'000; int uptime(int);\n',
}

# What is planted (added to the clean house) -> what the check has to say about it.
PLANTED = {
    "an upward include": (
        {"lib/wire/up.hpp": '#include "session/outbox.hpp"\n', "lib/session/outbox.hpp": ""},
        'lib/wire/up.hpp:1: lib/wire may not include "session/outbox.hpp"',
    ),
    "a driver that knows MQTT": (
        {"lib/net/knows.cpp": '\n#include "wire/packet.hpp"\n'},
        'lib/net/knows.cpp:2: lib/net may not include "wire/packet.hpp"',
    ),
    "more of storage than its interface": (
        {"lib/broker/disk.cpp": '#include "storage/sqlite.hpp"\n'},
        'lib/broker/disk.cpp:1: lib/broker may not include "storage/sqlite.hpp"',
    ),
    "a test's header in the library": (
        {"lib/wire/test.cpp": '#include "support/world.hpp"\n', "tests/support/world.hpp": ""},
        '"support/world.hpp" is not the path of a header from lib/ on',
    ),
    "a program's header in the library": (
        {"lib/wire/app.cpp": '#include "../../apps/mqsub/local.hpp"\n'},
        '"../../apps/mqsub/local.hpp" is not the path of a header from lib/ on',
    ),
    "an include without its folder": (
        {"lib/wire/near.cpp": '#include "packet.hpp"\n'},
        '"packet.hpp" is not the path of a header from lib/ on',
    ),
    "a folder that nobody planned": (
        {"lib/misc/x.hpp": '#include "base/bytes.hpp"\n'},
        "lib/misc is not in the table of layers",
    ),
    "libuv in the core": (
        {"lib/broker/loop.cpp": "#include <uv.h>\n"},
        "<uv.h> comes in by lib/net only",
    ),
    "libuv in a program": (
        {"apps/mqsub/loop.cpp": "#include <uv.h>\n"},
        "<uv.h> comes in by lib/net only",
    ),
    "OpenSSL in the driver": (
        {"lib/net/tls.cpp": "#include <openssl/ssl.h>\n"},
        "<openssl/ssl.h> comes in by lib/crypto only",
    ),
    "SQLite in the core": (
        {"lib/broker/db.cpp": "# include <sqlite3.h>\n"},
        "<sqlite3.h> comes in by lib/storage only",
    ),
    "JSON in the core": (
        {"lib/broker/json.cpp": "#include <nlohmann/json.hpp>\n"},
        "<nlohmann/json.hpp> comes in by lib/cli and lib/server only",
    ),
    "a circle": (
        {
            "lib/wire/a.hpp": '#include "wire/b.hpp"\n',
            "lib/wire/b.hpp": '#include "wire/c.hpp"\n',
            "lib/wire/c.hpp": '\n#include "wire/a.hpp"\n',
        },
        "lib/wire/c.hpp:2: circle: wire/a.hpp -> wire/b.hpp -> wire/c.hpp -> wire/a.hpp",
    ),
    "a clock in the core": (
        {"lib/broker/now.cpp": "auto now = std::chrono::steady_clock::now();\n"},
        "lib/broker/now.cpp:1: asks the machine (_clock::now)",
    ),
    "C's time in the core": (
        {"lib/broker/now.cpp": "auto now = ::time(nullptr);\n"},
        "asks the machine (time()",
    ),
    "C's rand in the core": (
        {"lib/session/dice.cpp": "int die = rand() % 6;\n"},
        "asks the machine (rand())",
    ),
    "chance in the core": (
        {"lib/client/dice.cpp": "std::random_device chance;\n"},
        "asks the machine (random_device)",
    ),
    "thread_local": (
        {"lib/net/mine.cpp": "thread_local int mine;\n"},
        "lib/net/mine.cpp:1: thread_local",
    ),
    "a foreign namespace": (
        {"lib/wire/lost.hpp": "namespace mq::topic {}\n"},
        "is in mq::topic instead of mq::wire",
    ),
}


def check(files):
    """Runs the check over a house made of `files`. Returns its exit code and what it said."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run(
            [sys.executable, str(LAYERS), root], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr


class Layers(unittest.TestCase):
    def test_a_clean_house_passes(self):
        self.assertEqual(check(CLEAN), (0, ""))

    def test_an_empty_house_is_a_mistake(self):
        self.assertEqual(check({})[0], 1)

    def test_what_is_planted_is_found(self):
        for what, (files, words) in PLANTED.items():
            with self.subTest(what):
                code, said = check({**CLEAN, **files})
                self.assertEqual(code, 1)
                self.assertIn(words, said)
                self.assertEqual(said.count("\n"), 1, said)


if __name__ == "__main__":
    unittest.main()
