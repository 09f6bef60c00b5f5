#!/usr/bin/env bash
# Makes the Python environments of the tests from the pins in Tests/Conformance. Quick when they are already current.
# Usage: scripts/python.sh            .venv, which all Python of the project runs in
#        scripts/python.sh clients    .venv-clients, with the client libraries whose pins conflict with those
#        scripts/python.sh openai-1   .venv-openai-1, with the old client library of the beta dialect
#        scripts/python.sh openapi    .venv-openapi, with what judges the HTTP side by its own document
#        scripts/python.sh litellm    .venv-litellm, with a peer of the benchmark (pins in Benchmarks)
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  "") environment=.venv pins=Tests/Conformance/requirements.txt ;;
  clients | openai-1 | openapi) environment=.venv-$1 pins=Tests/Conformance/$1.txt ;;
  litellm) environment=.venv-litellm pins=Benchmarks/litellm.txt ;;
  *)
    echo "python: unknown environment '$1' (clients, openai-1, openapi, litellm, or none)" >&2
    exit 64
    ;;
esac

stamp=$environment/pins.txt
if ! cmp -s "$pins" "$stamp"; then
  [[ -x $environment/bin/python ]] || python3 -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile --requirement "$pins"
  cp "$pins" "$stamp"
fi
