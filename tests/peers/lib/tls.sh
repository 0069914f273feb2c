# Sourced by peers that speak TLS: an authority and a certificate of their own, made at every start.

# make_certificates DIR NAME…: writes ca.pem, server.pem and server.key for these names and addresses. Keys are ECDSA P-256,
# or RSA-2048 where `rsa` is set.
make_certificates() {
  local dir=$1 name names= key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1)
  shift
  [ -z "${rsa:-}" ] || key=(-newkey rsa:2048)
  mkdir -p "$dir"
  for name in "$@"; do
    if [[ $name =~ ^[0-9.]+$ ]]; then names+=,IP:$name; else names+=,DNS:$name; fi
  done
  (
    cd "$dir"
    umask 077
    openssl req -x509 "${key[@]}" -noenc -sha256 -days 2 -keyout ca.key -out ca.pem \
      -subj '/CN=authority of a test' -addext basicConstraints=critical,CA:TRUE \
      -addext keyUsage=critical,keyCertSign,cRLSign
    openssl req "${key[@]}" -noenc -keyout server.key -out server.csr -subj "/CN=$1"
    printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\nbasicConstraints=CA:FALSE\n' \
      "${names#,}" >server.ext
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -sha256 -extfile server.ext \
      -out server.pem
    chmod 644 ca.pem server.pem
  ) >"$dir/openssl.log" 2>&1 || die "no certificates: $(tail -n 2 "$dir/openssl.log")"
}
