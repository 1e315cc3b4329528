#!/usr/bin/env bats
# A broker that runs, and a configuration that changes: SIGHUP, files of TLS, mqbroker signal.

bats_require_minimum_version 1.5.0

setup() {
  load support
  load certificates
  open_house
  cd "$house" || return
}
teardown() {
  cd / && close_house
}

# our_broker LINE... - starts mqbroker with a listener, and these lines behind it.
our_broker() {
  start_broker broker "user root
allow_anonymous true
listener PORT 127.0.0.1
$(printf '%s\n' "$@")"
}

# configure LINE... - writes the configuration file anew, and has it read.
configure() {
  printf '%s\n' "user root" "allow_anonymous true" "listener $port 127.0.0.1" "$@" >broker.conf
  local before
  before=$(reloads)
  kill -HUP "${window_pid[broker]}"
  wait_until "it is read" more_than "$before"
}
reloads() { count 'configuration was read again|stays as it was'; }
more_than() { (($(reloads) > $1)); }
count() { grep -cE "$1" broker.err || true; }

# a_port - prints a port that was free a moment ago.
a_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

@test "SIGHUP applies limits to those who are there, without closing a connection" {
  our_broker
  window client mqsub -h 127.0.0.1 -p "$port" -i client -t t
  listening client t
  configure "message_size_limit 10" "log_type all"
  mqpub -h 127.0.0.1 -p "$port" -t t -m "this is too long"
  mqpub -h 127.0.0.1 -p "$port" -t t -m "short"
  wait_for_line client.out '^short$'
  run ! grep -q "too long" client.out
  run ! grep -q "Client client" broker.err
}

@test "listeners are opened and closed by SIGHUP, and whoever came through one stays" {
  other=$(a_port)
  our_broker
  configure "listener $other 127.0.0.1"
  window client mqsub -h 127.0.0.1 -p "$other" -i client -t t
  wait_for_line broker.err 'client 0 t'
  configure
  run -1 mqpub -h 127.0.0.1 -p "$other" -t t -m "through a door that is shut"
  mqpub -h 127.0.0.1 -p "$port" -t t -m "still there"
  wait_for_line client.out '^still there$'
  configure "listener $other 127.0.0.1"
  mqpub -h 127.0.0.1 -p "$other" -t t -m "open again"
  wait_for_line client.out '^open again$'
}

@test "whoever came through a listener that is closed is still bound by the files" {
  mqbroker passwd -b -c users bob secret
  other=$(a_port)
  our_broker "password_file users"
  configure "password_file users" "listener $other 127.0.0.1"
  window client mqsub -h 127.0.0.1 -p "$other" -i client -u bob -P secret -t t
  wait_for_line broker.err 'client 0 t'
  configure "password_file users"
  mqbroker passwd -D users bob
  configure "password_file users"
  wait_for_line broker.err 'Client client disconnected'
}

@test "a listener's interface and number of connections change, and whoever is there stays" {
  our_broker
  window client mqsub -h 127.0.0.1 -p "$port" -i client -t t
  listening client t
  configure "max_connections 1"
  run ! mqpub -h 127.0.0.1 -p "$port" -t t -m "too many"
  configure
  mqpub -h 127.0.0.1 -p "$port" -t t -m "enough"
  wait_for_line client.out '^enough$'
  configure "bind_interface lo"
  ss -tlnH "sport = :$port" | grep -qF "127.0.0.1%lo:$port"
  mqpub -h 127.0.0.1 -p "$port" -t t -m "one more"
  wait_for_line client.out '^one more$'
  expect client "enough" "one more"
}

@test "a configuration with a mistake is refused whole, and the line says where it is" {
  our_broker
  configure "message_size_limit 5" "max_qoz 1"
  wait_for_line broker.err 'broker.conf:5: unknown option "max_qoz" \(did you mean max_qos\?\); the configuration stays as it was'
  window client mqsub -h 127.0.0.1 -p "$port" -t t
  listening client t
  mqpub -h 127.0.0.1 -p "$port" -t t -m "longer than five"
  wait_for_line client.out '^longer than five$'
}

