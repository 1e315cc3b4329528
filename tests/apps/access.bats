#!/usr/bin/env bats
# Who may come in, and to do what: password and ACL files, ours and those of Debian's mosquitto.

bats_require_minimum_version 1.5.0

setup() {
  load support
  open_house
  cd "$house" || return
}
teardown() {
  close_house
}

# our_broker [LINE...] - mqbroker with users, for this machine.
our_broker() {
  start_broker broker "listener PORT 127.0.0.1
user root
$(printf '%s\n' "$@")"
}

# refused_with CODE WORDS [ARGUMENT...] - mqpub is not let in.
refused_with() {
  local code=$1 words=$2
  shift 2
  run "-$code" --separate-stderr mqpub -h 127.0.0.1 -p "$port" -t a -m b "$@"
  [[ $stderr == *"$words"* ]] || { complain "$stderr"; return 1; }
}

# come_in ARGUMENT... - mqpub is let in.
come_in() { mqpub -h 127.0.0.1 -p "$port" -t a -m b -q 1 "$@"; }

@test "users of a file that mosquitto_passwd made come in with their passwords, others do not" {
  mosquitto_passwd -c -b users alice 'secret pass'
  mosquitto_passwd -H sha512 -b users old older
  our_broker "password_file HOUSE/users"
  come_in -u alice -P 'secret pass'
  come_in -V 5 -u old -P older
  refused_with 5 'not authorized' -V 311 -u alice -P wrong
  refused_with 135 'Not authorized' -V 5 -u nobody -P 'secret pass'
  refused_with 5 'not authorized' -V 311
  wait_for_line broker.err "Client from 127.0.0.1:[0-9]+ on port $port.* \(user alice\) refused: Not authorized: not the password of such a user"
  stop broker
  [[ $(grep -c ' refused: ' broker.err) -eq 3 && $(grep -c 'New connection' broker.err) -eq 2 ]]
  run ! grep 'disconnected: ' broker.err
}

@test "with allow_anonymous, no name is fine, and a name still needs its password" {
  mosquitto_passwd -c -b users alice secret
  our_broker "password_file HOUSE/users" "allow_anonymous true"
  come_in
  come_in -u alice -P secret
  run ! come_in -u alice -P wrong
}

@test "who keeps failing is slowed, until the password is right" {
  mosquitto_passwd -c -b users alice secret
  our_broker "password_file HOUSE/users"
  for _ in 1 2 3; do run ! come_in -u alice -P wrong; done
  local start=$EPOCHREALTIME
  come_in -u alice -P secret
  local waited=$(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000))
  ((waited >= 900)) || { complain "only $waited ms"; return 1; }
  come_in -u alice -P secret
}

# say_connect ID USER PASSWORD - the bytes of a CONNECT.
say_connect() {
  /usr/bin/python3 - "$@" <<'PYTHON'
import sys

texts = [bytes([0, len(text)]) + text.encode() for text in sys.argv[1:]]
body = b"\0\4MQTT\4\xc2\0\x3c" + b"".join(texts)
sys.stdout.buffer.write(bytes([0x10, len(body)]) + body)
PYTHON
}

three_have_failed() { (($(grep -c 'not the password' broker.err) >= 3)); }

@test "who keeps failing delays neither another user's first login, nor whose password is known" {
  mosquitto_passwd -c -b users alice secret
  mosquitto_passwd -b users bob other
  mosquitto_passwd -b users carol third
  our_broker "password_file HOUSE/users"
  come_in -u alice -P secret
  for i in {1..7}; do window "bob$i" mqpub -p "$port" -i "bob$i" -u bob -P wrong -t a -m b; done
  wait_until "three have failed" three_have_failed
  come_in -u carol -P third
  come_in -u alice -P secret
  local waiting=0
  for i in {1..7}; do ! running "bob$i" || waiting=$((waiting + 1)); done
  ((waiting > 0))
  for i in {1..7}; do
    ended "bob$i" || kill "${window_pid[bob$i]}"
    wait_for_end "bob$i" || true
  done
}

@test "attempts of connections that have gone delay nobody" {
  mosquitto_passwd -c -b users alice secret
  our_broker "password_file HOUSE/users"
  say_connect a alice wrong >wrong
  for _ in {1..40}; do cat wrong >"/dev/tcp/127.0.0.1/$port"; done
  come_in -u alice -P secret --connect-timeout 12
}

failures() { grep -c 'not the password' broker.err || true; }

