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
MQTT-1.0.0-4   both   MUST   form bytes
MQTT-1.0.0-5   server MUST   a server's rule
MQTT3-1.0.0-9  server MUST   =MQTT-1.0.0-1 the same rule
"""
BUILT = """
function(mq_tests folder)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*_test.cpp)
endfunction()
mq_tests(wire mq_wire mq_packet_table)
mq_tests(session mq_session)
mq_tests(broker mq_world)
mq_tests(client mq_client)
mq_tests(server mq_server)
mq_tests(cli mq_cli)
add_subdirectory(apps)
"""
APPS = "file(GLOB files CONFIGURE_DEPENDS *.bats)\n"
PROVED = {
    "broker/a_test.cpp": ["a rule [MQTT-1.0.0-1]", "a server's rule [MQTT-1.0.0-5]"],
    "client/a_test.cpp": ["a rule [MQTT-1.0.0-1]"],
    "wire/a_test.cpp": ["bytes [MQTT-1.0.0-4]"],
}
CITED = {
    "broker/a.cpp": ["[MQTT-1.0.0-1]", "[MQTT-1.0.0-5]"],
    "client/a.cpp": ["[MQTT-1.0.0-1]"],
    "wire/a.cpp": ["[MQTT-1.0.0-4]"],
}


def run(tests=None, sources=None, code=None, statements=LIST, rows="", words=(), built=BUILT):
    """The exit code, stderr and stdout in a tree where `tests`, their names, and `sources`, their
    text, stand for some of PROVED, and `code` for some of CITED."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path in ("scripts", "lib", "apps", "tests/apps", "tests/spec", "tests/support"):
            (root / path).mkdir(parents=True)
        shutil.copy(ROOT / "scripts/spec", root / "scripts/spec")
        (root / "tests/spec/mqtt.txt").write_text(statements)
        (root / "tests/support/bad_packets.cpp").write_text(rows)
        (root / "tests/CMakeLists.txt").write_text(built)
        (root / "tests/apps/CMakeLists.txt").write_text(APPS)
        for path, names in (PROVED | (tests or {})).items():
            (root / "tests" / path).parent.mkdir(parents=True, exist_ok=True)
            text = "".join(f'TEST_CASE(\n    "{name}") {{ CHECK(true); }}\n' for name in names)
            (root / "tests" / path).write_text(text)
        for path, text in (sources or {}).items():
            (root / "tests" / path).parent.mkdir(parents=True, exist_ok=True)
            (root / "tests" / path).write_text(text)
        for path, ids in (CITED | (code or {})).items():
            (root / "lib" / path).parent.mkdir(exist_ok=True)
            (root / "lib" / path).write_text("".join(f"// {cited}\n" for cited in ids))
        command = [root / "scripts/spec", *words]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stderr, done.stdout


code, said, figures = run()
assert (code, said) == (0, ""), said

# Each side has to have a test of its own.
code, said, _ = run({"client/a_test.cpp": []})
assert code == 1 and "MQTT-1.0.0-1 (client) has no test in tests/client" in said, said
assert "(server)" not in said and "MQTT-1.0.0-2" not in said and "MQTT-1.0.0-3" not in said, said
code, said, _ = run({"broker/a_test.cpp": [], "client/b_test.cpp": ["[MQTT-1.0.0-5]"]})
for missing in ("MQTT-1.0.0-1", "MQTT-1.0.0-5", "MQTT3-1.0.0-9"):
    assert f"{missing} (server) has no test in tests/broker" in said, said
assert code == 1 and "(client)" not in said, said
assert run({"broker/a_test.cpp": [], "server/a_test.cpp": PROVED["broker/a_test.cpp"]})[0] == 0
assert run({"client/a_test.cpp": [], "cli/a_test.cpp": PROVED["client/a_test.cpp"]})[0] == 0

# What the sides share proves nothing of them, the encoder what is said to be its own.
code, said, _ = run({"client/a_test.cpp": [], "wire/b_test.cpp": PROVED["client/a_test.cpp"]})
assert code == 1 and "MQTT-1.0.0-1 (client)" in said, said
code, said, _ = run({"client/a_test.cpp": [], "session/a_test.cpp": PROVED["client/a_test.cpp"]})
assert code == 1 and "MQTT-1.0.0-1 (client)" in said, said
code, said, _ = run({"wire/a_test.cpp": [], "broker/b_test.cpp": ["bytes [MQTT-1.0.0-4]"]})
assert code == 1 and "MQTT-1.0.0-4 (form) has no test in tests/wire" in said, said
row = 'table.add("a bad packet", kV5, "c1 00", "MQTT-1.0.0-5");\n'
code, said, _ = run({"broker/a_test.cpp": ["a rule [MQTT-1.0.0-1]"]}, rows=row)
assert code == 1 and "MQTT-1.0.0-5 (server)" in said, said

