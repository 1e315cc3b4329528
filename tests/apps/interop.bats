#!/usr/bin/env bats
# Our programs and other people's: Debian's mosquitto and its clients, Paho for Python, MQTT.js.
# One mqbroker and one mosquitto run for all of it; what goes to and fro is captured, and in the
# end tshark must not find a malformed packet.

bats_require_minimum_version 1.5.0

mosquitto=${MOSQUITTO:-/usr/sbin/mosquitto}

setup_file() {
  load support
  load interop/capture
  "$BATS_TEST_DIRNAME/interop/install_mqttjs" "$MQ_TREE/interop"

  open_house
  start_broker broker_ours
  export our_port=$port
  broker=$mosquitto start_broker broker_theirs
  export their_port=$port
  if ! capture_start "$house/all.pcapng" "$our_port" "$their_port"; then
    echo "# WARNING: not allowed to capture here, so tshark sees nothing:" >&3
    sed 's/^/# /' "$house/capture.err" >&3
    unset capture_file
  fi
}

teardown_file() {
  local status=0
  if [[ -n ${capture_file:-} ]]; then
    capture_stop
    local run all
    run=$(wc -l <"$BATS_FILE_TMPDIR/run")
    all=$(grep -c '^@test' "$BATS_TEST_FILENAME")
    capture_check "$((run * 30))" "$([[ $run -eq $all ]] && echo 1 2 3 4 5 6 7 8 9 10 11 12 13 14)"
  fi || status=1
  close_house || status=1
  return "$status"
}

setup() {
  load support
  open_house
  echo "$BATS_TEST_NUMBER" >>"$BATS_FILE_TMPDIR/run"
  topic=test/$BATS_TEST_NUMBER
}
teardown() {
  close_house
}

# between PORT SUBSCRIBER PUBLISHER - who talks to whom in the conversations below.
between() { port=$1 sub=$2 pub=$3; }
subscriber() {
  local name=$1
  shift
  window "$name" "$sub" -h localhost -p "$port" "$@"
}
publish() { "$pub" -h localhost -p "$port" "$@"; }

versions=(mqttv31 mqttv311 mqttv5)

# Debian's subscriber prints a message of QoS 2 when it is released: after others sent later.
expect_in_any_order() {
  local name=$1
  shift
  sort -o "$house/$name.out" "$house/$name.out"
  readarray -t lines < <(printf '%s\n' "$@" | sort)
  expect "$name" "${lines[@]}"
}

# Every version at the subscriber, every version at the publisher, every QoS on both sides.
every_qos() {
  local theirs ours qos long
  long=$(head -c 100000 /dev/zero | tr '\0' x)
  for theirs in "${versions[@]}"; do
    subscriber left -V "$theirs" -q 2 -v -t "$topic/#"
    listening left "$topic/fence"
    local wanted=()
    for ours in "${versions[@]}"; do
      for qos in 0 1 2; do
        publish -V "$ours" -q "$qos" -t "$topic/$qos" -m "$ours at $qos"
        wanted+=("$topic/$qos $ours at $qos")
      done
      publish -V "$ours" -q 1 -t "$topic/long" -m "$long"
      wanted+=("$topic/long $long")
    done
    heard_all left "$topic/fence" 2
    expect_in_any_order left "${wanted[@]}"
    ctrl_c left
  done
}

many_lines() {
  local qos
  for qos in 0 1 2; do
    subscriber left -q "$qos" -t "$topic"
    listening left "$topic"
    seq 1 500 | publish -q "$qos" -t "$topic" -l
    heard_all left "$topic" "$qos"
    cmp <(heard left) <(seq 1 500)
    ctrl_c left
  done
}