@test "a configuration whose files or ports cannot be had is refused whole, too" {
  start_broker broker_other
  taken=$port
  our_broker
  configure "message_size_limit 5" "acl_file $house/none"
  wait_for_line broker.err 'broker.conf:5: acl_file: cannot read .*none: .*; the configuration stays as it was'
  configure "message_size_limit 5" "listener $taken 127.0.0.1"
  wait_for_line broker.err "broker.conf:5: cannot listen on 127.0.0.1 port $taken.*; the configuration stays as it was"
  configure "message_size_limit 5" "log_dest file /nowhere/at/all"
  wait_for_line broker.err 'broker.conf:5: log_dest: cannot open the log file .*; the configuration stays as it was'
  window client mqsub -h 127.0.0.1 -p "$port" -t t
  listening client t
  mqpub -h 127.0.0.1 -p "$port" -t t -m "longer than five"
  wait_for_line client.out '^longer than five$'
}

@test "a new listener may have the port of one that goes" {
  our_broker
  printf '%s\n' "user root" "allow_anonymous true" "listener $port" >broker.conf
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'configuration was read again'
  window client mqsub -h 127.0.0.1 -p "$port" -t t
  listening client t
}

@test "a listener that could not be opened again is opened by the next reload" {
  ((UID == 0)) || skip "it takes root"
  start_broker broker_other
  mkdir of_root
  printf 'user nobody\nallow_anonymous true\nlistener 0 %s/of_root/s\n' "$house" >broker.conf
  cp broker.conf before.conf
  window broker mqbroker -v -c broker.conf
  wait_until "the broker runs" started_or_ended broker
  printf 'user nobody\nallow_anonymous true\nlistener %s 127.0.0.1\n' "$port" >broker.conf
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err "cannot listen on 127.0.0.1 port $port.*; the configuration stays as it was"
  grep -q 'cannot listen on .*of_root/s' broker.err
  chmod 777 of_root && cp before.conf broker.conf
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'The configuration was read again'
  mqpub --unix of_root/s -t t -m x
}

@test "options that count at the start only are named" {
  our_broker
  configure "persistence true" "persistence_location $house/"
  wait_for_line broker.err 'persistence: the change counts at the next start only'
  [[ ! -e $house/mqbroker.db ]]
}

@test "no message and no connection is lost when SIGHUP comes again and again under load" {
  our_broker "max_queued_messages 0"
  for i in 1 2 3 4; do
    window "sub$i" mqsub -h 127.0.0.1 -p "$port" -i "sub$i" -q 1 -t 'load/#' -C 4000
    wait_for_line broker.err "sub$i 1 load/#"
  done
  for i in 1 2; do
    seq 2000 >"lines$i"
    stdin=$house/lines$i window "pub$i" mqpub -h 127.0.0.1 -p "$port" -i "pub$i" -q 1 -t "load/$i" -l
  done
  other=$(a_port)
  for i in {1..10}; do
    configure "max_queued_messages 0" "max_inflight_messages $((i + 10))" "listener $other 127.0.0.1"
    configure "max_queued_messages 0"
  done
  for i in 1 2; do wait_for_end "pub$i"; done
  for i in 1 2 3 4; do
    wait_for_end "sub$i"
    [[ $(sort "sub$i.out" | uniq -c | awk '$1 != 2' | wc -l) == 0 ]]
    (($(wc -l <"sub$i.out") == 4000))
  done
  run ! grep -E 'Client (sub|pub).*(closed|timeout|may not|taken)' broker.err
}

@test "who came in without a password is disconnected when that is not allowed any more" {
  our_broker
  window client mqsub -h 127.0.0.1 -p "$port" -i client -t t
  wait_for_line broker.err 'client 0 t'
  mqbroker passwd -c -b users alice secret
  printf '%s\n' "user root" "listener $port 127.0.0.1" "password_file $house/users" >broker.conf
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'Client client disconnected: it may not come in any more'
  mqpub -h 127.0.0.1 -p "$port" -u alice -P secret -t t -m x
}

tls_broker() {
  make_ca ca && make_certificate ca server && make_certificate ca elsewhere
  our_broker "certfile $house/server.crt" "keyfile $house/server.key"
  subject() { openssl s_client -connect "localhost:$port" </dev/null 2>/dev/null | openssl x509 -noout -subject; }
}