# What does not run proves nothing.
CASE = 'TEST_CASE("a rule [MQTT-1.0.0-1]") { CHECK(true); }'
for text in (
    f"// {CASE}\n",
    f"/* {CASE}\n{CASE} */\n",
    f"// \\\n{CASE}\n",
    f"'\"'; // {CASE} \"\n",
    f'R"x({CASE}")x";',
):
    code, said, _ = run(sources={"client/a_test.cpp": text})
    assert code == 1 and "MQTT-1.0.0-1 (client) has no test in tests/client" in said, text
for text in (
    f'"// \\" /*"; {CASE} // */\n',
    f"65'535; {CASE} 65'536;\n",
    f'#include "a.hpp"\n#pragma once\n{CASE}\n',
    f"// #if 0\n/*\n#if 0\n*/\n{CASE}\n",
):
    code, said, _ = run(sources={"client/a_test.cpp": text})
    assert (code, said) == (0, ""), (text, said)
for text, line, excuse in (
    (f"#if 0\n{CASE}\n#endif\n", 1, "#if"),
    (f"#ifdef X\n#else\n{CASE}\n#endif\n", 1, "#ifdef"),
    (f"{CASE}\n\n  # ifndef X\n#endif\n", 3, "# ifndef"),
    (f"#define CASE \\\n{CASE}\n", 1, "#define"),
):
    code, said, _ = run(sources={"client/a_test.cpp": text})
    assert (code, said) == (
        1,
        f"spec: tests/client/a_test.cpp:{line}: a test proves nothing with {excuse}\n",
    ), (text, said)
    assert run(sources={"client/b_test.cpp": text.replace(" [MQTT-1.0.0-1]", "")})[:2] == (0, "")
code, said, _ = run(rows="#if 0\n#endif\n")
assert code == 1 and "bad_packets.cpp:1: a test proves nothing with #if" in said, said

# Neither does what is not built.
for path in ("client/a.cpp", "client/more/a_test.cpp", "net/a_test.cpp"):
    code, said, _ = run({"client/a_test.cpp": []}, sources={path: CASE})
    assert code == 1 and "MQTT-1.0.0-1 (client) has no test in tests/client" in said, said
    assert f"{path}:1: a test proves nothing with no build that takes it" in said, said
for path in ("apps/more/a.bats", "client/a.bats"):
    code, said, _ = run(sources={path: '@test "a rule [MQTT-1.0.0-1]" {\n  false\n}\n'})
    assert code == 1 and f"{path}:1: a test proves nothing with no build that" in said, said
whole = "mq_tests(client mq_client)\n"
for instead in ("", f"# {whole}", f"#[[\n{whole}]]\n", f"if(X)\n{whole}endif()\n"):
    code, said, _ = run(built=BUILT.replace(whole, instead))
    assert code == 1 and "MQTT-1.0.0-1 (client) has no test in tests/client" in said, said
    assert "client/a_test.cpp:1: a test proves nothing with no build that takes it" in said, said
code, said, _ = run(built=BUILT.replace("*_test.cpp", "*_spec.cpp"))
assert code == 1 and "wire/a_test.cpp:1: a test proves nothing with no build that" in said, said
for excuse in ("doctest::skip()", "doctest::may_fail(true)", "skip()", "doctest::should_fail()"):
    text = CASE.replace('") {', f'"\n* {excuse}) {{')
    code, said, _ = run(sources={"client/a_test.cpp": text})
    assert code == 1 and "client/a_test.cpp:2: a test proves nothing with" in said, said
    assert run(sources={"client/b_test.cpp": f"// {text}".replace("\n", " ")})[0] == 0
for text in (
    CASE.replace("CHECK(true);", "") + '\nTEST_CASE("another") { CHECK(true); }\n',
    CASE.replace("CHECK(true);", "/* CHECK(true); */"),
    'TEST_CASE("x") { SUBCASE("a rule [MQTT-1.0.0-1]") {} SUBCASE("y") { CHECK(true); } }',
):
    code, said, _ = run(sources={"client/a_test.cpp": text})
    assert code == 1 and "client/a_test.cpp:1: a test proves nothing with no CHECK" in said, said
