#!/usr/bin/env python3
"""Adds up the test reports of a folder and closes with one line: N passed, N failed.

Reads the JUnit files that `swift test` and `pytest` write and stages.txt, one "passed NAME" or "failed NAME" a line.
With CI=true a skipped test counts as failed, unless its reason is that the real-service recordings are absent.
"""

import os
import pathlib
import sys
import xml.etree.ElementTree as ET


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    strict = os.environ.get("CI") == "true"
    passed = 0
    failures: list[str] = []
    skips: list[tuple[str, str]] = []

    reports_with_failures: set[str] = set()

    for report in sorted(folder.glob("*.xml")):
        for case in ET.parse(report).getroot().iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            skipped = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                failures.append(name)
                reports_with_failures.add(report.stem.split("-")[0])
            elif skipped is not None:
                skips.append((name, (skipped.get("message") or skipped.text or "no reason given").strip()))
            else:
                passed += 1

    # A stage without tests of its own (lint, build) is one check. A test stage counts by its tests, but if it failed and
    # its report names no failure (the process ended early), that is a failure too.
    with_tests = {"swift tests": "swift", "conformance": "python"}
    stages = folder / "stages.txt"
    for line in stages.read_text().splitlines() if stages.exists() else []:
        verdict, name = line.split(" ", 1)
        if verdict == "failed" and with_tests.get(name) not in reports_with_failures:
            failures.append(f"stage {name}")
        elif verdict == "passed" and name not in with_tests:
            passed += 1

    for name, reason in skips:
        excused = "recording" in reason.lower()
        print(f"skipped: {name}: {reason}")
        if strict and not excused:
            failures.append(f"{name} (skipped, which CI does not allow)")
    for name in failures:
        print(f"failed: {name}")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
