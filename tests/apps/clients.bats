#!/usr/bin/env bats
# What mqsub and mqpub share: files of options, passwords, properties, where they connect from and
# how they find their server.

bats_require_minimum_version 1.5.0

setup() {
  load support
  open_house
}
teardown() {
  close_house
}

# retained TOPIC - what is kept there.
retained() { mqsub -p "$port" -t "$1" -C 1 -W 20; }

@test "the usual file of options, and mosquitto's where there is none" {
  start_broker
  mkdir "$house/config"
  printf '# mine\n-p %s\n-q 1\n-r\n' "$port" >"$house/config/mosquitto_pub"
  mqpub -t a -m "by their file"
  [[ $(retained a) == "by their file" ]]
  printf -- '-p %s\n-t b\n-r\n' "$port" >"$house/config/mqpub"
  mqpub -m "by our file"
  [[ $(retained b) == "by our file" ]]
  printf -- '-p %s\n-t b\n-v\n' "$port" >"$house/config/mqsub"
  run -0 mqsub -C 1 -W 20
  [[ $output == "b by our file" ]]
}

@test "HOME has the file where XDG_CONFIG_HOME does not say" {
  start_broker
  mkdir -p "$house/home/.config"
  printf -- '-p %s\n' "$port" >"$house/home/.config/mqpub"
  env -u XDG_CONFIG_HOME HOME="$house/home" "$MQPUB" -r -t a -m found
  [[ $(retained a) == found ]]
}

@test "-o: another file; one that is missing or wrong is told with its place" {
  start_broker
  printf -- '--port %s\n-D publish user-property who the file\n' "$port" >"$house/mine"
  mqpub -o "$house/mine" -r -t a -m x
  [[ $(mqsub -o "$house/mine" -V 5 -t a -C 1 -W 20 -F %P) == "who:the file" ]]
  run -1 --separate-stderr mqpub -o "$house/nothing" -t a -m x
  [[ $stderr == "mqpub: cannot read $house/nothing: No such file or directory" ]]
  echo '--prot 1' >"$house/wrong"
  run -1 --separate-stderr mqsub -o "$house/wrong" -t a
  [[ $stderr == "mqsub: $house/wrong:1: unknown option --prot; did you mean --port?" ]]
}

users_only() {
  mqbroker passwd -c -b "$house/users" bond secret
  chmod 644 "$house/users"
  start_broker broker 'listener PORT 127.0.0.1
password_file HOUSE/users'
}

@test "the password: from a file, from the environment, never in the list of processes" {
  users_only
  printf 'secret\r\nnot this\n' >"$house/pw"
  mqpub -p "$port" -u bond --pw-file "$house/pw" -t a -m x
  M_PW=secret mqpub -p "$port" -u bond --pw-env M_PW -t a -m x
  run -1 --separate-stderr mqpub -p "$port" -u bond --pw-env M_NONE -t a -m x
  [[ $stderr == "mqpub: --pw-env: the environment has no variable M_NONE; export it first" ]]
  run -1 --separate-stderr mqpub -p "$port" -u bond --pw-file "$house/none" -t a -m x
  [[ $stderr == "mqpub: --pw-file: cannot read $house/none: No such file or directory" ]]
  run -5 --separate-stderr mqpub -p "$port" -u bond -t a -m x </dev/null
  window left mqsub -p "$port" -u bond -P secret -t a
  wait_until "the password is wiped" is_wiped "/proc/${window_pid[left]}/cmdline"
}
# The program has begun, and what it was told is not to be seen any more.
is_wiped() { grep -q -- -P "$1" && ! grep -q secret "$1"; }

@test "on a terminal the password is asked for, not shown, and Ctrl-C is a way out" {
  users_only
  mkfifo "$house/keys"
  exec {keys}<>"$house/keys"
  cd "$house"
  script -qfec "mqpub -p $port -u bond -t a -r -m typed" shown <&"$keys" >/dev/null &
  local program=$!
  wait_for_line shown 'Password of bond: ' && echo secret >&"$keys"
  wait "$program"
  run ! grep -q secret shown
  [[ $(mqsub -p "$port" -u bond -P secret -t a -C 1 -W 20) == typed ]]
  script -qfec "mqsub -p $port -u bond -t a" again <&"$keys" >/dev/null &
  program=$!
  wait_for_line again 'Password of bond: ' && printf '\003' >&"$keys"
  run ! wait "$program"
  grep -q 'mqsub: no password: interrupted' again
}

@test "the password is asked for on the terminal also when standard input is something else" {
  users_only
  cd "$house"
  echo piped >lines
  mkfifo keys
  exec {keys}<>keys
  script -qfec "mqpub -p $port -u bond -t a -r -l <lines" shown <&"$keys" >/dev/null &
  local program=$!
  wait_for_line shown 'Password of bond: ' && echo secret >&"$keys"
  wait "$program"
  [[ $(mqsub -p "$port" -u bond -P secret -t a -C 1 -W 20) == piped ]]
}

@test "nobody is asked for a password without a terminal of one's own, or in the background" {
  users_only
  cd "$house"
  for how in "setsid -w mqpub -p $port -u bond -t a -n </dev/null" \
    "bash -mc 'mqpub -p $port -u bond -t a -n </dev/null & wait'"; do
    timeout 20 script -qfc "$how" shown </dev/null >/dev/null
    grep -q 'refused the connection' shown
    run ! grep -q 'Password of' shown
  done
}

