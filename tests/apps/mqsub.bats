#!/usr/bin/env bats
# mqsub as people run it: what it prints, what it says, how it ends.

bats_require_minimum_version 1.5.0

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
  run -0 --separate-stderr mqsub --help
  [[ $output == *"-t, --topic TOPIC"* && -z $stderr ]]
  run -0 --separate-stderr mqsub --version
  [[ $output =~ ^mqsub\ [0-9.]+$ && -z $stderr ]]
}

@test "a mistake on the command line is one line with the flag and the remedy, exit code 1" {
  fails_with "mqsub: unknown option --verbos; did you mean --verbose?" mqsub --verbos
  fails_with "-t a#: is no topic filter" mqsub -t a#
  fails_with "-p x: must be a port number" mqsub -t a -p x
  fails_with "-c needs -i" mqsub -t a -c
  fails_with "-i and -I exclude each other" mqsub -t a -i a -I b
  fails_with "-t needs TOPIC behind it" mqsub -t
  fails_with "no topic given" mqsub
  fails_with "--will-payload needs --will-topic" mqsub -t a --will-payload x
}

@test "no broker: one line that names host, port, the addresses tried and the reason" {
  start_broker
  stop broker
  fails_with "mqsub: cannot connect to 127.0.0.1 port $port: connection refused. Is a broker" \
    mqsub -h 127.0.0.1 -p "$port" -t a
  fails_with "cannot connect to localhost port $port (" mqsub -p "$port" -t a
  fails_with "no such file or directory. Is a broker listening on that path?" \
    mqsub --unix "$house/nothing" -t a
}

@test "-v, -N and an empty message, in a pipe" {
  start_broker
  subscriber plain -t 'x/#'
  subscriber verbose -v -t 'x/#'
  subscriber bare -N -v -t 'x/#'
  for name in plain verbose bare; do listening "$name" x/fence; done
  : >"$house/plain.out" && : >"$house/verbose.out" && : >"$house/bare.out"
  publish -t x/a -m one
  publish -t x/a -n
  publish -t x/b -m $'two\tlines\nof \x1b[31mtext'
  for name in plain verbose bare; do heard_all "$name" x/fence; done
  [[ $(cat "$house/plain.out") == $'one\ntwo\tlines\nof \x1b[31mtext\n[fence '* ]]
  [[ $(cat "$house/verbose.out") == $'x/a one\nx/a (null)\nx/b two\tlines\nof \x1b[31mtext\n'* ]]
  [[ $(cat "$house/bare.out") == $'x/a onex/a (null)x/b two\tlines\nof \x1b[31mtextx/fence '* ]]
}

