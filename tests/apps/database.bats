#!/usr/bin/env bats
# What is in the broker's file: taken over from mosquitto, and looked at with mqbroker db.

bats_require_minimum_version 1.5.0
setup() {
  load support
  open_house
}
teardown() { close_house; }

kept="user root
listener PORT 127.0.0.1
allow_anonymous true
persistence true
persistence_location HOUSE"

# filled - a broker with a sleeping session that is owed 3 messages, a retained one, and a will.
filled() {
  start_broker broker "$kept"
  run -0 mqsub -p "$port" -i bond -c -q 1 -t 'a/#' -E
  run -0 mqsub -p "$port" -V 5 -x 60 -i guest -c -q 2 -t 'b/+' -E
  seq 3 | mqpub -p "$port" -t a/b -q 1 -l
  mqpub -p "$port" -t kept -m value -r -q 1
  printf '\xff\xfe' | mqpub -p "$port" -t binary -s -r -q 1
}

@test "mosquitto's file is taken over once, and left as it is" {
  broker=${MOSQUITTO:-/usr/sbin/mosquitto} start_broker theirs "$kept
persistence_file mosquitto.db"
  mosquitto_sub -p "$port" -i bond -c -q 1 -t 'a/#' -E
  mosquitto_sub -p "$port" -i twice -c -q 2 -t 'a/#' -E
  mosquitto_sub -p "$port" -V 5 -x 3600 -i guest -c -q 1 -t n/a -E \
    -D subscribe subscription-identifier 77
  seq 250 | mosquitto_pub -p "$port" -t a/b -q 2 -l
  mosquitto_pub -p "$port" -t kept -m value -r -q 1
  mosquitto_pub -p "$port" -V 5 -t n/a -m text -q 1 -D publish content-type "text/plain" \
    -D publish message-expiry-interval 9999 -D publish user-property a b
  stop theirs
  local before
  before=$(sha256sum <"$house/mosquitto.db")

  window broker mqbroker -v -c theirs.conf
  wait_until "the broker runs" started_or_ended broker
  grep -q "Took over what mosquitto kept in $house/mosquitto.db" "$house/broker.err"
  grep -qE "Keeping the state in $house/mqbroker.db: sessions: 3, queued messages: [0-9]+, retained: 1," "$house/broker.err"
  [[ $before == "$(sha256sum <"$house/mosquitto.db")" ]]

  run -0 mqsub -p "$port" -t kept -C 1 -W 20
  [[ $output == value ]]
  local count
  count=$(mqbroker db dump "$house/mqbroker.db" | grep '"kind":"queued","client_id":"bond"' | wc -l)
  [[ $count -ge 100 ]]
  run -0 mqsub -p "$port" -i bond -c -q 1 -t 'a/#' -C "$count" -W 20
  [[ $output == "$(seq "$count")" ]]
  run -0 mqsub -p "$port" -i twice -c -q 2 -t 'a/#' -C "$count" -W 20
  [[ $output == "$(seq "$count")" ]]
  mqbroker db dump "$house/mqbroker.db" >"$house/dump"
  grep -q '"kind":"subscription","client_id":"guest","filter":"n/a","identifier":77' "$house/dump"
  grep -q '"kind":"queued","client_id":"guest".*"identifier":77' "$house/dump"
  grep -q '"kind":"message".*"topic":"n/a".*"payload":"text","properties_hex":"03000a746578742f706c61696e26000161000162"' "$house/dump"

  stop broker
  window broker mqbroker -v -c theirs.conf
  wait_until "the broker runs again" started_or_ended broker
  run ! grep "Took over" "$house/broker.err"
  run -27 --separate-stderr mqsub -p "$port" -i bond -c -q 1 -t 'a/#' -W 1
  [[ $output == "" ]]
}

