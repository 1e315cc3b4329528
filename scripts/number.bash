# What the scripts have in common that take numbers.

# number LEAST OPTION VALUE - prints the value; complains when it is not a number, or is less.
number() {
  if [[ ${3-} =~ ^0*([0-9]+)$ && ($1 == 0 || ${BASH_REMATCH[1]} != 0) ]]; then
    echo "${BASH_REMATCH[1]}"
  else
    echo "${0##*/}: $2 takes a number from $1 on, not \"${3-}\"" >&2 && return 1
  fi
}

# amount OPTION VALUE - likewise for a number that may have a point, and is more than 0.
amount() {
  if [[ ${2-} =~ ^[0-9]*\.?[0-9]+$ && $2 =~ [1-9] ]]; then
    echo "$2"
  else
    echo "${0##*/}: $1 takes a number above 0, not \"${2-}\"" >&2 && return 1
  fi
}
