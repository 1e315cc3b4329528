#!/usr/bin/env bats
# mosquitto_sub and mqsub, asked the same by the same broker: what they print, byte for byte, and
# their exit codes. Then where ours differs on purpose, so that it stays on purpose.

bats_require_minimum_version 1.5.0

setup_file() {
  command -v mosquitto_sub >/dev/null || skip "mosquitto-clients is not installed"
}

setup() {
  load support
  open_house
  start_broker
  publish x/text "plain text"
  publish x/json '{"a":[1,{"b":"c d"}],"n":1.5}'
  publish x/multi $'two\nlines'
  publish y/bytes $'\x01\x02\xab\xff'
  mqpub -h localhost -p "$port" -q 1 -r -t z/none -n
}
teardown() {
  close_house
}
publish() { mqpub -h localhost -p "$port" -q 1 -r -t "$1" -m "$2"; }

# ask PROGRAM OPTION... - leaves what it prints in PROGRAM.said, without the time of day, and its
# exit code in PROGRAM.code.
ask() {
  local program=$1 code=0
  shift
  timeout 20 "$program" -h localhost -p "$port" "$@" \
    >"$house/$program.said" 2>"$house/$program.err" || code=$?
  echo "$code" >"$house/$program.code"
}

# same OPTION... - both print the same and end alike.
same() {
  ask mosquitto_sub "$@"
  ask mqsub "$@"
  cmp "$house/mosquitto_sub.said" "$house/mqsub.said" &&
    cmp "$house/mosquitto_sub.code" "$house/mqsub.code" && return 0
  complain "different: $*"
  complain "theirs ($(<"$house/mosquitto_sub.code")):" && shorten <"$house/mosquitto_sub.said"
  complain "ours ($(<"$house/mqsub.code")):" && shorten <"$house/mqsub.said"
  return 1
}

# differ THEIRS OURS OPTION... - what each prints.
differ() {
  local theirs=$1 ours=$2
  shift 2
  ask mosquitto_sub "$@"
  ask mqsub "$@"
  [[ $(<"$house/mosquitto_sub.said") =~ $theirs && $(<"$house/mqsub.said") =~ $ours ]] && return 0
  complain "theirs:" && shorten <"$house/mosquitto_sub.said"
  complain "ours:" && shorten <"$house/mqsub.said"
  return 1
}

@test "plain, with topics, without newlines" {
  same -t x/text -C 1
  same -t x/text -C 1 -v
  same -t x/text -C 1 -N
  same -t x/text -C 1 -N -v
  same -t x/multi -C 1 -v
  same -t y/bytes -C 1
  same -t x/text -t x/json -C 2 -v
}

@test "-F: codes" {
  for code in %% %p %t %l %q %r %x %X %A %C %D %E %F %P %R %S; do
    same -t x/text -C 1 -F "$code"
    same -t y/bytes -C 1 -F "[$code]" -V 5
  done
  same -t x/text -C 1 -q 1 -F '%q %r %m'
}

@test "-F: widths and precisions" {
  for format in '%10t|' '%-10t|' '%.3t|' '%10.3t|' '%-10.3t|' '%5l|' '%-5l|' '%05l|' '%12p|' \
    '%-12p|' '%4p|' '%5A|' '%05E|' '%4C|'; do
    same -t x/text -C 1 -F "$format"
  done
}

@test "-F: escapes and times" {
  same -t x/text -C 1 -F 'a\tb\\c\nd\ae\rf\vg\eh'
  same -t x/text -C 1 -F '@Y-@m-@d @@'
  same -t x/text -C 1 -N -F '%p\0'
}

@test "topics that are left out, and properties of MQTT 5" {
  same -t 'x/#' -T x/multi -T x/json -C 1 -v
  mqpub -h localhost -p "$port" -r -q 1 -t v5 -m x -V 5
  same -t v5 -C 1 -V 5 -F '%t %p %C'
  same -t x/text -E
}

@test "mistakes end both with exit code 1, before connecting" {
  for options in "-t x -F %k" "-t x -F %" "-t x -F \\q" "-t x -R --retained-only" "-t x -C 0" \
    "-t x# -C 1" "-t x -q 3" "-t x -W 0"; do
    # shellcheck disable=SC2086
    same $options
  done
}

@test "on purpose: JSON has the layout of 2.1, is valid, and says what is not UTF-8 in base64" {
  differ '"tst":"[^"]*Z[+-][0-9]{4}".*"retain":1,"payloadlen":10,"payload":"plain text"}$' \
    '"tst":"[^"Z]*[+-][0-9]{4}".*"retain":true,"payloadlen":10,"payload":"plain text"}$' \
    -t x/text -C 1 -F %j
  differ '"payload":' '"payload_b64":"AQKr/w=="}$' -t y/bytes -C 1 -F %j
  differ '^$' '"payload":"plain text"}$' -t x/text -C 1 -F %J
}

@test "on purpose: --pretty lays the payload out alike, below another time stamp" {
  ask mosquitto_sub -t x/json -C 1 -F %J --pretty
  ask mqsub -t x/json -C 1 -F %J --pretty
  diff <(sed -E '/"tst"|"retain"/d' "$house/mosquitto_sub.said") \
    <(sed -E '/"tst"|"retain"/d' "$house/mqsub.said")
}

@test "on purpose: hex digits of a width are of as many bytes as fit, not of half of them" {
  differ '^  0102\|$' '^0102ab\|$' -t y/bytes -C 1 -F '%6x|'
}

@test "on purpose: --help and --version succeed" {
  run -1 mosquitto_sub --help
  run -0 mqsub --help
}

@test "on purpose: --retained-only ends by itself, --remove-retained with -C ends at all" {
  run -124 timeout 2 mosquitto_sub -h localhost -p "$port" -t 'x/#' --retained-only
  run -0 timeout 20 mqsub -h localhost -p "$port" -t 'x/#' --retained-only
  run -124 timeout 2 mosquitto_sub -h localhost -p "$port" -t x/text --remove-retained -C 1
  publish x/text again
  run -0 timeout 20 mqsub -h localhost -p "$port" -t x/text --remove-retained -C 1
}
