#!/usr/bin/env bats
# The program mqbroker itself: how it starts, what it says, how it ends.

bats_require_minimum_version 1.5.0

setup() {
  load support
  open_house
}

teardown() {
  close_house
}

# logged NAME PATTERN - until a line of the log matches.
logged() { wait_for_line "$house/$1.err" "$2"; }

# a_port - prints a port that was free a moment ago.
a_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# port_of NAME N - prints the port of the Nth line of the log that names one.
port_of() { sed -nE 's/.*Opening ipv4 listen socket on port ([0-9]+)\.$/\1/p' "$house/$1.err" | sed -n "$2p"; }

# reaches ARGUMENT... - a message published to a broker comes back from it.
reaches() {
  mqpub "$@" -r -t probe -m "it works" && [[ $(mqsub "$@" -t probe -C 1 -W "$patience") == "it works" ]]
}

has_ipv6() { grep -q "^0*1 " /proc/net/if_inet6 2>/dev/null; }

@test "--help and --version answer on stdout and end with 0" {
  run -0 --separate-stderr mqbroker --help
  [[ $output == *"--config-file FILE"* && -z $stderr ]]
  run -0 --separate-stderr mqbroker --version
  [[ $output =~ ^mqbroker\ [0-9]+\.[0-9]+\.[0-9]+$ && -z $stderr ]]
}

@test "a wrong option is one line that names it, and exit code 3" {
  run -3 --separate-stderr mqbroker --prot 1884
  [[ -z $output && $stderr == "mqbroker: unknown option --prot; did you mean --port?" ]]
}

@test "with -p it listens on the loopback addresses and says so" {
  window broker mqbroker -p 0
  logged broker ' running$'
  port=$(port_of broker 1)
  logged broker "^[0-9]+: mqbroker version [0-9.]+ starting$"
  logged broker "^[0-9]+: Only clients on this machine can connect"
  reaches -h 127.0.0.1 -p "$port"
  run ! grep -E 'listen socket on port' <(grep -v "port $port\.$" "$house/broker.err")
}

@test "with -p it listens on ::1, too" {
  has_ipv6 || skip "this machine has no IPv6"
  window broker mqbroker -p 0
  logged broker ' running$'
  reaches -h ::1 -p "$(port_of broker 1)"
}

@test "-p given twice is two ports of one broker" {
  window broker mqbroker -p 0 -p 0
  logged broker ' running$'
  first=$(port_of broker 1) second=$(port_of broker 2)
  [[ -n $first && -n $second && $first != "$second" ]]
  mqpub -h localhost -p "$first" -r -t probe -m "from the first"
  run -0 mqsub -h localhost -p "$second" -t probe -C 1 -W "$patience"
  [[ $output == "from the first" ]]
}

@test "a port in use is one line that names it and the way out, and exit code 1" {
  window first mqbroker -p 0
  logged first ' running$'
  port=$(port_of first 1)
  run -1 --separate-stderr mqbroker -q -p "$port"
  [[ -z $output ]]
  [[ $stderr == "mqbroker: cannot listen on 127.0.0.1 port $port: address already in use (is another broker running? choose another port"* ]]
  stop first
}

@test "SIGINT and SIGTERM end it with 0, and it says goodbye" {
  for signal in INT TERM; do
    start_broker broker
    window client mqsub -h localhost -p "$port" -t x -i the-client
    logged broker 'as the-client'
    stop broker "$signal"
    logged broker "^[0-9]+: mqbroker version [0-9.]+ terminating$"
    stop client || true
  done
}

@test "SIGHUP, SIGUSR1, SIGUSR2 and SIGRTMIN leave it and its clients alone" {
  start_broker broker
  window client mqsub -h localhost -p "$port" -t x
  listening client x
  for signal in HUP USR1 USR2 RTMIN; do
    kill -s "$signal" "${window_pid[broker]}"
  done
  logged broker 'The configuration was read again'
  logged broker 'Subscriptions: [0-9]'
  mqpub -h localhost -p "$port" -t x -m "still there"
  heard_all client x
  expect client "still there"
}

@test "a will is published when the broker ends" {
  start_broker broker
  window watcher mqsub -h localhost -p "$port" -t will
  listening watcher will
  window client mqsub -h localhost -p "$port" -t x --will-topic will --will-payload gone
  logged broker "as .* \(p2, c1, k60\)"
  listening client x
  stop broker
  wait_for_line "$house/watcher.out" '^gone$'
}

@test "a configuration file opens what it names, and -p has no effect then" {
  start_broker broker "listener PORT 127.0.0.1
listener 0 HOUSE/mq.sock
allow_anonymous true
user root"
  reaches -h 127.0.0.1 -p "$port"
  reaches --unix "$house/mq.sock"
  logged broker 'New client connected from unix socket as '
  stop broker
  [[ ! -e $house/mq.sock ]]

  window again mqbroker -v -p "$(a_port)" -c broker.conf
  logged again ' running$'
  [[ $(grep -c "listen socket on port" "$house/again.err") == 1 ]]
  reaches -h 127.0.0.1 -p "$port"
}

