# Records what goes over the loopback interface on given ports, and has tshark read it.

# capture_start FILE PORT... - starts recording. Returns 1, and says why, where that is not allowed.
capture_start() {
  capture_file=$1
  shift
  capture_ports=("$@")
  local filter
  filter=$(printf ' or tcp port %s' "$@")
  capture_as=()
  if ! capture_try "${filter# or }"; then
    capture_as=(sudo -n)
    capture_try "${filter# or }" || return 1
  fi
  mark_capture start
}

capture_try() {
  "${capture_as[@]}" dumpcap -q -i lo -B 64 -f "$1" -w - \
    >"$capture_file" 2>"$house/capture.err" </dev/null 3>&- &
  capture_pid=$!
  wait_until "dumpcap records" capture_has_begun
  grep -q '^File:' "$house/capture.err"
}
capture_has_begun() {
  grep -q '^File:' "$house/capture.err" || ! kill -0 "$capture_pid" 2>/dev/null
}

# Publishes until it is seen in the file: what went before is in it then, too.
mark_capture() {
  wait_until "the capture holds its $1" mark_is_captured "[capture $1]"
}
mark_is_captured() {
  mqpub -h localhost -p "${capture_ports[0]}" -t capture -m "$1" || true
  grep -qaF "$1" "$capture_file"
}

capture_stop() {
  mark_capture end
  "${capture_as[@]}" kill -INT "$capture_pid"
  wait "$capture_pid" || true
}

# capture_check MINIMUM TYPES - complains when the capture holds fewer packets than that, not all of
# these types of packets, or one that tshark calls malformed.
capture_check() {
  local decode=() port
  for port in "${capture_ports[@]}"; do decode+=(-d "tcp.port==$port,mqtt"); done
  capture_read -Y mqtt -T fields -e mqtt.msgtype >"$house/types" || return 1
  capture_read -Y _ws.malformed -V >"$house/malformed" || return 1
  tr ',' '\n' <"$house/types" | sort -n | uniq -c >"$house/packets"

  local count types
  count=$(awk '{ sum += $1 } END { print sum + 0 }' "$house/packets")
  types=$(awk '{ printf "%s ", $2 }' "$house/packets")
  if [[ $types != "$2"* ]] || ((count < $1)); then
    complain "the capture should hold $1 packets of the types $2, and has $count (count, type):"
    cat "$house/packets" >&2
    return 1
  fi
  if [[ -s $house/malformed ]]; then
    complain "tshark calls these malformed:"
    head -n 200 "$house/malformed" >&2
    return 1
  fi
}

capture_read() {
  tshark -r "$capture_file" "${decode[@]}" "$@" 2>"$house/tshark.err" || {
    complain "tshark cannot read the capture: $(<"$house/tshark.err")"
    return 1
  }
}