@test "who came under a name that nobody has proved is disconnected when names need passwords" {
  our_broker
  window fake mqsub -h 127.0.0.1 -p "$port" -i fake -u alice -t t
  listening fake t
  window nobody mqsub -h 127.0.0.1 -p "$port" -i nobody -t t
  listening nobody t
  mqbroker passwd -b -c users alice secret
  configure "password_file users"
  wait_for_line broker.err 'Client fake .*disconnected'
  run ! grep -qE 'Client nobody .*disconnected' broker.err
}

@test "who came with a password stays when any name is enough, and goes when it needs one again" {
  mqbroker passwd -b -c users alice secret
  our_broker "password_file users"
  configure "password_file users"
  window client mqsub -h 127.0.0.1 -p "$port" -i client -u alice -P secret -t t
  listening client t
  configure
  mqpub -h 127.0.0.1 -p "$port" -t t -m "any name will do"
  wait_for_line client.out '^any name will do$'
  mqbroker passwd -b -c others bob secret
  configure "password_file others"
  wait_for_line broker.err 'Client client disconnected: it may not come in any more'
}

@test "who came with a password is disconnected when there is none any more, and a name is not enough" {
  mqbroker passwd -b -c users alice secret
  our_broker "password_file users"
  configure "password_file users"
  window client mqsub -h 127.0.0.1 -p "$port" -i client -u alice -P secret -t t
  listening client t
  printf '%s\n' "user root" "listener $port 127.0.0.1" >broker.conf
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'Client client disconnected: it may not come in any more'
}

@test "who came through a listener that has moved is bound by the files of all" {
  mqbroker passwd -b -c users alice secret
  mqbroker passwd -b -c others bob secret
  other=$(a_port)
  our_broker
  configure "password_file users" "listener $other 127.0.0.1"
  window client mqsub -h 127.0.0.1 -p "$other" -i client -u alice -P secret -t t
  listening client t
  configure "password_file others" "listener $(a_port) 127.0.0.1"
  wait_for_line broker.err 'Client client disconnected: it may not come in any more'
}

@test "a password that waits its turn is refused when the password_file has gone meanwhile" {
  mqbroker passwd -b -c users bob secret
  our_broker "password_file users"
  for _ in 1 2 3; do run -5 mqpub -h 127.0.0.1 -p "$port" -u bob -P wrong -t t -m x; done
  window late mqpub -d -h 127.0.0.1 -p "$port" -u bob -P wrong -t t -m x
  wait_for_line late.err 'CONNECT'
  configure
  wait_for_end late || true
  mqpub -h 127.0.0.1 -p "$port" -t t -m "still there"
}

@test "certificates are read again when their files change, and no connection is lost" {
  tls_broker
  window client mqsub -h localhost -p "$port" --cafile ca.crt -i client -t t
  wait_for_line broker.err 'client 0 t'
  [[ $(subject) == *'CN = server'* ]]
  cp elsewhere.crt server.crt && cp elsewhere.key server.key
  wait_for_line broker.err 'files of TLS have changed: they were read again'
  [[ $(subject) == *'CN = elsewhere'* ]]
  mqpub -h localhost -p "$port" --cafile ca.crt -t t -m "still there"
  wait_for_line client.out '^still there$'
  echo rubbish >server.crt
  wait_for_line broker.err 'cannot use the certificate .*server.crt: .*; the certificates stay what they were'
  [[ $(subject) == *'CN = elsewhere'* ]]
}

@test "a key of another type than the certificate's is not taken, at the start and later" {
  tls_broker
  openssl genrsa -out server.key 2048 2>/dev/null
  local words='conf:[0-9]+: keyfile: cannot use the key .*server.key: it does not belong to .*server.crt'
  wait_for_line broker.err "$words; the certificates stay what they were"
  [[ $(subject) == *'CN = server'* ]]
  run -3 --separate-stderr timeout 20 mqbroker check -c "$house/broker.conf"
  [[ $stderr =~ $words ]]
  openssl req -x509 -key server.key -days 2 -subj /CN=rsa -out server.crt 2>/dev/null
  wait_for_line broker.err 'files of TLS have changed: they were read again'
  [[ $(subject) == *'CN = rsa'* ]]
  openssl ecparam -name prime256v1 -genkey -noout -out server.key
  run -1 --separate-stderr timeout 20 mqbroker -c "$house/broker.conf"
  [[ $stderr =~ $words ]]
}

