#!/usr/bin/env bats
# What the broker acknowledged is there again after its death, whatever killed it.

bats_require_minimum_version 1.5.0

setup() {
  load support
  open_house
}
teardown() {
  local status=0
  close_house || status=$?
  # A strace whose broker was killed before it could be traced waits on.
  pkill -KILL -f -- "-E MQ_HOUSE=$house " || true
  return "$status"
}

# restart_broker - starts the broker again where it was, after it has ended.
restart_broker() {
  window broker mqbroker -v -p "$port" "${broker_options[@]}"
  wait_until "the broker runs again" started_or_ended broker
  running broker
}
log() { cat "$house/broker.err"; }
publish() { mqpub -p "$port" "$@"; }
# How often the broker is killed under load, for each QoS.
kills=${MQ_KILLS:-100}
# The session "bond", fetched: subscribes to a/#, or takes over what was there.
bond() { mqsub -p "$port" -i bond -c -q 1 -t 'a/#' "$@"; }

@test "messages for a sleeping subscriber, and retained ones, survive kill -9" {
  start_broker
  run -0 bond -E
  seq 1 50 | publish -t a/b -q 1 -l
  publish -t kept -m value -r -q 1

  crash broker
  restart_broker
  log | grep -qE "Keeping the state in $house/state/mqbroker/$port.db: sessions: 1, queued messages: 50, retained: 1, read in [0-9]+ ms"
  [[ $(stat -c %a "$house/state/mqbroker/$port.db") == 600 ]]

  run -0 bond -C 50 -W 20
  [[ $output == "$(seq 1 50)" ]]
  run -0 mqsub -p "$port" -t kept -C 1 -W 20
  [[ $output == value ]]
}

# traced - makes a program `$1`: mqbroker under strace with these options, in the same process. Its
# configuration must say "user root", since strace does not follow everywhere who becomes another.
traced() {
  # LeakSanitizer cannot do its work while strace does.
  printf '#!/bin/sh\nASAN_OPTIONS=detect_leaks=0 exec strace -D -f -q -E MQ_HOUSE=%s %s mqbroker "$@"\n' \
    "$house" "$2" >"$house/bin/$1"
  chmod +x "$house/bin/$1"
}
kept="user root
listener PORT 127.0.0.1
allow_anonymous true
persistence true"

# under_fire QOS - kills the broker again and again, every third time also while it starts, while
# publishers send $count lines to the session bond. That sleeps, and after each kill gets what there
# is: into $house/drained. Every write to the file takes three milliseconds, so that there is always
# something that is not written.
under_fire() {
  local qos=$1 each=40
  traced slow "-o /dev/null -e trace=pwrite64 -e inject=pwrite64:delay_enter=3000"
  broker=slow start_broker broker "$kept"
  run -0 mqsub -p "$port" -i bond -c -q "$qos" -t 'a/#' -E
  count=$((kills * each))
  for ((i = 0; i < kills; ++i)); do
    seq $((i * each + 1)) $(((i + 1) * each)) >"$house/lines"
    stdin=$house/lines window sender mqpub -p "$port" -i "sender $i" -c -q "$qos" -t a/b -l -d
    wait_for_line "$house/sender.err" 'received CONNACK'
    # Somewhere in the middle: after so many looks at the log.
    for ((j = RANDOM % 20; j > 0; --j)); do grep -c . "$house/sender.err" >/dev/null; done
    crash broker
    if ((i % 3 == 0)); then
      window broker slow -c broker.conf
      for ((j = RANDOM % 8; j > 0; --j)); do grep -c . "$house/lines" >/dev/null; done
      crash broker
    fi
    window broker slow -v -c broker.conf
    wait_until "the broker runs again" started_or_ended broker
    wait_for_end sender
    mqsub -p "$port" -i bond -c -q "$qos" -t 'a/#' -C "$each" -W 20 >>"$house/drained"
  done
}

@test "QoS 1 messages that are on their way when the broker is killed all arrive, in order" {
  under_fire 1
  # Again is allowed, and then in order from where it begins again.
  mqsub -p "$port" -i bond -c -q 1 -t 'a/#' -W 1 >>"$house/drained" 2>/dev/null || true
  diff <(seq "$count") <(sort -nu "$house/drained")
  awk '!($1 in seen) { if ($1 < last) exit 1; last = $1; seen[$1] = 1 }' "$house/drained"
}

