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
