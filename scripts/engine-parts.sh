#!/usr/bin/env bash
# Fetches the parts of the voice engine that are missing, prints a table, and with --self-test lets the engine hear itself.
# Usage: scripts/engine-parts.sh [--verify] [--self-test]
# A part that cannot be had is no error, except with CI=true: scripts/engine_parts.py says which, and why.
set -euo pipefail
# A relative data folder is meant from where this is called.
[[ ${PARLEY_DATA:-/} == /* ]] || export PARLEY_DATA=$PWD/$PARLEY_DATA
cd "$(dirname "$0")/.."

options=() wants_self_test=false
for option in "$@"; do
  if [[ $option == --self-test ]]; then wants_self_test=true; else options+=("$option"); fi
done

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
  echo "engine: Python 3.9 or later is missing, so the parts of the voice engine cannot be fetched" >&2
  if [[ ${CI:-} == true ]]; then exit 1; fi
  exit 0
fi
status=0
python3 scripts/engine_parts.py "${options[@]}" || status=$?
incomplete=3
if [[ $status -ne 0 ]] && [[ $status -ne $incomplete || ${CI:-} == true ]]; then exit "$status"; fi

$wants_self_test || exit 0
for parley in .build/debug/parley .build-release/release/parley; do
  if [[ -x $parley ]] && [[ $("$parley" engine --help 2>/dev/null) == *--self-test* ]]; then
    # Without all parts it shows what is left, and its verdict is not held against the machine.
    "$parley" engine --self-test || [[ $status -eq $incomplete ]]
    exit
  fi
done
echo "engine: no self-test, because no parley that knows it is built (swift build --product parley)"
