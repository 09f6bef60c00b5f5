#!/usr/bin/env bash
# The gate of the tests on allocations: an audio frame on its way through the pure core allocates nothing (docs/performance.md).
# Counts calls, so that no load on the machine changes the answer. Builds the core optimised; Linux with glibc only.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ "$(uname -s)" = Linux ] || { echo "allocations: not counted here, which needs Linux" >&2 && exit 0; }
compiler=$(command -v cc || command -v clang) || { echo "allocations: needs a C compiler (cc or clang)" >&2 && exit 1; }

package=(--package-path "$root/Benchmarks/AudioPath" --scratch-path "$root/.build-audio-path")
PARLEY_STRICT=1 swift build -c release "${package[@]}" >"$work/build.log" 2>&1 || {
  cat "$work/build.log"
  exit 1
}
"$compiler" -O2 -shared -fPIC -o "$work/malloc_count.so" "$root/Benchmarks/MallocCount/malloc_count.c"

# frames COUNT [plant]
frames() {
  PARLEY_MALLOC_COUNT_FILE=$work/counters LD_PRELOAD=$work/malloc_count.so \
    timeout 120 "$root/.build-audio-path/release/audio-path" "$@"
}
planted=0
frames 2000 plant >"$work/planted.log" || planted=$?
if [ "$planted" -ne 1 ]; then
  echo "allocations: one planted in each frame goes unseen (status $planted)" >&2
  cat "$work/planted.log" >&2
  exit 1
fi
frames 40000