@test "--help and --version: nobody who reads is a quiet end, a full disk is told" {
  unread() {
    python3 -c 'import os, subprocess, sys
gone, pipe = os.pipe()
os.close(gone)
sys.exit(subprocess.run(sys.argv[1:], stdout=pipe).returncode)' "$@"
  }
  for program in mqbroker mqsub mqpub "mqbroker passwd"; do
    for option in --help --version; do
      [[ $program$option != "mqbroker passwd--version" ]] || continue
      # shellcheck disable=SC2086
      run -0 unread $program "$option"
      [[ -z $output ]]
      run -1 --separate-stderr bash -c "$program $option >/dev/full"
      [[ $stderr == "${program%% *}: cannot write to standard output: No space left on device" ]]
    done
  done
}

@test "--quiet: errors are told by the exit code only, mistakes on the command line in words" {
  for program in "mqpub -m x" "mqsub"; do
    # shellcheck disable=SC2086
    run -1 $program -h 127.0.0.1 -p 1 -t a --quiet
    [[ -z $output ]]
    # shellcheck disable=SC2086
    run -1 $program -t a --quiet -q 3
    [[ $output == *"must be 0, 1 or 2"* ]]
  done
  start_broker
  run -27 mqsub -p "$port" -t a -W 0.1 --quiet
  [[ -z $output ]]
  run -0 mqpub -p "$port" -t a -m x --quiet -d
  [[ $output == *"sending CONNECT"* ]]
}

@test "-D: properties of CONNECT, SUBSCRIBE and DISCONNECT reach the broker" {
  start_broker
  window left mqsub -p "$port" -t a -D subscribe subscription-identifier 7 -F '%S %p'
  wait_until "somebody listens" is_heard a
  mqpub -p "$port" -t a -m x
  wait_for_line "$house/left.out" '^7 x$'
  run -0 mqpub -p "$port" -d -t a -m x -D connect receive-maximum 9 -D disconnect reason-string bye
  [[ $output == *"sending CONNECT"* && $output == *"sending DISCONNECT"* ]]
}

@test "standard streams that are closed are no others" {
  start_broker
  mqpub -p "$port" -t a -r -m x <&-
  mqpub -p "$port" -t a -r -m x >&-
  mqpub -p "$port" -t a -r -m x 2>&-
  mqsub -p "$port" -t a -C 1 >&-
  mqsub -p "$port" -t a -C 1 <&- 2>&- | grep -qx x
}

@test "what cannot be printed stays with the server" {
  start_broker
  mqsub -p "$port" -i bond -c -q 1 -t a -E
  seq 100 | mqpub -p "$port" -q 1 -t a -l
  run -1 --separate-stderr bash -c "mqsub -p $port -i bond -c -q 1 -t a >/dev/full"
  [[ $stderr == *"mqsub: cannot write: No space left on device" ]]
  run -0 mqsub -p "$port" -i bond -c -q 1 -t a -C 100 -W 20
  [[ $(head -n 1 <<<"$output") == 1 ]]
}

@test "-A: the address that is connected from" {
  start_broker
  mqpub -p "$port" -A 127.0.0.9 -t a -m x
  grep -q 127.0.0.9 "$house/broker.err"
  run -1 --separate-stderr mqpub -h 127.0.0.1 -p "$port" -A 192.0.2.1 -t a -m x
  [[ $stderr == "mqpub: cannot connect to 127.0.0.1 port $port from 192.0.2.1: address not available"* ]]
}

# Answers every question for SRV records on 127.0.0.1:53 with localhost and the given port.
@test "-S: the server is found by SRV records" {
  unshare -rnm true 2>/dev/null || skip "this system does not let us make namespaces"
  cat >"$house/names" <<'END'
import socket, struct, sys
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    query, peer = udp.recvfrom(2048)
    end = query.index(b"\0", 12) + 5
    kind = struct.unpack("!H", query[end - 4 : end - 2])[0]
    data = struct.pack("!HHH", 0, 0, int(sys.argv[1])) + b"\x09localhost\0"
    answer = struct.pack("!HHHLH", 0xC00C, 33, 1, 60, len(data)) + data if kind == 33 else b""
    head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, int(kind == 33), 0, 0)
    udp.sendto(head + query[12:end] + answer, peer)
END
  cat >"$house/inside" <<'END'
set -e
python3 -c 'import fcntl, socket, struct
s = socket.socket()
fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x41))' # ip link set lo up
mkdir -p config && echo "nameserver 127.0.0.1" >resolv.conf
mount --bind resolv.conf /etc/resolv.conf
printf 'listener 1999 127.0.0.1\nallow_anonymous true\nuser root\n' >conf
mqbroker -v -c conf 2>broker.log &
python3 names 1999 >ready &
trap 'kill %1 %2; wait' EXIT
for _ in {1..500}; do
  grep -q running broker.log && grep -q ready ready && break
  sleep 0.02
done
mqpub -S -h example.test -r -t a -m "found by name"
mqsub -S -h example.test -t a -C 1 -W 10
END
  cd "$house"
  run -0 --separate-stderr unshare -rnm bash inside
  [[ $output == "found by name" ]]
}

@test "-S: a domain without records is one line" {
  run -1 --separate-stderr mqpub -S -h nothing.invalid -t a -m x --connect-timeout 5
  [[ ${#stderr_lines[@]} -eq 1 && $stderr == "mqpub: "*nothing.invalid* ]]
}