@test "QoS 2 messages that are on their way when the broker is killed arrive exactly once" {
  under_fire 2
  diff <(seq "$count") "$house/drained"
}

@test "a queue longer than its window is on disk, survives kill -9, and comes in order" {
  start_broker broker "$kept
persistence_location $house/
max_queued_messages 0
queue_window_messages 100"
  run -0 bond -E
  seq 20000 | publish -t a/b -q 1 -l
  crash broker
  window broker mqbroker -v -c broker.conf
  wait_until "the broker runs again" started_or_ended broker
  grep -q 'sessions: 1, queued messages: 20000,' "$house/broker.err"
  bond -C 10000 -W 60 >"$house/drained"
  bond -C 10000 -W 60 >>"$house/drained"
  diff <(seq 20000) <(sort -nu "$house/drained")
}

@test "who is alone with the broker does not wait for others to wake it" {
  local kib
  mqbroker passwd -b -c "$house/users" alice secret
  start_broker broker "user root
listener PORT 127.0.0.1
password_file HOUSE/users
persistence true
persistence_location HOUSE/
sys_interval 0
retained_memory_limit 400000"
  local alice=(-p "$port" -u alice -P secret)
  run -0 mqsub "${alice[@]}" -i bond -c -q 1 -t a -E
  # The password is known by now, and found right at once.
  run -0 timeout 10 mqsub "${alice[@]}" -i bond -c -q 1 -t a -E
  kib=$(printf '%1024s' "")
  for i in {1..600}; do printf '{"topic":"r/%s","retain":true,"qos":1,"payload":"%s"}\n' "$i" "$kib"; done |
    mqpub "${alice[@]}" --json-lines
  run -0 mqsub "${alice[@]}" -t 'r/#' -C 600 -W 10 -F %t
  ((${#lines[@]} == 600))
}

@test "retained messages above the limit stay on the disk when the broker starts again" {
  start_broker broker "$kept
persistence_location $house/
retained_memory_limit 1"
  seq 1 3 | while read -r i; do publish -t "kept/$i" -m first -r -q 1; done
  stop broker
  window broker mqbroker -v -c broker.conf
  wait_until "the broker runs again" started_or_ended broker
  # What is read from the file now is what the file says now.
  python3 -c 'import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute("UPDATE message SET payload = ?", (b"other",)); c.commit()' "$house/mqbroker.db"
  run -0 mqsub -p "$port" -t 'kept/#' -C 3 -W 20
  [[ $(sort <<<"$output") == $'first\nother\nother' ]]
}

@test "--no-persistence forgets everything and leaves no file" {
  broker_options=(--no-persistence)
  start_broker
  log | grep -q "Keeping the state in memory only"
  publish -t kept -m value -r -q 1
  crash broker
  restart_broker
  run -27 --separate-stderr mqsub -p "$port" -t kept -C 1 -W 1
  [[ -z $output && ! -e $house/state ]]
}

@test "--data names the directory" {
  broker_options=(--data "$house/here")
  start_broker
  publish -t kept -m value -r -q 1
  stop broker
  [[ -s $house/here/$port.db && ! -e $house/state ]]
  restart_broker
  run -0 mqsub -p "$port" -t kept -C 1 -W 20
  [[ $output == value ]]
}

@test "--data and --no-persistence do not go together" {
  run -3 --separate-stderr mqbroker --data x --no-persistence
  [[ $stderr == *"leave one of them out"* ]]
}

@test "a configuration file says whether the state is kept, and where" {
  mkdir -m 777 "$house/data"
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
persistence true
persistence_location HOUSE/data/
persistence_sync interval 1"
  publish -t kept -m value -r -q 1
  crash broker
  [[ -e $house/data/mqbroker.db ]]
  window broker mqbroker -v -c broker.conf
  wait_until "the broker runs again" started_or_ended broker
  run -0 mqsub -p "$port" -t kept -C 1 -W 20
  [[ $output == value ]]
}

@test "a second broker on the same file is refused and told who has it" {
  start_broker broker "listener PORT 127.0.0.1
persistence true
persistence_location HOUSE/data/"
  local pid=${window_pid[broker]}
  sed "s/$port/0/" "$house/broker.conf" >"$house/second.conf"
  cd "$house"
  run -1 --separate-stderr mqbroker -c second.conf
  [[ $stderr == *"data/mqbroker.db: in use by the process $pid"* ]]
}

@test "a damaged file is moved aside and named, and the broker starts" {
  start_broker
  stop broker
  local file=$house/state/mqbroker/$port.db
  head -c 100000 /dev/urandom >"$file"
  restart_broker
  log | grep -qE "Damaged: .*is kept as $file.damaged-[0-9]+"
  publish -t kept -m value -r -q 1
  run -0 mqsub -p "$port" -t kept -C 1 -W 20
  [[ $output == value ]]
}

@test "on a full disk what would have to be kept is refused, the rest goes on, and it recovers" {
  # The kernel lets the broker's files grow to 400 KiB, as if the disk ended there.
  printf '#!/bin/bash\ntrap "" XFSZ\nulimit -S -f 400\nexec mqbroker "$@"\n' >"$house/bin/cramped"
  chmod +x "$house/bin/cramped"
  # Root may lift the limit only of a process of root.
  broker=cramped start_broker broker "$kept"
  run -0 bond -E
  printf -v line '%01000d' 7
  run -27 publish -t a/b -q 1 -l --ack-timeout 2 <<<"$(for _ in {1..900}; do echo "$line"; done)"
  wait_for_line "$house/broker.err" 'Cannot store the state: .*disk I/O error'

  run -151 --separate-stderr publish -V 5 -t a/b -q 1 -m refused
  [[ $stderr == *"refused: Quota exceeded"* ]]
  run -0 publish -t elsewhere -q 1 -m fine

  prlimit --pid "${window_pid[broker]}" --fsize=unlimited
  wait_for_line "$house/broker.err" 'The state is stored again'
  run -0 publish -V 5 -t a/b -q 1 -m last
  crash broker
  window broker mqbroker -v -c broker.conf
  wait_until "the broker runs again" started_or_ended broker
  bond -W 2 >"$house/drained" || true
  [[ $(tail -n 1 "$house/drained") == last ]]
  (($(wc -l <"$house/drained") > 100))
  run ! grep -vxE "$line|last" "$house/drained"
}

@test "a directory that cannot be written is an error that names path, owner and mode" {
  mkdir -m 555 "$house/data"
  run -1 --separate-stderr mqbroker -p 0 --data "$house/data"
  [[ $stderr == *"cannot write the data directory $house/data (owner $(id -un), mode 0555): Permission denied"* ]]
  printf 'listener 1\npersistence true\npersistence_location %s\n' "$house/data" >"$house/c"
  run -1 --separate-stderr timeout 20 mqbroker -c "$house/c"
  [[ $stderr == *"c:3: persistence_location: user "*" cannot write the data directory $house/data "* ]]
  run -1 --separate-stderr timeout 20 mqbroker -c "$house/c" --data "$house/data"
  [[ $stderr != *"c:3:"* ]]
}

@test "no acknowledgement is sent before the disk has what it acknowledges" {
  traced watched "-o '$house/trace' -e trace=read,write,writev,sendmsg,sendto,fdatasync,fsync"
  broker=watched start_broker broker "$kept"
  run -0 bond -E
  for i in 1 2 3 4 5; do publish -t a/b -q 1 -m "$i"; done
  stop broker
  python3 "$BATS_TEST_DIRNAME/sync_order.py" "$house/trace" 5
}

@test "what is acknowledged within persistence_delay is never written" {
  written() { stat -c %s,%Y "$house"/state.db-wal; }
  start_broker broker "$kept
persistence_location HOUSE/
persistence_file state.db
persistence_delay 10000"
  window bond mqsub -p "$port" -i bond -c -q 1 -t 'a/#' -d
  wait_for_line "$house/bond.err" 'received SUBACK'
  local before
  before=$(written)
  seq 1 100 | timeout 9 mqpub -p "$port" -t a/b -q 1 -l
  wait_for_line "$house/bond.out" '^100$'
  [[ $(written) == "$before" ]]
}
