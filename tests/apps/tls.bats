#!/usr/bin/env bats
# TLS: our clients against Debian's mosquitto.

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

@test "the keys are logged for Wireshark" {
  their_broker server
  mqpub -h localhost -p "$port" --cafile ca.crt --tls-keylog keys -t a -m b
  grep -q '^CLIENT_TRAFFIC_SECRET_0 ' keys
}

@test "port 8883 means TLS, and --no-tls that there is none" {
  their_broker server
  run -1 --separate-stderr timeout 20 mqpub -h localhost -p "$port" --cafile ca.crt --no-tls -t a -m b
  [[ $stderr != *TLS* ]]
}
