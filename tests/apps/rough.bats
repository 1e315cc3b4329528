#!/usr/bin/env bats
# Twenty thousand lines through a network that delays, stands still and breaks: all arrive, and at
# QoS 2 none arrives twice.

bats_require_minimum_version 1.5.0

lines=${MQ_LINES:-20000}

setup() {
  load support
  open_house
  start_broker broker 'listener PORT 127.0.0.1
allow_anonymous true
max_inflight_messages 0
max_queued_messages 0'
  seq "$lines" | sed 's/$/ and some more, so that a line is as long as lines are/' >"$house/lines"
}
teardown() {
  close_house
}

# rough NETWORK... - puts the network in front of the broker: sets `rough_port`.
rough() {
  window network python3 "$BATS_TEST_DIRNAME/rough_proxy.py" "$port" "$@"
  wait_for_line "$house/network.out" '^[0-9]+$'
  rough_port=$(head -n 1 "$house/network.out")
}

# send QOS OPTION... - publishes the lines through the network, and waits until all have come at QoS
# 2 to a subscriber without it. They are in $house/heard then.
send() {
  local qos=$1
  shift
  window listener mqsub -p "$port" -q 2 -t lines
  listening listener lines
  run -0 --separate-stderr mqpub -p "$rough_port" -q "$qos" -t lines -l "$@" <"$house/lines"
  heard_all listener lines
  heard listener >"$house/heard"
}

all_once_in_order() { cmp "$house/lines" "$house/heard"; }
all_at_least_once() { cmp <(sort -u "$house/lines") <(sort -u "$house/heard"); }
was_cut() { [[ $(grep -c cuts "$house/network.out") -eq $1 ]]; }

@test "QoS 1 over 200 ms" {
  rough --delay 0.1
  send 1
  all_once_in_order
}

@test "QoS 0 over a slow network, which is still busy when the input has ended [MQTT-4.2.0-1]" {
  seq 100000 | sed 's/$/ and some more, so that a line is as long as lines are/' >"$house/lines"
  rough --rate 1000000
  send 0
  all_once_in_order
}

@test "a file at QoS 0 over a slow network that stands still for a while" {
  seq 280000 | head -c -1 >"$house/lines"
  rough --rate 500000 --stall 800000 --stall-for 3
  window listener mqsub -p "$port" -q 2 -t lines
  listening listener lines
  run -0 mqpub -p "$rough_port" -t lines -f "$house/lines"
  heard_all listener lines
  heard listener | cmp - <(cat "$house/lines" && echo)
  grep -q stalls "$house/network.out"
}

@test "QoS 2 over 200 ms, MQTT 5" {
  rough --delay 0.1
  send 2 -V 5
  all_once_in_order
}

@test "QoS 1 through three cuts and a stall" {
  rough --delay 0.02 --cut 200000,500000,900000 --stall 300000 --stall-for 1
  send 1
  was_cut 3
  grep -q stalls "$house/network.out"
  all_at_least_once
  [[ ${#stderr_lines[@]} -eq 6 ]] # the loss and the return, each once
}

@test "QoS 2 through three cuts and a stall, MQTT 5: each line once, in order" {
  rough --delay 0.02 --cut 200000,500000,900000 --stall 300000 --stall-for 1
  send 2 -V 5
  was_cut 3
  all_once_in_order
}

@test "QoS 2 through two cuts, MQTT 3.1.1: each line once, in order" {
  rough --delay 0.02 --cut 300000,700000
  send 2 -M 1000
  was_cut 2
  all_once_in_order
}

@test "QoS 2 through two cuts, MQTT 3.1.1, with a client id of one's own" {
  rough --delay 0.02 --cut 300000,700000
  send 2 -M 1000 -i me
  was_cut 2
  all_once_in_order
}

@test "through a cut, to Debian's mosquitto" {
  [[ -x /usr/sbin/mosquitto ]] || skip "mosquitto is not installed"
  broker=/usr/sbin/mosquitto start_broker theirs 'listener PORT 127.0.0.1
allow_anonymous true
max_inflight_messages 0
max_queued_messages 0'
  rough --delay 0.02 --cut 300000,700000
  send 2 -M 1000
  was_cut 2
  all_once_in_order
}

@test "a network that stays away: what did not arrive is counted, and the exit code says so" {
  rough --cut 200000
  window listener mqsub -p "$port" -q 2 -t lines
  listening listener lines
  window sender bash -c "mqpub -p $rough_port -q 1 -t lines -l --ack-timeout 2 <lines"
  wait_for_line "$house/network.out" cuts
  stop network || true
  code=0
  wait_for_end sender || code=$?
  [[ $code -eq 27 ]]
  grep -qE 'mqpub: [0-9]+ of [0-9]+ messages were not acknowledged' "$house/sender.err"
}