@test "-F prints what it is asked for; a mistake in it is shown before connecting" {
  start_broker
  publish -r -t x/a -m $'\xff\x01' -q 1
  run -0 mqsub -p "$port" -t x/a -C 1 -q 1 -F '%t %.2:x %5l %q%r\t|'
  [[ $output == $'x/a ff:01     2 11\t|' ]]
  run -0 mqsub -p "$port" -t x/a -C 1 -q 1 -F '%j'
  [[ $output =~ ^\{\"tst\":\"[0-9T:.-]{26}[+-][0-9]{4}\",(.*)$ ]]
  [[ ${BASH_REMATCH[1]} == '"topic":"x/a","qos":1,"retain":true,"payloadlen":2,"mid":1,"payload_b64":"/wE="}' ]]
  run -0 mqsub -p "$port" -t x/a -C 1 -F %J --pretty
  python3 -m json.tool <<<"$output" >"$house/parsed"
  stop broker
  run -1 --separate-stderr mqsub -p "$port" -t a -F '%t %k'
  [[ -z $output && ${stderr_lines[0]} == "mqsub: -F: %k is no code" ]]
  [[ ${stderr_lines[1]} == '  %t %k' && ${stderr_lines[2]} == '      ^ allowed: %% %A '* ]]
}

@test "-C ends after so many messages" {
  start_broker
  subscriber left -t a -C 2 -v
  listening left a # the first
  publish -t a -m two
  publish -t a -m three || true
  wait_for_end left
  [[ $(tail -n 1 "$house/left.out") == "a two" ]]
  [[ ! -s $house/left.err ]]
}

@test "-W ends the whole run with exit code 27: listening, and connecting to nobody who answers" {
  start_broker
  run -27 --separate-stderr mqsub -p "$port" -t a -W 0.2
  [[ $stderr == "mqsub: Timed out" && -z $output ]]
  # A socket that accepts and never says a word: a listener whose program is stopped.
  kill -STOP "${window_pid[broker]}"
  run -27 --separate-stderr mqsub -p "$port" -t a -W 0.2
  run -1 --separate-stderr mqsub -p "$port" -t a --connect-timeout 0.2
  kill -CONT "${window_pid[broker]}"
  [[ $stderr == "mqsub: cannot connect to localhost port $port: no answer in time" ]]
}

@test "-R hides retained messages, -T hides topics" {
  start_broker
  publish -r -t x/old -m old
  subscriber hiding -v -t 'x/#' -R -T 'x/noise/+'
  listening hiding x/fence
  publish -t x/noise/a -m no
  publish -t x/new -m yes
  heard_all hiding x/fence
  expect hiding "x/new yes"
}

@test "-0 ends messages with a NUL, --color always colours topics also in a pipe" {
  start_broker
  publish -r -t x -m $'one\ntwo'
  mqsub -p "$port" -t x -C 1 -0 | cmp - <(printf 'one\ntwo\0')
  NO_COLOR=1 mqsub -p "$port" -t x -C 1 -v --color always | cmp - <(printf '\e[36mx\e[0m one\ntwo\n')
}

@test "--retained-only prints what is retained and ends; --remove-retained leaves nothing of it" {
  start_broker
  for topic in x/a x/b x/keep; do publish -r -t "$topic" -m "$topic"; done
  run -0 --separate-stderr mqsub -p "$port" -t 'x/#' --retained-only -W 10
  [[ $(sort <<<"$output") == $'x/a\nx/b\nx/keep' && -z $stderr ]]
  run -0 --separate-stderr mqsub -p "$port" -t 'x/#' --remove-retained -C 2 -T x/keep -W 10
  [[ $(sort <<<"$output") == $'x/a\nx/b' && -z $stderr ]]
  run -0 mqsub -p "$port" -t 'x/#' --retained-only --remove-retained -W 10
  [[ $output == x/keep ]]
  run -0 mqsub -p "$port" -t 'x/#' --retained-only -W 10
  [[ -z $output ]]
}

@test "--retain-as-published and --retain-handling in MQTT 5" {
  start_broker
  publish -r -t x -m old
  subscriber left -V 5 -t 'x' -t y --retain-as-published --retain-handling never -F '%r %p'
  listening left y
  publish -r -t x -m new
  heard_all left y
  [[ $(grep -v fence "$house/left.out") == "1 new" ]]
}

@test "--message-rate says each second how many came" {
  start_broker
  subscriber left -t x --message-rate
  wait_until "a message is counted" rate_is_seen
  run ! grep -vxE '[0-9]+ msgs/s' "$house/left.out"
}
rate_is_seen() {
  publish -t x -m x
  grep -qxE '[1-9][0-9]* msgs/s' "$house/left.out"
}

@test "-E leaves a subscription behind, -U ends it" {
  start_broker
  run -0 mqsub -p "$port" -t a -q 1 -c -i me -E
  [[ -z $output ]]
  publish -t a -q 1 -m kept
  run -0 mqsub -p "$port" -t b -q 1 -c -i me -C 1 -W 10
  [[ $output == kept ]]
  run -0 mqsub -p "$port" -U a -c -i me -E
  publish -t a -q 1 -m lost
  publish -t b -q 1 -m "kept too"
  run -0 mqsub -p "$port" -t b -q 1 -c -i me -C 1 -W 10
  [[ $output == "kept too" ]]
}

@test "Ctrl-C and SIGTERM end with exit code 0 and a goodbye: no will" {
  start_broker
  subscriber watcher -v -t will
  listening watcher will
  for signal in INT TERM; do
    subscriber left -t a --will-topic will --will-payload "$signal" -V mqttv311
    listening left a
    stop left "$signal"
    [[ ! -s $house/left.err ]]
  done
  heard_all watcher will
  expect watcher
}

@test "in MQTT 5 Ctrl-C has the will published" {
  start_broker
  subscriber watcher -v -t will
  listening watcher will
  subscriber left -t a --will-topic will --will-payload gone -V 5
  listening left a
  ctrl_c left
  wait_until "the will is heard" grep -qx "will gone" "$house/watcher.out"
}

@test "a reader that has gone is a quiet end, exit code 0" {
  start_broker
  mkfifo "$house/fifo"
  mqsub -p "$port" -t a >"$house/fifo" 2>"$house/left.err" 3>&- &
  local pid=$!
  head -n 1 <"$house/fifo" >&2 & # opens the pipe and closes it behind the first line
  local reader=$!
  wait_until "the reader had a line" publish_until_gone "$reader"
  wait_until "mqsub notices" publish_until_gone "$pid"
  wait "$pid"
  [[ ! -s $house/left.err ]]
}
@test "a reader that takes nothing keeps nobody from ending mqsub" {
  start_broker
  mkfifo "$house/fifo"
  exec {stalled}<>"$house/fifo"
  mqsub -p "$port" -i bond -c -q 1 -t a -E
  head -c 300000 /dev/zero | mqpub -p "$port" -q 1 -t a -s
  local end code
  for end in TERM:0 INT:0 none:27; do
    window left bash -c "exec mqsub -p $port -i bond -c -q 1 -t a -W 3 >fifo"
    wait_until "mqsub has filled the pipe" read -t 0 -u "$stalled"
    code=0
    if [[ $end == none:* ]]; then wait_for_end left || code=$?; else stop left "${end%:*}" || code=$?; fi
    ((code == ${end#*:}))
    timeout 1 cat <&"$stalled" >/dev/null || true
  done
  [[ $(cat "$house/left.err") == "mqsub: Timed out" ]]
  (($(mqsub -p "$port" -i bond -c -q 1 -t a -C 1 -N -W 20 | wc -c) == 300000)) # was not acknowledged
}

@test "a reader that is only slow has everything, up to the end" {
  start_broker
  mqpub -p "$port" -t a -r -f <(head -c 1000000 /dev/zero)
  (($(mqsub -p "$port" -t a -C 1 -N | dd bs=64 status=none | wc -c) == 1000000))
}

publish_until_gone() {
  publish -t a -m x
  ! kill -0 "$1" 2>/dev/null
}

@test "a lost connection is told once, made again, and the subscriptions with it" {
  start_broker
  subscriber left -t a -v --retry
  listening left a
  crash broker
  wait_for_line "$house/left.err" 'connection to localhost port [0-9]+ lost: .*; trying again'
  window broker mqbroker -v -p "$port"
  wait_for_line "$house/left.err" 'connected to localhost port [0-9]+ again'
  listening left a
  ctrl_c left
  [[ $(wc -l <"$house/left.err") -eq 2 ]]
}

@test "--retry waits for a broker that is still to be started" {
  start_broker
  stop broker
  subscriber left -t a --retry
  wait_for_line "$house/left.err" 'connection refused.*; trying again'
  window broker mqbroker -v -p "$port"
  listening left a
  [[ $(grep -c 'trying again' "$house/left.err") -eq 1 ]]
}

@test "a refusal is told in the standard's words, and its code is the exit code" {
  start_broker broker 'listener PORT 127.0.0.1
allow_anonymous false'
  run -5 --separate-stderr mqsub -p "$port" -t a
  [[ $stderr == "mqsub: localhost port $port refused the connection: not authorized" ]]
  run -135 --separate-stderr mqsub -p "$port" -t a -V 5
  [[ $stderr == "mqsub: localhost port $port refused the connection: Not authorized"* ]]
}

@test "--debug shows the packets on stderr, not among the messages" {
  start_broker
  publish -r -t a -m hello
  run -0 --separate-stderr mqsub -p "$port" -t a -C 1 -d -i me
  [[ $output == hello ]]
  [[ $stderr == *'mqsub: sending CONNECT (id "me"'* && $stderr == *'received PUBLISH "a" (5 bytes'* ]]
  [[ $stderr == *'sending DISCONNECT'* ]]
}

@test "the password is wiped from the list of processes" {
  start_broker
  subscriber left -t a -u me -P hush-hush
  listening left a
  run ! grep -q hush-hush "/proc/${window_pid[left]}/cmdline"
}

@test "hints are for terminals: none in a pipe" {
  start_broker
  run -0 --separate-stderr mqsub -p "$port" -t a -i me -q 1 -E
  [[ -z $stderr ]]
}

@test "a subscriber in its own time: 20,000 messages through a pipe that is read late" {
  start_broker
  mkfifo "$house/fifo"
  mqsub -p "$port" -t a -C 20000 >"$house/fifo" 2>"$house/left.err" 3>&- &
  local pid=$!
  exec 4<"$house/fifo"
  wait_until "it is subscribed" grep -q ' 0 a$' "$house/broker.err" "$house/broker.out"
  seq 20000 | publish -t a -l
  seq 20000 | cmp - <(cat <&4)
  exec 4<&-
  wait "$pid"
}
