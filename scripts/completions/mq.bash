# Options are completed from what --help says, so they are never out of date; all else as files.
_mq() {
  local word=${COMP_WORDS[COMP_CWORD]}
  [[ $word == -* ]] || return 0
  local options
  options=$("$1" --help 2>/dev/null |
    grep -oE -- '(^|[ ,[])--?[[:alnum:]][[:alnum:]-]*' | tr -d ' ,[' | sort -u)
  mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}
complete -o default -F _mq mqbroker mqsub mqpub
