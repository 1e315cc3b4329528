# Options, their values and commands are what --help says, so they are never out of date; of other
# values nothing is known, and all else is a file.

# _mq_values OPTION PROGRAM... - VALUE, or FILE, when the option takes one; behind it what it may be.
_mq_values() {
  "${@:2}" --help 2>/dev/null | awk -v option="$1" '
    /^  (    )?-/ {
      if (wanted) exit
      left = substr($0, 32, 1) == " " ? substr($0, 1, 31) : $0
      wanted = index(left " ", " " option " ") || index(left, " " option ",")
      wanted = wanted && left ~ / \[?[A-Z][A-Z]/
      help = substr($0, length(left) + 1)
      next
    }
    { help = help " " $0 }
    END {
      if (!wanted) exit
      print left ~ /FILE|DIR/ ? "FILE" : "VALUE"
      gsub(/ +/, " ", help); sub(/^ /, ": ", help)
      if (!match(help, /: ([a-z0-9.-]+, )*[a-z0-9.-]+ or [a-z0-9.-]+/)) exit
      help = substr(help, RSTART + 2, RLENGTH - 2); gsub(/, | or /, "\n", help); print help
    }'
}

_mq() {
  local word=${COMP_WORDS[COMP_CWORD]} program=("$1") words='' values commands
  commands=$("$1" --help 2>/dev/null | sed -nE "s/^  ${1##*/} ([a-z]+) .*/\1/p" | sort -u)
  if ((COMP_CWORD == 1)); then
    words=$commands
  elif [[ $'\n'$commands$'\n' == *$'\n'"${COMP_WORDS[1]}"$'\n'* ]]; then
    program+=("${COMP_WORDS[1]}")
  fi
  values=$(_mq_values "${COMP_WORDS[COMP_CWORD - 1]}" "${program[@]}")
  if [[ $word == -* ]]; then
    words=$("${program[@]}" --help 2>/dev/null |
      sed -nE 's/^  (    )?((-[[:alnum:]]), )?(--[a-z0-9-]+).*/\3 \4/p; s/^  (-[[:alnum:]]) .*/\1/p')
  elif [[ $values == VALUE* ]]; then
    words=${values#VALUE}
  elif [[ $values == FILE || -z $words ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    return
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _mq mqbroker mqsub mqpub