@test "the default listener may be for one family of addresses" {
  has_ipv6 || skip "this machine has no IPv6"
  for family in ipv4 ipv6; do
    echo "socket_domain $family" >"$house/$family.conf"
    window "$family" mqbroker -p 0 -c "$family.conf"
    logged "$family" ' running$'
    [[ $(grep -o "Opening ipv. " "$house/$family.err") == "Opening $family " ]]
  done
}

@test "two listeners, each with its own word about anonymous clients" {
  second=$(a_port)
  start_broker broker "allow_anonymous true
listener PORT 127.0.0.1
listener $second 127.0.0.1
listener_allow_anonymous false"
  logged broker "Every client on port $second will be refused: allow_anonymous is false"
  reaches -h 127.0.0.1 -p "$port"
  run -5 mqpub -h 127.0.0.1 -p "$second" -i spy -t x -m x
  logged broker 'Client from 127.0.0.1:[0-9]+ on port [0-9]+ as spy refused: Not authorized: allow_anonymous is false'
}

@test "a socket file that a dead broker left is used again, one that lives is not" {
  start_broker first "listener 0 HOUSE/mq.sock
allow_anonymous true
listener PORT 127.0.0.1"
  crash first
  [[ -S $house/mq.sock ]]
  window second mqbroker -c first.conf
  logged second ' running$'
  reaches --unix "$house/mq.sock"

  echo "listener 0 $house/mq.sock" >"$house/third.conf"
  run -1 --separate-stderr mqbroker -q -c "$house/third.conf"
  [[ $stderr == "mqbroker: $house/third.conf:1: cannot listen on Unix socket $house/mq.sock: address already in use"* ]]
}

@test "a mistake in the file is one line with file, line and remedy, and exit code 3" {
  printf '# fine\nlistener 1884\nmax_queued_mesages 5\n' >"$house/bad.conf"
  cd "$house"
  run -3 --separate-stderr mqbroker -c bad.conf
  [[ -z $output ]]
  [[ $stderr == 'mqbroker: bad.conf:3: unknown option "max_queued_mesages" (did you mean max_queued_messages?)' ]]
  run -3 --separate-stderr mqbroker -c missing.conf
  [[ $stderr == "mqbroker: cannot read missing.conf: No such file or directory" ]]
}

@test "--test-config only looks at the file: 0 when it is right, 3 when not" {
  printf 'listener 1\npersistence false\n' >"$house/good.conf"
  run -0 --separate-stderr mqbroker --test-config -c "$house/good.conf"
  [[ -z $stderr ]]
  printf 'persistence maybe\n' >"$house/bad.conf"
  run -3 --separate-stderr mqbroker --test-config -c "$house/bad.conf"
  [[ $stderr == *"persistence: \"maybe\" should be true or false"* ]]
}

@test "-q logs nothing, also when -v is there" {
  start_broker loud
  stop loud
  [[ -s $house/loud.err ]]
  window quiet mqbroker -q -v -p "$port"
  wait_until "quiet answers" reaches -h localhost -p "$port" 2>/dev/null
  stop quiet
  [[ ! -s $house/quiet.err && ! -s $house/quiet.out ]]
}

@test "-v tells of each packet, of no payload, and not on the topics of the log" {
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
user root
log_dest stderr
log_dest topic"
  window log mqsub -p "$port" -i log -t '$SYS/broker/log/D' -t '$SYS/broker/log/N' -q 1
  logged broker 'Sent SUBACK \(id [0-9]+, codes 0x01 0x01\) to client "log"\.$'
  mqpub -p "$port" -i dev -u alice -P password -q 1 -t a/b -m payload
  logged broker 'Received PUBLISH "a/b" \(7 bytes, QoS 1, id 1\) from client "dev"\.$'
  logged broker 'Sent PUBACK \(id 1\) to client "dev"\.$'
  wait_for_line "$house/log.out" 'Client dev disconnected'
  run ! grep -E 'payload|password' "$house/broker.err"
  run ! grep -E 'Received|Sent' "$house/log.out"
}

@test "-v tells of subscriptions, and without it they are not told" {
  for verbosity in -v ""; do
    window broker mqbroker $verbosity -p 0
    logged broker ' running$'
    port=$(port_of broker 1)
    mqsub -h localhost -p "$port" -i bond -t 'test/#' -q 1 -E
    logged broker 'Client bond disconnected\.$'
    stop broker
    if [[ -n $verbosity ]]; then
      grep -qE '^[0-9]+: bond 1 test/#$' "$house/broker.err"
    else
      run ! grep -q 'test/#' "$house/broker.err"
    fi
  done
}

@test "connection_messages false tells of no comings and goings" {
  start_broker broker "connection_messages false
allow_anonymous true
listener PORT 127.0.0.1"
  reaches -h 127.0.0.1 -p "$port"
  stop broker
  run ! grep -qE 'New (connection|client)|disconnected' "$house/broker.err"
}

@test "names from clients can neither end a line of the log nor speak to the terminal" {
  start_broker broker
  mqpub -h localhost -p "$port" -i $'a\e[2Jb\n1: c' -t x -m x
  logged broker 'as "a\\x1b\[2Jb\\x0a1: c" \('
  LC_ALL=C run ! grep -P '[\x00-\x08\x0b-\x1f]' "$house/broker.err"
}

