#!/usr/bin/env python3
"""Writes the tables of the documents that `parley reference` prints: keys, limits, settings, metrics, variables.

Usage: docs.py [--check] [--binary FILE]

A table stands between two comments of the document: `<!-- table: NAME (written by make docs) -->` and
`<!-- end of table -->`. --check changes nothing. It fails, and says why, if a table is not current, if a document wants one
that there is not, and if one stands in no document.
"""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TABLE = re.compile(r"<!-- table: (?P<name>[^()]+) \(written by make docs\) -->\n(?P<text>.*?)<!-- end of table -->\n", re.DOTALL)


def tables(binary: pathlib.Path) -> dict[str, str]:
    """What the program prints, comments included, by name."""
    printed = subprocess.run([str(binary), "reference"], capture_output=True, text=True, check=True, timeout=60).stdout
    return {match["name"]: match[0] for match in TABLE.finditer(printed)}


def with_tables(document: str, current: dict[str, str], found: set[str]) -> str:
    """The document with its tables as they should be; the names of those that it has are added to `found`."""

    def replaced(match: re.Match) -> str:
        found.add(match["name"])
        return current.get(match["name"], match[0])

    return TABLE.sub(replaced, document)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, and fail where something would change")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / ".build/debug/parley", help="the built program")
    arguments = parser.parse_args()

    current = tables(arguments.binary)
    found: set[str] = set()
    faults = []
    for path in sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]):
        document = path.read_text(encoding="utf-8")
        wanted = with_tables(document, current, found)
        if wanted == document:
            continue
        if arguments.check:
            faults.append(f"{path.relative_to(ROOT)} is not current: run make docs")
        else:
            path.write_text(wanted, encoding="utf-8")
            print(f"{path.relative_to(ROOT)} written")
    faults += [f"no such table: {name}" for name in sorted(found - current.keys())]
    faults += [f"in no document: {name}" for name in sorted(current.keys() - found)]
    if faults:
        sys.exit("docs.py: " + "; ".join(faults))


if __name__ == "__main__":
    main()
