#!/usr/bin/env bash
# `make bench`: what audio costs in the whole Parley process, beside nginx, HAProxy and LiteLLM's proxy.
# What is measured and how to read it: docs/performance.md. Prints tables, writes .build/bench/latest.{json,md}; a complete
# run (no setting given) also puts the tables into docs/performance.md.
#
# Builds what it needs, talks on loopback only, ends within twelve minutes after the builds and takes everything down
# again. Settings, all optional:
#   BENCH_PARTS="turn burst paced setup memory syscalls allocations"
#   BENCH_PEERS="nginx haproxy litellm"      nginx is always there: the ratios are to it
#   BENCH_ROUNDS=5  BENCH_SECONDS=1.2  BENCH_CHUNKS="960 4800"  BENCH_SESSIONS="1 8"  BENCH_IDLE="1000 5000"
#   PARLEY_BINARY=path   measures this binary instead of building one
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
results=$root/.build/bench
work=$(mktemp -d)
started=()

is_complete=true
for setting in PARTS PEERS ROUNDS SECONDS CHUNKS SESSIONS IDLE; do
  name=BENCH_$setting
  [ -z "${!name:-}" ] || is_complete=false
done
[ -z "${PARLEY_BINARY:-}" ] || is_complete=false

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

# In the report and on the terminal.
remarks=()
remark() {
  echo "bench: $*" >&2
  remarks+=("$*")
}

# listens NAME PID PORT SECONDS: waits until the process listens.
listens() {
  for _ in $(seq $(($4 * 10))); do
    kill -0 "$2" 2>/dev/null || return 1
    if (exec 3<>"/dev/tcp/127.0.0.1/$3") 2>/dev/null; then return; fi
    sleep 0.1
  done
  return 1
}

await() { listens "$1" "$2" "$3" 60 || fail "$1 does not listen on port $3"; }

has() { [[ " $2 " == *" $1 "* ]]; }

