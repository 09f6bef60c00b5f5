#!/usr/bin/env bash
# `make fuzz`: each fuzz target for a while, and the table of what came of it. What is fuzzed: docs/fuzzing.md.
# Settings, all optional:
#   FUZZ_SECONDS=600     for each target
#   FUZZ_TARGETS="a b"   these targets only; the table in docs/fuzzing.md is then left as it is
#   FUZZ_JOBS=2          targets at a time
#   FUZZ_BINARY=path     runs this binary instead of building one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -z "${FUZZ_BINARY:-}" ]; then
  # SwiftPM names each sanitizer by itself, and of two the compiler of Swift hears only the last: hence both once more.
  build=(swift build --package-path Fuzz -c release --sanitize fuzzer --sanitize address
    -Xswiftc -sanitize=fuzzer,address)
  "${build[@]}"
  FUZZ_BINARY=$("${build[@]}" --show-bin-path)/fuzz
fi
export FUZZ_BINARY
exec python3 scripts/fuzz.py
