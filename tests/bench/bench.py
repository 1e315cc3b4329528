#!/usr/bin/env python3
"""Measures brokers and clients beside one another, and prints medians and ratios.

Every measurement starts its broker afresh. In a round they take turns, and a ratio is formed within
a round, so that whatever else the machine does hits all alike. The exit code is 1 when anything was
lost, doubled or out of order.
"""

import argparse
import fnmatch
import pathlib
import signal
import sys
import tempfile

import brokers
import clients
import report
import scenarios


def at_least(low, kind=int):
    def read(text):
        if kind(text) < low:
            raise argparse.ArgumentTypeError(f"{text} is less than {low}")
        return kind(text)

    return read


def plot_file(text):
    path = pathlib.Path(text)
    if path.suffix != ".svg" or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no .svg in a directory that there is")
    return path


def named_broker(text):
    name, equals, command = text.partition("=")
    if not (name and equals and command):
        raise argparse.ArgumentTypeError(f"{text} is not NAME=COMMAND")
    return name, command


def parse(argv):
    """The options, and the scenarios that they choose."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, epilog=report.LEGEND,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=["broker", "durable", "cli"])
    parser.add_argument("--rounds", type=at_least(1), default=5, help="5, if nothing else is said")
    of_broker = parser.add_argument_group("of broker and durable").add_argument
    options = [
        of_broker("--seconds", type=at_least(0.01, float), help="that a measurement takes: 2"),
        of_broker("--scenario", action="append", metavar="GLOB", help="only these"),
        of_broker("--only", action="append", metavar="NAME", help="only these brokers"),
        of_broker(
            "--broker", action="append", type=named_broker, metavar="NAME=COMMAND",
            help="one more; {port}, {dir} and {conf} are filled in, {conf} with a mosquitto.conf",
        ),
        of_broker("--plot", type=plot_file, metavar="FILE", help="where an SVG goes"),
        of_broker("--list", action="store_true", default=None, help="name the scenarios"),
    ]
    of_cli = parser.add_argument_group("of cli").add_argument
    count = of_cli("--count", type=at_least(1), help="lines: 200,000")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    for option in options if args.what == "cli" else [count]:
        if getattr(args, option.dest) is not None:
            parser.error(f"{option.option_strings[0]} is not for {args.what}")
    args.seconds = args.seconds or 2.0
    args.count = args.count or 200_000
    rows = scenarios.durable() if args.what == "durable" else scenarios.broker()
    if args.scenario:
        rows = {n: r for n, r in rows.items() if any(fnmatch.fnmatch(n, g) for g in args.scenario)}
        if not rows:
            parser.error("no scenario matches: --list names them")
    chosen = choose_brokers(args)
    if unknown := set(args.only or []) - set(chosen):
        parser.error(f"no broker {min(unknown)} here: there are {', '.join(chosen)}")
    if args.only:
        chosen = {name: how for name, how in chosen.items() if name in args.only}
    return args, rows, chosen


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
    for name, command in args.broker or []:
        chosen[name] = (command, brokers.settings())
    return chosen


class Bench:
    def __init__(self, args, chosen, house):
        self.args = args
        self.house = house
        self.load = args.programs / "tests/bench/load"
        self.chosen = chosen
        self.names = list(chosen)
        self.complaints = []

    def run(self, title, scenario):
        """Alternating rounds of one scenario: by name, a list of results."""
        names = self.those_for(scenario)
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
            results = self.run(title, scenario)
            for figure in figures:
                print(report.row(title, figure, self.names, results), flush=True)
        print(report.LEGEND)

    def plot(self, path):
        panels = {}
        for title, (unit, points) in scenarios.PLOT.items():
            lines = {name: {} for name in self.names}
            for value, scenario in points.items():
                for name, runs in self.run(f"{title} {value}", scenario).items():
                    lines[name][value] = report.median(runs, "cpu_us")
            panels[title] = (unit, lines)
        report.plot(panels, self.names, path)
        print(f"\nplotted to {path}")


def main():
    args, rows, chosen = parse(sys.argv[1:])
    if args.list:
        for name, (scenario, _) in rows.items():
            print(f"{name:20} {scenario}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Where the programs are, and not in /tmp, which may be memory: a disk's speed is measured.
    with tempfile.TemporaryDirectory(prefix="bench.", dir=args.programs) as house:
        bench = Bench(args, chosen, house)
        if args.what == "cli":
            clients.measure(bench)
        else:
            bench.table(rows)
            if args.plot or (args.what == "broker" and not args.scenario):
                bench.plot(args.plot or args.programs / "broker.svg")
    return 1 if bench.complaints else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, RuntimeError) as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