@test "the days that a certificate is good are in \$SYS, and few of them are a warning" {
  tls_broker
  wait_for_line broker.err "The certificate $house/server.crt of port $port expires in 1 days"
  run -0 mqsub -h localhost -p "$port" --cafile ca.crt -C 1 -W "$patience" -v -t '$SYS/broker/listeners/+/certificate/days'
  [[ $output == "\$SYS/broker/listeners/$port/certificate/days 1" ]]
}

@test "mqbroker signal does what mosquitto_signal does" {
  our_broker "log_dest file $house/log" "log_dest stderr"
  mqsub -h 127.0.0.1 -p "$port" -i one -c -t 'a/#' -q 1 -E
  mqsub -h 127.0.0.1 -p "$port" -i 'one more' -c -t 'a b: one' -q 1 -E
  pid=${window_pid[broker]}
  mqbroker signal -p "$pid" tree-print
  wait_for_line broker.err 'Subscriptions: 2\.$'
  wait_for_line broker.err '  a/#: one \(1\)$'
  wait_for_line broker.err '  "a b: one": "one more" \(1\)$'
  mqbroker signal -p "$pid" config-reload
  wait_for_line broker.err 'configuration was read again'
  mv log log.1
  mqbroker signal -p "$pid" log-rotate
  wait_until "there is a new log" test -e log
  mqbroker signal -p "$pid" store-commit
  run -1 --separate-stderr mqbroker signal -p 4194303 shutdown
  [[ $stderr == *"signal: cannot tell process 4194303: No such process" ]]
  run -3 --separate-stderr mqbroker signal -a shut-down
  [[ $stderr == *'did you mean shutdown?'* ]]
  mqbroker signal -p "$pid" shutdown
  wait_for_end broker
}

@test "log_dest topic publishes the log, and log_format json makes each line an object" {
  our_broker
  configure "log_dest stderr" "log_dest topic" "log_dest file $house/log" "log_format json" "log_type all"
  window watcher mqsub -h 127.0.0.1 -p "$port" -i watcher -v -t '$SYS/broker/log/#'
  wait_for_line log 'watcher 0 '
  mqsub -h 127.0.0.1 -p "$port" -i 'a "b"' -t some/topic -E
  wait_for_line watcher.out '^\$SYS/broker/log/N New client connected from .* as "a \\"b\\"" '
  wait_for_line watcher.out '^\$SYS/broker/log/M/subscribe "a \\"b\\"" 0 some/topic$'
  /usr/bin/python3 - log <<'EOF'
import json, re, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert all(list(line) == ["time", "type", "message"] for line in lines), lines
assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines)
assert any(line["type"] == "subscribe" and line["message"] == r'"a \"b\"" 0 some/topic' for line in lines)
EOF
}

@test "log_dest syslog speaks to syslog, with the facility of log_facility" {
  mkdir dev
  unshare -m true 2>/dev/null || skip "it takes a /dev of our own"
  cat >bin/in_our_dev <<'SH'
#!/bin/sh
mount --bind dev /dev && exec mqbroker "$@"
SH
  printf '%s\n' '#!/bin/sh' 'exec unshare -m in_our_dev "$@"' >bin/apart
  chmod +x bin/in_our_dev bin/apart
  cat >syslog.py <<'PYTHON'
import socket

log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("dev/log")
print("bound", flush=True)
while True:
    print(log.recv(1000).decode(), flush=True)
PYTHON
  window syslog /usr/bin/python3 syslog.py
  wait_for_line syslog.out bound
  broker=apart our_broker "log_dest stderr" "log_dest syslog" "log_facility 3"
  mqpub -h 127.0.0.1 -p "$port" -i bond -t t -m x
  # local3 is 19, a notice is 5, information 6.
  wait_for_line syslog.out '^<157>.*mqbroker.*: New client connected from .* as bond'
  grep -q '^<158>.* running$' syslog.out
}

