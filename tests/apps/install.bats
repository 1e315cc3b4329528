#!/usr/bin/env bats
# cmake --install puts programs, manual pages and completions where the system looks for them.

bats_require_minimum_version 1.5.0

setup() {
  load support
  open_house
  DESTDIR=$house cmake --install "$MQ_TREE" --prefix /usr >/dev/null
  share=$house/usr/share
  # Completion calls --help hundreds of times: once is enough to look for leaks, see manual.bats.
  export ASAN_OPTIONS=detect_leaks=0
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

# offered SHELL WORD... - what the shell offers for the last word, one on a line, sorted.
offered() {
  local shell=$1
  shift
  case $shell in
    bash)
      # shellcheck disable=SC1090
      source "$share/bash-completion/completions/$1"
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      _mq "$1"
      printf '%s\n' "${COMPREPLY[@]}"
      ;;
    fish)
      fish --no-config -c 'source $argv[1]; complete -C "$argv[2..]"' \
        "$share/fish/vendor_completions.d/$1.fish" "$@" | cut -f 1 | grep -e "^${*: -1}"
      ;;
    zsh) # whose completion asks these functions to show what there is
      # shellcheck disable=SC2016
      zsh -f -c '
        _describe() { print -l -- ${${(P)@[-1]}%%:*}; }
        _files() { print -l -- *; }
        complete_it() { local -a words=("$@"); local CURRENT=$# PREFIX=$words[-1]; source $file; }
        file=$1; shift; complete_it "$@"' zsh "$share/zsh/site-functions/_mq" "$@" |
        grep -e "^${*: -1}"
      ;;
  esac | sort -u
}

options_of() { "$@" --help | grep -oE '^  (    )?(-., )?--[a-z0-9-]+|^  -.' | tr -s ', ' '\n' | sort -u | grep .; }

@test "bash, zsh and fish complete every option, and no other" {
  PATH=$house/usr/bin:$PATH
  for shell in bash zsh fish; do
    for program in mqbroker mqsub mqpub "mqbroker passwd" "mqbroker cert"; do
      # shellcheck disable=SC2086
      diff <({ offered $shell $program -; offered $shell $program --; } | sort -u) <(options_of $program)
    done
  done
}

@test "bash, zsh and fish complete the values of options, files where one is wanted, else nothing" {
  PATH=$house/usr/bin:$PATH
  mkdir "$house/here"
  cd "$house/here"
  touch ca.crt
  for shell in bash zsh fish; do
    for option in -q --qos --will-qos; do
      [[ $(offered $shell mqpub $option "") == $'0\n1\n2' ]]
    done
    [[ $(offered $shell mqsub --color "") == $'always\nauto\nnever' ]]
    [[ $(offered $shell mqsub --color au) == auto ]]
    [[ $(offered $shell mqsub --retain-handling "") == $'always\nnever\nnew' ]]
    [[ $(offered $shell mqsub -V "") == $'31\n311\n5' ]]
    [[ $(offered $shell mqsub -v -D "") == $'connect\ndisconnect\npublish\nsubscribe\nunsubscribe\nwill' ]]
    [[ $(offered $shell mqsub --tls-version "") == $'tlsv1.2\ntlsv1.3' ]]
    [[ $(offered $shell mqbroker passwd -H "") == $'argon2id\nsha512\nsha512-pbkdf2' ]]
    for words in "mqsub --cafile" "mqpub -f" "mqbroker -c" "mqbroker passwd"; do
      # shellcheck disable=SC2086
      [[ $(offered $shell $words "") == ca.crt ]]
    done
    for words in "mqsub -i" "mqpub -t" "mqpub --pace" "mqsub --will-payload"; do
      # shellcheck disable=SC2086
      [[ -z $(offered $shell $words "") ]]
    done
  done
}

@test "bash, zsh and fish complete mqbroker's commands" {
  PATH=$house/usr/bin:$PATH
  mkdir "$house/there"
  touch "$house/there/another" # file, which is not to be offered
  cd "$house/there"
  for shell in bash zsh fish; do
    run -0 offered $shell mqbroker c
    [[ $output == $'cert\ncheck' ]]
  done
}

# release_tree - what is tried, if that is a release, else the one that scripts/test builds beside it.
release_tree() {
  if grep -qsE '^CMAKE_BUILD_TYPE:.*=Release$' "$MQ_TREE/CMakeCache.txt" &&
    ! grep -qE '^MQ_SANITIZE:.*=.' "$MQ_TREE/CMakeCache.txt"; then
    echo "$MQ_TREE"
  else
    realpath -m "$BATS_TEST_DIRNAME/../../.build/bench"
  fi
}

# do_without PROGRAM - skips the test where other builds are tried than by scripts/test and by hand,
# and nobody has promised a release; fails elsewhere.
do_without() {
  local words="there is no $1: scripts/build ${release##*/} makes it"
  [[ $MQ_TREE == */asan || $MQ_TREE == "$release" ]] || skip "$words"
  echo "$words" >&2 && return 1
}

@test "a release is hardened" {
  release=$(release_tree)
  for program in mqbroker mqsub mqpub; do
    [[ -x $release/apps/$program ]] || do_without "$release/apps/$program"
  done
  grep -E '"command":.* -c /.*/(apps|lib)/' "$release/compile_commands.json" >"$house/compiled"
  grep -q /mqsub/ "$house/compiled"
  for flag in -D_FORTIFY_SOURCE=3 -fstack-protector -fPIE; do
    run ! grep -v -e " $flag" "$house/compiled"
  done
  # But for what decides about messages, and has no arrays but of few bytes.
  grep -vE ' -c /.*/lib/(wire|topic|session|broker)/' "$house/compiled" >"$house/strong"
  grep -q /net/ "$house/strong"
  run ! grep -v -e ' -fstack-protector-strong ' "$house/strong"
  for program in mqbroker mqsub mqpub; do
    readelf -hldW "$release/apps/$program" >"$house/elf"
    grep -q 'Type: .*Position-Independent Executable' "$house/elf"
    grep -q ' GNU_RELRO ' "$house/elf"
    grep -q 'Flags:.* NOW' "$house/elf"
    grep -qE ' GNU_STACK .* RW +0x' "$house/elf"
  done
  # The system's libraries are hardened anyway: of our own code, before it is linked with them.
  nm "$release/lib/libmq_net.a" "$release/lib/libmq_server.a" >"$house/symbols"
  grep -q ' __stack_chk_fail$' "$house/symbols"
  grep -qE ' __(mem|sn?printf)[a-z]*_chk$' "$house/symbols"
}
