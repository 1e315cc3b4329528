"""Brokers that are measured: how they are found, started afresh and ended."""

import atexit
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

MOSQUITTO = """\
listener {port} 127.0.0.1
user root
allow_anonymous true
persistence %s
persistence_location {dir}/
log_type none
log_dest none
sys_interval 0
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 0
max_packet_size 1000000
set_tcp_nodelay true
"""
FLASHMQ = """\
listen {
  protocol mqtt
  inet_protocol ip4
  inet4_bind_address 127.0.0.1
  tcp_nodelay true
  port {port}
}
allow_anonymous true
thread_count 1
log_level none
max_packet_size 1000000
max_qos_msg_pending_per_client 65535
max_qos_bytes_pending_per_client 4000000000
log_file {dir}/log
"""


def settings(persistence="false"):
    """A configuration that mosquitto and mqbroker read alike."""
    return MOSQUITTO % persistence


def installed(programs):
    """What can be measured here: name -> (command, text of the configuration file)."""
    found = {
        "limit": (f"{programs}/tests/bench/limit {{port}}", ""),
        "mqbroker": (f"{programs}/apps/mqbroker -q -c {{conf}}", settings()),
    }
    where = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
    if mosquitto := shutil.which("mosquitto", path=where):
        found["mosquitto"] = (f"{mosquitto} -c {{conf}}", settings())
    if flashmq := shutil.which("flashmq", path=where):
        found["flashmq"] = (f"{flashmq} --config-file {{conf}}", FLASHMQ)
    return found


class Broker:
    """A broker that runs on a free port, in a directory of its own, until stop()."""

    def __init__(self, command, configuration, house, wrapper=(), patience=60):
        self.house = pathlib.Path(tempfile.mkdtemp(prefix="broker.", dir=house))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        values = {"port": self.port, "dir": self.house, "conf": self.house / "broker.conf"}

        def fill(text):
            return re.sub(r"{(port|dir|conf)}", lambda match: str(values[match[1]]), text)

        values["conf"].write_text(fill(configuration))
        argv = [*wrapper, *shlex.split(fill(command))]
        with open(self.house / "output", "wb") as output:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        atexit.register(self.stop)  # whatever else goes wrong
        self.wait_for_start(patience)

    def wait_for_start(self, patience):
        end = time.monotonic() + patience
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                words = self.output().strip() or "it says nothing"
                self.stop()
                raise RuntimeError(f"{shlex.join(self.process.args)} does not start: {words}")
            time.sleep(0.01)

    def output(self):
        """What it has written so far."""
        return (self.house / "output").read_text(errors="replace")

    def answers(self):
        connect = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x00\x00\x05probe"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                probe.sendall(connect)
                return probe.recv(4)[:1] == b"\x20"
        except OSError:
            return False

    def load(self, load, scenario, patience=600):
        """Runs the generator; its result, or one that says what went wrong."""
        argv = [load, str(self.port), str(self.process.pid), *scenario.split()]
        try:
            run = subprocess.run(argv, capture_output=True, timeout=patience, text=True)
            result = json.loads(run.stdout)
            result["ok"] = run.returncode == 0
            return result
        except subprocess.TimeoutExpired:
            return {"ok": False, "faults": {"did not end": 1}, "figures": {}}
        except ValueError:
            return {"ok": False, "faults": {run.stderr.strip(): 1}, "figures": {}}

    def stop(self, patience=60):
        atexit.unregister(self.stop)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.house, ignore_errors=True)