@test "db stats, dump and verify tell what is in the file, while the broker runs" {
  filled
  run -0 mqbroker db stats "$house/mqbroker.db"
  [[ ${lines[0]} == '{"sessions":2,"subscriptions":2,"queued":3,"queued_bytes":3,"retained":2,"messages":5,"message_bytes":10,"file_bytes":'* ]]
  [[ ${lines[1]} == '{"client_id":"bond","expiry_interval":null,"asleep_since":'*',"subscriptions":1,"queued":3,"queued_bytes":3}' ]]
  [[ ${lines[2]} == '{"client_id":"guest","expiry_interval":60,'*',"queued":0,"queued_bytes":0}' ]]

  mqbroker db dump "$house/mqbroker.db" >"$house/dump"
  grep -q '^{"kind":"subscription","client_id":"guest","filter":"b/+","identifier":0,"options":2}$' "$house/dump"
  [[ $(grep -c '^{"kind":"queued","client_id":"bond",' "$house/dump") -eq 3 ]]
  grep -q '"topic":"binary","qos":1,"retain":true,"expires_at":null,"payload_hex":"fffe"}$' "$house/dump"
  grep -q '^{"kind":"retained","topic":"kept","message":[0-9]*}$' "$house/dump"
  python3 -c 'import json,sys; [json.loads(line) for line in sys.stdin]' <"$house/dump"

  run -0 mqbroker db verify "$house/mqbroker.db"
  [[ $output == '{"ok":true,"faults":[]}' ]]
  mqpub -p "$port" -t a/b -m "goes on" -q 1
}

@test "db tells when its output cannot be written" {
  filled
  for command in stats dump verify; do
    run -1 --separate-stderr bash -c "mqbroker db $command $house/mqbroker.db >/dev/full"
    [[ $stderr == "mqbroker: cannot write all of it to standard output" ]]
  done
}

@test "db verify finds what does not fit together, and a broken file" {
  filled
  stop broker
  python3 -c 'import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute("UPDATE message SET uses = 9 WHERE topic = ?", ("kept",)); c.execute("DELETE FROM message WHERE topic = ?", ("binary",)); c.commit()' "$house/mqbroker.db"
  run -1 mqbroker db verify "$house/mqbroker.db"
  [[ $output == '{"ok":false,"faults":["messages whose number of uses is wrong: 1","retained messages without a body: 1"]}' ]]

  dd if=/dev/urandom of="$house/mqbroker.db" bs=4096 seek=2 count=4 conv=notrunc status=none
  run -1 mqbroker db verify "$house/mqbroker.db"
  [[ $output == *'"ok":false'* || $output == *malformed* ]]
}

@test "a backup is made while the broker works, and a broker starts from it" {
  filled
  stdin=<(seq 100000) window sender mqpub -p "$port" -t a/b -q 1 -l
  mqbroker db backup "$house/mqbroker.db" "$house/copy.db"
  run -0 mqbroker db verify "$house/copy.db"
  stop sender || true
  [[ $(stat -c %a "$house/copy.db") == 600 ]]
  run -1 --separate-stderr mqbroker db backup "$house/mqbroker.db" "$house/copy.db"
  [[ $stderr == "mqbroker: $house/copy.db is there already: name a new file" ]]

  crash broker
  rm "$house"/mqbroker.db*
  mv "$house/copy.db" "$house/mqbroker.db"
  window broker mqbroker -v -c broker.conf
  wait_until "the broker runs again" started_or_ended broker
  run -0 mqsub -p "$port" -i bond -c -q 1 -t 'a/#' -C 3 -W 20
  [[ $output == "$(seq 3)" ]]
  run -0 mqsub -p "$port" -t kept -C 1 -W 20
  [[ $output == value ]]
}

@test "db says what to type" {
  run -3 --separate-stderr mqbroker db
  [[ $stderr == "mqbroker: db needs more: mqbroker db verify|dump|stats FILE, or mqbroker db backup FILE TO" ]]
  run -3 --separate-stderr mqbroker db verfy x
  [[ $stderr == 'mqbroker: db does not know "verfy" (verify?): mqbroker db '* ]]
  run -3 --separate-stderr mqbroker db backup x
  [[ $stderr == 'mqbroker: db backup takes two files: '* ]]
  run -0 mqbroker db --help
  [[ $output == *"mqbroker db backup FILE TO "* ]]
  run -1 --separate-stderr mqbroker db stats "$house/nothing.db"
  [[ $stderr == "mqbroker: $house/nothing.db: No such file or directory" ]]
  echo "no database at all, whatever it says it is" >"$house/text.db"
  run -1 --separate-stderr mqbroker db verify "$house/text.db"
  [[ $stderr == "mqbroker: $house/text.db: file is not a database" ]]
}
