#!/usr/bin/env bats
# Request and response: mqpub --request asks, and mqsub with mqpub, or mosquitto's programs, answer.

bats_require_minimum_version 1.5.0

setup() {
  load support
  open_house
  start_broker
}
teardown() {
  close_house
}

# answer COUNT WORDS - answers so many requests to q with the words and what was asked, in the
# background, as a script would.
answer() {
  cat >"$house/answer" <<'END'
#!/bin/bash
mqsub -p "$1" -V 5 -q 1 -t q -C "$2" -F '%R|%D|%p' | while IFS='|' read -r topic data question; do
  mqpub -p "$1" -V 5 -q 1 -t "$topic" -D publish correlation-data "$data" -m "$3 $question"
done
END
  chmod +x "$house/answer"
  window responder "$house/answer" "$port" "$1" "$2"
  wait_until "somebody listens to q" is_heard q
}

ask() { mqpub -p "$port" --request -t q -W 20 "$@"; }

@test "a request is answered, and the answer printed" {
  answer 3 "re:"
  run -0 --separate-stderr ask -m "how much?" -q 1
  [[ $output == "re: how much?" && -z $stderr ]]
  run -0 ask -m again -v -e my/answers --latency
  [[ ${lines[0]} == "my/answers re: again" && ${lines[1]} =~ ^Latency:\ [0-9.]+(µs|ms)$ ]]
}

@test "a request nobody answers ends after -W, and says that nobody listens" {
  run -27 --separate-stderr mqpub -p "$port" --request -t q -m x -q 1 -W 0.3
  [[ ${stderr_lines[0]} == "mqpub: nobody has subscribed to q: there may be no answer" ]]
  [[ ${stderr_lines[1]} == "mqpub: Timed out" && -z $output ]]
}

@test "two who ask the same topic at once each get their own answer, by correlation data" {
  answer 3 "re:"
  window one mqpub -p "$port" --request -t q -m one -q 1 -W 20 -e shared
  window two mqpub -p "$port" --request -t q -m two -q 1 -W 20 -e shared
  wait_for_end one
  wait_for_end two
  expect one "re: one"
  expect two "re: two"
}

@test "-C waits for several answers; -F prints them; MQTT 3 needs -e" {
  window asker mqpub -p "$port" --request -V 311 -t q -m x -e r -C 2 -F '%t=%p' -W 20
  wait_until "the asker listens" is_heard r
  mqpub -p "$port" -t r -m second
  wait_for_end asker
  [[ $(tail -n 1 "$house/asker.out") == r=second ]]
  run -1 mqpub -p "$port" --request -V 311 -t q -m x
  [[ $output == *"--request needs -e with MQTT 3"* ]]
}

@test "mosquitto_rr's options ask mosquitto_sub's and mosquitto_pub's user the same" {
  command -v mosquitto_rr >/dev/null || skip "mosquitto-clients is not installed"
  answer 3 "re:"
  run -0 mosquitto_rr -p "$port" -t q -e theirs -m hello -v -W 20
  theirs=${output/theirs/x}
  run -0 ask -e ours -m hello -v
  [[ ${output/ours/x} == "$theirs" ]]
}
