#!/usr/bin/env bash
# Runs the tests of one client library (agents, pipecat, livekit or openai-1), and those of the frames that it causes.
# Usage: scripts/client.sh LIBRARY [FOLDER]      with FOLDER: writes its reports there and prints only the end
set -euo pipefail
cd "$(dirname "$0")/.."

library=${1:?which library: agents, pipecat, livekit or openai-1}
folder=${2:-}
export PARLEY_BINARY="${PARLEY_BINARY:-$PWD/.build/debug/parley}"
tests=(Tests/Conformance/test_client_"${library//-/_}"*.py Tests/Conformance/test_upstream_rules.py)
if [[ $library == openai-1 ]]; then
  environment=.venv-openai-1 # whose package is too old to judge frames by
else
  environment=.venv-clients
  tests+=(Tests/Conformance/test_upstream_frames.py)
fi
run=("$environment/bin/python" -m pytest "${tests[@]}")
[[ -n $folder ]] || exec "${run[@]}"

log=$folder/client-$library.log status=0
"${run[@]}" --junitxml="$folder/python-$library.xml" >"$log" 2>&1 || status=$?
if [[ $status -eq 0 ]]; then tail -n 1 "$log"; else tail -n 150 "$log"; fi
exit "$status"