@test "an attempt whose connection hangs up while it waits is over at once" {
  mosquitto_passwd -c -b users alice secret
  our_broker "password_file HOUSE/users"
  say_connect a alice wrong >wrong
  local lines=() line
  for i in {1..7}; do
    exec {line}<>"/dev/tcp/127.0.0.1/$port"
    cat wrong >&"$line"
    lines+=("$line")
  done
  wait_until "three have failed" three_have_failed
  cat wrong >"/dev/tcp/127.0.0.1/$port"
  wait_for_line broker.err 'Client at 127\.0\.0\.1:[0-9]+.* closed its connection'
  (($(failures) < 7)) # the others still wait
  for line in "${lines[@]}"; do exec {line}>&-; done
}

@test "who is gone before the password is verified still has an address in the log" {
  mqbroker passwd -I 1000000 -c -b users alice secret
  our_broker "password_file HOUSE/users"
  cat >reset.py <<'PYTHON'
import socket
import struct
import sys

client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
client.sendall(open("late", "rb").read())
print("sent", flush=True)
sys.stdin.read()
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
client.close()
PYTHON
  say_connect late alice secret >late
  mkfifo end
  stdin=end window reset /usr/bin/python3 reset.py "$port"
  exec 9>end
  wait_for_line reset.out sent
  run ! come_in # what came before it is read by then
  exec 9>&-
  wait_for_line broker.err 'New client connected from 127\.0\.0\.1:[0-9]+ as late '
}

@test "SIGHUP reads users again: who is gone is disconnected, and a bad file changes nothing" {
  mosquitto_passwd -c -b users alice secret
  mosquitto_passwd -b users bob secret
  our_broker "password_file HOUSE/users"
  window alice mqsub -h 127.0.0.1 -p "$port" -i alice -u alice -P secret -t t
  window bob mqsub -h 127.0.0.1 -p "$port" -i bob -u bob -P secret -t t
  wait_for_line broker.err '(alice|bob) 0 t'
  wait_until "both subscribe" eval '(($(grep -cE "(alice|bob) 0 t" broker.err) == 2))'

  echo 'carol:plain' >>users
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'users:3: what user carol has is no hash .*; the configuration stays as it was'
  come_in -u alice -P secret

  sed -i '/carol/d; /alice/d' users
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'Client alice disconnected: it may not come in any more'
  run ! come_in -u alice -P secret
  come_in -u bob -P secret
  run ! grep 'Client bob' broker.err
}

@test "a password file with a mistake, or none at all, keeps the broker from starting" {
  echo 'alice:secret' >users
  printf 'listener 0 %s\npassword_file %s\n' "$house/s" "$house/users" >b.conf
  run -1 --separate-stderr mqbroker -c b.conf
  [[ $stderr == *"mqbroker: $house/users:1: what user alice has is no hash"* ]]
  rm users
  run -1 --separate-stderr mqbroker -c b.conf
  [[ $stderr == *"mqbroker: b.conf:2: password_file: cannot read $house/users: No such file"* ]]
}

rules='topic read open/#
user alice
topic house/#
topic deny house/door/#
topic read a b
pattern write device/%u/#
pattern readwrite id/%c
pattern deny house/cellar'

# verdicts - mqpub's exit codes for some topics and users, a line each.
verdicts() {
  local user topic
  for user in '' alice bob; do
    for topic in open/x house/x house/door house/door/bell house/cellar device/alice device/alice/x \
      device/bob/x 'id/an id' id/other 'a b'; do
      local code=0
      mqpub -h 127.0.0.1 -p "$port" -V 5 -i 'an id' -t "$topic" -m x -q 1 ${user:+-u "$user"} \
        2>mqpub.err || code=$?
      echo "$user $topic $code"
    done
  done
}

@test "an ACL file lets write what it lets write in Debian's mosquitto" {
  echo "$rules" >acl
  local broker_of_all="listener PORT 127.0.0.1
user root
allow_anonymous true
acl_file HOUSE/acl"
  start_broker broker "$broker_of_all"
  verdicts >ours
  broker=${MOSQUITTO:-/usr/sbin/mosquitto} start_broker broker_theirs "$broker_of_all"
  verdicts >theirs
  diff -u theirs ours
  grep -q 'alice house/door 135' ours
  grep -q 'alice house/cellar 0' ours
}

