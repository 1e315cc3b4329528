"""Measures command-line clients against Debian's. The broker is the limit, so that the client is
what is measured."""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import time

import brokers
import report

TOPIC = "bench/cli"
LINE = 64
ONCE_A_ROUND = 20


def commands(programs, ours, theirs):
    found = {theirs.split("_")[0]: shutil.which(theirs), "mq": f"{programs}/apps/{ours}"}
    return {name: path for name, path in found.items() if path}


def timed(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
    """Runs a command to its end: its exit code, wall time and CPU in seconds."""
    start = time.monotonic()
    return finish(subprocess.Popen(argv, stdin=stdin, stdout=stdout), start)


def finish(process, start):
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - start, usage.ru_utime + usage.ru_stime


def of_each(count, code, wall, cpu, arrived=None):
    arrived = count if arrived is None else arrived
    figures = {"cpu_us": cpu * 1e6 / max(arrived, 1), "per_s": arrived / wall}
    return {"ok": code == 0 and arrived == count, "figures": figures | {"arrived %": 100 * arrived / count}}


def start_limit(bench):
    return brokers.Broker(*brokers.installed(bench.args.programs)["limit"], bench.house)


def publish_lines(bench, program, qos, lines):
    """From a file to a topic; what counts is what arrives."""
    count = bench.args.count
    broker = start_limit(bench)
    sink = subprocess.Popen(
        [bench.load, str(broker.port), "0", "sink", f"topic={TOPIC}", f"qos={qos}", f"count={count}", "patience=3"],
        stdout=subprocess.PIPE, text=True,
    )
    sink.stdout.readline()
    with open(lines, "rb") as file:
        argv = [program, "-p", str(broker.port), "-q", str(qos), "-t", TOPIC, "-l"]
        code, wall, cpu = timed(argv, stdin=file)
    arrived = int(json.loads(sink.communicate()[0])["figures"]["arrived"])
    broker.stop()
    return of_each(count, code, wall, cpu, arrived)


def print_messages(bench, program, qos, _):
    """From a topic to a pipe that is read."""
    count = bench.args.count
    broker = start_limit(bench)
    argv = [program, "-p", str(broker.port), "-q", str(qos), "-t", TOPIC, "-v", "-C", str(count)]
    reader = subprocess.Popen(["wc", "-l"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    subscriber = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=reader.stdin)
    reader.stdin.close()
    while TOPIC.encode() not in broker.process.stdout.readline():
        pass
    start = time.monotonic()
    source = subprocess.Popen(
        [bench.load, str(broker.port), "0", "source", f"topic={TOPIC}", f"qos={qos}", f"count={count}", f"payload={LINE}"],
        stdout=subprocess.DEVNULL,
    )
    code, wall, cpu = finish(subscriber, start)
    arrived = int(reader.stdout.read())
    reader.wait()
    source.wait()
    broker.stop()
    return of_each(count, code, wall, cpu, arrived)


def once(bench, programs, qos):
    """Start to exit of one message, by hyperfine: a list of one round's results by name."""
    broker = start_limit(bench)
    out = pathlib.Path(bench.house) / "hyperfine.json"
    argv = ["hyperfine", "-N", "--style", "none", "--warmup", "3", "--runs", str(ONCE_A_ROUND)]
    tails = [f"-p {broker.port} -q {qos} -t {TOPIC} -m x"] * len(programs)
    called = [f"{shlex.quote(program)} {tail}" for program, tail in zip(programs.values(), tails)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*argv, "--export-json", out, *called], check=True, **quiet)
    broker.stop()
    measured = json.loads(out.read_text())["results"]
    return {
        name: {"figures": {"wall ms": m["median"] * 1e3, "cpu ms": (m["user"] + m["system"]) * 1e3}}
        for name, m in zip(programs, measured)
    }


def streams(bench, title, programs, measure, figures):
    lines = pathlib.Path(bench.house) / "lines"
    lines.write_text("".join(f"{i:010d} ".ljust(LINE, "x") + "\n" for i in range(bench.args.count)))
    for qos in (0, 1, 2):
        results = {name: [] for name in programs}
        for turn in range(bench.args.rounds):
            for name in sorted(programs, reverse=turn % 2 == 0):
                result = measure(bench, programs[name], qos, lines)
                results[name].append(result)
                if name == "mq" and not result["ok"]:
                    bench.complain(f"{title}, QoS {qos}: not everything arrived, or it failed")
        for figure in figures:
            print(report.row(f"{title}, QoS {qos}", figure, list(programs), results), flush=True)


def measure(bench):
    if not shutil.which("hyperfine"):
        sys.exit("bench: hyperfine is missing: scripts/setup bench installs it")
    publishers = commands(bench.args.programs, "mqpub", "mosquitto_pub")
    subscribers = commands(bench.args.programs, "mqsub", "mosquitto_sub")
    print(report.head(list(publishers)))
    for qos in (0, 1):
        rounds = [once(bench, publishers, qos) for _ in range(bench.args.rounds)]
        results = {name: [turn[name] for turn in rounds] for name in publishers}
        for figure in ("wall ms", "cpu ms"):
            print(report.row(f"pub -m x, QoS {qos}", figure, list(publishers), results), flush=True)
    streams(bench, "pub -l", publishers, publish_lines, ["cpu_us", "per_s", "arrived %"])
    streams(bench, "sub -v", subscribers, print_messages, ["cpu_us", "per_s"])
