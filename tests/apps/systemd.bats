#!/usr/bin/env bats
# What systemd does for a service: it opens the sockets, hears when the broker is ready, and watches
# over it. And its unit file.

bats_require_minimum_version 1.5.0

setup() {
  load support
  open_house
  cd "$house" || return
}
teardown() {
  close_house
}

# activate SOCKET [ARGUMENT...] - the broker, started by the first connection to SOCKET.
activate() {
  window broker systemd-socket-activate -l "$1" "$MQBROKER" -v "${@:2}"
  wait_for_line broker.err 'Listening on'
}

# A port that nobody has, as far as one can know; sets `port`.
some_port() { port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000)); }

@test "a listener takes the socket that systemd has opened for its port" {
  some_port
  printf '%s\n' "listener $port" 'allow_anonymous true' 'user root' >broker.conf
  activate "127.0.0.1:$port" -c "$house/broker.conf"
  run ! grep -q starting broker.err
  mqpub -h localhost -p "$port" -q 1 -r -t a -m first
  grep -q "Listening on the socket that systemd has opened on port $port" broker.err
  run ! grep -q 'Opening' broker.err
  mqsub -h localhost -p "$port" -t a -C 1 | grep -qx first
}

@test "a listener takes the Unix socket that systemd has opened" {
  printf '%s\n' "listener 0 $house/mq.sock" 'protocol websockets' 'allow_anonymous true' \
    'user root' >broker.conf
  activate "$house/mq.sock" -c "$house/broker.conf"
  mqpub --unix "$house/mq.sock" --ws -q 1 -t a -m first
  stop broker
  [[ -S mq.sock ]] # it is systemd's
}

# refuses SOCKET WORDS [ARGUMENT...] - the broker ends with exit code 1 and these words.
refuses() {
  activate "$1" "${@:3}"
  (exec 9<>"/dev/tcp/127.0.0.1/$port") || true
  local status=0
  wait_for_end broker || status=$?
  [[ $status -eq 1 ]]
  grep -qF "$2" broker.err
}

@test "a socket that no listener is for is named" {
  some_port
  echo "listener $((port + 1)) 127.0.0.1" >broker.conf
  refuses "127.0.0.1:$port" "systemd has opened a socket on port $port, and there is no listener" \
    -c "$house/broker.conf"
}

@test "without a configuration, a socket for everyone is not taken" {
  some_port
  refuses "0.0.0.0:$port" "systemd has opened port $port for everyone: name a listener" -p "$port"
  activate "127.0.0.1:$port" -p "$port" --no-persistence
  mqpub -h localhost -p "$port" -q 1 -t a -m first
}

@test "systemd hears that the broker is ready, alive and stopping" {
  cat >listen.py <<'PYTHON'
import os
import socket
notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notices.bind("notify")
os.chmod("notify", 0o777)  # as systemd's is: the broker is not root any more when it speaks
print("bound", flush=True)
while True:
    print(notices.recv(100).decode(), flush=True)
PYTHON
  window systemd /usr/bin/python3 listen.py
  wait_for_line systemd.out bound
  export NOTIFY_SOCKET=$house/notify WATCHDOG_USEC=100000
  start_broker
  wait_for_line systemd.out 'READY=1'
  alive_twice() { [[ $(grep -c 'WATCHDOG=1' systemd.out) -ge 2 ]]; }
  wait_until "it is alive" alive_twice
  run ! grep -q STOPPING systemd.out
  mqpub -h localhost -p "$port" -t a -m b
  stop broker
  wait_for_line systemd.out 'STOPPING=1'
}

@test "the unit file is one" {
  DESTDIR=$house cmake --install "$MQ_TREE" --prefix /usr >/dev/null
  unit=$house/usr/lib/systemd/system/mqbroker.service
  grep -q '^ExecStart=/.*/mqbroker -c ' "$unit"
  # The program is not where it would be.
  sed "s|^ExecStart=[^ ]*|ExecStart=$MQBROKER|" "$unit" >mqbroker.service
  systemd-analyze verify --man=no "$house/mqbroker.service" 2>&1 | grep mqbroker.service >trouble || true
  run ! grep . trouble
}
