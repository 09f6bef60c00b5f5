#!/usr/bin/env bash
# Installs the Debian packages that are missing for a purpose. Quick when nothing is missing.
# Usage: scripts/setup.sh [build] [test] [bench]      (no argument: all three)
# Without root it prints the exact command and stops.
set -euo pipefail

purposes=("$@")
[[ ${#purposes[@]} -gt 0 ]] || purposes=(build test bench)

missing=()

# need PACKAGE PROBE...: remembers the package if the probe fails. Probing for the thing itself rather than for the
# package also accepts a Python that did not come from Debian.
need() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}

for purpose in "${purposes[@]}"; do
  case "$purpose" in
    build)
      need zlib1g-dev test -f /usr/include/zlib.h # swift-nio-extras' compression, which hummingbird brings along
      need curl curl --version                    # waits for /health
      ;;
    test)
      need python3 python3 --version
      need python3-venv python3 -c 'import ensurepip, venv'
      need espeak-ng espeak-ng --version # speaks the sentence of the bit-exactness test
      ;;
    bench)
      need nginx test -x /usr/sbin/nginx # the pass-through peer of the comparison
      ;;
    *)
      echo "setup: unknown purpose '$purpose' (build, test, bench)" >&2
      exit 64
      ;;
  esac
done

if ! command -v swift >/dev/null; then
  echo "setup: no 'swift' in PATH. Install Swift 6.2 or later from https://www.swift.org/install/" >&2
  exit 1
fi

[[ ${#missing[@]} -gt 0 ]] || exit 0

install=(apt-get install --yes --no-install-recommends "${missing[@]}")
if ! command -v apt-get >/dev/null; then
  echo "setup: please install what these Debian packages hold: ${missing[*]}" >&2
  exit 1
fi
if [[ $(id -u) -ne 0 ]]; then
  echo "setup: missing packages. Run this, then try again:" >&2
  echo "  sudo ${install[*]}" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
echo "setup: installing ${missing[*]}"
# The package lists may be old or absent: refresh them only if the first try fails.
"${install[@]}" >/dev/null 2>&1 || { apt-get update -qq && "${install[@]}" >/dev/null; }
