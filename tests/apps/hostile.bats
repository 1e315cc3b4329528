#!/usr/bin/env bats
# Clients that are hostile or unlucky. Each test prints what the others saw of them, latency and
# memory, and fails when it is more than it may be. MQ_HOSTILE=10 makes the crowds ten times as
# large: 10,000 connections, 1 GB and so on.

bats_require_minimum_version 1.5.0

scale=${MQ_HOSTILE:-1}

setup() {
  load support
  load certificates
  open_house
  # Nothing that an earlier broker on this port has left; also as root, who becomes somebody else.
  mkdir -m 777 "$house/data"
  # shellcheck disable=SC2034
  broker_options=(--data "$house/data")
  ulimit -n "$(ulimit -Hn)"
  export TSAN_OPTIONS=history_size=0
  ((scale == 1)) || free_at_once
}
teardown() { close_house; }

# free_at_once - what so many have freed is more than the bounds leave room for, and would stay in
# memory, to be watched.
free_at_once() { export ASAN_OPTIONS=quarantine_size_mb=1; }

# lenience - how many times as much time and memory as a release the broker may take that is tried.
lenience() {
  local cache=${MQBROKER%/*/*}/CMakeCache.txt
  if grep -qsE '^MQ_SANITIZE:.*=thread' "$cache"; then
    echo 8 # what watches threads keeps several bytes for each that was ever used
  elif grep -qsE '^CMAKE_BUILD_TYPE:.*=Debug$|^MQ_SANITIZE:.*=.' "$cache"; then
    echo 4
  else
    echo 1
  fi
}

# misbehave SCENARIO [SIZE] - prints the figures for whoever reads the run.
misbehave() {
  run timeout 300 python3 "$BATS_TEST_DIRNAME/hostile.py" \
    "$port${socket:+:$house/$socket}" "${window_pid[broker]}" "$(lenience)" "$@"
  echo "# ${output//$'\n'/$'\n'# }" >&3
  ((status == 0))
  running broker
}

# log_is_clean - nothing in it moves a cursor, and nobody but the broker has written a line, or a
# sentence of one.
log_is_clean() {
  # Neither controls, of one byte or of two, nor what turns the direction of writing.
  local unwanted='[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]'
  LC_ALL=C run ! grep -nP "$unwanted" "$house/broker.err"
  run ! grep -nE '^1700000000: ' "$house/broker.err"
  run ! grep -nvE '^[0-9]{10}: ' "$house/broker.err"
  grep -qF 'two\x0a1700000000: Client admin connected' "$house/broker.err"
  run ! grep -F 10.9.9.9 <<<"$(unquoted)"
  grep -qF 10.9.9.9 "$house/broker.err"
}

# unquoted - the log without what stands in quotes.
unquoted() { sed -E 's/"([^"\\]|\\.)*"//g' "$house/broker.err"; }

# start_impatient_broker - which gives who has connected some seconds to come in.
start_impatient_broker() {
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
connect_timeout 12"
}

@test "connections that say nothing" {
  start_impatient_broker
  misbehave silent $((scale * 1000))
}

@test "connections that send a byte a second" {
  start_impatient_broker
  misbehave dribble $((scale * 1000))
}

@test "connections that say nearly all of a long CONNECT" {
  free_at_once
  start_impatient_broker
  misbehave half_connect $((scale * 100))
}

@test "clients that send nearly all of a long PUBLISH" {
  free_at_once
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
memory_limit 80000000"
  misbehave half_publish $((scale * 100))
  run ! grep -F memory_limit "$house/broker.err"
}

@test "connections that never read" {
  free_at_once
  start_broker
  misbehave deaf $((scale * 100))
}

@test "connections that never read what is for one of them each" {
  free_at_once
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
global_max_unread_bytes 20000000"
  misbehave deaf_apart $((scale * 50))
}

@test "connections with one client id, as fast as they come" {
  start_broker
  misbehave thrash $((scale * 1000))
}

@test "TLS handshakes that stop half-way" {
  free_at_once
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
  free_at_once
  start_broker
  misbehave largest $((scale * 10))
}

@test "the largest packet there is, which would be larger still with MQTT 5" {
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
max_packet_size 268435460
sys_interval 1"
  misbehave enormous $scale
  wait_for_line "$house/broker.err" 'Dropped .* for client plain: the message is larger than the client accepts'
}

@test "more levels than anybody needs" {
  start_broker
  misbehave deep $((scale * 10))
}

@test "thousands of subscriptions with wildcards" {
  free_at_once
  start_broker
  misbehave bomb $((scale * 1000))
}

@test "tens of thousands of subscriptions that are taken back" {
  free_at_once
  start_broker
  misbehave takeback $((scale * 30000))
}

@test "a thousand searches through many retained topics" {
  free_at_once
  start_broker
  misbehave search $((scale * 30000))
}

@test "very many retained topics" {
  free_at_once
  start_broker
  misbehave retained $((scale * scale * 10000))
}

@test "retained messages that come faster than the disk takes them" {
  free_at_once
  start_broker
  misbehave overrun $((scale * 10000))
}

@test "nasty names reach neither the log nor a terminal as they are" {
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
log_type all"
  misbehave nasty
  log_is_clean
  grep -qF '\x1b[31mred' "$house/broker.err"
  grep -qF '\xe2\x80\xaetxt.exe' "$house/broker.err"
}

@test "nasty ids have topics in \$SYS that anybody can read" {
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
log_type all
sys_interval 1"
  misbehave counted
  log_is_clean
  for version in 311 5; do
    run -0 --separate-stderr mqsub -p "$port" -V "$version" -t '$SYS/broker/clients/+/dropped/#' -v --retained-only
    ((${#lines[@]} == 20))
    [[ -z $stderr ]]
    LC_ALL=C run ! grep -vE '^\$SYS/broker/clients/[ -~]+/dropped/too_large 1$' <<<"$output"
  done
}

# limited - as `broker`: one with few file descriptors.
limited() {
  printf '#!/bin/sh\nexec prlimit --nofile=%d:%d mqbroker "$@"\n' $((scale * 60)){,} >"$house/bin/limited"
  chmod +x "$house/bin/limited"
}

@test "who sends far more than it may, and goes, does not keep others out" {
  free_at_once
  limited
  # shellcheck disable=SC2034
  verbosity=() # which would have a line for each of the messages
  broker=limited start_broker broker "listener PORT 127.0.0.1
max_publish_rate 1
allow_anonymous true
listener 0 $house/plain
allow_anonymous true
user root"
  socket=plain misbehave hasty $((scale * 100))
  grep -q 'There is no file descriptor left: new connections are closed at once' "$house/broker.err"
  grep -qE '"hasty [0-9]+" had sent [0-9]+ bytes that are lost: they were not read' "$house/broker.err"
}

@test "without file descriptors the broker goes on, refuses, and recovers" {
  limited
  broker=limited start_broker
  mqpub -p "$port" -t t -m before -r
  misbehave scarce $((scale * 100))
  run -0 mqsub -p "$port" -t t -C 1 -W 20
  [[ $output == before ]]
  wait_for_line "$house/broker.err" 'There are file descriptors for new connections again'
  [[ $(grep -c 'There is no file descriptor left: new connections are closed at once' "$house/broker.err") == 2 ]]
}