# --- What is needed.
[ "$(uname -s)" = Linux ] || fail "needs Linux: CPU time comes from /proc, allocations from glibc"
parts=${BENCH_PARTS:-turn burst paced setup memory syscalls allocations}
peers="nginx ${BENCH_PEERS-haproxy litellm}"
rounds=${BENCH_ROUNDS:-5} seconds=${BENCH_SECONDS:-1.2} idle=${BENCH_IDLE:-1000 5000}
PATH=$PATH:/usr/sbin
compiler=$(command -v cc || command -v clang) || fail "needs a C compiler (cc or clang)"
command -v nginx >/dev/null || fail "nginx is missing: scripts/setup.sh bench installs it"
if has haproxy "$peers" && ! command -v haproxy >/dev/null; then
  remark "HAProxy is left out: it is not installed (scripts/setup.sh bench)." && peers=${peers//haproxy/}
fi
if has litellm "$peers" && ! (cd "$root" && scripts/python.sh litellm) >"$work/pip.log" 2>&1; then
  remark "LiteLLM is left out: pip could not install it ($(tail -n 1 "$work/pip.log"))." && peers=${peers//litellm/}
fi
if has syscalls "$parts"; then
  sleep 20 &
  started+=($!)
  attached=0
  timeout --signal INT 1 strace -qq -o /dev/null -p $! 2>"$work/strace.log" || attached=$?
  if [ "$attached" -ne 124 ]; then
    remark "System calls are not counted: strace is missing or may not attach." && parts=${parts//syscalls/}
  fi
fi

# A session takes two descriptors of a proxy.
ulimit -n "$(ulimit -Hn)"
most_idle=$(($(ulimit -n) / 2 - 200))
for count in $idle; do
  if has memory "$parts" && [ "$count" -gt "$most_idle" ]; then
    remark "Memory with $count idle sessions is left out: only $(ulimit -n) descriptors are allowed."
    idle=${idle//$count/}
  fi
done

export PARLEY_STRICT=1
proxy=${PARLEY_BINARY:-}
if [ -z "$proxy" ]; then
  "$root/scripts/release.sh"
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
near=() far=() pinning="nothing pinned"
if command -v taskset >/dev/null && taskset -c 0 true 2>/dev/null && taskset -c 1 true 2>/dev/null; then
  near=(taskset -c 0) far=(taskset -c 1) pinning="proxy pinned to core 1, load and upstream to core 0"
fi
model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
read -r busy _ </proc/loadavg
machine="$(nproc) cores${model:+ ($model)}, Linux $(uname -r), load average $busy before"

# Free ports below the range that the kernel takes for outgoing connections.
next_port=$((20000 + RANDOM % 10000))
take_port() {
  next_port=$((next_port + 1))
  while (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do next_port=$((next_port + 1)); done
  printf -v "$1" %d "$next_port"
}
take_port gemini && take_port openai && take_port status

# --- The targets. Each is one process with its children; add TARGET-NAME PORT PID [PATH [FIELD [COUNTERS]]].
targets=()
add() {
  local process=${3:+, \"process\": $3} field=${5:+, \"fields\": [\"$5\"]} counters=${6:+, \"counters\": \"$6\"}
  targets+=("{\"name\": \"$1\", \"port\": $2, \"path\": \"${4:-/v1/realtime}\"$process$field$counters}")
}

"${near[@]}" "$bench" upstream "$gemini" "$openai" "$status" 2>"$work/upstream.log" &
started+=($!)
await upstream $! "$status"
add direct "$openai" ""

# LiteLLM takes longest to begin, so it goes first.
start_litellm() {
  local port
  take_port port
  cat >"$work/litellm.yaml" <<YAML
model_list:
  - model_name: bench
    litellm_params: {model: gemini/gemini-3.8-live, api_base: "ws://127.0.0.1:$gemini", api_key: loopback}
general_settings: {master_key: sk-bench}
YAML
  (
    cd "$work"
    export LITELLM_LOCAL_MODEL_COST_MAP=True LITELLM_MODE=PRODUCTION LITELLM_LOG=ERROR
    exec "${far[@]}" "$root/.venv-litellm/bin/litellm" --config litellm.yaml --host 127.0.0.1 --port "$port" \
      --num_workers 1 --telemetry False
  ) >"$work/$1.log" 2>&1 &
  started+=($!)
  litellm_processes+=("$1 $port $!")
}
litellm_processes=()
if has litellm "$peers"; then
  start_litellm LiteLLM
  if has memory "$parts"; then start_litellm "LiteLLM, new"; fi
fi

# start_parley NAME [COUNTERS]
export BENCH_KEY=loopback
start_parley() {
  local port preload=()
  take_port port
  [ -z "${2:-}" ] || preload=(env LD_PRELOAD="$counting" PARLEY_MALLOC_COUNT_FILE="$2")
  cat >"$work/$1.json" <<JSON
{
  "listen": [{"host": "127.0.0.1", "port": $port}],
  "ledger": "none",
  "default": "gemini",
  "providers": {
    "gemini": {"kind": "gemini-live", "url": "ws://127.0.0.1:$gemini", "key": "env:BENCH_KEY", "model": "gemini-3.8-live"}
  },
  "routes": [{"path": "/v1/realtime"}]
}
JSON
  "${far[@]}" "${preload[@]}" "$proxy" serve --config "$work/$1.json" >"$work/$1.log" 2>&1 &
  started+=($!)
  await "$1" $! "$port"
  add "$1" "$port" $! "/v1/realtime?provider=gemini" "" "${2:-}"
}
start_parley parley
if has memory "$parts"; then start_parley "parley, new"; fi
if has allocations "$parts"; then start_parley "parley, counted" "$work/counters"; fi

# nginx as anyone sets it up in front of a WebSocket service. Its buffer is one page by default, less than a frame of
# 100 ms; the second server of the same process shows what a larger one changes.
start_nginx() {
  local port large files=$work/$1
  take_port port && take_port large && mkdir "$files"
  local upgrade="proxy_pass http://127.0.0.1:$openai; proxy_http_version 1.1; proxy_set_header Host \$host;
      proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection \"upgrade\";"
  cat >"$files/nginx.conf" <<NGINX
daemon off;
worker_processes 1;
pid "$files/nginx.pid";
error_log "$files/error.log" warn;
events { worker_connections 16384; }
http {
  access_log off;
  client_body_temp_path "$files/body"; proxy_temp_path "$files/proxy"; fastcgi_temp_path "$files/fastcgi";
  uwsgi_temp_path "$files/uwsgi"; scgi_temp_path "$files/scgi";
  server { listen 127.0.0.1:$port; location / { $upgrade } }
  server { listen 127.0.0.1:$large; location / { proxy_buffer_size 16k; proxy_buffers 8 16k; $upgrade } }
}
NGINX
  "${far[@]}" nginx -p "$files" -e "$files/error.log" -c "$files/nginx.conf" 2>"$work/$1.log" &
  started+=($!)
  await "$1" $! "$port"
  add "$1" "$port" $!
  add "$1, 16k buffer" "$large" $!
}
start_nginx nginx
if has memory "$parts"; then start_nginx "nginx, new"; fi

start_haproxy() {
  local port
  take_port port
  cat >"$work/$1.cfg" <<HAPROXY
global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
frontend clients
  bind 127.0.0.1:$port
  default_backend service
backend service
  server upstream 127.0.0.1:$openai
HAPROXY
  "${far[@]}" haproxy -db -f "$work/$1.cfg" >"$work/$1.log" 2>&1 &
  started+=($!)
  await "$1" $! "$port"
  add "$1" "$port" $!
}
if has haproxy "$peers"; then
  start_haproxy HAProxy
  if has memory "$parts"; then start_haproxy "HAProxy, new"; fi
fi

for process in "${litellm_processes[@]}"; do
  pid=${process##* } port=${process% *}
  name=${port% *} port=${port##* }
  if listens "$name" "$pid" "$port" 180; then
    add "$name" "$port" "$pid" "/v1/realtime?model=bench" "Authorization: Bearer sk-bench"
  elif has litellm "$peers"; then
    remark "LiteLLM is left out: it does not begin ($(grep -v '^ *$' "$work/$name.log" | tail -n 1 | tr -d '"\\'))."
    peers=${peers//litellm/}
  fi
done

# --- The plan.
versions="nginx $(nginx -v 2>&1 | sed 's|.*/||')"
if has haproxy "$peers"; then versions+=", HAProxy $(haproxy -v | sed -n '1s/.*version \([^ -]*\).*/\1/p')"; fi
if has litellm "$peers"; then versions+=", LiteLLM $(sed -n 's/^litellm==//p' "$root/Benchmarks/litellm.txt")"; fi
remarks=("Peers: $versions." "${remarks[@]}")

passing=("nginx")
if has haproxy "$peers"; then passing+=("HAProxy"); fi
translating=()
if has litellm "$peers"; then translating=("LiteLLM"); fi
# quoted NAME...: a JSON list.
quoted() { printf '["%s"' "$1" && shift && { [ $# -eq 0 ] || printf ', "%s"' "$@"; } && printf ']'; }
# load CHUNK SESSIONS BURST [INTERVAL]
load() {
  printf '{"chunkBytes": %d, "sessions": %d, "burst": %d%s}' "$1" "$2" "$3" "${4:+, \"intervalMilliseconds\": $4}"
}
traffic=()
# compare LOAD ROUNDS SECONDS TARGET...
compare() {
  traffic+=("{\"load\": $1, \"rounds\": $2, \"seconds\": $3, \"targets\": $(quoted direct parley "${@:4}")}")
}
for chunk in ${BENCH_CHUNKS:-960 4800}; do
  # Where nginx's default buffer is too small for a frame.
  larger=()
  [ "$chunk" -le 2880 ] || larger=("nginx, 16k buffer")
  for sessions in ${BENCH_SESSIONS:-1 8}; do
    if has turn "$parts"; then
      compare "$(load "$chunk" "$sessions" 1)" "$rounds" "$seconds" "${passing[@]}" "${larger[@]}" "${translating[@]}"
    fi
    if has burst "$parts" && { [ "$sessions" -eq 1 ] || [ "$chunk" -le 2880 ]; }; then
      compare "$(load "$chunk" "$sessions" 16)" "$rounds" "$seconds" "${passing[@]}" "${larger[@]}" "${translating[@]}"
    fi
  done
done
twice=$(awk "BEGIN { print 2 * $seconds }")
if has paced "$parts"; then
  compare "$(load 960 200 1 20)" "$rounds" "$twice" "${passing[@]}"
  compare "$(load 4800 1000 1 100)" "$rounds" "$twice" "${passing[@]}"
  # What LiteLLM can carry on one core.
  if has litellm "$peers"; then compare "$(load 960 50 1 20)" 2 "$twice" nginx "${translating[@]}"; fi
fi

optional=""
everyone=(parley "${passing[@]}" "${translating[@]}")
if has setup "$parts"; then
  optional+="\"setUp\": {\"sessions\": 200, \"rounds\": $rounds, \"targets\": $(quoted "${everyone[@]}")},"
fi
if has memory "$parts" && [ -n "${idle// /}" ]; then
  # shellcheck disable=SC2086
  steps=$(printf '%s, ' $idle)
  optional+="\"memory\": [{\"sessions\": [${steps%, }], \"targets\": $(quoted "parley, new" "${passing[@]/%/, new}")}"
  if has litellm "$peers"; then optional+=", {\"sessions\": [200], \"targets\": [\"LiteLLM, new\"]}"; fi
  optional+="],"
fi
counted="\"loads\": [$(load 960 1 1), $(load 4800 1 1), $(load 960 1 16)]"
if has syscalls "$parts"; then
  optional+="\"systemCalls\": {$counted, \"roundTrips\": 3200, \"targets\": $(quoted "${everyone[@]}")},"
fi
if has allocations "$parts"; then
  counted="\"loads\": [$(load 960 1 1), $(load 960 8 1), $(load 4800 1 1), $(load 4800 8 1), $(load 960 1 16)]"
  optional+="\"allocations\": {$counted, \"roundTrips\": 20000, \"targets\": [\"parley, counted\"]},"
fi

joined() { local IFS=,; echo "$*"; }
mkdir -p "$results"
cat >"$work/plan.json" <<JSON
{
  "machine": "$machine", "pinning": "$pinning", "statusPort": $status, "reference": "nginx", "direct": "direct",
  "targets": [$(joined "${targets[@]}")],
  "traffic": [$(joined "${traffic[@]}")],
  $optional
  "remarks": $(quoted "${remarks[@]}"), "report": "$results/latest.json", "tables": "$results/latest.md"
}
JSON
# In the background, because a trap waits for a foreground command but not for `wait`.
"${near[@]}" timeout 900 "$bench" load "$work/plan.json" &
load_pid=$! && started+=("$load_pid")
wait "$load_pid"
echo "Figures: ${results#"$root"/}/latest.json"

if $is_complete; then
  page=$root/docs/performance.md
  awk -v tables="$results/latest.md" '
    /<!-- bench: end -->/ { while ((getline line < tables) > 0) print line; print ""; skipping = 0 }
    !skipping { print }
    /<!-- bench: begin -->/ { print "\nCommand: `make bench`.\n"; skipping = 1 }
  ' "$page" >"$work/page.md"
  cp "$work/page.md" "$page"
  echo "Tables: docs/performance.md"
fi