for text, expected in (
    ('@test "a rule [MQTT-1.0.0-1]" {\n  false\n}\n', 0),
    ('@test "a rule [MQTT-1.0.0-1]" {\n}\n', 1),
    ('@test "a rule [MQTT-1.0.0-1]" {\n  true || skip "not here"\n}\n', 1),
    ('@test "a rule [MQTT-1.0.0-1]" {\n  false\n}\n@test "another" {\n  skip "not here"\n}\n', 0),
    ('# @test "a rule [MQTT-1.0.0-1]" {\n# }\n', 1),
    ('#@test "a rule [MQTT-1.0.0-1]" {\n#}\n', 1),
):
    code, said, _ = run({"client/a_test.cpp": []}, sources={"apps/a.bats": text})
    assert code == expected, text
    built = BUILT.replace("add_subdirectory(apps)\n", "")
    assert run({"client/a_test.cpp": []}, sources={"apps/a.bats": text}, built=built)[0] == 1
row = '// table.add("a bad packet", kV5, "c1 00", "MQTT-1.0.0-5");\n'
assert run(rows=row, words=["MQTT-1.0.0-5"])[2].count("refused by") == 0

# What is cited exists.
code, said, _ = run({"wire/b_test.cpp": ["a rule [MQTT-7.7.7-7]"]})
assert code == 1 and "tests/wire/b_test.cpp" in said and "no statement MQTT-7.7.7-7" in said, said
code, said, _ = run(code={"client/b.cpp": ["[MQTT-8.8.8-8]"]})
assert code == 1 and "lib/client/b.cpp:1: there is no statement MQTT-8.8.8-8" in said, said
for path in ("broker/b_test.cpp", "fuzz/b.hpp", "apps/b.bats", "apps/b.bash", "sim/b.py"):
    code, said, _ = run(sources={path: "\n  # or // MQTT-7.7.7-7\n"})
    assert (code, said) == (1, f"spec: tests/{path}:2: there is no statement MQTT-7.7.7-7\n"), said
code, said, _ = run(code={"client/b.hpp": ["MQTT-8.8.8-8"], "../apps/b.cpp": ["MQTT-9.9.9-9"]})
assert code == 1 and said.count("\n") == 2, said
assert "lib/client/b.hpp:1: there is no statement MQTT-8.8.8-8" in said, said
assert "apps/b.cpp:1: there is no statement MQTT-9.9.9-9" in said, said
code, said, _ = run(statements=LIST + "MQTT-1.0.0-1 both MUST twice\n")
assert code == 1 and "mqtt.txt:8: MQTT-1.0.0-1 is there twice" in said, said

# Each side has to have code of its own, unless it shares some with the other.
code, said, figures = run(code={"client/a.cpp": []})
assert code == 1 and "MQTT-1.0.0-1 (client) has no code in lib/wire, " in said, said
assert said.count("\n") == 1 and "1 MUSTs of clients: 1 cited by a test, 0 in their code" in figures
code, said, _ = run(code={"broker/a.cpp": [], "client/b.cpp": ["[MQTT-1.0.0-5]"]})
for missing in ("MQTT-1.0.0-1", "MQTT-1.0.0-5", "MQTT3-1.0.0-9"):
    assert f"{missing} (server) has no code in lib/wire, " in said, said
assert code == 1 and said.count("\n") == 3, said
shared = CITED["broker/a.cpp"]
assert run(code={"broker/a.cpp": [], "client/a.cpp": [], "session/a.cpp": shared})[:2] == (0, "")
code, said, _ = run(code={"wire/a.cpp": [], "broker/b.cpp": CITED["wire/a.cpp"]})
assert code == 1 and "MQTT-1.0.0-4 (form) has no code in lib/wire, lib/web: bytes" in said, said

# What is asked for exists, too.
code, said, figures = run(words=["MQTT-9.9.9-9"])
assert (code, said, figures) == (1, "spec: there is no statement MQTT-9.9.9-9\n", ""), said
code, said, figures = run(words=["--hlep"])
assert code == 1 and said.count("\n") == 1 and "--hlep" in said and not figures, said
code, said, figures = run(words=["--help"])
assert (code, said) == (0, "") and "scripts/spec ID ..." in figures, said
code, said, figures = run(words=["MQTT-1.0.0-5"])
assert code == 0 and "tested by tests/broker/a_test.cpp: a server's rule" in figures, said

# The real lists have all that the standards number.
figures = subprocess.run(ROOT / "scripts/spec", capture_output=True, text=True, check=True).stdout
for whole in ("MQTT 5.0: 251 statements", "MQTT 3.1.1: 141 statements"):
    assert whole in figures, figures
