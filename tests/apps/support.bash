# What tests with the real programs share, and scripts/demo with them: a temporary directory, a
# broker on a free port, windows with programs in them, and waiting for what they print.
#
# MQBROKER, MQSUB and MQPUB hold the paths of the programs, by default those of the preset asan.
# Within a test they are called mqbroker, mqsub and mqpub, as people call them. Nothing sleeps for a
# guessed time: every wait is for an event, looked for every few milliseconds, and gives up after
# `patience` seconds.
#
# A window is a program that runs beside the test: `window left mqsub ...` starts one, `heard left`
# is what it has printed, `ctrl_c left` ends it. Only what was started here is ever ended, by pid.

: "${MQ_TREE:=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)/.build/asan}"
: "${MQBROKER:=$MQ_TREE/apps/mqbroker}" "${MQSUB:=$MQ_TREE/apps/mqsub}" "${MQPUB:=$MQ_TREE/apps/mqpub}"
patience=${MQ_PATIENCE:-20}

open_house() {
  house=$(mktemp -d "${TMPDIR:-/tmp}/mq.XXXXXX")
  chmod 711 "$house" # a broker that root starts becomes somebody else
  export XDG_STATE_HOME=$house/state XDG_CONFIG_HOME=$house/config
  mkdir "$house/bin"
  ln -s "$MQBROKER" "$house/bin/mqbroker"
  ln -s "$MQSUB" "$house/bin/mqsub"
  ln -s "$MQPUB" "$house/bin/mqpub"
  PATH=$house/bin:$PATH
  port=
  declare -ga broker_options=() verbosity=(-v)
  declare -gA window_pid=() # the windows that are open, and the brokers
  fences=0
}

