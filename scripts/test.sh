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

# Prints only what failed or was skipped, and the end; the whole log stays in the reports folder.
swift_tests() {
  local status=0
  timeout 1200 swift test --skip-build --parallel --xunit-output "$reports/swift.xml" >"$reports/swift.log" 2>&1 || status=$?
  grep -E '^(✘|➜)|Test run with' "$reports/swift.log" || true
  if ! grep -q 'Test run with' "$reports/swift.log"; then
    echo "The test process ended early. The end of $reports/swift.log:"
    tail -n 60 "$reports/swift.log"
    return 1
  fi
  return "$status"
}

conformance() {
  PARLEY_BINARY="$PWD/.build/debug/parley" timeout 900 .venv/bin/python -m pytest Tests/Conformance --junitxml="$reports/python.xml"
}

build() {
  swift build --build-tests >"$reports/build.log" 2>&1 || {
    grep -E 'error:|warning:' "$reports/build.log" | sort -u | head -n 60
    tail -n 5 "$reports/build.log"
    return 1
  }
}

finish() {
  python3 scripts/tally.py "$reports"
  exit $?
}

stage "packages" scripts/setup.sh build test || finish
stage "lint" scripts/lint.sh
stage "build" build || finish
stage "swift tests" swift_tests
stage "python packages" scripts/python.sh || finish
stage "conformance" conformance
finish