retained() {
  local version qos
  for version in "${versions[@]}"; do
    for qos in 0 1 2; do
      publish -V "$version" -q "$qos" -r -t "$topic/$version/$qos" -m "old"
      publish -V "$version" -q "$qos" -r -t "$topic/$version/$qos" -m "last of $qos"
    done
    subscriber left -V "$version" -q 2 -t "$topic/$version/#"
    wait_until "all three come" three_lines_in left
    expect_in_any_order left "last of 0" "last of 1" "last of 2"
    for qos in 0 1 2; do publish -V "$version" -q "$qos" -r -n -t "$topic/$version/$qos"; done
    subscriber late -V "$version" -q 2 -v -t "$topic/$version/#"
    listening late "$topic/$version/fence"
    heard_all late "$topic/$version/fence"
    expect late
    ctrl_c left
    ctrl_c late
  done
}
three_lines_in() { [[ $(wc -l <"$house/$1.out") -eq 3 ]]; }

will() {
  local version
  for version in "${versions[@]}"; do
    subscriber watch -V "$version" -q 1 -v -t "$topic/#"
    listening watch "$topic/fence"
    subscriber doomed -V "$version" -t "$topic-doomed" --will-topic "$topic/will" \
      --will-payload "gone with $version" --will-qos 1 --will-retain
    listening doomed "$topic-doomed"
    crash doomed
    wait_for_line "$house/watch.out" "^$topic/will gone with $version$"
    publish -V "$version" -t "$topic/polite" -m "goodbye" --will-topic "$topic/will" \
      --will-payload "never said"
    heard_all watch "$topic/fence"
    expect watch "$topic/will gone with $version" "$topic/polite goodbye"
    publish -r -n -t "$topic/will" -q 1
    ctrl_c watch
  done
}

session() {
  local version number wanted
  for version in "${versions[@]}"; do
    subscriber left -V "$version" -c -i "$topic $version" -q 2 -t "$topic/#"
    listening left "$topic/fence"
    ctrl_c left
    wanted=()
    for number in {1..12}; do
      publish -V "$version" -q $((number % 2 + 1)) -t "$topic/$number" -m "$number"
      publish -V "$version" -q 0 -t "$topic/$number" -m "nobody waits for this"
      wanted+=("$number")
    done
    subscriber left -V "$version" -c -i "$topic $version" -q 2 -t "$topic/#"
    heard_all left "$topic/fence" 2
    expect_in_any_order left "${wanted[@]}"
    ctrl_c left
  done
}

@test "Debian's clients, mqbroker: every version and QoS [MQTT3-7.0.0-2]" {
  between "$our_port" mosquitto_sub mosquitto_pub
  every_qos
}
@test "Debian's clients, mqbroker: many lines" {
  between "$our_port" mosquitto_sub mosquitto_pub
  many_lines
}
@test "Debian's clients, mqbroker: retained" {
  between "$our_port" mosquitto_sub mosquitto_pub
  retained
}
@test "Debian's clients, mqbroker: will" {
  between "$our_port" mosquitto_sub mosquitto_pub
  will
}
@test "Debian's clients, mqbroker: session" {
  between "$our_port" mosquitto_sub mosquitto_pub
  session
}

@test "mqsub and mqpub, Debian's broker: every version and QoS [MQTT3-7.0.0-2]" {
  between "$their_port" mqsub mqpub
  every_qos
}
@test "mqsub and mqpub, Debian's broker: many lines" {
  between "$their_port" mqsub mqpub
  many_lines
}
@test "mqsub and mqpub, Debian's broker: retained" {
  between "$their_port" mqsub mqpub
  retained
}
@test "mqsub and mqpub, Debian's broker: will" {
  between "$their_port" mqsub mqpub
  will
}
@test "mqsub and mqpub, Debian's broker: session" {
  between "$their_port" mqsub mqpub
  session
}

@test "mqsub, mqbroker, Debian's publisher: every version and QoS" {
  between "$our_port" mqsub mosquitto_pub
  every_qos
}
@test "mqsub, mqbroker, Debian's publisher: session" {
  between "$our_port" mqsub mosquitto_pub
  session
}
@test "Debian's subscriber, mqbroker, mqpub: every version and QoS" {
  between "$our_port" mosquitto_sub mqpub
  every_qos
}
@test "Debian's subscriber, mqbroker, mqpub: session" {
  between "$our_port" mosquitto_sub mqpub
  session
}

