#!/usr/bin/env python3
"""Prints the counts of Autobahn reports and fails if a case failed or is missing.

Usage: autobahn.py [--declined] EXPECTED_CASES INDEX_JSON...

With --declined the cases are of an extension that the other side must not agree to: only UNIMPLEMENTED is good then.
"""

import collections
import json
import sys

GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}
DECLINED = {"UNIMPLEMENTED"}


def main() -> int:
    arguments = sys.argv[1:]
    good = GOOD
    if arguments[0] == "--declined":
        good = DECLINED
        arguments = arguments[1:]
    expected = int(arguments[0])
    sound = True
    for path in arguments[1:]:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        for agent, cases in report.items():
            behaviours = collections.Counter(case["behavior"] for case in cases.values())
            closes = collections.Counter(case["behaviorClose"] for case in cases.values())
            bad = sorted(
                name for name, case in cases.items() if case["behavior"] not in good or case["behaviorClose"] not in GOOD
            )
            sound = sound and not bad and len(cases) == expected
            print(f"{path} ({agent}): {len(cases)} of {expected} cases, {len(bad)} failed")
            print("  behaviour: " + ", ".join(f"{count} {name}" for name, count in sorted(behaviours.items())))
            print("  close:     " + ", ".join(f"{count} {name}" for name, count in sorted(closes.items())))
            for name in bad:
                print(f"  FAILED {name}: {cases[name]['behavior']}, close {cases[name]['behaviorClose']}")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
