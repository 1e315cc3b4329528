#!/usr/bin/env bats
# The clients through a SOCKS5 proxy, to brokers with and without TLS.

bats_require_minimum_version 1.5.0

setup() {
  load support
  load certificates
  open_house
  cd "$house" || return
}
teardown() {
  # It ends by the signal, which is how it is meant to end.
  [[ -z ${window_pid[proxy]:-} ]] || stop proxy TERM || true
  close_house
}

# start_proxy [USER PASSWORD] - sets `proxy_port`.
start_proxy() {
  window proxy python3 "$BATS_TEST_DIRNAME/socks5_proxy.py" "$@"
  wait_for_line proxy.out '^port '
  proxy_port=$(awk '/^port / { print $2 }' proxy.out)
}

@test "messages go to and fro through a proxy, which is told the server's name" {
  start_broker
  start_proxy
  window sub mqsub -h localhost -p "$port" --proxy "socks5h://127.0.0.1:$proxy_port" -t a -C 1
  wait_for_line broker.err ' 0 a$'
  mqpub -h localhost -p "$port" --proxy "socks5h://127.0.0.1:$proxy_port" -t a -m hello
  wait_for_end sub
  expect sub hello
  [[ $(grep -cx "localhost $port" proxy.out) -eq 2 ]]
}

@test "TLS goes through a proxy, too, and a large message with it" {
  make_ca ca
  make_certificate ca server
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
user root
certfile HOUSE/server.crt
keyfile HOUSE/server.key"
  start_proxy
  head -c 1900000 /dev/urandom >large
  window sub mqsub -h localhost -p "$port" --cafile ca.crt \
    --proxy "socks5h://127.0.0.1:$proxy_port" -t a -q 1 -C 1 -N
  wait_for_line broker.err ' 1 a$'
  mqpub -h localhost -p "$port" --cafile ca.crt --proxy "socks5h://127.0.0.1:$proxy_port" \
    -t a -q 1 -f large
  wait_for_end sub
  cmp large sub.out
}

@test "a proxy may want a password, which is not shown to others" {
  start_broker
  start_proxy me 'se:cret'
  window sub mqsub -h localhost -p "$port" --proxy "socks5h://me:se%3acret@127.0.0.1:$proxy_port" \
    -t a -C 1
  wait_for_line broker.err ' 0 a$'
  run ! grep -a cret "/proc/${window_pid[sub]}/cmdline"
  mqpub -h localhost -p "$port" -t a -m hello
  wait_for_end sub
  run -1 --separate-stderr mqpub -h localhost -p "$port" -t a -m b \
    --proxy "socks5h://me:wrong@127.0.0.1:$proxy_port"
  [[ $stderr == *'the proxy does not take the user name and the password'* ]]
  run -1 --separate-stderr mqpub -h localhost -p "$port" -t a -m b \
    --proxy "socks5h://127.0.0.1:$proxy_port"
  [[ $stderr == *'the proxy wants'* ]]
}

@test "what a proxy cannot reach, and who is none, is told" {
  start_broker
  start_proxy
  run -1 --separate-stderr mqpub -h localhost -p 1 -t a -m b \
    --proxy "socks5h://127.0.0.1:$proxy_port"
  [[ $stderr == *'cannot connect to localhost port 1: the proxy cannot connect: connection to the server refused'* ]]
  run -1 --separate-stderr mqpub -h localhost -p 1 -t a -m b --proxy socks5h://127.0.0.1:1
  [[ $stderr == *'cannot connect to 127.0.0.1 port 1: connection refused. That is the proxy'* ]]
}
