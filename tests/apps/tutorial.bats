#!/usr/bin/env bats
# "Build a broker", the tutorial for mosquitto, word for word with our programs: every experiment
# that its readers are told to try, and what they are told to see.

bats_require_minimum_version 1.5.0

setup() {
  load support
  open_house
  start_broker
}

teardown() {
  close_house
}

# The tutorial's commands, on the test's port.
subscriber() {
  local name=$1
  shift
  window "$name" mqsub -h localhost -p "$port" "$@"
}
publish() { mqpub -h localhost -p "$port" "$@"; }

@test "a subscriber to test/topic gets hello!" {
  subscriber left -t "test/topic"
  listening left test/topic

  publish -t "test/topic" -m "hello!"

  heard_all left test/topic
  expect left "hello!"
}

@test "every one of several subscribers gets the message, once" {
  for name in first second third; do
    subscriber "$name" -t "test/topic"
    listening "$name" test/topic
  done

  publish -t "test/topic" -m "to all"

  for name in first second third; do
    heard_all "$name" test/topic
    expect "$name" "to all"
  done
}

@test "publishing where nobody listens succeeds, says nothing, and leaves nothing" {
  run -0 --separate-stderr publish -t "nobody/listens" -m "hello?"
  [[ -z $output && -z $stderr ]]

  subscriber late -t "nobody/listens"
  listening late nobody/listens
  expect late
}

@test "home/+/temp is the temperature of every room, home/bedroom/# everything in the bedroom" {
  subscriber temperatures -v -t "home/+/temp"
  subscriber bedroom -v -t "home/bedroom/#"
  listening temperatures home/fence/temp
  listening bedroom home/bedroom/fence

  publish -t "home/bedroom/temp" -m "19"
  publish -t "home/cellar/temp" -m "11"
  publish -t "home/bedroom/light" -m "on"
  publish -t "home/bedroom/window/left" -m "open"
  publish -t "home/bedroom" -m "tidy"
  publish -t "home/cellar/rack/temp" -m "12"
  publish -t "home/temp" -m "17"

  heard_all temperatures home/fence/temp
  heard_all bedroom home/bedroom/fence
  expect temperatures "home/bedroom/temp 19" "home/cellar/temp 11"
  expect bedroom "home/bedroom/temp 19" "home/bedroom/light on" "home/bedroom/window/left open" \
    "home/bedroom tidy"
}

@test "-v -t test/# says which topic is reporting" {
  subscriber left -v -t "test/#"
  listening left test/fence

  publish -t "test/topic" -m "one"
  publish -t "test/other" -m "two"
  publish -t "test/a/b/c" -m "three"
  publish -t "elsewhere" -m "four"

  heard_all left test/fence
  expect left "test/topic one" "test/other two" "test/a/b/c three"
}

# The subscriber and the publisher of the chapter on quality of service, as printed there.
james_bond() {
  subscriber "$1" -v -t "test/#" -c -q 1 -i "james bond"
  listening "$1" test/fence
}
send_both() {
  publish -t "test/topic" -m "wowie" -q 1
  publish -t "test/topic" -m "zowie"
}

@test "james bond: wowie, sent with QoS 1 while he was away, comes back; zowie does not" {
  james_bond before
  send_both
  heard_all before test/fence
  expect before "test/topic wowie" "test/topic zowie"
  ctrl_c before

  send_both

  james_bond after
  heard_all after test/fence
  expect after "test/topic wowie"
  ctrl_c after

  james_bond again
  heard_all again test/fence
  expect again
}

@test "james bond: while he is away messages wait in the order in which they were sent" {
  james_bond before
  ctrl_c before

  for number in 1 2 3 4 5; do publish -t "test/$number" -m "$number" -q 1; done

  james_bond after
  heard_all after test/fence
  expect after "test/1 1" "test/2 2" "test/3 3" "test/4 4" "test/5 5"
}

@test "gotcha: a new id has missed nothing" {
  send_both

  subscriber newcomer -v -t "test/#" -c -q 1 -i "goldfinger"
  listening newcomer test/fence
  heard_all newcomer test/fence
  expect newcomer
}

@test "gotcha: without -c nothing is kept" {
  subscriber before -v -t "test/#" -q 1 -i "james bond"
  listening before test/fence
  ctrl_c before

  send_both

  subscriber after -v -t "test/#" -q 1 -i "james bond"
  listening after test/fence
  heard_all after test/fence
  expect after
}

