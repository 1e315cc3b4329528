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
  refused_with 4 'bad user name or password' -V 311 -u alice -P wrong
  refused_with 134 'Bad User Name or Password' -V 5 -u nobody -P 'secret pass'
  refused_with 5 'not authorized' -V 311
  wait_for_line broker.err 'refused: Bad User Name or Password: not the password of such a user'
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
  wait_for_line broker.err 'users:3: what user carol has is no hash .*stay what they were'
  come_in -u alice -P secret

  sed -i '/carol/d; /alice/d' users
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'Client alice disconnected: its user is gone'
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
