#!/usr/bin/env bash
# Builds (debug, because an optimised build takes several times as long), starts the stand-in providers and the server,
# and stops both on Ctrl-C. Needs no provider key.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build
echo "Building (the first time takes some minutes) ..."
swift build --product parley

pids=()
stop() {
  trap - EXIT INT TERM
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
  wait
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for port in 8787 8790 8791; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "run: something else already listens on port $port" >&2
    exit 1
  fi
done
.build/debug/parley standin --gemini-port 8790 --openai-port 8791 &
pids+=($!)
.build/debug/parley serve --config examples/standin.json --port 8787 &
pids+=($!)

for _ in $(seq 100); do
  curl --silent --fail --max-time 1 --output /dev/null http://127.0.0.1:8787/health && break
  for pid in "${pids[@]}"; do
    kill -0 "$pid" 2>/dev/null || { echo "run: a server did not start; its message is above" >&2; exit 1; }
  done
  sleep 0.1
done

cat <<'TEXT'

Parley serves on ws://127.0.0.1:8787/v1/realtime (debug build, stand-in providers, no key needed).

Try, in another terminal:
  curl http://127.0.0.1:8787/health
  python3 -m venv /tmp/try && /tmp/try/bin/pip install 'openai[realtime]'
  /tmp/try/bin/python examples/quickstart.py

Ctrl-C stops everything.
TEXT

# Ends when either ends, so that a dead server is not served on by silence.
wait -n "${pids[@]}"
