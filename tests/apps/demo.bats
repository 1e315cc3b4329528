#!/usr/bin/env bats
# scripts/demo plays the tutorial, notices when it does not go as promised, and leaves nothing.

bats_require_minimum_version 1.5.0

setup() {
  load support
  export MQBROKER MQSUB MQPUB
  demo=$BATS_TEST_DIRNAME/../../scripts/demo
  # Root's broker becomes somebody else, who must get there: not below bats' own directory.
  TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/mq.XXXXXX")
  export TMPDIR
  chmod 711 "$TMPDIR"
}
teardown() { rm -rf "$TMPDIR"; }

@test "it runs to its end from any directory, in a pipe without colours, and leaves nothing" {
  cd /
  run -0 --separate-stderr "$demo" </dev/null
  [[ $output == *'$ mqpub -h localhost -p '*' -t "test/topic" -m "hello!"'* ]]
  [[ $output == *'[window 1] test/topic wowie'* ]]
  [[ $output == *'Everything was as the tutorial promises'* ]]
  [[ $output != *$'\e'* ]]
  [[ -z $stderr ]]
  [[ -z $(ls -A "$TMPDIR") ]]
}

@test "it fails where an experiment shows something else than promised, and leaves nothing" {
  cat >"$BATS_TEST_TMPDIR/mqpub" <<WRONG
#!/usr/bin/env bash
exec "$MQPUB" "\${@/hello!/goodbye!}"
WRONG
  chmod +x "$BATS_TEST_TMPDIR/mqpub"

  MQPUB=$BATS_TEST_TMPDIR/mqpub run -1 --separate-stderr "$demo"
  [[ $output == *'[window 1] goodbye!' ]]
  [[ $stderr == *'not what the tutorial promises'* ]]
  [[ -z $(ls -A "$TMPDIR") ]]
}
