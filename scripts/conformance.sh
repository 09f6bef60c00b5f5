#!/usr/bin/env bash
# Runs all Autobahn WebSocket cases against EchoTestee, first against its server half, then against its client half: groups 1
# to 7 and 10 (247 cases), 9 (54 cases of limits: messages up to 16 MiB), and 12 and 13 (216 cases of compression, which has to
# be declined in each). Prints the counts and fails if a case failed. Reports: .build/autobahn.
#
# Autobahn's test suite is Python 2.7. Without an interpreter of that version nothing can be run, and this says so.
set -euo pipefail
cd "$(dirname "$0")/.."

reports=.build/autobahn
core='["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]'
limits='["9.*"]'
compression='["12.*", "13.*"]'
wstest=.venv-autobahn/bin/wstest

# A name in PATH may be a shim that only explains how to choose a version: ask it to run something.
find_python27() {
  local candidate
  for candidate in "$(command -v python2.7 || true)" "$(command -v python2 || true)" \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7*/bin/python2.7; do
    if [[ -n "$candidate" ]] && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (2, 7))' >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return
    fi
  done
}

if [[ ! -x $wstest ]]; then
  python27=$(find_python27)
  if [[ -z $python27 ]]; then
    echo "conformance: skipped, because Autobahn needs a Python 2.7 interpreter and none was found" >&2
    echo "(looked for python2.7 and python2 in PATH, and for a pyenv version 2.7)" >&2
    exit 0
  fi
  # The last virtualenv that can make a Python 2.7 environment, kept apart from everything else.
  python3 -m venv .venv-virtualenv
  .venv-virtualenv/bin/python -m pip install --quiet --disable-pip-version-check virtualenv==20.21.1
  .venv-virtualenv/bin/virtualenv --quiet --python "$python27" .venv-autobahn
  .venv-autobahn/bin/pip install --quiet --disable-pip-version-check --requirement Tests/Conformance/autobahn.txt \
    2> >(grep -v DEPRECATION >&2)
fi

scripts/setup.sh build
PARLEY_STRICT=1 swift build --product EchoTestee
testee=${ECHO_TESTEE:-.build/debug/EchoTestee}

rm -rf "$reports"
mkdir -p "$reports"

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Waits until something accepts connections on a port, at most ten seconds.
await_port() {
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.1
  done
  echo "conformance: nothing listens on port $1" >&2
  return 1
}

background=""
stop_background() {
  [[ -z $background ]] && return
  kill "$background" 2>/dev/null || true
  wait "$background" 2>/dev/null || true
  background=""
}
trap stop_background EXIT

# run NAME CASES: both halves.
run() {
  local name=$1 cases=$2 port
  echo "== $name, server half"
  port=$(free_port)
  "$testee" --port "$port" &
  background=$!
  await_port "$port"
  cat >"$reports/$name-fuzzingclient.json" <<JSON
{"outdir": "$reports/$name-server", "servers": [{"agent": "parley", "url": "ws://127.0.0.1:$port"}],
 "cases": $cases, "exclude-cases": []}
JSON
  timeout 900 "$wstest" -m fuzzingclient -s "$reports/$name-fuzzingclient.json" >"$reports/$name-server.log" 2>&1
  stop_background

  echo "== $name, client half"
  port=$(free_port)
  cat >"$reports/$name-fuzzingserver.json" <<JSON
{"outdir": "$reports/$name-client", "url": "ws://127.0.0.1:$port", "cases": $cases, "exclude-cases": []}
JSON
  # webport 0 keeps the suite's own web server from taking a fixed port.
  "$wstest" -m fuzzingserver --webport 0 -s "$reports/$name-fuzzingserver.json" >"$reports/$name-client.log" 2>&1 &
  background=$!
  await_port "$port"
  timeout 900 "$testee" --client "ws://127.0.0.1:$port" --agent parley
  stop_background
}

run core "$core"
run limits "$limits"
run compression "$compression"

status=0
python3 scripts/autobahn.py 247 "$reports/core-server/index.json" "$reports/core-client/index.json" || status=1
python3 scripts/autobahn.py 54 "$reports/limits-server/index.json" "$reports/limits-client/index.json" || status=1
python3 scripts/autobahn.py --declined 216 "$reports/compression-server/index.json" \
  "$reports/compression-client/index.json" || status=1
exit $status
