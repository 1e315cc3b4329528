#!/usr/bin/env bats
# The broker behind HAProxy, which says where the clients come from.

bats_require_minimum_version 1.5.0

setup_file() {
  load certificates
  cd "$BATS_FILE_TMPDIR" || return
  make_ca ca
  make_certificate ca server
  make_certificate ca alice
  cat server.crt server.key >server.pem
}

setup() {
  load support
  open_house
  cp "$BATS_FILE_TMPDIR"/*.{crt,key,pem} "$house"
  cd "$house" || return
}
teardown() {
  close_house
}

# broker_with [LINE...] - mqbroker with one listener behind a proxy, and these lines.
broker_with() {
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
user root
$(printf '%s\n' "$@")"
}

# haproxy_with "BIND WORDS" "SERVER WORDS" - HAProxy in front of the broker; sets `front` to its port.
haproxy_with() {
  for _ in {1..50}; do
    front=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    cat >haproxy.conf <<CONF
global
  log stderr local0
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:$front $1
  default_backend back
backend back
  server broker 127.0.0.1:$port $2
CONF
    window haproxy /usr/sbin/haproxy -db -f haproxy.conf
    wait_until "haproxy listens" haproxy_listens_or_ended && ! ended haproxy && return 0
    wait_for_end haproxy || true
  done
  show haproxy
  return 1
}
haproxy_listens_or_ended() { ended haproxy || (exec 9<>"/dev/tcp/127.0.0.1/$front") 2>/dev/null; }

# talk OPTION... - a message goes to and fro through the proxy, and the log tells where its sender
# really is: on the port that the client itself has.
talk() {
  window left mqsub -h localhost -p "$front" "$@" -t a -C 1 -i left -d
  wait_for_line left.err SUBACK
  wait_for_line broker.err 'New client connected from .* as left '
  local peer
  peer=$(grep -oE 'connected from [^ ]+ as left ' broker.err | tail -1 | cut -d' ' -f3)
  ss -tnpH "sport = :${peer##*:}" | grep -q "pid=${window_pid[left]},"
  mqpub -h localhost -p "$front" "$@" -q 1 -t a -m through
  wait_for_end left
  expect left through
}

@test "HAProxy says where clients come from, in version 1" {
  broker_with 'enable_proxy_protocol 1'
  haproxy_with '' send-proxy
  talk
}

@test "HAProxy says where clients come from, in version 2" {
  broker_with 'enable_proxy_protocol 2'
  haproxy_with '' send-proxy-v2
  talk
}

@test "TLS and WebSockets come through the proxy to the broker, in version 1" {
  broker_with 'enable_proxy_protocol 1' 'protocol websockets' 'certfile HOUSE/server.crt' \
    'keyfile HOUSE/server.key'
  haproxy_with '' send-proxy
  talk --cafile ca.crt --ws
}

@test "the proxy tells the user of the certificate that it was shown" {
  broker_with 'enable_proxy_protocol 2' 'use_identity_as_username true' \
    'require_certificate true' 'proxy_protocol_v2_require_tls true'
  haproxy_with "ssl crt $house/server.pem ca-file $house/ca.crt verify optional" send-proxy-v2-ssl-cn
  talk --cafile ca.crt --cert alice.crt --key alice.key
  grep -q "as left .*u'alice'" broker.err
  run ! mqpub -h localhost -p "$front" --cafile ca.crt -t a -m b
  wait_for_line broker.err 'has shown the proxy no certificate that is good \(see require_certificate\)'
}

@test "who came to the proxy without TLS is refused where it is required" {
  broker_with 'enable_proxy_protocol 2' 'proxy_protocol_v2_require_tls true'
  haproxy_with '' send-proxy-v2
  run ! mqpub -h localhost -p "$front" -t a -m b
  wait_for_line broker.err 'came to the proxy without TLS \(see proxy_protocol_v2_require_tls\)'
}

@test "a connection without the header is one line in the log, and closed" {
  for version in 1 2; do
    broker_with "enable_proxy_protocol $version"
    run ! mqpub -h localhost -p "$port" -t a -m b
    wait_for_line broker.err 'it does not begin with the PROXY header that is wanted'
    [[ $(grep -c '127.0.0.1' broker.err) -eq 1 ]]
    stop broker
  done
}

@test "a header that does not come has as long as a CONNECT" {
  start_broker broker 'connect_timeout 1
listener PORT 127.0.0.1
allow_anonymous true
enable_proxy_protocol 1'
  exec 9<>"/dev/tcp/127.0.0.1/$port"
  printf 'PROXY TCP4 ' >&9
  [[ -z $(timeout 10 cat <&9) ]]
}
