#!/usr/bin/env bats
# mqpub as people run it: where its messages come from, that they arrive, how it ends.

bats_require_minimum_version 1.5.0

mosquitto=${MOSQUITTO:-/usr/sbin/mosquitto}

setup() {
  load support
  open_house
}
teardown() {
  close_house
}

subscriber() {
  local name=$1
  shift
  window "$name" mqsub -p "$port" "$@"
}
publish() { mqpub -p "$port" "$@"; }

# fails_with WORDS COMMAND... - exit code 1 and one line with the words.
fails_with() {
  local words=$1
  shift
  run -1 --separate-stderr "$@"
  [[ -z $output && ${#stderr_lines[@]} -eq 1 && $stderr == *"$words"* ]] && return 0
  complain "should say: $words" "says: $stderr"
  return 1
}

@test "--help and --version answer on stdout with exit code 0" {
  run -0 --separate-stderr mqpub --help
  [[ $output == *"-m, --message MESSAGE"* && -z $stderr ]]
  run -0 --separate-stderr mqpub --version
  [[ $output =~ ^mqpub\ [0-9.]+$ && -z $stderr ]]
}

@test "a mistake on the command line is one line with the flag and the remedy, exit code 1" {
  fails_with "mqpub: unknown option --retian; did you mean --retain?" mqpub --retian
  fails_with "no topic given" mqpub -m x
  fails_with "no message given; use one of -m, -f, -s, -l, -n, --json-lines" mqpub -t a
  fails_with "only one kind of message" mqpub -t a -m x -n
  fails_with "-t a/+: must be one topic" mqpub -t a/+ -m x
  fails_with "unexpected argument \"world\"" mqpub -t a -m hello world
  fails_with "--repeat does not go with -l" mqpub -t a -l --repeat 2
  fails_with "cannot read /nonexistent: No such file or directory" mqpub -t a -f /nonexistent
}

@test "no broker: one line that names the place and the reason" {
  start_broker
  stop broker
  fails_with "mqpub: cannot connect to 127.0.0.1 port $port: connection refused. Is a broker" \
    mqpub -h 127.0.0.1 -p "$port" -t a -m x
}

@test "-m may be anything: negative numbers, options, nothing, commas" {
  start_broker
  subscriber left -v -t 'a,b'
  listening left a,b
  publish -t a,b -m -5
  publish -t a,b -m --help
  publish -t a,b -m ""
  publish -t a,b --message=x,y
  heard_all left a,b
  expect left "a,b -5" "a,b --help" "a,b (null)" "a,b x,y"
}

@test "-l: every line, of any length and content, the last without a newline" {
  start_broker
  { printf 'one\n\n  three  \nf\0ur\n' && head -c 300000 /dev/zero | tr '\0' x && printf '\nlast'; } \
    >"$house/lines"
  { printf 'a one\na (null)\na   three  \na f\0ur\na ' && head -c 300000 /dev/zero | tr '\0' x &&
    printf '\na last\n'; } >"$house/wanted"
  for qos in 0 1 2; do
    subscriber "left$qos" -t a -v -q "$qos"
    listening "left$qos" a
    publish -t a -l -q "$qos" <"$house/lines"
    heard_all "left$qos" a
    stop "left$qos"
    heard "left$qos" | cmp - "$house/wanted"
  done
}

@test "-l from a file, from a pipe, from nothing" {
  start_broker
  subscriber left -t a
  listening left a
  printf 'one\ntwo\n' >"$house/lines"
  publish -t a -l <"$house/lines"
  { echo three && echo four; } | publish -t a -l -q 1
  publish -t a -l </dev/null
  heard_all left a
  expect left one two three four
}

@test "-l publishes a line when it comes, not when the input ends" {
  start_broker
  subscriber left -t a
  listening left a
  mkfifo "$house/fifo"
  stdin=$house/fifo window right mqpub -p "$port" -t a -l
  exec 4>"$house/fifo"
  echo first >&4
  wait_for_line "$house/left.out" '^first$'
  echo second >&4
  wait_for_line "$house/left.out" '^second$'
  exec 4>&-
}

@test "-l: 20,000 lines arrive, in order, at every QoS, in every version, at either broker" {
  for which in mqbroker "$mosquitto"; do
    broker=$which start_broker "broker_${which##*/}" 'listener PORT 127.0.0.1
allow_anonymous true
max_queued_messages 0'
    for version in 311 5; do
      for qos in 0 1 2; do
        subscriber left -t a -q "$qos" -V "$version" -C 20001
        listening left a
        seq 20000 | publish -t a -l -q "$qos" -V "$version"
        publish -t a -m end -q "$qos" || true
        wait_for_end left
        seq 20000 | cmp - <(heard left | head -n 20000)
      done
    done
  done
}

@test "mqsub -F %j | mqpub --json-lines copies messages without loss" {
  start_broker
  printf 'caf\303\251 "\\"\n\0x' >"$house/text"
  head -c 70000 "$MQBROKER" >"$house/binary"
  cat >"$house/rich" <<'END'
{"topic":"in/rich","qos":2,"retain":true,"properties":{"payload-format-indicator":1,"content-type":"text","response-topic":"r","correlation-data_b64":"AP8B","user-properties":[{"b":"1"},{"a":"2"},{"b":"3"}]},"payload":"x"}
END
  publish -V 5 --json-lines <"$house/rich"
  publish -t in/text -q 1 -r -f "$house/text"
  publish -t in/binary -q 2 -r -f "$house/binary"
  record() {
    mqsub -p "$port" -V 5 -q 2 -t '#' -F %j --retained-only -W 20 |
      sed -E 's/"tst":"[^"]*",//; s/"mid":[0-9]+,//' | sort
  }
  record >"$house/before"
  [[ $(wc -l <"$house/before") -eq 3 ]]
  grep -q '"correlation-data_b64":"AP8B","user-properties":\[{"b":"1"},{"a":"2"},{"b":"3"}\]' "$house/before"
  stop broker
  start_broker broker2
  publish -V 5 --json-lines <"$house/before"
  record >"$house/after"
  cmp "$house/before" "$house/after"
  mqsub -p "$port" -t in/binary -C 1 -N -W 20 | cmp - "$house/binary"
  mqsub -p "$port" -t in/text -C 1 -N -W 20 | cmp - "$house/text"
}

@test "the manual's way to copy everything copies what is retained, before and meanwhile" {
  start_broker here
  local here=$port
  start_broker there
  local there=$port
  mqpub -p "$here" -r -q 1 -t before -m old
  mkdir -p "$XDG_CONFIG_HOME"
  echo "-C 3" >"$XDG_CONFIG_HOME/mqsub"
  mandoc -T ascii "$BATS_TEST_DIRNAME/../../man/mqpub.1" | sed 's/.\x08//g' |
    sed -n '/Copy everything/,/json-lines/ { s/^ *\$ *//; /mqsub\|mqpub/p }' |
    sed "s/-h here/-p $here/; s/-h there/-p $there/" >"$house/example"
  window copy bash example
  wait_for_line "$house/here.err" ' 2 #$'
  mqpub -p "$here" -r -q 2 -t meanwhile -m new
  mqpub -p "$here" -q 1 -t passing -m by
  wait_for_end copy
  rm "$XDG_CONFIG_HOME/mqsub"
  run -0 mqsub -p "$there" -t '#' --retained-only -v
  [[ $(sort <<<"$output") == $'before old\nmeanwhile new' ]]
}

@test "--json-lines: a line that is none is named; --keep-going skips and counts it" {
  start_broker
  printf '%s\n' '{"topic":"a","payload":"one"}' '{"topic":"a","payload":' '{"topic":"a","payload":"two"}' \
    '{"topic":"a","qos":3,"payload":null}' >"$house/lines"
  subscriber left -t a
  listening left a
  run -1 --separate-stderr mqpub -p "$port" -q 1 --json-lines <"$house/lines"
  [[ ${#stderr_lines[@]} -eq 1 && $stderr == "mqpub: line 2, column 24: unexpected end of input"* ]]
  run -1 --separate-stderr mqpub -p "$port" -q 1 --json-lines --keep-going <"$house/lines"
  [[ $stderr == *"line 2, column 24: "*"mqpub: line 4, qos: must be 0, 1 or 2"$'\n'"mqpub: 2 of 4 lines were skipped" ]]
  heard_all left a
  expect left one one two
}

@test "--json-lines: 20,000 lines of every QoS arrive" {
  start_broker
  subscriber left -t a -q 2 -C 20001
  listening left a
  for ((i = 1; i <= 20000; i++)); do
    printf '{"topic":"a","qos":%d,"payload":"%d"}\n' $((i % 3)) "$i"
  done | publish --json-lines
  wait_for_end left
  seq 20000 | cmp - <(heard left | sort -n)
}

@test "--topic-separator: lines that name their topics; bad ones are told and counted" {
  start_broker
  subscriber left -v -t 'x/#'
  listening left x/fence
  printf 'x/a 1 2\nbad\nx/b \nx/+ no\n' |
    { run -1 --separate-stderr mqpub -p "$port" -l --topic-separator ' ' --keep-going
      [[ $stderr == "mqpub: line 2, there is no \" \" behind a topic"*"mqpub: 2 of 4 lines were skipped" ]]; }
  heard_all left x/fence
  expect left "x/a 1 2" "x/b (null)"
}

@test "--pace plays a recording as it was made, or faster" {
  start_broker
  for millis in 000 200 300; do
    printf '{"tst":"2026-11-23T08:58:39.%s000+0000","topic":"a","payload":"%s"}\n' "$millis" "$millis"
  done >"$house/recording"
  subscriber left -t a
  listening left a
  local start=$EPOCHREALTIME
  publish --json-lines --pace <"$house/recording"
  local middle=$EPOCHREALTIME
  publish --json-lines --pace 1000 <"$house/recording"
  heard_all left a
  ((${middle/./} - ${start/./} >= 300000))
  expect left 000 200 300 000 200 300
}

@test "progress is shown on a terminal, after a second, and to nobody else" {
  start_broker
  mkfifo "$house/fifo"
  cd "$house"
  script -qfec "mqpub -p $port -t a -l <fifo" shown </dev/null >/dev/null &
  local program=$!
  exec 4>fifo
  echo one >&4
  wait_for_line shown 'mqpub: 1 lines, 4 B, [0-9.]+ lines/s, 0 in flight'
  exec 4>&-
  wait "$program"
  script -qfec "mqpub -p $port -t a -l --quiet <lines" quiet </dev/null >/dev/null &
  program=$!
  wait "$program" || true
  run ! grep -q 'lines/s' quiet
}

@test "-f and -s send files byte for byte; -s wants a byte at least" {
  start_broker
  head -c 1900000 "$MQBROKER" >"$house/binary"
  for how in -f -s; do
    if [[ $how == -f ]]; then
      publish -r -t file -f "$house/binary"
    else
      publish -r -t file -s <"$house/binary"
    fi
    mqsub -p "$port" -t file -C 1 -N -W 20 | cmp - "$house/binary"
    publish -r -t file -n
  done
  subscriber left -v -t empty
  listening left empty
  publish -t empty -f /dev/null
  heard_all left empty
  expect left "empty (null)"
  fails_with "-s: standard input is empty; send an empty message with -n" \
    publish -t a -s </dev/null
}

@test "--repeat publishes so often, --repeat-delay takes its time" {
  start_broker
  subscriber left -t a
  listening left a
  publish -t a -m x --repeat 3
  local start=$EPOCHREALTIME
  publish -t a -m y --repeat 3 --repeat-delay 0.1 -q 1
  local end=$EPOCHREALTIME
  ((${end/./} - ${start/./} >= 200000))
  heard_all left a
  expect left x x x y y y
}

@test "a connection that breaks is made again, and no line is lost at QoS 1" {
  start_broker
  subscriber left -t a -q 1 -c -i left
  listening left a
  mkfifo "$house/fifo"
  stdin=$house/fifo window right mqpub -p "$port" -t a -l -q 1
  exec 4>"$house/fifo"
  echo before >&4
  wait_for_line "$house/left.out" '^before$'
  crash broker
  wait_for_line "$house/right.err" 'lost: .*; trying again'
  echo between >&4
  window broker mqbroker -v -p "$port" 4>&-
  wait_for_line "$house/right.err" 'connected to localhost port [0-9]+ again'
  wait_for_line "$house/left.err" 'connected to localhost port [0-9]+ again'
  listening left a
  echo after >&4
  exec 4>&-
  wait_for_end right
  heard_all left a
  [[ $(heard left | grep -v between) == $'before\nafter' ]]
}

@test "what was not acknowledged is counted, and the exit code tells" {
  start_broker
  kill -STOP "${window_pid[broker]}"
  run -1 --separate-stderr mqpub -p "$port" -t a -m x --connect-timeout 0.2
  [[ $stderr == "mqpub: cannot connect to localhost port $port: no answer in time" ]]
  kill -CONT "${window_pid[broker]}"

  mkfifo "$house/fifo"
  stdin=$house/fifo window right mqpub -p "$port" -t a -l -q 1 --ack-timeout 0.3 -d
  exec 4>"$house/fifo"
  echo one >&4
  wait_for_line "$house/right.err" 'received PUBACK'
  kill -STOP "${window_pid[broker]}"
  printf 'two\nthree\n' >&4
  local code=0
  wait_for_end right || code=$?
  kill -CONT "${window_pid[broker]}"
  exec 4>&-
  [[ $code -eq 27 ]]
  grep -qx "mqpub: 2 of 3 messages were not acknowledged" "$house/right.err"
}

@test "standard input is read only as fast as the broker takes it" {
  start_broker
  mkfifo "$house/fifo"
  stdin=$house/fifo window right mqpub -p "$port" -t a -l -d
  exec 4>"$house/fifo"
  echo first >&4
  wait_for_line "$house/right.err" 'sending PUBLISH'
  kill -STOP "${window_pid[broker]}"
  yes "$(head -c 1000 /dev/zero | tr '\0' x)" | head -c 200000000 >&4 3>&- &
  local writer=$!
  exec 4>&-
  wait_until "it leaves its input alone" leaves_alone "${window_pid[right]}" "$house/fifo"
  kill -0 "$writer"
  (($(resident "${window_pid[right]}") < 150000))
  kill -CONT "${window_pid[broker]}"
  kill "$writer" || true
  wait_for_end right
}
# The memory of a process in KiB.
resident() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; }
# leaves_alone PID FIFO - the process sleeps although there is something to read. It has not been
# awake in between when it has gone to sleep no more often.
leaves_alone() {
  python3 - "$@" <<'PYTHON'
import array
import fcntl
import os
import re
import sys
import termios

pid, fifo = sys.argv[1:]
pipe = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)


def sleep():
    with open(f"/proc/{pid}/status") as status:
        found = re.search(r"State:\tS.*\nvoluntary_ctxt_switches:\t(\d+)", status.read(), re.S)
    return found and found[1]


before, unread = sleep(), array.array("i", [0])
fcntl.ioctl(pipe, termios.FIONREAD, unread)
sys.exit(not (before and unread[0] > 0 and sleep() == before))
PYTHON
}

@test "whatever ends mqpub, standard input is left as it was" {
  start_broker
  mkfifo "$house/fifo"
  exec {input}<>"$house/fifo"
  local signal pid
  for signal in HUP INT TERM; do
    env --default-signal=INT mqpub -p "$port" -t a -l <&"$input" 3>&- &
    pid=$!
    wait_until "standard input is read" is_nonblocking
    kill -s "$signal" "$pid"
    run ! wait "$pid"
    run ! is_nonblocking
  done
  (trap '' HUP && exec mqpub -p "$port" -t a -l <&"$input") 3>&- &
  pid=$!
  wait_until "standard input is read" is_nonblocking
  kill -s HUP "$pid" # nohup
  kill -s TERM "$pid"
  local code=0
  wait "$pid" || code=$?
  ((code == 143))
}
is_nonblocking() { (($(awk '$1 == "flags:" { print $2 }' "/proc/$BASHPID/fdinfo/$input") & 04000)); }

@test "Unix sockets" {
  start_broker broker 'listener PORT 127.0.0.1
listener 0 HOUSE/socket
allow_anonymous true'
  window left mqsub --unix "$house/socket" -t a
  listening left a
  mqpub --unix "$house/socket" -t a -m "over the path"
  heard_all left a
  expect left "over the path"
}
