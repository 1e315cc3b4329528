#!/usr/bin/env bats
# TLS: our programs against each other, Debian's mosquitto and its clients, and openssl.

bats_require_minimum_version 1.5.0

mosquitto=${MOSQUITTO:-/usr/sbin/mosquitto}

setup_file() {
  load support
  load certificates
  cd "$BATS_FILE_TMPDIR" || return
  make_ca ca
  make_ca stranger
  make_certificate ca server
  make_certificate ca elsewhere subjectAltName=DNS:broker.example,IP:192.0.2.1
  make_certificate ca client
  make_certificate stranger impostor
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

# their_broker CERTIFICATE [LINE...] - Debian's mosquitto, with TLS.
their_broker() {
  local certificate=$1
  shift
  broker=$mosquitto start_broker broker_theirs "listener PORT 127.0.0.1
allow_anonymous true
user root
certfile HOUSE/$certificate.crt
keyfile HOUSE/$certificate.key
$(printf '%s\n' "$@")"
}

# refused WORDS... - mqpub fails with exit code 1, and one line with these words.
refused() {
  local words=$1
  shift
  run -1 --separate-stderr mqpub -h localhost -p "$port" -t a -m b "$@"
  [[ ${#stderr_lines[@]} -eq 1 && $stderr == *"$words"* ]] || { complain "$stderr"; return 1; }
}

# our_broker [LINE...] - mqbroker, with TLS, and what else the listener has.
our_broker() {
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
user root
certfile HOUSE/server.crt
keyfile HOUSE/server.key
$(printf '%s\n' "$@")"
}

@test "messages go to and fro through TLS, in either version" {
  their_broker server
  for version in tlsv1.2 tlsv1.3; do
    window "$version" mqsub -h localhost -p "$port" --cafile ca.crt --tls-version "$version" \
      -t a -q 1 -C 1 -d
    wait_for_line "$version.err" SUBACK
    mqpub -h localhost -p "$port" --cafile ca.crt --tls-version "$version" -t a -q 1 -m "$version"
    wait_for_end "$version"
    expect "$version" "$version"
  done
}

@test "a message of some megabytes passes through TLS, in both directions" {
  their_broker server
  head -c 5000000 /dev/urandom >large
  window large mqsub -h localhost -p "$port" --cafile ca.crt -t a -q 1 -C 1 -N -d
  wait_for_line large.err SUBACK
  mqpub -h localhost -p "$port" --cafile ca.crt -t a -q 1 -f large
  wait_for_end large
  cmp large large.out
}

@test "a thousand lines pass through TLS" {
  their_broker server
  window many mqsub -h localhost -p "$port" --cafile ca.crt -t a -q 1 -C 1000 -d
  wait_for_line many.err SUBACK
  seq 1000 | mqpub -h localhost -p "$port" --cafile ca.crt -t a -q 1 -l
  wait_for_end many
  cmp many.out <(seq 1000)
}

@test "a directory of certificates is as good as a file" {
  their_broker server
  mkdir trusted
  cp ca.crt trusted
  openssl rehash trusted
  mqpub -h localhost -p "$port" --capath trusted -t a -m b
}

@test "a server whose CA is not known is refused" {
  their_broker server
  refused 'is not trusted' --cafile stranger.crt
  [[ $stderr == *'CN = server'*'--cafile'* ]]
  refused 'is not trusted' --tls-use-os-certs
}

@test "a certificate for another host is refused, unless that is insecure" {
  their_broker elsewhere
  refused 'is for broker.example, 192.0.2.1, not for localhost' --cafile ca.crt
  run -0 --separate-stderr mqpub -h localhost -p "$port" --cafile ca.crt --insecure -t a -m b
  [[ $stderr == *'--insecure'* ]]
  run -1 --separate-stderr mqpub -h localhost -p "$port" --cafile stranger.crt --insecure -t a -m b
  [[ $stderr == *'is not trusted'* ]]
}

@test "a server that wants a certificate gets one, or says that it wants one" {
  their_broker server "require_certificate true" "cafile HOUSE/ca.crt"
  mqpub -h localhost -p "$port" --cafile ca.crt --cert client.crt --key client.key -t a -m b
  refused 'the peer refuses it' --cafile ca.crt
  [[ $stderr == *'--cert'* ]]
}

@test "files that cannot be used are named, with the reason" {
  port=1
  refused 'cannot read the CA file none.crt: No such file or directory' --cafile none.crt
  refused 'cannot use the CA file ca.key: ' --cafile ca.key
  refused 'cannot read the CA directory ca.crt: is a file' --capath ca.crt
  refused 'cannot use the key client.key: it does not belong to server.crt' \
    --cert server.crt --key client.key
  refused 'cannot use the certificate client.key: there is none in it, in PEM' \
    --cert client.key --key client.key
  refused 'no cipher of "none" is known' --ciphers none
  refused 'cannot write the key log none/log: No such file or directory' --tls-keylog none/log
}

@test "a server without TLS is not taken for one" {
  broker=$mosquitto start_broker broker_plain
  run -1 --separate-stderr timeout 20 mqpub -h localhost -p "$port" --cafile ca.crt -t a -m b
  [[ $stderr == *'cannot connect to localhost'* ]]
}

@test "a URL says everything: TLS, the user, the server and the topic" {
  our_broker
  window url mqsub -L "mqtts://al%69ce:se:cret@localhost:$port/a/%23" --cafile ca.crt -C 1 -v
  wait_for_line broker.err "u'alice'"
  wait_for_line broker.err ' 0 a/#$'
  run ! grep -a secret "/proc/${window_pid[url]}/cmdline"
  mqpub -L "mqtts://localhost:$port/a/b" --cafile ca.crt -m hello
  wait_for_end url
  expect url 'a/b hello'
}

@test "the keys are logged for Wireshark" {
  their_broker server
  umask 022
  mqpub -h localhost -p "$port" --cafile ca.crt --tls-keylog keys -t a -m b
  grep -q '^CLIENT_TRAFFIC_SECRET_0 ' keys
  [[ $(stat -c %a keys) == 600 ]]
}

@test "port 8883 means TLS, and --no-tls that there is none" {
  their_broker server
  run -1 --separate-stderr timeout 20 mqpub -h localhost -p "$port" --cafile ca.crt --no-tls -t a -m b
  [[ $stderr != *TLS* ]]
}

@test "the broker speaks TLS in either version, at every QoS, with our clients and theirs" {
  our_broker
  for sub in mqsub mosquitto_sub; do
    for pub in mqpub mosquitto_pub; do
      for version in tlsv1.2 tlsv1.3; do
        for qos in 0 1 2; do
          name=$sub-$pub-$version-$qos
          window "$name" "$sub" -h localhost -p "$port" --cafile ca.crt --tls-version "$version" \
            -t "$name" -q "$qos" -C 1
          wait_for_line broker.err " $qos $name$"
          "$pub" -h localhost -p "$port" --cafile ca.crt --tls-version "$version" \
            -t "$name" -q "$qos" -m "$name"
          wait_for_end "$name"
          expect "$name" "$name"
        done
      done
    done
  done
}

@test "a message larger than any buffer passes through the broker's TLS" {
  our_broker
  head -c 1900000 /dev/urandom >large
  window large mqsub -h localhost -p "$port" --cafile ca.crt -t a -q 1 -C 3 -N
  wait_for_line broker.err ' 1 a$'
  for _ in 1 2 3; do mqpub -h localhost -p "$port" --cafile ca.crt -t a -q 1 -f large; done
  wait_for_end large
  cmp <(cat large large large) large.out
}

@test "many lines pass through the broker's TLS, and are acknowledged" {
  our_broker "max_queued_messages 0"
  window many mqsub -h localhost -p "$port" --cafile ca.crt -t a -q 1 -C 20000
  wait_for_line broker.err ' 1 a$'
  seq 20000 | mqpub -h localhost -p "$port" --cafile ca.crt -t a -q 1 -l
  wait_for_end many
  cmp many.out <(seq 20000)
}

@test "openssl shakes hands with the broker, and is told its certificate" {
  our_broker
  run -0 openssl s_client -connect "localhost:$port" -CAfile ca.crt -verify_hostname localhost \
    -verify_return_error -brief <<<Q
  [[ $output == *'Verification: OK'* && $output == *'CN = server'* ]]
}

@test "a client that offers MQTT by ALPN is told that it is spoken, WebSockets are HTTP" {
  our_broker
  chosen() { openssl s_client -connect "localhost:$port" "$@" </dev/null 2>&1 | grep ALPN; }
  [[ $(chosen -alpn x-amzn-mqtt-ca,mqtt) == 'ALPN protocol: mqtt' ]]
  [[ $(chosen -alpn h2 -tls1_2) == 'No ALPN negotiated' ]]
  [[ $(chosen) == 'No ALPN negotiated' ]]
  mqpub -h localhost -p "$port" --cafile ca.crt --tls-alpn mqtt -t a -m b -q 1
  stop broker
  our_broker "protocol websockets"
  [[ $(chosen -alpn h2,http/1.1) == 'ALPN protocol: http/1.1' ]]
}

@test "an older version of TLS than the listener's is refused" {
  our_broker "tls_version tlsv1.3"
  run -1 mqpub -h localhost -p "$port" --cafile ca.crt --tls-version tlsv1.2 -t a -m b
  [[ $output == *'the peer refuses it'* ]]
  mqpub -h localhost -p "$port" --cafile ca.crt --tls-version tlsv1.3 -t a -m b
}

@test "who has no certificate of the house stays out, and the log says why" {
  our_broker "cafile HOUSE/ca.crt" "require_certificate true"
  mqpub -h localhost -p "$port" --cafile ca.crt --cert client.crt --key client.key -t a -m b
  mosquitto_pub -h localhost -p "$port" --cafile ca.crt --cert client.crt --key client.key -t a -m b
  refused 'it wants a client certificate. Show one with --cert and --key' --cafile ca.crt
  wait_for_line broker.err 'Client at .* disconnected: TLS: peer did not return a certificate\.$'
  refused 'the peer refuses it' --cafile ca.crt --cert impostor.crt --key impostor.key
  wait_for_line broker.err 'CN = impostor, issued by CN = stranger, is not trusted: '
  run ! mosquitto_pub -h localhost -p "$port" --cafile ca.crt -t a -m b
}

@test "a certificate says who its client is, and that is not anonymous" {
  our_broker "cafile HOUSE/ca.crt" "use_identity_as_username true" "listener_allow_anonymous false"
  mqpub -h localhost -p "$port" --cafile ca.crt --cert client.crt --key client.key -t a -m b -u bob
  wait_for_line broker.err "New client connected .*u'client'"
}

@test "the whole subject may be the name" {
  our_broker "cafile HOUSE/ca.crt" "use_subject_as_username true"
  mqpub -h localhost -p "$port" --cafile ca.crt --cert client.crt --key client.key -t a -m b
  wait_for_line broker.err "New client connected .*u'CN=client,O=House'"
}

@test "a key that needs a pass phrase is named, and nobody is asked" {
  openssl ec -in server.key -aes128 -passout pass:x -out locked.key 2>/dev/null
  printf 'listener 1 127.0.0.1\ncertfile server.crt\nkeyfile locked.key\nuser root\n' >locked.conf
  run -3 setsid -w script -qec 'mqbroker check -c locked.conf' /dev/null </dev/null
  [[ $output == *'cannot use the key locked.key: it is encrypted with a pass phrase (openssl pkey '* ]]
  [[ $output != *'Enter'* ]]
}

@test "a certificate that is revoked stays out" {
  touch index
  printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=1\n' >ca.conf
  openssl ca -config ca.conf -cert ca.crt -keyfile ca.key -revoke client.crt 2>ca.err
  openssl ca -config ca.conf -cert ca.crt -keyfile ca.key -gencrl -out crl.pem 2>>ca.err
  our_broker "cafile HOUSE/ca.crt" "require_certificate true" "crlfile HOUSE/crl.pem"
  refused 'certificate revoked' --cafile ca.crt --cert client.crt --key client.key
  wait_for_line broker.err 'CN = client, .* is not trusted: certificate revoked'
  mqpub -h localhost -p "$port" --cafile ca.crt --cert server.crt --key server.key -t a -m b
}

# say TEXT - sends it to the broker, in one piece, and waits until the broker has closed or reset the connection.
say() {
  local rc=0
  printf '%b' "$1" >said
  exec 9<>"/dev/tcp/127.0.0.1/$port"
  cat said >&9
  timeout 10 cat <&9 >/dev/null 2>&1 || rc=$?
  exec 9>&-
  [[ $rc -ne 124 ]]
}
lines_of_ends() { grep -c ' disconnected: ' broker.err; }

@test "strangers at a listener for TLS cost one line each and are shown out" {
  our_broker
  say '\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00'
  wait_for_line broker.err "Client at .+:[0-9]+ on port $port disconnected: it speaks MQTT without TLS, and this listener is for TLS"
  say 'GET / HTTP/1.0\r\n\r\n'
  wait_for_line broker.err 'it speaks HTTP, and this listener is for MQTT in TLS'
  say '\xff\xff\xff\xff'
  wait_for_line broker.err 'what it speaks is no TLS'
  say '\x16\x03\x01\x00\x05garbage of no use'
  wait_for_line broker.err 'disconnected: TLS: '
  [[ $(lines_of_ends) -eq 4 ]]
  run ! grep 'New connection' broker.err
  mqpub -h localhost -p "$port" --cafile ca.crt -t a -m b
}

@test "strangers at a plain listener cost one line each and are shown out" {
  start_broker
  run ! openssl s_client -connect "localhost:$port" -brief </dev/null
  wait_for_line broker.err 'it speaks TLS, and this listener is without'
  say 'GET / HTTP/1.0\r\n\r\n'
  wait_for_line broker.err 'it speaks HTTP, and this listener is for MQTT'
  [[ $(lines_of_ends) -eq 2 ]]
  run ! grep 'New connection' broker.err
  mqpub -h localhost -p "$port" -t a -m b
}

@test "who begins a handshake and leaves it at that is shown out" {
  our_broker "connect_timeout 1"
  say '\x16\x03\x01\x02\x00\x01'
  wait_for_line broker.err 'sent no CONNECT in time'
}

@test "certificates are read again on SIGHUP, and the old ones kept when the new are of no use" {
  our_broker
  serial() { openssl s_client -connect "localhost:$port" </dev/null 2>/dev/null | openssl x509 -noout -subject; }
  [[ $(serial) == *'CN = server'* ]]
  cp elsewhere.crt server.crt && cp elsewhere.key server.key
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'The configuration was read again'
  [[ $(serial) == *'CN = elsewhere'* ]]
  echo rubbish >server.crt
  kill -HUP "${window_pid[broker]}"
  wait_for_line broker.err 'cannot use the certificate .*server.crt: .*; (the certificates|the configuration) stays? (what|as)'
  [[ $(serial) == *'CN = elsewhere'* ]]
}

@test "a broker that cannot use its certificate says so and does not start" {
  printf 'listener 1\ncertfile none.crt\nkeyfile none.key\n' >c
  run -1 --separate-stderr mqbroker -c c
  [[ $stderr == *'cannot read the certificate none.crt: No such file or directory'* ]]
}

@test "a shared key is as good as certificates: our programs with each other, and with theirs" {
  printf '# who: key\nalice:00ff10\nbob:c0ffee\n' >keys.psk
  start_broker broker 'psk_file HOUSE/keys.psk
listener PORT 127.0.0.1
user root
psk_hint house
use_identity_as_username true'
  for version in tlsv1.2 tlsv1.3; do
    mqpub -h localhost -p "$port" --psk 00ff10 --psk-identity alice --tls-version "$version" -t a -m b
    wait_for_line broker.err "u'alice'"
  done
  mosquitto_pub -h localhost -p "$port" --psk c0ffee --psk-identity bob -t a -m b
  wait_for_line broker.err "u'bob'"
  refused 'the peer refuses it' --psk 00ff11 --psk-identity alice
  wait_for_line broker.err 'with the key of "alice" \(see psk_file\)'
  refused 'the peer refuses it' --psk 00ff10 --psk-identity eve
  wait_for_line broker.err 'no key is shared with "eve"'
  refused 'the peer refuses it' --cafile ca.crt

  broker=$mosquitto start_broker broker_theirs 'psk_file HOUSE/keys.psk
listener PORT 127.0.0.1
allow_anonymous true
user root
psk_hint house'
  window psk mqsub -h localhost -p "$port" --psk 00ff10 --psk-identity alice -t a -q 1 -C 1 -d
  wait_for_line psk.err SUBACK
  run ! grep -a 00ff10 "/proc/${window_pid[psk]}/cmdline"
  mqpub -h localhost -p "$port" --psk c0ffee --psk-identity bob -t a -q 1 -m hello
  wait_for_end psk
  expect psk hello
}

@test "a server with a certificate does not get past a client with a shared key" {
  our_broker
  run -1 mqpub -h localhost -p "$port" --psk 00ff10 --psk-identity alice -t a -m b
}

@test "mqbroker cert makes certificates, and the three commands that it prints use them" {
  run -0 --separate-stderr mqbroker cert tls --host localhost --host 127.0.0.1 --client alice --client bob
  [[ ${#lines[@]} -eq 3 ]]
  ((UID != 0)) || [[ $stderr == *'has to read the key when it is renewed: chown '*' tls/server.key' ]]
  [[ ${lines[0]} == 'mqbroker -c tls/mqbroker.conf' ]]
  [[ $(stat -c %a tls/ca.key) == 600 && $(stat -c %a tls/alice.key) == 600 ]]
  openssl verify -x509_strict -purpose sslserver -CAfile tls/ca.crt tls/server.crt
  openssl verify -x509_strict -purpose sslclient -CAfile tls/ca.crt tls/alice.crt tls/bob.crt
  local sub pub
  sub=${lines[1]} pub=${lines[2]}
  start_broker broker "$(sed 's/^listener 8883/user root\nlistener PORT/' tls/mqbroker.conf)"
  read -ra sub <<<"${sub//8883/$port}"
  read -ra pub <<<"${pub//8883/$port}"
  window sub "${sub[@]}" -C 1
  wait_for_line broker.err ' 0 test/topic$'
  "${pub[@]}"
  wait_for_end sub
  expect sub hello
  grep -q "u'alice'" broker.err
  mqpub -h 127.0.0.1 -p "$port" --cafile tls/ca.crt --cert tls/bob.crt --key tls/bob.key -t a -m b
}

@test "mqbroker cert leaves alone what is there, and says what it lacks" {
  mkdir tls
  echo mine >tls/ca.key
  run -1 --separate-stderr mqbroker cert tls --host localhost
  [[ $stderr == *'cannot write tls/ca.key: File exists; choose another directory'* ]]
  [[ $(<tls/ca.key) == mine && $(ls tls) == ca.key ]]
  run -3 --separate-stderr mqbroker cert
  [[ $stderr == *'cert needs one directory'* ]]
  run -3 --separate-stderr mqbroker cert tls
  [[ $stderr == *'cert needs the name'* ]]
  run -3 --separate-stderr mqbroker cert tls --host localhost --client ../x
  [[ $stderr == *'--client ../x: must be a name'* ]]
}

@test "the broker logs keys for Wireshark when it is told to" {
  printf 'listener 0 %s/sock\nallow_anonymous true\ncertfile server.crt\nkeyfile server.key\n' \
    "$house" >broker.conf
  window broker mqbroker -v -c broker.conf --tls-keylog keys
  wait_until "the broker runs" started_or_ended broker
  mqpub --unix sock --cafile ca.crt -t a -m b
  grep -q '^SERVER_TRAFFIC_SECRET_0 ' keys
}
