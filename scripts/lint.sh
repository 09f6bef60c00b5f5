#!/usr/bin/env bash
# Checks the format of all Swift files and the syntax of all shell scripts. Changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

# A file that is deleted but not yet committed is still listed by git: keep what exists.
mapfile -t swift_files < <(
  git ls-files --cached --others --exclude-standard -- '*.swift' | while read -r file; do
    [[ -f "$file" ]] && printf '%s\n' "$file"
  done
)
[[ ${#swift_files[@]} -gt 0 ]] || { echo "lint: git lists no Swift files" >&2; exit 1; }
swift format lint --strict --parallel "${swift_files[@]}" </dev/null

for script in scripts/*.sh .ci/run; do
  bash -n "$script"
done
