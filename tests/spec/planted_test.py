#!/usr/bin/env python3
"""scripts/spec says what is missing and what does not exist, and is content otherwise."""

import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = """# a comment
MQTT-1.0.0-1   both   MUST   a rule
MQTT-1.0.0-2   client SHOULD a recommendation
MQTT-1.0.0-3   server MUST   void another rule | it cannot arise
MQTT3-1.0.0-9  server MUST   =MQTT-1.0.0-1 the same rule
"""


def run(name, place="", statements=LIST):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path in ("scripts", "lib/wire", "tests/spec", "tests/support", "tests/wire"):
            (root / path).mkdir(parents=True)
        shutil.copy(ROOT / "scripts/spec", root / "scripts/spec")
        (root / "tests/spec/list.txt").write_text(statements)
        (root / "tests/support/bad_packets.cpp").write_text("")
        (root / "tests/wire/a_test.cpp").write_text(f'TEST_CASE(\n    "{name}") {{}}\n')
        (root / "lib/wire/a.cpp").write_text(place)
        done = subprocess.run([root / "scripts/spec"], capture_output=True, text=True)
        return done.returncode, done.stderr


assert run("a rule [MQTT-1.0.0-1]") == (0, ""), run("a rule [MQTT-1.0.0-1]")
code, said = run("something else")
assert code == 1 and "MQTT-1.0.0-1, a MUST of both, has no test" in said, said
assert "MQTT3-1.0.0-9" in said and "MQTT-1.0.0-2" not in said and "MQTT-1.0.0-3" not in said, said
code, said = run("a rule [MQTT-1.0.0-1] [MQTT-7.7.7-7]")
assert code == 1 and "tests/wire/a_test.cpp" in said and "no statement MQTT-7.7.7-7" in said, said
code, said = run("a rule [MQTT-1.0.0-1]", "// [MQTT-8.8.8-8]\n")
assert code == 1 and "lib/wire/a.cpp:1: there is no statement MQTT-8.8.8-8" in said, said
code, said = run("a rule [MQTT-1.0.0-1]", statements=LIST + "MQTT-1.0.0-1 both MUST twice\n")
assert code == 1 and "list.txt:6: MQTT-1.0.0-1 is there twice" in said, said
