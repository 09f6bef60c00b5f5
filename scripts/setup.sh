#!/usr/bin/env bash
# Installs the Debian packages that are missing for a purpose. Quick when nothing is missing.
# Usage: scripts/setup.sh [build] [engine] [test] [bench]      (no argument: all of them)
# Without root it prints the exact command and stops, unless only packages are missing that can be done without.
set -euo pipefail

purposes=("$@")
[[ ${#purposes[@]} -gt 0 ]] || purposes=(build engine test bench)

missing=()
missing_optional=()

# need PACKAGE PROBE...: remembers the package if the probe fails. Probing for the thing itself rather than for the
# package also accepts a Python that did not come from Debian.
need() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}

# want PACKAGE PROBE...: the same for a package without which a part of the voice engine is left out.
want() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing_optional+=("$package")
}

# library NAME: whether the loader knows a shared library.
library() {
  [[ $(PATH=$PATH:/sbin:/usr/sbin ldconfig -p) == *"$1 "* ]]
}

want_engine_libraries() {
  want libespeak-ng1 library libespeak-ng.so.1 # the default voice, and the phonemes of the natural one
  want libflite1 library libflite.so.1         # the permissively licensed voice
  want libopus0 library libopus.so.0           # recordings in Ogg Opus
}

need_nginx() {
  need nginx test -x /usr/sbin/nginx
}

need_haproxy() {
  need haproxy test -x /usr/sbin/haproxy
}

for purpose in "${purposes[@]}"; do
  case "$purpose" in
    build)
      need zlib1g-dev test -f /usr/include/zlib.h # swift-nio-extras' compression, which hummingbird brings along
      need libsqlite3-dev test -f /usr/include/sqlite3.h # the ledger; the program needs libsqlite3-0, which comes with it
      need curl curl --version # waits for /health
      ;;
    engine)
      want_engine_libraries
      want python3 python3 --version # fetches the other parts (scripts/engine-parts.sh), by pip
      want python3-venv python3 -c 'import ensurepip, venv'
      ;;
    test)
      want_engine_libraries
      need python3 python3 --version
      need python3-venv python3 -c 'import ensurepip, venv'
      need espeak-ng espeak-ng --version # speaks the sentences of the tests
      need_nginx                         # TLS in front of the server, for clients that insist on it
      need_haproxy                       # and the other proxy that deploy/ has a file for
      need prometheus promtool --version # tries the alert rules; a machine with systemd also starts the server
      need systemd systemd-analyze --version # reads the unit of deploy/
      need curl curl --version
      need openssl openssl version       # makes its certificate
      need nodejs node --version         # runs clients in JavaScript
      need node-ws env NODE_PATH=/usr/share/nodejs node -e 'require("ws")' # and wscat
      need libpq5 library libpq.so.5 # the ledger of many replicas
      need postgresql sh -c 'ls /usr/lib/postgresql/*/bin/postgres' # started by the tests, in folders of their own
      need chromium-headless-shell sh -c 'command -v chromium-headless-shell || command -v chromium'
      need iproute2 ip -V # a network of one test's own, where the usual port is free
      need jq jq --version
      ;;
    bench)
      need_nginx                                # the peers of the comparison that pass bytes on
      need_haproxy
      need strace strace --version              # counts system calls
      need python3 python3 --version            # runs the peer that translates
      need python3-venv python3 -c 'import ensurepip, venv'
      ;;
    *)
      echo "setup: unknown purpose '$purpose' (build, engine, test, bench)" >&2
      exit 64
      ;;
  esac
done

if ! command -v swift >/dev/null; then
  echo "setup: no 'swift' in PATH. Install Swift 6.2 or later from https://www.swift.org/install/" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
get=(apt-get install --yes --no-install-recommends)

install() {
  echo "setup: installing $*"
  # The package lists may be old or absent: refresh them only if the first try fails.
  "${get[@]}" "$@" >/dev/null 2>&1 || { apt-get update -qq && "${get[@]}" "$@" >/dev/null; }
}

may_install=false
if command -v apt-get >/dev/null && [[ $(id -u) -eq 0 ]]; then may_install=true; fi

if [[ ${#missing[@]} -gt 0 ]]; then
  if $may_install; then
    install "${missing[@]}"
  elif command -v apt-get >/dev/null; then
    echo "setup: missing packages. Run this, then try again:" >&2
    echo "  sudo ${get[*]} ${missing[*]} ${missing_optional[*]}" >&2
    exit 1
  else
    echo "setup: please install what these Debian packages hold: ${missing[*]} ${missing_optional[*]}" >&2
    exit 1
  fi
fi

if [[ ${#missing_optional[@]} -gt 0 ]]; then
  if ! $may_install || ! install "${missing_optional[@]}"; then
    echo "setup: parts of the voice engine will be missing. To have them:" >&2
    echo "  sudo ${get[*]} ${missing_optional[*]}" >&2
  fi
fi