@test "what only root could read is kept by whom it became, and the rest is read again" {
  ((UID == 0)) || skip "it takes root"
  mqbroker passwd -c -b users alice secret
  make_ca ca && make_certificate ca server
  chmod 600 users server.key
  configuration="user nobody
listener PORT 127.0.0.1
certfile HOUSE/server.crt
keyfile HOUSE/server.key
password_file HOUSE/users"
  start_broker broker "$configuration"
  mqpub -h localhost -p "$port" --cafile ca.crt -u alice -P secret -t t -m x
  { sed "s|PORT|$port|g; s|HOUSE|$house|g" <<<"$configuration" && echo "allow_zero_length_clientid false"; } >broker.conf
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'The configuration was read again'
  grep -qF "broker.conf:4: keyfile: cannot read the key $house/server.key: Permission denied; what was read before counts (give it, by chown or chgrp," broker.err
  grep -qF "broker.conf:5: password_file: cannot read $house/users: Permission denied; what was read before counts" broker.err
  run ! mqpub -h localhost -p "$port" --cafile ca.crt -i a -u alice -P wrong -t t -m x
  mqpub -h localhost -p "$port" --cafile ca.crt -i a -u alice -P secret -t t -m x
  run ! mqpub -h localhost -p "$port" --cafile ca.crt -V 5 -u alice -P secret -t t -m x
  sed -i "s|$house/users|$house/others|" broker.conf && cp -p users others
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'password_file: cannot read .*others: Permission denied; the configuration stays as it was'
}

@test "the mode of a Unix socket changes where only root may make one" {
  ((UID == 0)) || skip "it takes root"
  printf 'user nobody\nallow_anonymous true\nlistener 0 %s/s\n' "$house" >b.conf
  window broker mqbroker -c b.conf
  wait_for_line broker.err ' running$'
  window client mqsub --unix "$house/s" -i client -t t
  wait_for_line broker.err 'connected from .* as client'
  for mode in 0600 0666; do
    { sed '/mode/d' b.conf && echo "socket_mode $mode"; } >c.conf && cp c.conf b.conf
    kill -HUP "${window_pid[broker]}"
    wait_until "it is $mode" eval '[[ 0$(stat -c %a s) == "$mode" ]]'
  done
  mqpub --unix "$house/s" -t t -m x
  wait_for_line client.out '^x$'
}

@test "whoever came through a listener that is closed is bound by a new allow_anonymous" {
  other=$(a_port)
  our_broker
  configure "listener $other 127.0.0.1"
  window client mqsub -h 127.0.0.1 -p "$other" -i client -t t
  wait_for_line broker.err 'client 0 t'
  printf '%s\n' "user root" "allow_anonymous false" "listener $port 127.0.0.1" >broker.conf
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'Client client disconnected: it may not come in any more'
}

@test "a client that is faster than max_publish_rate is slowed down, and loses nothing" {
  our_broker "max_publish_rate 100"
  window client mqsub -h 127.0.0.1 -p "$port" -t t -C 250
  wait_for_line broker.err '0 t$'
  start=$(date +%s%N)
  seq 250 | mqpub -h 127.0.0.1 -p "$port" -t t -q 1 -l
  waited=$((($(date +%s%N) - start) / 1000000))
  ((waited >= 1000)) || { complain "only $waited ms" && return 1; }
  wait_for_end client
  diff <(seq 250) client.out
}

@test "what a client that is slowed down has sent is heard before another takes its client id" {
  our_broker "max_publish_rate 10"
  window client mqsub -h 127.0.0.1 -p "$port" -t t -t will -C 120
  wait_for_line broker.err '0 will$'
  for _ in 1 2; do
    seq 100 | mqpub -h 127.0.0.1 -p "$port" -i cron -t t -l --will-topic will --will-payload died
  done
  wait_for_end client
  diff <(seq 100 && seq 20) client.out
}

@test "what a client loses is told once, with the options that would change it, and counted in \$SYS" {
  our_broker "max_queued_messages 3" "sys_interval 1"
  mqsub -h 127.0.0.1 -p "$port" -i sleeper -c -q 1 -t t -E
  seq 10 | mqpub -h 127.0.0.1 -p "$port" -t t -q 1 -l
  wait_for_line broker.err 'Dropped 7 messages for client sleeper: its queue is full \(max_queued_messages, max_queued_bytes, queue_policy\)'
  (($(count 'Dropped') == 1))
  counted() { [[ $(mqsub -h 127.0.0.1 -p "$port" -C 1 -W "$patience" -t '$SYS/broker/clients/sleeper/dropped/queue_full') == 7 ]]; }
  wait_until "all seven are counted" counted
}
