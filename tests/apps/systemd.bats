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

# activate SOCKET [ARGUMENT...] - the broker, started by the first connection to SOCKET. Sets
# `port`, for which PORT stands here and in `configuration`, which becomes broker.conf. A port that
# is taken is left to whoever has it.
activate() {
  local socket=$1 arguments=("${@:2}")
  for _ in {1..50}; do
    some_port
    printf '%s\n' "${configuration[@]//PORT/$port}" >broker.conf
    window broker systemd-socket-activate -l "${socket//PORT/$port}" \
      "$MQBROKER" -v "${arguments[@]//PORT/$port}"
    wait_until 'systemd listens' listening_or_ended || return 1
    running broker && return 0
    wait_for_end broker || true
    grep -q 'in use' broker.err || break
  done
  show broker
  return 1
}
listening_or_ended() { ended broker || grep -qs 'Listening on' broker.err; }

@test "a listener takes the socket that systemd has opened for its port" {
  configuration=('listener PORT' 'allow_anonymous true' 'user root')
  activate 127.0.0.1:PORT -c "$house/broker.conf"
  run ! grep -q starting broker.err
  mqpub -h localhost -p "$port" -q 1 -r -t a -m first
  grep -q "Listening on the socket that systemd has opened on port $port" broker.err
  run ! grep -q 'Opening' broker.err
  mqsub -h localhost -p "$port" -t a -C 1 | grep -qx first
}

@test "a listener takes the Unix socket that systemd has opened" {
  configuration=("listener 0 $house/mq.sock" 'protocol websockets' 'allow_anonymous true'
    'user root')
  activate "$house/mq.sock" -c "$house/broker.conf"
  mqpub --unix "$house/mq.sock" --ws -q 1 -t a -m first
  stop broker
  [[ -S mq.sock ]] # it is systemd's
}

@test "who comes by IPv4 through a socket for both families is logged so" {
  configuration=('listener PORT' 'allow_anonymous true' 'user root')
  activate '[::]:PORT' -c "$house/broker.conf"
  mqpub -h 127.0.0.1 -p "$port" -i four -q 1 -t a -m first
  wait_for_line broker.err 'New client connected from 127\.0\.0\.1:[0-9]+ as four '
}

# refuses SOCKET WORDS [ARGUMENT...] - the broker ends with exit code 1 and these words.
refuses() {
  activate "$1" "${@:3}"
  (exec 9<>"/dev/tcp/127.0.0.1/$port") || true
  local status=0
  wait_for_end broker || status=$?
  [[ $status -eq 1 ]]
  grep -qF "${2//PORT/$port}" broker.err
}

@test "a socket that no listener is for is named" {
  configuration=("listener 0 $house/mq.sock")
  refuses 127.0.0.1:PORT 'systemd has opened a socket on port PORT, and there is no listener' \
    -c "$house/broker.conf"
}

@test "without a configuration, a socket for everyone is not taken" {
  refuses 0.0.0.0:PORT 'systemd has opened port PORT for everyone: name a listener' -p PORT
  activate 127.0.0.1:PORT -p PORT --no-persistence
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

# install_unit - sets `unit`, the unit file where it is installed.
install_unit() {
  DESTDIR=$house cmake --install "$MQ_TREE" --prefix /usr >/dev/null
  unit=$house/usr/lib/systemd/system/mqbroker.service
}

@test "the unit file is one" {
  install_unit
  grep -q '^ExecStart=/.*/mqbroker -c ' "$unit"
  # The program is not where it would be.
  sed "s|^ExecStart=[^ ]*|ExecStart=$MQBROKER|" "$unit" >mqbroker.service
  systemd-analyze verify --man=no "$house/mqbroker.service" 2>&1 | grep mqbroker.service >trouble || true
  run ! grep . trouble
}

@test "within the rights of its unit file the broker becomes another user, and is reloaded" {
  ((EUID == 0)) || skip "only root becomes somebody else"
  install_unit
  kept=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr A-Z a-z | sed 's/cap_/,+/g; s/ //g')
  limits=(setpriv "--bounding-set=-all$kept" --no-new-privs)
  printf '#!/bin/sh\nexec %s mqbroker "$@"\n' "${limits[*]}" >bin/confined
  chmod +x bin/confined
  mkdir -m 700 data
  broker=confined start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
persistence_location $house/data/
user nobody"
  [[ $(stat -c %U "/proc/${window_pid[broker]}") == nobody ]]
  mqpub -p "$port" -q 1 -r -t a -m kept
  reload=$(sed -n 's/^ExecReload=//p' "$unit")
  if [[ $reload == +* ]]; then limits=(); fi # as systemd does
  MAINPID=${window_pid[broker]} "${limits[@]}" bash -c "${reload#+}"
  wait_for_line broker.err 'configuration was read again'
}

@test "the unit file leaves the broker little that it does not need" {
  install_unit
  systemd-analyze security --help | grep -q -e --offline || skip "this systemd cannot judge a file"
  systemd-analyze security --offline=yes --threshold=30 --no-pager "$unit" >judged || {
    cat judged
    return 1
  }
}

@test "the unit file allows every system call that the broker makes" {
  load certificates
  install_unit
  make_ca ca && make_certificate ca server
  printf 'alice:secret\n' >passwords && mqbroker passwd -U passwords && chmod 644 passwords
  # LeakSanitizer cannot do its work under strace.
  printf '#!/bin/sh\nASAN_OPTIONS=detect_leaks=0 exec strace -D -f -qq -o %s mqbroker "$@"\n' \
    "$house/calls" >bin/traced
  chmod +x bin/traced
  broker=traced start_broker broker "listener PORT
certfile $house/server.crt
keyfile $house/server.key
password_file $house/passwords
bind_interface lo
listener 0 $house/plain
protocol websockets
allow_anonymous true
persistence true
persistence_location $house/
log_dest file $house/log
log_dest stderr
user root"
  mqsub --unix "$house/plain" --ws -i keeper -c -q 1 -t a -E
  mqpub -h localhost -p "$port" --cafile ca.crt -u alice -P secret -q 2 -r -t a -m kept
  kill -HUP "${window_pid[broker]}"
  mqsub --unix "$house/plain" --ws -i keeper -c -q 1 -t a -C 1 | grep -qx kept
  stop broker
  groups=$(sed -n 's/^SystemCallFilter=//p' "$unit")
  allowed() { # the members of groups, and of the groups among these
    local name
    for name; do
      if [[ $name == @* ]]; then
        # shellcheck disable=SC2046
        allowed $(systemd-analyze syscall-filter "$name" | sed -n '2,${s/#.*//; s/^ *//; p}')
      else
        echo "$name"
      fi
    done
  }
  # shellcheck disable=SC2086
  allowed @default $groups | sort -u >allowed
  sed -nE 's/^[0-9]+ +([a-z_0-9]+)\(.*/\1/p' calls | sort -u >made
  [[ $(wc -l <made) -gt 30 ]]
  comm -23 made allowed | tee denied
  [[ ! -s denied ]]
}
