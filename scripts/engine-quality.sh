#!/usr/bin/env bash
# `make engine-bench`: how well the local voice engine hears and answers, how soon, in how much memory, for how many at
# once. What is measured and how to read it: docs/local-engine.md. Options (`--quick`, `--minutes N`) go to
# engine_quality.py. Settings, optional:
#   PARLEY_BINARY=path   measures this binary instead of building one
#   PARLEY_DATA=folder   of the engine's parts
set -euo pipefail
# A relative path is meant from where this is called.
for name in PARLEY_BINARY PARLEY_DATA; do
  value=${!name:-}
  if [[ -n $value && $value != /* ]]; then export "$name=$PWD/$value"; fi
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  echo "engine-quality: $*" >&2
  exit 1
}

[[ $(uname -s) == Linux ]] || fail "needs Linux: memory comes from /proc"
scripts/setup.sh engine test
if ! command -v flite >/dev/null; then
  install="apt-get install --yes --no-install-recommends flite"
  if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
    DEBIAN_FRONTEND=noninteractive $install >/dev/null 2>&1 || { apt-get update -qq && $install >/dev/null; } || true
  fi
  command -v flite >/dev/null || echo "engine-quality: flite is missing (sudo $install); espeak-ng speaks its part" >&2
fi
scripts/python.sh
# A degraded engine is not measured: engine_quality.py looks at what the session says of itself.
scripts/engine-parts.sh
if [[ -z ${PARLEY_BINARY:-} ]]; then
  export PARLEY_STRICT=1
  scripts/release.sh
  export PARLEY_BINARY=$PWD/.build-release/release/parley
fi
exec .venv/bin/python scripts/engine_quality.py "$@"
