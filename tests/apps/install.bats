#!/usr/bin/env bats
# cmake --install puts programs, manual pages and completions where the system looks for them.

bats_require_minimum_version 1.5.0

setup() {
  load support
  open_house
  DESTDIR=$house cmake --install "$MQ_TREE" --prefix /usr >/dev/null
  share=$house/usr/share
}
teardown() {
  close_house
}

@test "the programs run where they are installed" {
  for program in mqbroker mqsub mqpub; do
    run -0 "$house/usr/bin/$program" --version
    [[ $output == *"$program"* ]]
  done
}

@test "every manual page is in its section" {
  count=0
  for page in "$BATS_TEST_DIRNAME"/../../man/*.[158]; do
    cmp "$page" "$share/man/man${page##*.}/${page##*/}"
    count=$((count + 1))
  done
  ((count >= 3))
}

@test "bash completes options from what --help says" {
  for program in mqbroker mqsub mqpub; do
    # shellcheck disable=SC1090
    source "$share/bash-completion/completions/$program"
    run -0 complete -p "$program"
    COMP_WORDS=("$program" --he) COMP_CWORD=1
    _mq "$program" --he "$program"
    [[ ${COMPREPLY[*]} == --help ]]
  done
}

@test "zsh and fish find their completions" {
  grep -qx '#compdef mqbroker mqsub mqpub' "$share/zsh/site-functions/_mq"
  for program in mqbroker mqsub mqpub; do
    [[ -s $share/fish/vendor_completions.d/$program.fish ]]
  done
}