@test "Debian's clients, mqbroker: the properties of MQTT 5" {
  port=$our_port
  window left mosquitto_sub -h localhost -p "$port" -V mqttv5 -t "$topic" -q 2 \
    -D subscribe subscription-identifier 7 -F '%t|%C|%R|%D|%P|%F|%S|%p'
  listening left "$topic"
  for qos in 0 1 2; do
    mosquitto_pub -h localhost -p "$port" -V mqttv5 -t "$topic" -q "$qos" -m "payload" \
      -D publish content-type text/plain -D publish response-topic answers/here \
      -D publish correlation-data q1 -D publish user-property a 1 -D publish user-property b 2 \
      -D publish payload-format-indicator 1 -D publish message-expiry-interval 100
  done
  heard_all left "$topic"
  line="$topic|text/plain|answers/here|q1|a:1 b:2|1|7|payload"
  expect left "$line" "$line" "$line"
}

paho() { timeout 120 /usr/bin/python3 "$BATS_TEST_DIRNAME/interop/paho_talks.py" "$our_port" "$@"; }
paho_every_version() { for version in 31 311 5; do paho "$version" "$1"; done; }

@test "Paho, mqbroker: every QoS in every version" { paho_every_version every_qos; }
@test "Paho, mqbroker: many messages in flight" { paho_every_version many_in_flight; }
@test "Paho, mqbroker: unsubscribed" { paho_every_version unsubscribed; }
@test "Paho, mqbroker: retained" { paho_every_version retained; }
@test "Paho, mqbroker: will" { paho_every_version will; }
@test "Paho, mqbroker: session" { paho_every_version session; }
@test "Paho, mqbroker: a second connection of the same id takes over" { paho_every_version takeover; }
@test "Paho, mqbroker: keep-alive" { paho_every_version keep_alive; }
@test "Paho, mqbroker: the properties of MQTT 5" { paho 5 all_properties; }
@test "Paho, mqbroker: topic alias" { paho 5 topic_alias; }
@test "Paho, mqbroker: message expiry" { paho 5 expiry; }
@test "Paho, mqbroker: shared subscription" { paho 5 shared; }
@test "Paho, mqbroker: subscription options" { paho 5 options; }
@test "Paho, mqbroker: receive maximum" { paho 5 flow; }
@test "Paho, mqbroker: maximum packet size" { paho 5 too_large; }

mqttjs() { timeout 120 node "$BATS_TEST_DIRNAME/interop/mqttjs_talks.cjs" "$MQ_TREE/interop" "$our_port" "$@"; }
mqttjs_both_versions() { for version in 4 5; do mqttjs "$version" "$1"; done; }

@test "MQTT.js, mqbroker: every QoS in both versions" { mqttjs_both_versions every_qos; }
@test "MQTT.js, mqbroker: many messages in flight" { mqttjs_both_versions many_in_flight; }
@test "MQTT.js, mqbroker: unsubscribed" { mqttjs_both_versions unsubscribed; }
@test "MQTT.js, mqbroker: retained" { mqttjs_both_versions retained; }
@test "MQTT.js, mqbroker: will" { mqttjs_both_versions will; }
@test "MQTT.js, mqbroker: session" { mqttjs_both_versions session; }
@test "MQTT.js, mqbroker: the properties of MQTT 5" { mqttjs 5 all_properties; }
@test "MQTT.js, mqbroker: topic alias in both directions" { mqttjs 5 topic_alias; }
@test "MQTT.js, mqbroker: shared subscription" { mqttjs 5 shared; }
@test "MQTT.js, mqbroker: subscription options" { mqttjs 5 options; }
@test "MQTT.js, mqbroker: request and response" { mqttjs 5 request_and_response; }
