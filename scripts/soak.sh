#!/usr/bin/env bash
# `make soak`: calls through Parley over faulty links, both ends' ledgers compared. What is checked: docs/soak.md.
# Ends with status 1 and the seed to repeat if anything was lost, doubled or left over.
# Usage: scripts/soak.sh            builds for release, runs, and writes the report into docs/soak.md
#        scripts/soak.sh --short    40 sessions with the debug binaries of `make test`; writes nothing
# Settings, optional:
#   SOAK_SESSIONS=2000   how many sessions            SOAK_CONCURRENT=32  how many at once
#   SOAK_SECONDS=840     none begins after these      SOAK_SEED=n         what everything random comes from
#   SOAK_FAULTS=9        planned for each session; one in three finds nothing left to strike
#   PARLEY_BINARY=path   runs against this binary instead of building one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ $(uname -s) == Linux ]] || { echo "soak: needs Linux: descriptors and memory come from /proc" >&2; exit 1; }

# Each session has some ten sockets in the links, and a provider for each lane.
ulimit -n 8192 2>/dev/null || true

if [[ ${1:-} == --short ]]; then
  exec timeout -k 5 180 .build/debug/soak --parley "${PARLEY_BINARY:-.build/debug/parley}" --folder .build/soak-short \
    --sessions 40 --concurrent 40 --faults-per-session 7 --seed "${SOAK_SEED:-6}"
fi

if [[ -z ${PARLEY_BINARY:-} ]]; then
  scripts/release.sh
  PARLEY_BINARY=.build-release/release/parley
fi
scripts/release.sh soak

report=.build-release/soak/report.md
sessions=${SOAK_SESSIONS:-2000}
status=0
.build-release/release/soak --parley "$PARLEY_BINARY" --folder .build-release/soak --report "$report" \
  --sessions "$sessions" --concurrent "${SOAK_CONCURRENT:-32}" --seconds "${SOAK_SECONDS:-840}" \
  --faults-per-session "${SOAK_FAULTS:-9}" --seed "${SOAK_SEED:-1}" || status=$?

# A shorter run is for whoever asked for it.
if [[ $sessions -ge 2000 && -f $report ]]; then
  awk -v report="$report" '
    /<!-- soak:end -->/ { skipping = 0 }
    !skipping
    /<!-- soak:begin -->/ { while ((getline line < report) > 0) print line; skipping = 1 }
  ' docs/soak.md >"$report.page"
  cp "$report.page" docs/soak.md
  # docs/faults.md quotes it.
  python3 scripts/proofs.py || status=$?
fi
exit "$status"
