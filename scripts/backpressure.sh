#!/usr/bin/env bash
# Measures what slow clients cost the gateway and the calls beside them, and writes the table into docs/backpressure.md.
# Takes about nine minutes; the machine should have nothing else to do.
# Usage: scripts/backpressure.sh [OPTION...]      (the program's, as --repeats 1)
# PARLEY_BINARY: the executable to measure, instead of a release build.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ -n ${PARLEY_BINARY:-} ]] || scripts/release.sh
scripts/release.sh Backpressure
exec .build-release/release/Backpressure --binary "${PARLEY_BINARY:-.build-release/release/parley}" \
  --page docs/backpressure.md "$@"
