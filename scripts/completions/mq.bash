# Options and commands are what --help says, so they are never out of date; all else is a file.
_mq() {
  local word=${COMP_WORDS[COMP_CWORD]} program=("$1") words=
  local commands
  commands=$("$1" --help 2>/dev/null | sed -nE "s/^  ${1##*/} ([a-z]+) .*/\1/p" | sort -u)
  if ((COMP_CWORD == 1)); then
    words=$commands
  elif [[ $'\n'$commands$'\n' == *$'\n'"${COMP_WORDS[1]}"$'\n'* ]]; then
    program+=("${COMP_WORDS[1]}")
  fi
  if [[ $word == -* ]]; then
    words=$("${program[@]}" --help 2>/dev/null |
      sed -nE 's/^ +((-[[:alnum:]]), )?(--[a-z0-9-]+).*/\2 \3/p; s/^  (-[[:alnum:]]) .*/\1/p')
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _mq mqbroker mqsub mqpub
