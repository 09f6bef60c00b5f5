#!/usr/bin/env bash
# Runs every fast test from a fresh clone, printing the time of each stage and a tally at the end. Builds one flavour.
# Every stage that could hang has a time limit, far above what it needs.
# With CI=true a skipped test counts as failed, except where the real-service recordings are absent.
set -uo pipefail
cd "$(dirname "$0")/.."
export PARLEY_STRICT=1

reports=.build/reports
mkdir -p "$reports"
rm -f "$reports"/*.xml "$reports"/*.log "$reports"/stages.txt

# stage NAME COMMAND...: runs it, prints its time, and remembers whether it passed. Returns its status.
stage() {
  local name=$1 started=$SECONDS status=0
  shift
  echo "== $name"
  "$@" || status=$?
  local verdict=passed
  [[ $status -eq 0 ]] || verdict=failed
  echo "== $name $verdict after $((SECONDS - started)) s"
  echo "$verdict $name" >>"$reports/stages.txt"
  return "$status"
}

# swift_run NAME OPTION...: prints only what failed or was skipped, and the end; the log stays in the reports folder.
swift_run() {
  local log=$reports/swift-$1.log xunit=$reports/swift-$1.xml status=0
  shift
  timeout 1200 swift test --skip-build --parallel --xunit-output "$xunit" "$@" >"$log" 2>&1 || status=$?
  grep -E '^(✘|➜)|Test run with' "$log" || true
  if ! grep -q 'Test run with' "$log"; then
    echo "The test process ended early. The end of $log:"
    tail -n 60 "$log"
    return 1
  fi
  return "$status"
}

# What works on sockets runs apart from what keeps the processors busy: its peers have deadlines. So do databases, and
# calls over bad links, which take their time.
swift_tests() {
  local ledger='LedgerTests|OperatorTests' operator='TelemetryTests|SettingsTests' live='GatewayTests|ParleyTestingTests|StandInsTests' links='GatewayTests\.Link|ParleyTestingTests' status=0
  swift_run pure --skip "$live|$ledger|$operator" || status=$?
  swift_run ledger --filter "$ledger" || status=$?
  swift_run operator --filter "$operator" || status=$?
  swift_run live --filter "$live" --skip "$links" || status=$?
  swift_run links --filter "$links" || status=$?
  return "$status"
}

conformance() {
  local status=0
  export PARLEY_BINARY="$PWD/.build/debug/parley"
  timeout 1500 .venv/bin/python -m pytest Tests/Conformance --junitxml="$reports/python.xml" || status=$?
  client_libraries || status=$?
  return "$status"
}

# Each client library in a process of its own, two at a time. The frames that it caused are judged at its end.
client_libraries() {
  local library
  for library in openai-1 agents pipecat livekit; do
    echo "$library"
  done | xargs -P 2 -I LIBRARY timeout 300 scripts/client.sh LIBRARY "$reports"
}

python_packages() {
  scripts/python.sh && scripts/python.sh clients && scripts/python.sh openai-1 &&
    scripts/python.sh openapi
}

build() {
  swift build --build-tests >"$reports/build.log" 2>&1 || {
    grep -E 'error:|warning:' "$reports/build.log" | sort -u | head -n 60
    tail -n 5 "$reports/build.log"
    return 1
  }
}

# Tests of a part that is missing are skipped, loudly; with CI=true this fails as well.
engine_parts() {
  timeout 600 scripts/engine-parts.sh 2>&1 | tee "$reports/engine-parts.log"
}

finish() {
  python3 scripts/tally.py "$reports"
  exit $?
}

stage "packages" scripts/setup.sh build test || finish
stage "lint" scripts/lint.sh
stage "engine parts" engine_parts
stage "build" build || finish
stage "swift tests" swift_tests
stage "allocations" timeout 900 scripts/bench-allocations.sh
stage "soak" scripts/soak.sh --short
stage "python packages" python_packages || finish
stage "conformance" conformance
finish
