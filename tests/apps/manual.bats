#!/usr/bin/env bats
# The manual: it says what --help says, and mandoc has nothing to object.

bats_require_minimum_version 1.5.0

setup() {
  load support
  open_house
  man=$BATS_TEST_DIRNAME/../../man
}
teardown() {
  close_house
}

# The long options in a text.
long_options() { grep -oE -- '(^|[^[:alnum:]-])--[[:alnum:]][[:alnum:]-]*' | sed 's/^[^-]//' | sort -u; }

# agree PROGRAM SECTION - every long option in --help is in the manual page, and the other way round.
agree() {
  "$1" --help >"$house/help"
  mandoc -T ascii "$man/$1.$2" | sed 's/.\x08//g' >"$house/page"
  long_options <"$house/help" >"$house/in_help"
  long_options <"$house/page" >"$house/in_page"
  grep -qx -- --help "$house/in_help"
  diff -u "$house/in_help" "$house/in_page"
}

@test "mqbroker --help and mqbroker(8) name the same options" { agree mqbroker 8; }
@test "mqsub --help and mqsub(1) name the same options" { agree mqsub 1; }
@test "mqpub --help and mqpub(1) name the same options" { agree mqpub 1; }

@test "the pages show the tutorial's lines" {
  page() { mandoc -T ascii "$man/$1" | sed 's/.\x08//g'; }
  page mqsub.1 | grep -qF 'mqsub -h localhost -t "test/topic"'
  page mqsub.1 | grep -qF 'mqsub -h localhost -v -t "test/#" -c -q 1 -i "james bond"'
  page mqpub.1 | grep -qF 'mqpub -h localhost -t "test/topic" -m "hello!"'
  page mqpub.1 | grep -qF -- '-q 0 -r -t path/to/topic -s < '
}

@test "mandoc -T lint is quiet" {
  # Which other manuals there are depends on the machine.
  mandoc -T lint -W style "$man"/*.[158] 2>"$house/trouble" >"$house/lint" || true
  run ! grep -v 'referenced manual not found' "$house/lint"
  [[ -z $output ]]
  run ! grep -v 'mandoc.db' "$house/trouble"
  [[ -z $output ]]
}

# block N - the Nth literal block of the five steps, with this directory in it.
block() {
  awk -v n="$1" '/^\.Sh FROM TUTORIAL/ { on = 1 } /^\.Sh EXAMPLES/ { on = 0 }
    on && /^\.Bd/ { i++; next } /^\.Ed/ { inside = 0 } { if (on && i == n && !/^\./) print }
    /^\.Ed/ && i == n { exit }' "$man/mqbroker.conf.5" |
    sed "s|/etc/mqbroker|$house|g; s|/var/lib/mqbroker|$house/kept|g"
}
# commands - the commands among the lines of stdin.
commands() { sed -n 's/^\.*\(Dl \)*\$ //p'; }

@test "from tutorial to safe in five steps, as mqbroker.conf(5) has it" {
  cd "$house"
  check() { mqbroker check -c mqbroker.conf; }
  block 1 >mqbroker.conf
  check | grep -q 'nobody comes in'
  while read -r command; do printf 'secret\nsecret\n' | $command; done < <(block 2 | commands)
  block 3 >>mqbroker.conf
  check | grep -q 'come in with their passwords: 2'
  block 4 >acl
  block 5 >>mqbroker.conf
  check | grep -q 'user alice: readwrite house/#'
  run -1 mqbroker check -c mqbroker.conf --user thermometer --write house/door
  mqbroker check -c mqbroker.conf --user thermometer --write house/thermometer/now
  chmod 600 acl
  if ((EUID == 0)); then
    check 2>&1 | grep -q "users cannot be read by [a-z]*, whom root becomes"
    chown "$(check 2>&1 | sed -nE 's/.*\(chown ([a-z]+) .*users\)/\1/p')" users acl
  fi
  mqbroker cert "$house/tls" --host broker.example --host localhost
  ((EUID != 0)) || chown --reference=users tls/server.key
  { head -1 mqbroker.conf && block 7 && tail -n +2 mqbroker.conf; } >next
  block 8 >>next
  mv next mqbroker.conf
  run -0 check
  [[ $output == *'encrypted by TLS'* && $output != *warning* ]]

  start_broker broker "$(sed 's/8883/PORT/' mqbroker.conf)"
  window alice mqsub -h localhost -p "$port" --cafile tls/ca.crt -u alice -P secret -t 'house/#' -d
  wait_for_line alice.err SUBACK
  mqpub -h localhost -p "$port" --cafile tls/ca.crt -u thermometer -P secret \
    -t house/thermometer/now -m 21 -q 1
  wait_for_line alice.out '^21$'
  mqbroker signal -p "${window_pid[broker]}" config-reload
  wait_for_line broker.err 'The configuration was read again'
}
