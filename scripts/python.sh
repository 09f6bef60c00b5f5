#!/usr/bin/env bash
# Makes .venv with the pinned packages of Tests/Conformance/requirements.txt. Quick when it is already current.
set -euo pipefail
cd "$(dirname "$0")/.."

pins=Tests/Conformance/requirements.txt
stamp=.venv/pins.txt
if ! cmp -s "$pins" "$stamp"; then
  [[ -x .venv/bin/python ]] || python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement "$pins"
  cp "$pins" "$stamp"
fi
