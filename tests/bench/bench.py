#!/usr/bin/env python3
"""Measures brokers and clients beside one another, and prints medians and ratios.

Every measurement starts its broker afresh. In a round they take turns, and a ratio is formed within
a round, so that whatever else the machine does hits all alike. The exit code is 1 when anything was
lost, doubled or out of order.
"""

import argparse
import fnmatch
import pathlib
import sys
import tempfile

import brokers
import clients
import report
import scenarios


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["broker", "durable", "cli"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="that each measurement takes")
    parser.add_argument("--scenario", action="append", metavar="GLOB", help="only these")
    parser.add_argument("--only", action="append", metavar="NAME", help="only these brokers")
    parser.add_argument(
        "--broker", action="append", default=[], metavar="NAME=COMMAND",
        help="one more; {port}, {dir} and {conf} are filled in, {conf} with a mosquitto.conf",
    )
    parser.add_argument("--plot", type=pathlib.Path, metavar="FILE", help="where an SVG goes")
    parser.add_argument("--count", type=int, default=200_000, help="lines, for cli")
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def choose_brokers(args):
    if args.what == "durable":
        found = brokers.installed(args.programs)
        command = found["mqbroker"][0]
        chosen = {
            "mosquitto": (found.get("mosquitto", ("", ""))[0], brokers.settings("true")),
            "mqbroker": (command, brokers.settings("true")),
            "mqbroker in memory": (command, brokers.settings()),
        }
        if "mosquitto" not in found:
            del chosen["mosquitto"]
    else:
        chosen = brokers.installed(args.programs)
    for extra in args.broker:
        name, command = extra.split("=", 1)
        chosen[name] = (command, brokers.settings())
    if args.only:
        chosen = {name: how for name, how in chosen.items() if name in args.only}
    return chosen


class Bench:
    def __init__(self, args, house):
        self.args = args
        self.house = house
        self.load = args.programs / "tests/bench/load"
        self.chosen = choose_brokers(args)
        self.names = list(self.chosen)
        self.complaints = []

    def run(self, title, scenario, only=None):
        """Alternating rounds of one scenario: by name, a list of results."""
        names = only or self.names
        results = {name: [] for name in names}
        for turn in range(self.args.rounds):
            for at in range(len(names)):
                name = names[(at + turn) % len(names)]
                broker = brokers.Broker(*self.chosen[name], self.house)
                try:
                    result = broker.load(self.load, f"{scenario} seconds={self.args.seconds}")
                finally:
                    broker.stop()
                results[name].append(result)
                if not result["ok"]:
                    self.complain(report.complaint(title, name, result))
        return results

    def complain(self, words):
        print(f"bench: {words}", file=sys.stderr)
        self.complaints.append(words)

    def those_for(self, scenario):
        """The limit has no filters with a +."""
        return [n for n in self.names if n != "limit" or not scenario.startswith("match")]

    def table(self, rows):
        print(report.head(self.names))
        for title, (scenario, figures) in rows.items():
            names = self.those_for(scenario)
            if not names:
                continue
            results = self.run(title, scenario, names)
            for figure in figures:
                print(report.row(title, figure, self.names, results), flush=True)

    def plot(self, path):
        panels = {}
        for title, points in scenarios.PLOT.items():
            panels[title] = {name: {} for name in self.names}
            for value, scenario in points.items():
                results = self.run(f"{title} {value}", scenario, self.those_for(scenario))
                for name, runs in results.items():
                    panels[title][name][value] = report.median(runs, "cpu_us")
        report.plot(panels, self.names, path)
        print(f"\nplotted to {path}")


def main():
    args = parse(sys.argv[1:])
    rows = scenarios.durable() if args.what == "durable" else scenarios.broker()
    if args.scenario:
        rows = {n: r for n, r in rows.items() if any(fnmatch.fnmatch(n, g) for g in args.scenario)}
    if args.list:
        for name, (scenario, _) in rows.items():
            print(f"{name:20} {scenario}")
        return 0
    # Where the programs are, and not in /tmp, which may be memory: a disk's speed is measured.
    with tempfile.TemporaryDirectory(prefix="bench.", dir=args.programs) as house:
        bench = Bench(args, house)
        if args.what == "cli":
            clients.measure(bench)
        else:
            bench.table(rows)
            if args.plot or (args.what == "broker" and not args.scenario):
                bench.plot(args.plot or args.programs / "broker.svg")
    return 1 if bench.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
