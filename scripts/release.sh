#!/usr/bin/env bash
# Builds a product as it is shipped, optimised: .build-release/release/PRODUCT. Everything that needs such a build calls
# this, because another set of flags would compile everything again.
# Usage: scripts/release.sh [PRODUCT]      (parley)
set -euo pipefail
cd "$(dirname "$0")/.."
export PARLEY_STRICT=1

# Without the run-time checks for overlapping accesses to the same variable, a fifth of the instructions that a frame takes
# (docs/performance.md). Every test runs with them, in a debug build. Checks of bounds and overflow stay.
exec swift build -c release --product "${1:-parley}" --scratch-path .build-release \
  -Xswiftc -enforce-exclusivity=unchecked
