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


def has_ended(process):
    """Without taking note of it: finish() is to learn what it has used."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def finish(process, start):
    """Waits for a command's end: its exit code, wall time and CPU in seconds."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - start, usage.ru_utime + usage.ru_stime


def of_each(count, code, wall, cpu, arrived, is_right):
    figures = {"cpu_us": cpu * 1e6 / max(arrived, 1), "per_s": arrived / wall}
    return {"ok": code == 0 and is_right, "figures": figures | {"arrived %": 100 * arrived / count}}


def start_limit(bench):
    return brokers.Broker(*brokers.installed(bench.args.programs)["limit"], bench.house)


def start_sink(bench, broker, qos, count):
    """Somebody who looks at all that comes, and is subscribed."""
    sink = subprocess.Popen(
        [bench.load, str(broker.port), "0", "sink", f"topic={TOPIC}", f"qos={qos}", f"count={count}",
         f"payload={LINE}", "patience=3"],
        stdout=subprocess.PIPE, text=True,
    )
    sink.stdout.readline()
    return sink


def publish_lines(bench, program, qos):
    """From a file to a topic; what counts is what arrives."""
    count = bench.args.count
    lines = pathlib.Path(bench.house) / "lines"
    lines.write_text("".join(f"{i:010d} ".ljust(LINE, "x") + "\n" for i in range(count)))
    broker = start_limit(bench)
    sink = start_sink(bench, broker, qos, count)
    with open(lines, "rb") as file:
        argv = [program, "-p", str(broker.port), "-q", str(qos), "-t", TOPIC, "-l"]
        start = time.monotonic()
        code, wall, cpu = finish(subprocess.Popen(argv, stdin=file), start)
    result = json.loads(sink.communicate()[0])
    broker.stop()
    arrived = int(result["figures"]["arrived"])
    return of_each(count, code, wall, cpu, arrived, not any(result["faults"].values()))


def print_messages(bench, program, qos):
    """From a topic to a pipe that is read."""
    # The limit takes packet ids anew without waiting for their release, which at QoS 2 makes doubles.
    count = min(bench.args.count, 65_535) if qos == 2 else bench.args.count
    broker = start_limit(bench)
    argv = [program, "-p", str(broker.port), "-q", str(qos), "-t", TOPIC, "-v", "-C", str(count), "-W", "60"]
    printed = pathlib.Path(bench.house) / "printed"
    with open(printed, "wb") as file:
        reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=file)
    subscriber = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=reader.stdin)
    reader.stdin.close()
    while TOPIC not in broker.output() and not has_ended(subscriber):
        time.sleep(0.01)
    start = time.monotonic()
    source = subprocess.Popen(
        [bench.load, str(broker.port), "0", "source", f"topic={TOPIC}", f"qos={qos}", f"count={count}", f"payload={LINE}"],
        stdout=subprocess.DEVNULL,
    )
    code, wall, cpu = finish(subscriber, start)
    reader.wait()
    source.wait()
    broker.stop()
    tail = " " * 6 + "." * (LINE - 17) + " "  # as `load source` fills it
    lines = printed.read_text(errors="replace").splitlines()
    is_right = lines == [f"{TOPIC} {i:010d}{tail}" for i in range(count)]
    return of_each(count, code, wall, cpu, min(len(lines), count), is_right)


def once(bench, programs, qos):
    """Start to exit of one message, by hyperfine: one round's results by name."""
    broker = start_limit(bench)
    for name, program in programs.items():  # that it arrives is looked at once, beforehand
        sink = start_sink(bench, broker, qos, 1)
        message = "0" * LINE
        argv = [program, "-p", str(broker.port), "-q", str(qos), "-t", TOPIC, "-m", message]
        code = subprocess.run(argv, stdin=subprocess.DEVNULL).returncode
        faults = json.loads(sink.communicate()[0])["faults"]
        if code != 0 or any(faults.values()):
            bench.complain(f"pub -m x, QoS {qos}, {name}: it did not arrive, or it failed")
    out = pathlib.Path(bench.house) / "hyperfine.json"
    argv = ["hyperfine", "-N", "--style", "none", "--warmup", "3", "--runs", str(ONCE_A_ROUND)]
    tails = [f"-p {broker.port} -q {qos} -t {TOPIC} -m x"] * len(programs)
    called = [f"{shlex.quote(program)} {tail}" for program, tail in zip(programs.values(), tails)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    code = subprocess.run([*argv, "--export-json", out, *called], **quiet).returncode
    broker.stop()
    if code != 0:
        bench.complain(f"pub -m x, QoS {qos}: it fails")
        return {name: {"figures": {}} for name in programs}
    measured = json.loads(out.read_text())["results"]
    return {
        name: {"figures": {"wall ms": m["median"] * 1e3, "cpu ms": (m["user"] + m["system"]) * 1e3}}
        for name, m in zip(programs, measured)
    }


def streams(bench, title, programs, measure, figures):
    for qos in (0, 1, 2):
        results = {name: [] for name in programs}
        for turn in range(bench.args.rounds):
            for name in sorted(programs, reverse=turn % 2 == 0):
                result = measure(bench, programs[name], qos)
                results[name].append(result)
                if name == "mq" and not result["ok"]:
                    bench.complain(f"{title}, QoS {qos}: something was lost, doubled or out of order, or it failed")
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
    streams(bench, "sub -v", subscribers, print_messages, ["cpu_us", "per_s", "arrived %"])
