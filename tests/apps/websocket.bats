#!/usr/bin/env bats
# MQTT in WebSockets: our programs with each other and with Debian's mosquitto, curl's idea of HTTP,
# MQTT.js in Node and in a browser.

bats_require_minimum_version 1.5.0

mosquitto=${MOSQUITTO:-/usr/sbin/mosquitto}

setup_file() {
  load support
  load certificates
  "$BATS_TEST_DIRNAME/interop/install_mqttjs" "$MQ_TREE/interop"
  cd "$BATS_FILE_TMPDIR" || return
  make_ca ca
  make_certificate ca server
  make_certificate ca client
}

setup() {
  load support
  open_house
  cp "$BATS_FILE_TMPDIR"/*.{crt,key} "$house"
  cd "$house" || return
}
teardown() {
  close_house
}

# broker_with [LINE...] - mqbroker, or $broker, with one listener for WebSockets, and these lines.
broker_with() {
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
user root
protocol websockets
$(printf '%s\n' "$@")"
}
tls_lines=('certfile HOUSE/server.crt' 'keyfile HOUSE/server.key')

# talk OPTION... - mqsub and mqpub talk to each other with these options, whatever the QoS and the
# size of the message.
talk() {
  window left mqsub -h localhost -p "$port" "$@" -q 2 -t 'test/#'
  wait_until "left hears" comes_through "$@"
  local qos
  for qos in 0 1 2; do
    mqpub -h localhost -p "$port" "$@" -q "$qos" -t test/a -m "at $qos"
    head -c 70000 /dev/zero | tr '\0' x | mqpub -h localhost -p "$port" "$@" -q "$qos" -t test/b -s
  done
  mqpub -h localhost -p "$port" "$@" -q 1 -t test/a -m last
  wait_for_line left.out '^last$'
  [[ $(grep -cx 'xx*' left.out) -eq 3 && $(wc -c <left.out) -gt 210000 ]]
  [[ $(grep -v xxx left.out | uniq) == $'fence\nat 0\nat 1\nat 2\nlast' ]]
  ctrl_c left
}
comes_through() {
  mqpub -h localhost -p "$port" "$@" -t test/fence -m fence
  grep -qx fence left.out
}

# port_of NAME - sets `port` to the one that the server in the window says it listens on.
port_of() {
  wait_for_line "$house/$1.out" 'port [0-9]+'
  port=$(grep -oE 'port [0-9]+' "$house/$1.out" | cut -d' ' -f2)
}

# refused WORDS OPTION... - mqpub fails with exit code 1, and one line with these words.
refused() {
  local words=$1
  shift
  run -1 --separate-stderr mqpub -p "$port" -t a -m b "$@"
  [[ ${#stderr_lines[@]} -eq 1 && $stderr == *"$words"* ]] || { complain "$stderr"; return 1; }
}

@test "our programs talk through WebSockets" {
  broker_with
  grep -q "Opening websockets ipv4 listen socket on port $port" broker.err
  talk --ws
  talk --ws-path /any/path -V 5
}

@test "our programs talk through WebSockets in TLS" {
  broker_with "${tls_lines[@]}"
  talk --ws --cafile ca.crt
}

# Debian's mosquitto has no WebSockets of its own.
relay() {
  window relay node "$BATS_TEST_DIRNAME/interop/websocket_relay.cjs" "$MQ_TREE/interop" "$@"
  port_of relay
}

@test "our programs talk to Debian's mosquitto through another WebSocket server" {
  broker=$mosquitto start_broker broker_theirs
  theirs=$port
  relay "$theirs"
  talk --ws
  stop relay || true
  relay "$theirs" server.crt server.key
  talk --ws --cafile ca.crt
  stop relay || true
}

@test "a URL says that there is a WebSocket" {
  broker_with
  mqpub -L "ws://localhost:$port/a/b" -r -q 1 -m plain
  mqsub -L "ws://localhost:$port/a/b" -C 1 | grep -qx plain
  stop broker
  broker_with "${tls_lines[@]}"
  mqpub -L "wss://localhost:$port/a/b" --cafile ca.crt -r -q 1 -m hidden
  mqsub -L "wss://localhost:$port/a/b" --cafile ca.crt -C 1 | grep -qx hidden
}

@test "the certificate names the user, through a WebSocket too" {
  broker_with "${tls_lines[@]}" 'cafile HOUSE/ca.crt' 'require_certificate true' \
    'use_identity_as_username true'
  mqpub -h localhost -p "$port" --ws --cafile ca.crt --cert client.crt --key client.key -t a -m b
  wait_for_line broker.err "u'client'"
}

@test "a client that cannot open its WebSocket says what it met" {
  broker_with
  refused "closed the connection in the middle of the handshake" --ws --cafile ca.crt
  wait_for_line broker.err 'it speaks TLS, and this listener is for WebSockets'
  stop broker
  start_broker
  refused "closed the connection in the middle of the handshake; does it speak something else" --ws
  stop broker
  window web /usr/bin/python3 -u -m http.server 0 --bind 127.0.0.1
  port_of web
  refused "the server has no WebSocket at /mqtt (HTTP 404 File not found); another path is given" --ws
  refused "the server refuses the WebSocket at /server.crt: HTTP 200 OK" --ws-path /server.crt
}

@test "the headers that are asked for are sent" {
  cat >server.py <<'PYTHON'
import socket
listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
connection = listener.accept()[0]
data = b""
while b"\r\n\r\n" not in data:
    data += connection.recv(4096)
print(data.decode(), flush=True)
PYTHON
  window web /usr/bin/python3 -u "$house/server.py"
  port_of web
  run -1 mqpub -h 127.0.0.1 -p "$port" --ws-path '/x?y=1' --ws-header 'X-Token:  a, b' -t a -m b
  wait_for_end web
  tr -d '\r' <web.out >request
  grep -qx 'GET /x?y=1 HTTP/1.1' request
  grep -qx "Host: 127.0.0.1:$port" request
  grep -qx 'X-Token: a, b' request
  grep -qx 'Sec-WebSocket-Protocol: mqtt' request
}

# http_status [CURL-OPTION...] - what the broker answers.
http_status() { curl -s -m 10 -o body -D head -w '%{http_code}' "http://127.0.0.1:$port/mqtt" "$@"; }
request=(-H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'
  -H 'Sec-WebSocket-Protocol: mqtt')

@test "HTTP that is no WebSocket is answered as HTTP, and told in one line" {
  broker_with
  [[ $(http_status) == 426 ]]
  grep -q 'this is an MQTT broker' body
  grep -qi '^upgrade: websocket' head
  [[ $(http_status -X POST) == 405 ]]
  [[ $(http_status "${request[@]}" -H 'Sec-WebSocket-Key: x') == 400 ]]
  [[ $(http_status -H "X: $(head -c 5000 /dev/zero | tr '\0' x)") == 431 ]]
  wait_for_line broker.err 'HTTP request is longer than 4096 bytes \(see packet_buffer_size\)'
  [[ $(grep -c 'disconnected: WebSocket refused, HTTP' broker.err) -eq 3 ]]
  exec 9<>"/dev/tcp/127.0.0.1/$port"
  printf '\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00' >&9
  [[ -z $(timeout 10 cat <&9) ]]
  wait_for_line broker.err 'it speaks MQTT without WebSocket, and this listener is for WebSockets'
  mqpub -h localhost -p "$port" --ws -t a -m b
}
@test "a larger header is taken where it is allowed" {
  start_broker broker "packet_buffer_size 8192
listener PORT 127.0.0.1
allow_anonymous true
protocol websockets"
  mqpub -h localhost -p "$port" --ws-header "X: $(head -c 5000 /dev/zero | tr '\0' x)" -t a -m b
}

@test "only pages of the named origins may connect" {
  broker_with 'websockets_origin https://good.example' 'websockets_origin http://other:8080'
  ws() { mqpub -h localhost -p "$port" -t a -m b --ws-header "$@"; }
  ws 'Origin: https://good.example'
  ws 'Origin: http://other:8080'
  mqpub -h localhost -p "$port" --ws -t a -m b
  refused 'refuses the WebSocket at /mqtt: HTTP 403 Forbidden' --ws-header 'Origin: https://good.example.evil'
  refused 'HTTP 403' --ws-header 'Origin: http://good.example'
  wait_for_line broker.err 'pages of http://good.example may not connect \(see websockets_origin\)'
}

mqttjs() { timeout 120 node "$BATS_TEST_DIRNAME/interop/mqttjs_talks.cjs" "$MQ_TREE/interop" "$port" "$@" ws; }

@test "MQTT.js in Node, mqbroker" {
  broker_with
  for talk in every_qos many_in_flight unsubscribed retained will session; do
    mqttjs 4 "$talk"
    mqttjs 5 "$talk"
  done
  mqttjs 5 all_properties
}

paho() { timeout 120 /usr/bin/python3 "$BATS_TEST_DIRNAME/interop/paho_talks.py" "$port" "$@" websockets; }

@test "Paho, mqbroker" {
  broker_with
  for talk in every_qos many_in_flight session; do
    for version in 31 311 5; do paho "$version" "$talk"; done
  done
  paho 5 all_properties
}

# browse URL - shows a page in a browser without a screen, as long as the window is open.
browse() {
  window browser chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync \
    --disable-dev-shm-usage --user-data-dir="$house/browser" --remote-debugging-port=0 "$1"
}

@test "MQTT.js in a browser, mqbroker" {
  command -v chromium >/dev/null || skip "there is no chromium here (scripts/setup test)"
  window web /usr/bin/python3 -u -m http.server 0 --bind 127.0.0.1
  port_of web
  web_port=$port
  broker_with "websockets_origin http://localhost:$web_port"
  cp "$MQ_TREE/interop/node_modules/mqtt/dist/mqtt.min.js" .
  cat >page.html <<PAGE
<script src="mqtt.min.js"></script>
<script>
  const client = mqtt.connect('ws://localhost:$port/mqtt', { protocolVersion: 5 })
  client.on('message', (topic, payload) => {
    client.publish('from/browser', location.origin + ' has heard ' + payload, { qos: 2 })
  })
  client.subscribe('to/browser', { qos: 1 })
</script>
PAGE
  mqpub -h localhost -p "$port" --ws -r -q 1 -t to/browser -m hello
  window left mqsub -h localhost -p "$port" --ws -q 2 -t from/browser
  listening_by_ws left from/browser
  browse "http://localhost:$web_port/page.html"
  wait_for_line left.out "^http://localhost:$web_port has heard hello$"
  stop browser || true
  # The same page has another origin under another name.
  browse "http://127.0.0.1:$web_port/page.html"
  wait_for_line broker.err "pages of http://127.0.0.1:$web_port may not connect"
  stop browser || true
}
listening_by_ws() { wait_until "$1 hears" fence_comes_by_ws "$@"; }
fence_comes_by_ws() {
  mqpub -h localhost -p "$port" --ws -t "$2" -m fence
  grep -q fence "$1.out"
}
