#!/usr/bin/env bats
# The developer's scripts say how they are used, and do nothing that they were not asked for.

bats_require_minimum_version 1.5.0

scripts=$BATS_TEST_DIRNAME/../../scripts

@test "--help is answered on stdout, anything unknown with one line and exit code 1" {
  for name in check coverage fuzz layers sim soak spec; do
    run --separate-stderr timeout 20 "$scripts/$name" --help
    echo "$name --help: $status $output $stderr"
    [[ $status == 0 ]]
    [[ -n $output ]]
    [[ -z $stderr ]]
    run --separate-stderr timeout 20 "$scripts/$name" --no-such-option
    echo "$name --no-such-option: $status $output $stderr"
    [[ $status == 1 ]]
    [[ -z $output ]]
    [[ ${#stderr_lines[@]} == 1 ]]
    [[ $stderr == "$name: "*--no-such-option* ]]
  done
}

@test "sim runs at least once, and takes nothing but numbers" {
  for words in "--seeds 0" "--seeds x" "--seeds" "--steps 0" "--steps 1e3" "--seconds 5m" \
    "--seconds -1" "--weeks 00" "--seed 0x11" "--seed"; do
    # shellcheck disable=SC2086
    run -1 --separate-stderr timeout 20 "$scripts/sim" --seconds 1 $words
    echo "sim $words: $output $stderr"
    [[ -z $output ]]
    [[ $stderr == "sim: ${words% *} takes a number from "[01]" on, not \""*\" ]]
  done
}