@test "a broken rule is told with its words and its statement" {
  start_broker broker
  exec 5<>"/dev/tcp/127.0.0.1/$port"
  printf '\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01b\x36\x03\x00\x01x' >&5
  logged broker 'Client b disconnected: Malformed Packet: QoS 3 \[MQTT-3\.3\.1-4\]\.$'
  exec 5>&-
}

@test "a log file is written, and opened anew on SIGHUP when it was moved away" {
  start_broker broker "log_dest stderr
log_dest file HOUSE/mq.log
log_timestamp_format %Y-%m-%dT%H:%M:%S
allow_anonymous true
user root
listener PORT 127.0.0.1"
  grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}: mqbroker version [0-9.]+ running$' "$house/mq.log"
  mv "$house/mq.log" "$house/mq.log.1"
  kill -HUP "${window_pid[broker]}"
  wait_until "there is a new file" test -s "$house/mq.log"
}

@test "-d returns when the broker listens, which goes on until it is told to end" {
  port=$(a_port)
  printf 'listener %s 127.0.0.1\nallow_anonymous true\npid_file %s/pid\nuser root\n' "$port" "$house" >"$house/d.conf"
  run -0 --separate-stderr mqbroker -d -c "$house/d.conf"
  pid=$(<"$house/pid")
  reaches -h 127.0.0.1 -p "$port"
  kill "$pid"
  wait_until "the pid_file is gone" test ! -e "$house/pid"
  wait_until "the broker is gone" bash -c "! kill -0 $pid 2>/dev/null || grep -q '^State:.Z' /proc/$pid/status"
}

@test "-d returns the exit code and the reason when the broker cannot start" {
  start_broker broker
  run -1 --separate-stderr mqbroker -d -p "$port"
  [[ $stderr == *"cannot listen on 127.0.0.1 port $port"* ]]
}

@test "root becomes somebody who may do less" {
  ((EUID == 0)) || skip "only root can"
  start_broker broker "listener PORT 127.0.0.1
user nobody"
  logged broker 'Running as user nobody\.$'
  [[ $(stat -c %U "/proc/${window_pid[broker]}") == nobody ]]
  stop broker

  start_broker other
  [[ $(stat -c %U "/proc/${window_pid[other]}") =~ ^(mosquitto|nobody)$ ]]
  run -1 --separate-stderr mqbroker -p 0 -c <(echo "user no-such-user")
  [[ $stderr == *'user "no-such-user" does not exist'* ]]
}

@test "every option of --help is in the manual, and the other way round" {
  manual=$BATS_TEST_DIRNAME/../../man/mqbroker.8
  diff <(mqbroker --help | grep -oE -- '--[a-z][a-z-]+' | sort -u) \
    <(grep -oE -- 'Fl -[a-z][a-z-]+' "$manual" | sed 's/Fl /-/' | sort -u)
}

@test "the manual pages are well-formed" {
  run -0 mandoc -Tlint -Wwarning "$BATS_TEST_DIRNAME"/../../man/mqbroker{.8,.conf.5}
  [[ -z $output ]]
}

@test "root writes its log and its process id to nothing that somebody else has led it to" {
  ((UID == 0)) || skip "it takes root"
  mkdir "$house/theirs"
  chown nobody "$house/theirs"
  echo secret >"$house/victim"
  chmod 600 "$house/victim"
  refused() {
    printf 'listener 0 127.0.0.1\nuser nobody\n%s %s\n' "$1" "$house/theirs/file" >"$house/c"
    run -1 --separate-stderr timeout 20 mqbroker -c "$house/c"
    [[ $stderr == *"$house/c:3: ${1%% *}: cannot "*"$house/theirs/file: root does not $2"* ]]
    [[ $(cat "$house/victim") == secret && $(stat -c %u "$house/victim") == 0 ]]
  }
  local option
  for option in "log_dest file" pid_file; do
    ln -sf "$house/victim" "$house/theirs/file"
    refused "$option" "follow a symbolic link"
    ln -f "$house/victim" "$house/theirs/file"
    refused "$option" "write to a file with a second name"
    rm "$house/theirs/file"
    touch "$house/theirs/file"
    chown daemon "$house/theirs/file"
    refused "$option" "write to a file of somebody else"
    rm "$house/theirs/file"
  done
}

@test "root follows a link that only root can have made, and goes on with its own files and the heir's" {
  ((UID == 0)) || skip "it takes root"
  mkdir "$house/theirs"
  chown nobody "$house/theirs"
  echo 1 >"$house/theirs/pid"
  touch "$house/theirs/log"
  chown nobody "$house/theirs/log"
  ln -s "$house/theirs/log" "$house/log"
  start_broker broker "listener PORT 127.0.0.1
user nobody
log_dest stderr
log_dest file HOUSE/log
pid_file HOUSE/theirs/pid"
  [[ $(cat "$house/theirs/pid") == "${window_pid[broker]}" ]]
  grep -q ' running$' "$house/theirs/log"
}
