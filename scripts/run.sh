#!/usr/bin/env bash
# Fetches the parts of the voice engine, builds (debug, because an optimised build takes several times as long) and serves
# until Ctrl-C. Needs no provider key: a session that names no provider is answered by the engine on this machine.
set -euo pipefail
# A relative data folder is meant from where this is called.
[[ ${PARLEY_DATA:-/} == /* ]] || export PARLEY_DATA=$PWD/$PARLEY_DATA
cd "$(dirname "$0")/.."

scripts/setup.sh build engine
scripts/engine-parts.sh
echo "Building (the first time takes some minutes) ..."
swift build --product parley

if (exec 3<>"/dev/tcp/127.0.0.1/8787") 2>/dev/null; then
  echo "run: something else already listens on port 8787" >&2
  exit 1
fi

server=""
stop() {
  trap - EXIT INT TERM
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; fi
  wait
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

.build/debug/parley serve --config routes.json --port 8787 &
server=$!

# The engine reads its models before the first answer.
for _ in $(seq 300); do
  curl --silent --fail --max-time 1 --output /dev/null http://127.0.0.1:8787/health && break
  kill -0 "$server" 2>/dev/null || { echo "run: the server did not start; its message is above" >&2; exit 1; }
  sleep 0.1
done

cat <<'TEXT'

Parley serves on ws://127.0.0.1:8787/v1/realtime (debug build, answered on this machine, no key needed).

Try, in another terminal:
  .build/debug/parley say "what time is it"
  curl http://127.0.0.1:8787/health

Or with the openai package:
  python3 -m venv /tmp/try && /tmp/try/bin/pip install 'openai[realtime]'
  /tmp/try/bin/python examples/ask.py "what time is it"

Ctrl-C stops it.
TEXT

wait "$server"