@test "rules are felt, denials logged with their line, and SIGHUP changes both at once" {
  echo "$rules" >acl
  our_broker "allow_anonymous true" "acl_file HOUSE/acl"
  window alice mqsub -h 127.0.0.1 -p "$port" -i one -u alice -t 'house/#' -v
  wait_for_line broker.err 'one 0 house/#'
  run -135 mqpub -h 127.0.0.1 -p "$port" -V 5 -i two -u alice -t house/door/bell -m x -q 1
  wait_for_line broker.err "Denied: client two \(user alice\) may not publish to house/door/bell: $house/acl:4\."
  run -135 mqsub -h 127.0.0.1 -p "$port" -V 5 -i three -t shut -C 1
  wait_for_line broker.err "Denied: client three \(anonymous\) may not subscribe to shut: no rule of $house/acl allows it"

  echo 'topic redd x' >acl
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err "acl:1: topic: \"redd\" should be read, write, readwrite or deny"
  mqpub -h 127.0.0.1 -p "$port" -u alice -t house/x -m 1 -q 1

  printf 'topic write #\nuser alice\ntopic read house/door/#\n' >acl
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'The configuration was read again'
  mqpub -h 127.0.0.1 -p "$port" -t house/x -m 2 -q 1
  mqpub -h 127.0.0.1 -p "$port" -t house/door/bell -m 3 -q 1
  wait_for_line alice.out 3
  expect alice 'house/x 1' 'house/door/bell 3'
  wait_for_line broker.err "Denied: client one \(user alice\) may not be sent house/x: no rule"
}

# their_broker LINE... - Debian's mosquitto, with these lines in its configuration.
their_broker() {
  broker=${MOSQUITTO:-/usr/sbin/mosquitto} start_broker broker_theirs "listener PORT 127.0.0.1
user root
$(printf '%s\n' "$@")"
}

@test "users that mqbroker passwd made come in at Debian's mosquitto, and here" {
  run mqbroker passwd -c -b users alice 'secret pass'
  [[ $output == 'Adding password for user alice' ]]
  mqbroker passwd -b -H sha512 users old older
  printf 'asked\nasked\n' | mqbroker passwd users bob
  printf 'changed\nchanged\n' | mqbroker passwd users bob | grep -qx 'Updating password for user bob'
  mosquitto_passwd -b users carol theirs
  [[ $(cut -d: -f1 users) == $'alice\nold\nbob\ncarol' ]]
  for whose in their our; do
    "${whose}_broker" "password_file HOUSE/users"
    come_in -u alice -P 'secret pass'
    come_in -u old -P older
    come_in -u bob -P changed
    come_in -u carol -P theirs
    run ! come_in -u bob -P asked
  done
  mqbroker passwd -b -H argon2id users dora argon
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'The configuration was read again'
  come_in -u dora -P argon
}

@test "mqbroker passwd keeps owner, mode and link, hashes plain text, and removes users" {
  mkdir real
  printf '# users\nalice:plain\nbob:my:word\n' >real/users
  ln -s real/users users
  chmod 640 users
  [[ $(id -u) -ne 0 ]] || chown nobody real/users
  local before
  before=$(stat -c '%u %g %a' real/users)
  mqbroker passwd -U users
  mqbroker passwd -U users # a second time changes nothing
  [[ -L users && $(stat -c '%u %g %a' real/users) == "$before" ]]
  run ! grep -E 'plain|word' users
  grep -qx '# users' users
  cp users whole
  echo 'carol:$6$damaged' >>users
  run -1 mqbroker passwd -U users
  [[ $output == 'mqbroker: users:4: the hash of user carol is damaged; '* ]]
  cp whole users
  our_broker "password_file HOUSE/users"
  come_in -u alice -P plain
  come_in -u bob -P my:word
  mqbroker passwd -D users alice
  run -1 mqbroker passwd -D users alice
  [[ $output == 'mqbroker: user alice is not in users' ]]
  run -1 mqbroker passwd -c -b users x y
  [[ $output == 'mqbroker: users is there already'* ]]
  mqbroker passwd -c -f -b users x y
  [[ $(cut -d: -f1 users) == x && $(ls -A real) == users ]]
  mqbroker passwd -c -b fresh x y
  [[ $(stat -c %a fresh) == 600 ]]
  mqbroker passwd -c -b - x y | grep -q '^x:\$7\$100000\$'
  run -1 mqbroker passwd -b missing x y
  [[ $output == *'cannot read missing: No such file'*'-c makes a new file'* ]]
}

@test "users that are added at once are all in the file" {
  mqbroker passwd -c -b users first secret
  for i in {1..20}; do
    mqbroker passwd -b users "user$i" secret >/dev/null &
    adders[i]=$!
  done
  for i in {1..20}; do wait "${adders[i]}"; done
  [[ $(cut -d: -f1 users | sort -V) == "first"$'\n'"$(printf 'user%d\n' {1..20})" ]]
}

# typist - opens a pipe of keys, `$keys`, that does not end before the test does: `script` may lose
# keys that come together with the end of its standard input.
typist() {
  mkfifo keys
  exec {keys}<>keys
}

