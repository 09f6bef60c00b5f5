#!/bin/sh
# Makes the certificates of the TLS tests anew: an authority of its own and four certificates for a stand-in. They are
# for tests only; nothing trusts the authority but the tests themselves, and its key is thrown away. And the key of a
# service account that exists nowhere. Needs openssl.
set -eu
target=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
touch index.txt
printf 'unique_subject = no\n' > index.txt.attr
cat > ca.cnf <<'END'
[ca]
default_ca = test
[test]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
CN = unused
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[good]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
[wrong-name]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:other.example
[address]
basicConstraints = critical, CA:TRUE
subjectAltName = IP:192.0.2.7
END
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }
sign() { # name, extensions, first day, last day, more options
  openssl ca -batch -notext -config ca.cnf -in "$1.csr" -out "$1.pem" -extensions "$2" \
    -startdate "$3000000Z" -enddate "$4000000Z" $5
}
key authority-key.pem
openssl req -new -config ca.cnf -key authority-key.pem -subj "/CN=Test Authority" -out authority.csr
sign authority authority 20200101 21200101 "-selfsign -keyfile authority-key.pem"
key server-key.pem
for name in good wrong-name expired; do
  openssl req -new -config ca.cnf -key server-key.pem -subj "/CN=stand-in" -out $name.csr
done
by_authority="-cert authority.pem -keyfile authority-key.pem"
sign good good 20200101 21200101 "$by_authority"
sign wrong-name wrong-name 20200101 21200101 "$by_authority"
sign expired good 20200101 20200201 "$by_authority"
# Of an address, and an authority by itself.
openssl req -x509 -config ca.cnf -subj "/CN=stand-in" -extensions address -key server-key.pem -days 36500 -out address.pem
openssl genrsa 2048 | openssl pkcs8 -topk8 -nocrypt -out account-key.pem
cp authority.pem good.pem wrong-name.pem expired.pem address.pem server-key.pem account-key.pem "$target"
