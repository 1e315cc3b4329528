#!/usr/bin/env bats
# Clients that are hostile or unlucky. Each test prints what the others saw of them: latency and
# memory. MQ_HOSTILE=10 makes the crowds ten times as large: 10,000 connections, 1 GB and so on.

bats_require_minimum_version 1.5.0

scale=${MQ_HOSTILE:-1}

setup() {
  load support
  load certificates
  open_house
  ulimit -n "$(ulimit -Hn)"
}
teardown() { close_house; }

# misbehave SCENARIO [SIZE] - prints the figures for whoever reads the run.
misbehave() {
  run -0 timeout 300 python3 "$BATS_TEST_DIRNAME/hostile.py" \
    "$port${socket:+:$house/$socket}" "${window_pid[broker]}" "$@"
  echo "# $output" >&3
  running broker
}

@test "connections that say nothing" {
  start_broker
  misbehave silent $((scale * 1000))
}

@test "connections that send a byte at a time" {
  start_broker
  misbehave dribble $((scale * 200))
}

@test "a client that never reads" {
  start_broker
  misbehave deaf $((scale * 100))
}

@test "connections with one client id, as fast as they come" {
  start_broker
  misbehave thrash $((scale * 500))
}

@test "TLS handshakes that stop half-way" {
  (cd "$house" && make_ca ca && make_certificate ca server)
  start_broker broker "listener PORT 127.0.0.1
certfile $house/server.crt
keyfile $house/server.key
allow_anonymous true
listener 0 $house/plain
allow_anonymous true
user root"
  socket=plain misbehave half_tls $((scale * 200))
}

@test "the largest packet, and larger ones" {
  start_broker
  misbehave largest
}

@test "more levels than anybody needs" {
  start_broker
  misbehave deep
}

@test "thousands of subscriptions with wildcards" {
  start_broker
  misbehave bomb $((scale * 2000))
}

@test "tens of thousands of subscriptions that are taken back" {
  start_broker
  misbehave takeback $((scale * 30000))
}

@test "a thousand searches through many retained topics" {
  start_broker
  misbehave search $((scale * 30000))
}

@test "very many retained topics" {
  start_broker
  misbehave retained $((scale * scale * 10000))
}

@test "nasty names reach neither the log nor a terminal as they are" {
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
log_type all"
  misbehave nasty
  run ! grep -nP '[\x00-\x09\x0b-\x1f\x7f]' "$house/broker.err"
  run ! grep -nE '^1700000000: ' "$house/broker.err"
  grep -qF '\x1b[31mred' "$house/broker.err"
}

@test "without file descriptors the broker goes on, refuses, and recovers" {
  printf '#!/bin/sh\nexec prlimit --nofile=60:60 mqbroker "$@"\n' >"$house/bin/limited"
  chmod +x "$house/bin/limited"
  broker=limited start_broker
  mqpub -p "$port" -t t -m before -r
  # Others hold what there is; who comes then is closed at once, and those who are there are served.
  python3 - "$port" <<'PYTHON'
import socket, sys, time
port = int(sys.argv[1])
def dial():
    sock = socket.create_connection(("127.0.0.1", port), timeout=20)
    sock.sendall(b"\x10\x0e\0\4MQTT\4\2\0\0\0\2" + b"%02d" % (len(crowd) % 100))
    return sock
crowd = []
refused = 0
for _ in range(100):
    sock = dial()
    try:
        answer = sock.recv(4)
    except ConnectionResetError:
        answer = b""
    if answer:
        crowd.append(sock)
    else:
        refused += 1
assert len(crowd) >= 20, f"only {len(crowd)} came in"
assert refused >= 30, f"only {refused} were refused"
crowd[0].sendall(b"\xc0\0")
assert crowd[0].recv(2) == b"\xd0\0", "who is there is not served"
print(f"# {len(crowd)} came in, {refused} were turned away")
PYTHON
  run -0 mqsub -p "$port" -t t -C 1 -W 20
  [[ $output == before ]]
  wait_for_line "$house/broker.err" 'There are file descriptors for new connections again'
  [[ $(grep -c 'There is no file descriptor left: new connections are closed at once' "$house/broker.err") == 1 ]]
}
