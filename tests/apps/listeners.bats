#!/usr/bin/env bats
# What a listener takes: from where, from whom, how many, and under which topics.

bats_require_minimum_version 1.5.0

setup() {
  load support
  open_house
  cd "$house" || return
}
teardown() {
  close_house
}

# broker_with [LINE...] - mqbroker with one listener, and these lines.
broker_with() {
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
user root
$(printf '%s\n' "$@")"
}

# connected NAME OPTION... - a window with a subscriber that is connected.
connected() {
  window "$1" mqsub -h localhost -p "$port" -t a -d "${@:2}"
  wait_for_line "$1.err" SUBACK
}

@test "a listener may keep to one network interface" {
  broker_with 'bind_interface lo'
  mqpub -h localhost -p "$port" -t a -m b
  ss -tlnH "sport = :$port" | grep -qF "127.0.0.1%lo:$port"
  stop broker
  broker_with
  ss -tlnH "sport = :$port" | grep -qF "127.0.0.1:$port"
  stop broker
  echo "listener $port 127.0.0.1
bind_interface nowhere" >broker.conf
  run ! mqbroker -c broker.conf
  [[ $output == *"cannot listen on 127.0.0.1 port $port of interface nowhere: no such device"* ]]
}

@test "a Unix socket has the mode and the group that it is given" {
  group=$(id -Gn | tr ' ' '\n' | tail -1)
  start_broker broker "listener 0 HOUSE/mq.sock
socket_mode 0620
socket_group $group
max_connections 1
allow_anonymous true
user root"
  [[ $(stat -c '%a %G' mq.sock) == "620 $group" ]]
  mqpub --unix "$house/mq.sock" -t a -m b
  mqpub --unix "$house/mq.sock" -t a -m b
}

@test "a listener has no more connections than it may" {
  broker_with 'max_connections 2'
  connected one
  connected two
  run ! mqpub -h localhost -p "$port" -t a -m b
  wait_for_line broker.err 'its listener has as many connections as max_connections says'
  ctrl_c two
  mqpub -h localhost -p "$port" -t a -m b
  expect one b
}

@test "a listener may have a part of the topics for itself" {
  broker_with 'mount_point house/' "listener 0 $house/all.sock"
  connected inside
  window outside mqsub --unix "$house/all.sock" -v -t '#' -d
  wait_for_line outside.err SUBACK
  mqpub -h localhost -p "$port" -t a -m "from inside"
  wait_for_line outside.out '^house/a from inside$'
  mqpub --unix "$house/all.sock" -t a -m "not for inside"
  mqpub --unix "$house/all.sock" -t house/a -m "for inside"
  wait_for_line inside.out 'for inside'
  expect inside "from inside" "for inside"
}

@test "a listener may speak some versions of MQTT only" {
  broker_with 'accept_protocol_versions 3,5'
  mqpub -h localhost -p "$port" -V 5 -t a -m b
  mqpub -h localhost -p "$port" -V 31 -i x -t a -m b
  run ! mqpub -h localhost -p "$port" -V 311 -t a -m b
  wait_for_line broker.err 'its version is not among accept_protocol_versions'
}
