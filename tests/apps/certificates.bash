# Certificates for tests, made with openssl where they are used: elliptic curves, since they are
# made at once.

# make_ca NAME - NAME.crt and NAME.key, a CA of its own.
make_ca() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj "/CN=$1" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}

# make_certificate CA NAME [EXTENSION] - NAME.crt and NAME.key, issued by CA, with the common name
# NAME and the alternative name localhost, or what EXTENSION says.
make_certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/O=House/CN=$2" \
    -keyout "$2.key" -out "$2.csr" 2>/dev/null
  openssl x509 -req -in "$2.csr" -CA "$1.crt" -CAkey "$1.key" -CAcreateserial -days 2 \
    -extfile <(echo "${3:-subjectAltName=DNS:localhost}") -out "$2.crt" 2>/dev/null
}