# Ends everything that open_house, window and start_broker began. Returns 1, and says why, when a
# broker did not end well or a sanitizer had something to report.
close_house() {
  local name status=0
  for name in "${!window_pid[@]}"; do
    [[ $name == broker* ]] || stop "$name" TERM || true
  done
  for name in "${!window_pid[@]}"; do
    stop "$name" TERM || { complain "$name ended with exit code $?" && show "$name" && status=1; }
  done
  if grep -lE 'Sanitizer|runtime error:|rule broken:' "$house"/*.err 2>/dev/null; then
    cat "$house"/*.err
    status=1
  fi >&2
  rm -rf "$house"
  return "$status"
}

complain() { printf '%s\n' "$*" | shorten; }
shorten() { cat -v | cut -c 1-300 | tail -n 50 >&2; }

# Prints both outputs of a window, for whoever has to find out what went wrong.
show() {
  complain "--- $1, stdout:" && shorten <"$house/$1.out"
  complain "--- $1, stderr:" && shorten <"$house/$1.err"
}

# wait_until WORDS COMMAND... - until the command succeeds; complains with the words otherwise.
wait_until() {
  local words=$1 deadline=$((SECONDS + patience))
  shift
  until "$@"; do
    if ((SECONDS > deadline)); then
      complain "waited $patience s in vain until $words"
      return 1
    fi
    sleep 0.02
  done
}

# wait_for_line FILE PATTERN - until a line of the file matches the extended regular expression.
wait_for_line() {
  wait_until "$1 says /$2/" grep -qE -- "$2" "$1"
}

# is_heard TOPIC - an empty message to the topic reaches somebody.
is_heard() {
  local trace
  trace=$(mqpub -p "$port" -V 5 -q 1 -t "$1" -n -d 2>&1) || return 1
  [[ $trace == *"received PUBACK"* && $trace != *"No matching subscribers"* ]]
}

# window NAME COMMAND... - runs a command beside the test, in the temporary directory, with its
# output in NAME.out and NAME.err and nothing on its stdin (unless $stdin names a file).
# Ctrl-C works in it as in a terminal, which it does not by itself in the background.
window() {
  local name=$1
  shift
  if [[ -n ${window_pid[$name]:-} ]] && running "$name"; then
    complain "a program runs in the window $name already, which nobody would end any more"
    return 1
  fi
  : >"$house/$name.out" 2>"$house/$name.err" # what an earlier one said is not this one's
  (cd "$house" && exec env --default-signal=INT,QUIT,PIPE "$@") \
    <"${stdin:-/dev/null}" >"$house/$name.out" 2>"$house/$name.err" 3>&- &
  window_pid[$name]=$!
}

running() { kill -0 "${window_pid[$1]}" 2>/dev/null; }
ended() { ! running "$1"; }

# wait_for_end NAME - until the program in the window ends by itself. Returns its exit code.
wait_for_end() {
  if ! wait_until "$1 ends" ended "$1"; then
    kill -KILL "${window_pid[$1]}"
    show "$1"
  fi
  local pid=${window_pid[$1]}
  unset "window_pid[$1]"
  wait "$pid"
}

# stop NAME [SIGNAL] - sends a signal and waits for the end. Returns the exit code.
stop() {
  kill -s "${2:-TERM}" "${window_pid[$1]}" 2>/dev/null || true
  wait_for_end "$1"
}
ctrl_c() { stop "$1" INT; }
crash() { stop "$1" KILL 2>/dev/null || true; }

# A broker says that it is running when every listener is open: ours does, and so does mosquitto.
started_or_ended() { ended "$1" || grep -qsE ' running$' "$house/$1.err" "$house/$1.out"; }

# some_port - sets `port` to one that nobody has, as far as one can guess.
some_port() { port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000)); }

# start_broker [NAME [CONFIGURATION]] - starts mqbroker on a free port, and sets `port`. With a
# configuration, that is its file, in which PORT and HOUSE stand for the port and the directory.
# $broker is the program, if not mqbroker, and verbosity and broker_options what else it is told. A
# port that is taken, by whomever, is left to him.
start_broker() {
  local name=${1:-broker}
  for _ in {1..50}; do
    some_port
    if [[ -n ${2:-} ]]; then
      sed "s|PORT|$port|g; s|HOUSE|$house|g" <<<"$2" >"$house/$name.conf"
      window "$name" "${broker:-mqbroker}" "${verbosity[@]}" -c "$name.conf"
    else
      window "$name" "${broker:-mqbroker}" "${verbosity[@]}" -p "$port" "${broker_options[@]}"
    fi
    wait_until "$name runs" started_or_ended "$name" || return 1
    running "$name" && return 0
    wait_for_end "$name" || true
    grep -qiE 'in use' "$house/$name.err" "$house/$name.out" || break
  done
  show "$name"
  return 1
}

# What the tests themselves publish to a topic in order to know how far a window is. It is never
# part of what was heard.
next_fence() {
  fences=$((fences + 1))
  fence="[fence $fences]"
}
fence_has_come() { grep -qaF "$fence" "$house/$1.out"; }

# heard NAME - what the window has printed.
heard() { grep -avE '\[fence [0-9]+\]$' "$house/$1.out" || true; }

# listening NAME TOPIC - until what is published to the topic from now on comes to the window.
listening() {
  next_fence
  wait_until "$1 hears what is published to $2" fence_comes "$1" "$2" && return 0
  show "$1"
  complain "--- the fence's publisher, stderr:" && shorten <"$house/fence.err"
  return 1
}
fence_comes() {
  mqpub -h localhost -p "$port" -t "$2" -m "$fence" 2>"$house/fence.err" || true
  for _ in {1..10}; do
    fence_has_come "$1" && return 0
    sleep 0.02
  done
  return 1
}

# heard_all NAME TOPIC [QOS] - until everything has come that was published to the topic before, at
# QoS 1 or the given one.
heard_all() {
  next_fence
  mqpub -h localhost -p "$port" -q "${3:-1}" -t "$2" -m "$fence"
  wait_until "$1 has heard all of $2" fence_has_come "$1" || { show "$1" && return 1; }
}

# expect NAME [LINE...] - what the window has printed is exactly these lines.
expect() {
  local name=$1 wanted=
  shift
  (($# == 0)) || wanted=$(printf '%s\n' "$@")
  [[ $(heard "$name") == "$wanted" ]] && return 0
  complain "$name should have printed:" "$wanted"
  show "$name"
  return 1
}
