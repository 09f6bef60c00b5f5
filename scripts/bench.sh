#!/usr/bin/env bash
# `make bench`: CPU per frame of the whole Parley process beside nginx, and its allocations per audio frame.
# What is measured and how to read it: docs/performance.md. Prints a table, writes .build/bench/latest.json.
#
# Builds what it needs, installs nginx if it is missing and may, talks on loopback only, ends within five minutes after
# the builds and takes everything down again. Settings, all optional:
#   BENCH_ROUNDS=5  BENCH_SECONDS=2  BENCH_CHUNKS="960 4800"  BENCH_SESSIONS="1 8"
#   PARLEY_BINARY=path   measures this binary instead of building one
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
results=$root/.build/bench
work=$(mktemp -d)
started=()

take_down() {
  local status=$?
  trap - EXIT
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for _ in $(seq 50); do
    if [ -z "$(jobs -rp)" ]; then break; fi
    sleep 0.1
  done
  # What has not gone after five seconds is not asked again.
  for pid in $(jobs -rp); do kill -KILL "$pid" 2>/dev/null || true; done
  if [ "$status" -ne 0 ]; then
    for log in "$work"/*.log; do
      if [ -s "$log" ]; then printf -- '--- %s\n' "${log##*/}" >&2 && tail -n 20 "$log" >&2; fi
    done
  fi
  rm -rf "$work"
  exit "$status"
}
trap take_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  echo "bench: $*" >&2
  exit 1
}

# await NAME PID PORT: until the process listens.
await() {
  for _ in $(seq 200); do
    kill -0 "$2" 2>/dev/null || fail "$1 ended before it listened"
    if (exec 3<>"/dev/tcp/127.0.0.1/$3") 2>/dev/null; then return; fi
    sleep 0.1
  done
  fail "$1 does not listen on port $3"
}

# --- What is needed.
[ "$(uname -s)" = Linux ] || fail "needs Linux: CPU time comes from /proc, allocations from glibc"
PATH=$PATH:/usr/sbin
if ! command -v nginx >/dev/null; then
  install="apt-get install --yes --no-install-recommends nginx"
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || fail "nginx is missing: sudo $install"
  (apt-get update && DEBIAN_FRONTEND=noninteractive $install) >"$work/apt.log" 2>&1 || fail "nginx: $install failed"
fi
compiler=$(command -v cc || command -v clang) || fail "needs a C compiler (cc or clang)"

export PARLEY_STRICT=1
proxy=${PARLEY_BINARY:-}
if [ -z "$proxy" ]; then
  swift build -c release --package-path "$root" --scratch-path "$root/.build-release" --product parley
  proxy=$root/.build-release/release/parley
fi
swift build -c release --package-path "$root/Benchmarks" --scratch-path "$root/.build-bench"
bench=$root/.build-bench/release/parley-bench
counting=$work/malloc_count.so
"$compiler" -O2 -shared -fPIC -o "$counting" "$root/Benchmarks/MallocCount/malloc_count.c"

# --- The counting library must see a planted allocation before its zero means anything.
PARLEY_MALLOC_COUNT_FILE=$work/planted LD_PRELOAD=$counting \
  "$bench" plant "$work/planted" 1000

# --- Proxies on one core, load and upstream on the other, so that the kernel never moves them.
peers=() proxies=() pinning="nothing pinned"
if command -v taskset >/dev/null && taskset -c 0 true 2>/dev/null && taskset -c 1 true 2>/dev/null; then
  peers=(taskset -c 0) proxies=(taskset -c 1) pinning="proxy pinned to core 1, load and upstream to core 0"
fi
model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
read -r busy _ </proc/loadavg
machine="$(nproc) cores${model:+ ($model)}, load average $busy before"

# Free ports below the range that the kernel takes for outgoing connections.
next_port=$((20000 + RANDOM % 10000))
take_port() {
  next_port=$((next_port + 1))
  while (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do next_port=$((next_port + 1)); done
  printf -v "$1" %d "$next_port"
}
for name in gemini openai parley counted nginx nginx_large; do take_port "$name"; done

# --- The service behind them.
"${peers[@]}" "$bench" upstream "$gemini" "$openai" 2>"$work/upstream.log" &
upstream_pid=$! && started+=("$upstream_pid")
await upstream "$upstream_pid" "$openai"

# --- Parley, once as it is and once under the counting library.
routes() {
  cat <<JSON
{
  "listen": [{"host": "127.0.0.1", "port": $1}],
  "default": "gemini",
  "providers": {
    "gemini": {"kind": "gemini-live", "url": "ws://127.0.0.1:$gemini", "key": "env:BENCH_KEY", "model": "gemini-3.8-live"}
  },
  "routes": [{"path": "/v1/realtime"}]
}
JSON
}
export BENCH_KEY=loopback
routes "$parley" >"$work/parley.json"
"${proxies[@]}" "$proxy" serve --config "$work/parley.json" >"$work/parley.log" 2>&1 &
parley_pid=$! && started+=("$parley_pid")
routes "$counted" >"$work/counted.json"
"${proxies[@]}" env LD_PRELOAD="$counting" PARLEY_MALLOC_COUNT_FILE="$work/counters" \
  "$proxy" serve --config "$work/counted.json" >"$work/counted.log" 2>&1 &
counted_pid=$! && started+=("$counted_pid")
await parley "$parley_pid" "$parley"
await "parley under the counting library" "$counted_pid" "$counted"

# --- nginx as anyone sets it up in front of a WebSocket service. Its buffer is one page by default, less than a frame of
# 100 ms; the second server shows what a larger one changes.
upgrade="proxy_pass http://127.0.0.1:$openai; proxy_http_version 1.1; proxy_set_header Host \$host;
      proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection \"upgrade\";"
cat >"$work/nginx.conf" <<NGINX
daemon off;
worker_processes 1;
pid $work/nginx.pid;
error_log $work/nginx.log warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
  server { listen 127.0.0.1:$nginx; location / { $upgrade } }
  server { listen 127.0.0.1:$nginx_large; location / { proxy_buffer_size 16k; proxy_buffers 8 16k; $upgrade } }
}
NGINX
"${proxies[@]}" nginx -p "$work" -e "$work/nginx.log" -c "$work/nginx.conf" &
nginx_pid=$! && started+=("$nginx_pid")
await nginx "$nginx_pid" "$nginx"

# --- The comparison.
numbers() { echo "$*" | tr -s ' ' ','; }
mkdir -p "$results"
cat >"$work/plan.json" <<JSON
{
  "machine": "$machine", "pinning": "$pinning", "path": "/v1/realtime?provider=gemini",
  "chunks": [$(numbers ${BENCH_CHUNKS:-960 4800})], "sessions": [$(numbers ${BENCH_SESSIONS:-1 8})],
  "rounds": ${BENCH_ROUNDS:-5}, "secondsPerRound": ${BENCH_SECONDS:-2}, "countedRoundTrips": 20000,
  "targets": [
    {"name": "parley", "port": $parley, "process": $parley_pid},
    {"name": "nginx", "port": $nginx, "process": $nginx_pid},
    {"name": "nginx, 16k buffer", "port": $nginx_large, "process": $nginx_pid}
  ],
  "counted": [{"name": "parley", "port": $counted, "counters": "$work/counters"}],
  "reference": "nginx", "report": "$results/latest.json"
}
JSON
# In the background, because a trap waits for a foreground command but not for `wait`.
"${peers[@]}" timeout 280 "$bench" load "$work/plan.json" &
load_pid=$! && started+=("$load_pid")
wait "$load_pid"
echo "Figures: ${results#"$root"/}/latest.json"