@test "on a terminal the password is asked for and not shown, and Ctrl-C changes nothing" {
  typist
  script -qfec 'mqbroker passwd -c users alice' typed <&"$keys" >/dev/null &
  local program=$!
  wait_for_line typed Password: && echo hidden >&"$keys"
  wait_for_line typed Reenter && echo hidden >&"$keys"
  wait "$program"
  grep -q '^alice:\$7\$' users
  run ! grep hidden typed
  cp users before
  script -qfec 'mqbroker passwd users alice' again <&"$keys" >/dev/null &
  program=$!
  wait_for_line again Password: && printf '\003' >&"$keys"
  run ! wait "$program"
  grep -q 'interrupted, nothing is changed' again
  cmp users before
}

@test "mqbroker check looks at the files that a configuration names" {
  mqbroker passwd -c -b users alice secret
  echo "$rules" >acl
  printf 'listener 1883\npassword_file %s\nacl_file %s\n' users acl >right.conf
  run -0 --separate-stderr mqbroker check -c right.conf
  [[ ${lines[0]} == 'port 1883: MQTT, not encrypted' ]]
  [[ $output == *'users in users come in with their passwords: 1'* ]]
  [[ $output == *'user alice: readwrite house/#, deny house/door/#, read a b'* ]]
  [[ ${lines[-1]} == 'right.conf: the configuration is right' ]]
  chmod 644 users
  run -0 --separate-stderr mqbroker check -c right.conf
  [[ $stderr == *'users can be read by everybody'* ]]
  sed -i 's/alice:.*/alice:secret/' users
  run -3 mqbroker check -c right.conf
  [[ $output == 'mqbroker: users:1: what user alice has is no hash'* ]]
  rm users
  run -3 mqbroker check -c right.conf
  [[ $output == 'mqbroker: right.conf:2: password_file: cannot read users: No such file'* ]]
  echo 'acl_fil acl' >wrong.conf
  run -3 mqbroker check -c wrong.conf
  [[ $output == 'mqbroker: wrong.conf:1: unknown option "acl_fil" (did you mean acl_file?)' ]]
}

@test "an option without effect is a warning, of the checks and of the start" {
  printf 'user root\nretry_interval 20\n' >old.conf
  local words='old.conf:2: retry_interval: it has no effect: '
  run -0 --separate-stderr mqbroker check -c old.conf
  [[ $stderr == "mqbroker: warning: $words"* ]]
  run -0 --separate-stderr mqbroker --test-config -c old.conf
  [[ $stderr == "mqbroker: warning: $words"* ]]
  printf 'listener 1\npid_file none/pid\n' >>old.conf
  run -1 --separate-stderr timeout 20 mqbroker -c old.conf
  [[ $stderr == *"$words"* ]]
}

@test "mqbroker check finds a directory that the broker could not keep its state in" {
  ((EUID == 0)) || skip 'only root becomes somebody else'
  mkdir -m 700 kept
  printf 'listener 1883\npersistence true\npersistence_location %s/\n' "$house/kept" >kept.conf
  run -3 mqbroker check -c kept.conf
  [[ $output == "mqbroker: kept.conf:3: persistence_location: user "*" cannot write the data directory $house/kept (owner root, mode 0700): Permission denied" ]]
  sed -i 's,kept/$,kept/a/b/,' kept.conf
  run -3 mqbroker check -c kept.conf
  [[ $output == "mqbroker: kept.conf:3: persistence_location: cannot make the data directory $house/kept/a/b: user "*" cannot enter $house/kept" ]]
  run -0 mqbroker check -c <(cat kept.conf && echo 'user root')
  [[ -z $(ls kept) ]]
}

@test "mqbroker check explains a decision with the rule's line" {
  mqbroker passwd -c -b users alice secret
  echo "$rules" >acl
  printf 'listener 1883\npassword_file %s\nacl_file %s\n' users acl >b.conf
  run -0 mqbroker check -c b.conf --user alice --client x --write house/x
  [[ $output == 'port 1883: user alice as client x may write house/x: acl:3 (readwrite house/#)' ]]
  run -1 mqbroker check -c b.conf --user alice --read house/door/bell
  [[ $output == *'may not read house/door/bell: acl:4 (deny house/door/#)' ]]
  run -1 mqbroker check -c b.conf --read open/x
  [[ $output == *'it cannot come in: allow_anonymous is false' ]]
  printf 'listener 1884\nmount_point a/\n' >>b.conf
  run -1 mqbroker check -c b.conf --listener 1884 --user alice --write house/x
  [[ $output == 'port 1884: user alice may not write house/x, which is a/house/x behind mount_point: no rule of acl allows it' ]]
  run -3 mqbroker check -c b.conf --listener 1885 --user alice --write house/x
  [[ $output == 'mqbroker: there is no listener 1885; there is 1883, 1884' ]]
  run -3 mqbroker check -c b.conf --user alice
  [[ $output == *'add --read FILTER or --write TOPIC' ]]
}
