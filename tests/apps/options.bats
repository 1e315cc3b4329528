#!/usr/bin/env bats
# What an option of mqbroker.conf changes, where no other test shows it.

bats_require_minimum_version 1.5.0

setup() {
  load support
  load certificates
  open_house
  cd "$house" || return
}
teardown() {
  close_house
}

# broker_with [LINE...] - mqbroker with one listener, and these lines.
broker_with() {
  start_broker broker "listener PORT 127.0.0.1
allow_anonymous true
user root
$(printf '%s\n' "$@")"
}

# broker_of LINE... - mqbroker with these lines, and no listener but what they name.
broker_of() { start_broker broker "user root
$(printf '%s\n' "$@")"; }

# sockets - where the broker listens.
sockets() { ss -tlnH "sport = :$port" | awk '{ print $4 }' | sort; }
has_ipv6() { grep -q "^0*1 " /proc/net/if_inet6 2>/dev/null; }

# come_in [ARGUMENT...] - mqpub is let in.
come_in() { mqpub -h 127.0.0.1 -p "$port" -t a -m b -q 1 "$@"; }

@test "the log file belongs to whom the broker becomes, who can open it anew" {
  ((EUID == 0)) || skip "only root becomes somebody else"
  start_broker broker 'listener PORT 127.0.0.1
allow_anonymous true
user nobody
log_dest stderr
log_dest file HOUSE/b.log'
  [[ $(stat -c %U b.log) == nobody ]]
  kill -HUP "${window_pid[broker]}"
  wait_for_line b.log 'configuration was read again'
  run ! grep 'cannot open the log file' b.log
}

@test "a start that fails leaves no pid_file, and its reason in the log file" {
  mkdir -m 555 kept
  local words="c:3: persistence_location: user .* cannot write the data directory $house/kept "
  printf 'listener 0 %s\npersistence true\npersistence_location %s\npid_file %s\nlog_dest file %s\n' \
    "$house/socket" "$house/kept" "$house/pid" "$house/b.log" >c
  run -1 --separate-stderr timeout 20 mqbroker -c c
  [[ $(wc -l <<<"$stderr") == 1 && $stderr =~ $words ]]
  grep -q "$words" b.log
  [[ ! -e pid ]]
}

@test "a start that fails in the state leaves no pid_file where only root could remove it" {
  ((EUID == 0)) || skip "only root becomes somebody else"
  mkdir -p kept/mqbroker.db
  chown nobody kept
  printf 'listener 0 %s\nuser nobody\npersistence true\npersistence_location %s/\npid_file %s\n' \
    "$house/socket" "$house/kept" "$house/pid" >c
  run -1 --separate-stderr timeout 20 mqbroker -c c
  [[ $stderr == *"$house/kept/mqbroker.db"* ]]
  [[ ! -e pid ]]
}

@test "port and bind_address say where the default listener is" {
  broker_of 'port PORT' 'bind_address 127.0.0.1' 'allow_anonymous true'
  come_in
  [[ $(sockets) == "127.0.0.1:$port" ]]
}

@test "socket_domain leaves out the addresses of the other family" {
  broker_of 'listener PORT' 'socket_domain ipv4'
  [[ $(sockets) == "0.0.0.0:$port" ]]
  stop broker
  printf 'listener %s 127.0.0.1\nsocket_domain ipv6\n' "$port" >none.conf
  run -3 mqbroker -c none.conf
  [[ $output == *'none.conf:2: socket_domain: 127.0.0.1, the address of the listener, is no ipv6 address' ]]
  has_ipv6 || skip 'this machine has no IPv6'
  broker_of 'listener PORT' 'socket_domain ipv6'
  [[ $(sockets) == "[::]:$port" ]]
}

@test "set_tcp_nodelay makes small packets leave at once" {
  command -v strace >/dev/null || skip 'strace is not here to see it'
  for value in true false; do
    broker_with "set_tcp_nodelay $value"
    window trace strace -f -e trace=setsockopt -p "${window_pid[broker]}"
    wait_for_line trace.err attached
    come_in
    stop trace INT || true
    stop broker
    [[ $(grep -c TCP_NODELAY trace.err) == $([[ $value == true ]] && echo 1 || echo 0) ]]
  done
}

@test "per_listener_settings gives each listener its own users and rules" {
  mqbroker passwd -c -b users alice secret
  echo 'topic read a' >acl
  broker_of 'per_listener_settings true' 'listener PORT 127.0.0.1' 'allow_anonymous false' \
    'password_file HOUSE/users' 'listener 0 HOUSE/open.sock' 'allow_anonymous true' \
    'acl_file HOUSE/acl'
  come_in -u alice -P secret
  run -5 come_in
  mqpub --unix "$house/open.sock" -t a -m b
  wait_for_line broker.err 'may not publish to a: .*/acl'
}

@test "auto_id_prefix begins the ids that the broker gives, listener_auto_id_prefix those of one listener" {
  broker_with 'auto_id_prefix house-' 'listener 0 HOUSE/s' 'listener_auto_id_prefix socket-'
  come_in -V 5
  wait_for_line broker.err ' as house-[0-9A-F]{8}-'
  mqpub -V 5 --unix "$house/s" -t a -m b
  wait_for_line broker.err ' as socket-[0-9A-F]{8}-'
}

@test "include_dir reads the files that end in .conf" {
  mkdir conf.d
  echo 'auto_id_prefix included-' >conf.d/a.conf
  echo 'this is no configuration' >conf.d/a.txt
  broker_with 'include_dir HOUSE/conf.d'
  come_in -V 5
  wait_for_line broker.err ' as included-'
}

# users_of LINE... - a broker with these lines lets alice in, and asks for her password.
users_of() {
  broker_of 'listener PORT 127.0.0.1' "$@"
  come_in -u alice -P secret
  run -5 come_in -u alice -P wrong
  stop broker
}

@test "plugins of mosquitto that are built in do what their options say" {
  mqbroker passwd -c -b users alice secret
  users_of 'plugin /usr/lib/mosquitto_password_file.so' 'plugin_opt_password_file HOUSE/users'
  users_of 'global_plugin /usr/lib/mosquitto_password_file.so' 'plugin_opt_password_file HOUSE/users'
  users_of 'plugin_load people /usr/lib/mosquitto_password_file.so' \
    'plugin_opt_password_file HOUSE/users' 'plugin_use people'
}

# tls_broker [LINE...] - mqbroker with a listener for TLS.
tls_broker() {
  [[ -e ca.crt ]] || make_ca ca
  [[ -e server.crt ]] || make_certificate ca server
  broker_with 'certfile HOUSE/server.crt' 'keyfile HOUSE/server.key' "$@"
}
# cipher [ARGUMENT...] - what openssl and the broker agree on.
cipher() {
  openssl s_client -connect "127.0.0.1:$port" "$@" </dev/null 2>/dev/null |
    sed -nE 's/^New, .*Cipher is (.*)/\1/p'
}

@test "ciphers and ciphers_tls1.3 name what may be agreed on" {
  tls_broker 'ciphers ECDHE-ECDSA-AES128-GCM-SHA256' 'ciphers_tls1.3 TLS_CHACHA20_POLY1305_SHA256'
  [[ $(cipher -tls1_2) == ECDHE-ECDSA-AES128-GCM-SHA256 ]]
  [[ $(cipher -tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384) == '(NONE)' ]]
  [[ $(cipher -tls1_3) == TLS_CHACHA20_POLY1305_SHA256 ]]
}

@test "disable_client_cert_date_checks takes a client's certificate that is out of date" {
  make_ca ca
  make_certificate ca old
  openssl x509 -req -in old.csr -CA ca.crt -CAkey ca.key -days -1 -out old.crt 2>/dev/null
  tls_broker 'cafile HOUSE/ca.crt' 'require_certificate true'
  run ! mqpub -h localhost -p "$port" --cafile ca.crt --cert old.crt --key old.key -t a -m b -q 1
  wait_for_line broker.err 'is not trusted: certificate has expired'
  stop broker
  tls_broker 'cafile HOUSE/ca.crt' 'require_certificate true' 'disable_client_cert_date_checks true'
  mqpub -h localhost -p "$port" --cafile ca.crt --cert old.crt --key old.key -t a -m b -q 1
}

@test "log_timestamp false leaves the time out" {
  broker_with 'log_timestamp false'
  grep -qE '^mqbroker version [0-9.]+ running$' broker.err
}

@test "persistence_sync always waits for the disk before an acknowledgement, off does not" {
  command -v strace >/dev/null || skip 'strace is not here to see it'
  for value in always off; do
    mkdir "$value"
    broker_with 'persistence true' "persistence_location HOUSE/$value/" "persistence_sync $value"
    window trace strace -f -e trace=fdatasync,fsync -p "${window_pid[broker]}"
    wait_for_line trace.err attached
    come_in -r
    stop trace INT || true
    stop broker
    [[ $(grep -c 'sync(' trace.err) -gt 0 ]] && echo always || echo off
  done >seen
  [[ $(<seen) == $'always\noff' ]]
}
