#!/usr/bin/env bats
# The developer's scripts say how they are used, and do nothing that they were not asked for.

bats_require_minimum_version 1.5.0

scripts=$BATS_TEST_DIRNAME/../../scripts

@test "--help is answered on stdout, anything unknown with one line and exit code 1" {
  for name in check coverage fuzz layers sim soak spec test; do
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

@test "what takes a number takes nothing else, and none that makes no sense" {
  for words in "sim --seeds 0" "sim --seeds x" "sim --seeds" "sim --steps 0" "sim --steps 1e3" \
    "sim --seconds 5m" "sim --seconds -1" "sim --weeks 00" "sim --seed 0x11" "sim --seed" \
    "fuzz --seconds x" "fuzz --seconds 0" "fuzz --seconds" "fuzz --jobs 0" "fuzz --jobs -1" \
    "soak --seconds x" "soak --seconds 0" "soak --hours x" "soak --hours 0.0" "soak --hours 1." \
    "soak --hours"; do
    read -ra words <<<"$words"
    run -1 --separate-stderr timeout 20 "$scripts/${words[0]}" "${words[@]:1}"
    echo "${words[*]}: $output $stderr"
    [[ -z $output ]]
    [[ $stderr =~ ^"${words[0]}: ${words[1]} takes a number "(from [01] on|above 0)", not \"${words[2]:-}\""$ ]]
  done
}

@test "mutants takes numbers only from the environment, too" {
  for words in MQ_SEEDS=0 MQ_SEEDS=x MQ_SECONDS=1m MQ_SECONDS=; do
    run -1 --separate-stderr timeout 20 env "$words" "$scripts/mutants"
    echo "$words: $output $stderr"
    [[ -z $output ]]
    [[ $stderr == "mutants: ${words%=*} takes a number from 1 on, not \"${words#*=}\"" ]]
  done
}
