#!/usr/bin/env python3
"""Counts the broker's instructions for a message, under callgrind, and compares with instructions.txt.

    tests/bench/instructions.py [--write]

It builds the release first. A count that is more than 5 % away, to either side, is an error: what
has become slower is to be mended, what has become faster is to be kept, with --write. Counts differ
between compilers and machines: where there are none for this one, they are printed, and the exit
code is 77.
"""

import pathlib
import platform
import re
import subprocess
import sys
import tempfile

import brokers
import scenarios

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / ".build/bench"
FIGURES = pathlib.Path(__file__).with_name("instructions.txt")
TOLERANCE = 0.05
HEAD = """\
# User-space instructions of the broker for a message (fanout: for a delivery), by compiler and
# machine. tests/bench/instructions.py compares with them, and with --write sets them anew.
"""


def here():
    """What the counts depend on, beside the code."""
    cache = (PROGRAMS / "CMakeCache.txt").read_text()
    compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.M)[1]
    said = [
        subprocess.run([compiler, option], capture_output=True, text=True, check=True).stdout
        for option in ("--version", "-dumpfullversion")
    ]
    kind = "clang++" if "clang" in said[0] else "g++"
    return f"{kind} {said[1].strip()}, {platform.machine()}"


def known():
    figures = {}
    for line in FIGURES.read_text().splitlines() if FIGURES.exists() else []:
        if line.startswith("[") and line.endswith("]"):
            figures[line[1:-1]] = section = {}
        elif line and not line.startswith("#"):
            name, count = line.split()
            section[name] = int(count)
    return figures


def write(figures):
    text = HEAD
    for place, counts in sorted(figures.items()):
        text += f"\n[{place}]\n" + "".join(f"{name:14} {count:6}\n" for name, count in counts.items())
    FIGURES.write_text(text)


def total(house, scenario, count):
    """All instructions from start to exit of a broker that passes `count` messages on."""
    out = pathlib.Path(house) / "callgrind.out"
    wrapper = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
    broker = brokers.Broker(*brokers.installed(PROGRAMS)["mqbroker"], house, wrapper)
    result = broker.load(PROGRAMS / "tests/bench/load", f"{scenario} count={count} patience=120")
    broker.stop()
    if not result["ok"]:
        sys.exit(f"instructions: {scenario}: {result['faults']}")
    return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)[1])


def count_one(house, scenario, low, high, deliveries):
    return round((total(house, scenario, high) - total(house, scenario, low)) / (high - low) / deliveries)


def measure():
    counts = {}
    with tempfile.TemporaryDirectory(prefix="instructions.", dir=PROGRAMS) as house:
        for name, scenario in scenarios.INSTRUCTIONS.items():
            counts[name] = count_one(house, *scenario)
            print(f"{name:14} {counts[name]:6}", flush=True)
    return counts


def main():
    subprocess.run([ROOT / "scripts/build", "bench", "mqbroker", "load"], check=True)
    place = here()
    print(f"[{place}]", flush=True)
    figures = known()
    counts = measure()
    if "--write" in sys.argv:
        write(figures | {place: counts})
        return 0
    if place not in figures:
        print(f"there are no counts for this compiler and machine in {FIGURES}: --write adds them")
        return 77
    wrong = 0
    for name in figures[place].keys() - counts.keys():
        print(f"{name}: nobody counts it any more: take it out of {FIGURES}")
        wrong = 1
    for name, count in counts.items():
        before = figures[place].get(name, 0)
        if abs(count - before) > TOLERANCE * before:
            print(f"{name}: {count} instructions, not {before}: {FIGURES} (--write) or the code is wrong")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
