#!/usr/bin/env bats
# mosquitto_pub and mqpub, told the same: what they say on standard output, their exit codes, and
# what the broker makes of it. Then where ours differs on purpose, so that it stays on purpose.

bats_require_minimum_version 1.5.0

setup_file() {
  command -v mosquitto_pub >/dev/null || skip "mosquitto-clients is not installed"
}

setup() {
  load support
  # Fences are seen as hexadecimal digits here.
  fence_has_come() { grep -qF "$(printf '%s' "$fence" | od -An -tx1 | tr -d ' \n')" "$house/$1.out"; }
  open_house
  start_broker broker 'listener PORT 127.0.0.1
allow_anonymous true
max_queued_messages 0'
  printf 'one\n\n three \nf\303\274nf' >"$house/lines"
  head -c 5000 "$MQBROKER" >"$house/binary"
  : >"$house/empty"
}
teardown() {
  close_house
}

# tell PROGRAM OPTION... - leaves in PROGRAM.saw what subscribers got, with QoS, retain flag and
# properties, in PROGRAM.said what it printed and in PROGRAM.code how it ended. $input is its
# standard input.
tell() {
  local program=$1 code=0
  shift
  window "saw_$program" mqsub -p "$port" -V 5 -q 2 -t 'x/#' --retain-as-published \
    --retain-handling never \
    -F '%t %q %r %x %P %C %E %R %D'
  listening "saw_$program" x/fence
  timeout 20 "$program" -p "$port" "$@" \
    <"${input:-/dev/null}" >"$house/$program.said" 2>"$house/$program.err" || code=$?
  echo "$code" >"$house/$program.code"
  heard_all "saw_$program" x/fence 2
  stop "saw_$program"
  grep -v '^x/fence' "$house/saw_$program.out" >"$house/$program.saw" || true
}
# same OPTION... - both do the same and end alike.
same() {
  tell mosquitto_pub "$@"
  tell mqpub "$@"
  local what
  for what in saw said code; do
    cmp "$house/mosquitto_pub.$what" "$house/mqpub.$what" && continue
    complain "different ($what): $*"
    complain "theirs:" && shorten <"$house/mosquitto_pub.$what"
    complain "ours:" && shorten <"$house/mqpub.$what" && shorten <"$house/mqpub.err"
    return 1
  done
}

# ends THEIRS OURS OPTION... - the exit codes.
ends() {
  local theirs=$1 ours=$2
  shift 2
  tell mosquitto_pub "$@"
  tell mqpub "$@"
  [[ $(<"$house/mosquitto_pub.code") -eq $theirs && $(<"$house/mqpub.code") -eq $ours ]] && return 0
  complain "theirs $(<"$house/mosquitto_pub.code"), ours $(<"$house/mqpub.code"): $*"
  return 1
}

@test "where messages come from" {
  same -t x/a -m hello
  [[ $(<"$house/mqpub.saw") == "x/a 0 0 68656c6c6f"* ]]
  same -t x/a -m ''
  same -t x/a -n
  same -t x/a -f "$house/binary"
  same -t x/a -f "$house/empty"
  input=$house/binary same -t x/a -s
  input=$house/empty same -t x/a -s
  input=$house/lines same -t x/a -l
  input=$house/empty same -t x/a -l
  same -t x/a -f "$house/nothing"
}

@test "QoS, retain, repeat, versions" {
  for version in 31 311 5 mqttv5; do
    for qos in 0 1 2; do
      same -V "$version" -q "$qos" -t x/a -m "$version"
    done
  done
  same -r -t x/kept -m kept
  same -r -t x/kept -n
  same -t x/a -m again --repeat 3
  same -t x/a -m again --repeat 2 --repeat-delay 0.05 -q 1
  input=$house/lines same -t x/a -l -q 2 -r
  same -t x/a -m small -M 1 -q 1 -k 10 -i me
  same -t x/a -m prefix -I me-
  same -L "mqtt://localhost:$port/x/url" -m url
  same -t x/first -t x/last -m 'the last topic counts'
  same --topic x/a --message long --qos 1 --retain --id me --keepalive 5
}

@test "properties and a will" {
  same -t x/a -m p -D publish content-type text/plain -D PUBLISH user-property k v \
    -D publish user-property k w -D publish correlation-data data -D publish response-topic x/r
  [[ $(<"$house/mqpub.saw") == *"k:v k:w text/plain"*"x/r data"* ]]
  same -t x/a -m p -D publish message-expiry-interval 60 -D publish payload-format-indicator 1
  same -t x/a -m p -D connect user-property k v -D disconnect reason-string bye
  same -t x/a -m p --will-topic x/will --will-payload gone --will-qos 1 --will-retain
  same -t x/a -m p -V 5 --will-topic x/will --will-payload gone -D will will-delay-interval 5
  same -t x/a -m p -c -i me -x 60
}

@test "mistakes end alike" {
  ends 1 1 -m hello
  ends 1 1 -t x/a
  ends 1 1 -t x/+ -m hello
  ends 1 1 -t x/a -m hello -n
  ends 1 1 -t x/a -m hello -q 3
  ends 1 1 -t x/a -m hello -V 4
  ends 1 1 -t x/a -m hello --will-payload x
  ends 1 1 -t x/a -m hello -i a -I b
  ends 1 1 -t x/a -m hello -c
  ends 1 1 -t x/a -m hello -k 1
  ends 1 1 -t x/a -m hello --cafile /nonexistent
  ends 1 1 -t x/a -m hello --cert x
  ends 1 1 -t x/a -m hello -D publish nonsense x
  ends 1 1 -t x/a -m hello -D publish receive-maximum 5
  ends 1 1 -t x/a -m hello --unknown
  ends 1 1 -t x/a -m hello --port
  ends 1 1 -t x/a -m hello --repeat 0
}

@test "on purpose: --help and --version end with 0, on stdout" {
  ends 1 0 --help
  ends 1 0 --version
}

@test "on purpose: a refused message of MQTT 5 is an error with its reason" {
  stop broker
  echo 'topic read #' >"$house/acl"
  start_broker broker2 'listener PORT 127.0.0.1
allow_anonymous true
acl_file HOUSE/acl'
  for program in mosquitto_pub mqpub; do
    code=0
    "$program" -p "$port" -V 5 -q 1 -t x/a -m hello 2>"$house/$program.err" || code=$?
    echo "$code" >"$house/$program.code"
  done
  [[ $(<"$house/mosquitto_pub.code") -eq 0 && $(<"$house/mqpub.code") -eq 135 ]]
  grep -q 'mqpub: message 1 refused: Not authorized' "$house/mqpub.err"
}

@test "on purpose: a value may stand behind =, and flags may be bundled" {
  ends 1 0 --topic=x/a --message=hello
  ends 1 0 -rn -t x/a
}