@test "gotcha: logging in once without -c erases what was stored" {
  james_bond before
  ctrl_c before
  send_both

  subscriber forgetful -v -t "test/#" -q 1 -i "james bond"
  listening forgetful test/fence
  heard_all forgetful test/fence
  expect forgetful
  ctrl_c forgetful

  james_bond after
  heard_all after test/fence
  expect after
}

@test "gotcha: without -q 1 at the subscriber nothing is kept" {
  subscriber before -v -t "test/#" -c -i "james bond"
  listening before test/fence
  ctrl_c before

  send_both

  subscriber after -v -t "test/#" -c -i "james bond"
  listening after test/fence
  heard_all after test/fence
  expect after
}

@test "gotcha: without -q 1 at the publisher nothing is kept" {
  james_bond before
  ctrl_c before

  publish -t "test/topic" -m "wowie"
  publish -t "test/topic" -m "zowie"

  james_bond after
  heard_all after test/fence
  expect after
}

@test "retained: a late subscriber sees the last value, and then what comes" {
  publish -t "home/status" -m "old" -r
  publish -t "home/status" -m "last" -r

  subscriber late -t "home/status"
  listening late home/status
  publish -t "home/status" -m "live"
  heard_all late home/status
  expect late "last" "live"
}

@test "retained with QoS 1 and a kept session: the most recent message comes twice" {
  james_bond before
  ctrl_c before

  publish -t "test/status" -m "last" -q 1 -r

  james_bond after
  heard_all after test/fence
  expect after "test/status last" "test/status last"
}

@test "an empty retained message clears the value" {
  publish -t "home/status" -m "last" -r
  run -0 mqsub -h localhost -p "$port" -t "home/status" -C 1 -W 10
  [[ $output == last ]]

  publish -t "home/status" -r -n

  subscriber late -v -t "home/status"
  listening late home/status
  expect late
}

@test "a sensor that dies leaves its last will" {
  subscriber watch -v -t "home/#"
  listening watch home/fence
  mkfifo "$house/readings"
  exec {readings}<>"$house/readings"
  stdin=$house/readings window sensor mqpub -h localhost -p "$port" -l -t "home/bedroom/temp" \
    --will-topic "home/bedroom/sensor" --will-payload "dead" --will-qos 1 --will-retain
  echo "19.5" >&"$readings"
  wait_for_line "$house/watch.out" "^home/bedroom/temp 19.5$"

  crash sensor

  wait_for_line "$house/watch.out" "^home/bedroom/sensor dead$"
  run -0 mqsub -h localhost -p "$port" -t "home/bedroom/sensor" -C 1 -W 10
  [[ $output == dead ]]
}

@test "a sensor that says goodbye leaves no last will" {
  subscriber watch -v -t "home/#"
  listening watch home/fence

  echo "19.5" | publish -l -t "home/bedroom/temp" \
    --will-topic "home/bedroom/sensor" --will-payload "dead"

  heard_all watch home/fence
  expect watch "home/bedroom/temp 19.5"
}

# Publishes a file as the tutorial's readers do, and compares what a late subscriber gets.
send_file_and_compare() {
  publish -q 0 -r -t path/to/topic -s <"$1"
  mqsub -h localhost -p "$port" -t path/to/topic -C 1 -N -W 10 >"$house/back"
  cmp "$1" "$house/back"
}

@test "-s sends a file, today.xml, byte for byte" {
  cat >"$house/today.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<day date="today">
  <temperature unit="°C">19.5</temperature>

</day>
XML
  send_file_and_compare "$house/today.xml"
}

@test "-s sends binary files byte for byte: every byte there is, a lone newline, a megabyte" {
  LC_ALL=C awk 'BEGIN { for (i = 0; i < 256; i++) printf "%c", i }' >"$house/every"
  [[ $(stat -c %s "$house/every") -eq 256 ]]
  send_file_and_compare "$house/every"

  echo >"$house/newline"
  send_file_and_compare "$house/newline"

  head -c 1000000 "$MQSUB" >"$house/large"
  [[ -s $house/large ]]
  send_file_and_compare "$house/large"
}

@test "-s refuses an empty file: exit code 1, one line, and the retained value stays" {
  publish -r -t path/to/topic -m "precious"

  run -1 --separate-stderr publish -q 0 -r -t path/to/topic -s </dev/null
  [[ -z $output && $stderr == *"standard input is empty"* ]]
  [[ $(grep -c . <<<"$stderr") -eq 1 ]]

  run -0 mqsub -h localhost -p "$port" -t path/to/topic -C 1 -W 10
  [[ $output == precious ]]
}
