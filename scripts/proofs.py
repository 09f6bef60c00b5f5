#!/usr/bin/env python3
"""Writes docs/requirements.md and docs/faults.md: which test proves which claim, read from the tests' names.

Usage: proofs.py [--check]

--check changes nothing. It fails if a table is not current, if a claim that is not marked as open has no test, and if one that
is marked so has some. The page of the faults ends with what the last long soak has found, from docs/soak.md.

A test proves a requirement if its name says `R026` or `R031-R033`, and a fault row if it says `fault row 25` (also
`fault rows 21, 22` and `fault rows 21-24`). Swift names are the display names of @Test and @Suite; Python names are those of functions
and of parameters.
"""

import pathlib
import re
import sys
import typing

ROOT = pathlib.Path(__file__).resolve().parents[1]
TESTS = ROOT / "Tests"
SWIFT_NAME = re.compile(r'@(?:Test|Suite)\(\s*"((?:[^"\\]|\\.)*)"')
PYTHON_NAME = re.compile(r"^(?:async )?def test_(\w+)", re.MULTILINE)
PYTHON_PARAMETER = re.compile(r'\(\s*"((?:R\d{3}|fault row)[^"]*)"')
REQUIREMENTS = re.compile(r"\bR(\d{3})(?:[-–]R?(\d{3}))?\b")
FAULT_ROWS = re.compile(r"fault rows? ((?:\d+(?:, | and | to |[-–])?)+)", re.IGNORECASE)


def test_names() -> list[tuple[str, str]]:
    """All tests: the name, and the folder that it is in."""
    found = []
    for path in sorted(TESTS.rglob("*.swift")):
        for name in SWIFT_NAME.findall(path.read_text(encoding="utf-8")):
            found.append((name.replace('\\"', '"').replace("\\\\", "\\"), path.relative_to(TESTS).parts[0]))
    for path in sorted(TESTS.glob("Conformance/test_*.py")):
        text = path.read_text(encoding="utf-8")
        for name in PYTHON_NAME.findall(text):
            found.append((name.replace("_", " "), f"Conformance/{path.name}"))
        for name in PYTHON_PARAMETER.findall(text):
            found.append((name, f"Conformance/{path.name}"))
    return found


def requirements_of(name: str) -> set[str]:
    return {
        f"R{number:03}"
        for first, last in REQUIREMENTS.findall(name)
        for number in range(int(first), int(last or first) + 1)
    }


def fault_rows(name: str) -> set[int]:
    rows: set[int] = set()
    for numbers in FAULT_ROWS.findall(name):
        for part in re.split(r", | and ", numbers):
            ends = [int(number) for number in re.findall(r"\d+", part)]
            if ends:
                rows.update(range(ends[0], ends[-1] + 1))
    return rows


class Claims(typing.NamedTuple):
    """What is claimed, by number, in the order of the file."""

    texts: dict[str, str]
    open: set[str]  # those without a proof, as the file says
    ranges: list[tuple[str, list[str]]]  # a title, and the numbers under it; empty where the file has no ranges


def claims(name: str) -> Claims:
    found = Claims({}, set(), [])
    for line in (ROOT / "docs" / "claims" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("== "):
            found.ranges.append((line.removeprefix("== "), []))
            continue
        number, text = line.split(" ", 1)
        if text.startswith("(open) "):
            found.open.add(number)
            text = text.removeprefix("(open) ")
        found.texts[number] = text
        if found.ranges:
            found.ranges[-1][1].append(number)
    return found


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def table(title: str, introduction: str, claimed: Claims, proofs: dict[str, list[tuple[str, str]]]) -> str:
    proven = sum(1 for number in claimed.texts if proofs.get(number))
    lines = [
        "<!-- Written by scripts/proofs.py from the tests' names: do not edit. -->",
        f"# {title}",
        "",
        introduction,
        "",
        f"{proven} of {len(claimed.texts)} have a test that names them; {len(claimed.texts) - proven} are open.",
        "",
    ]
    if claimed.ranges:
        lines += ["| rows | what | proven | open |", "|---|---|---|---|"]
        for name, numbers in claimed.ranges:
            without = [number for number in numbers if not proofs.get(number)]
            named = f"{len(without)}: {', '.join(without)}" if without else "0"
            lines.append(f"| {numbers[0]}-{numbers[-1]} | {name} | {len(numbers) - len(without)} | {named} |")
        lines.append("")
    lines += ["| # | claim | tests |", "|---|---|---|"]
    for number, claim in claimed.texts.items():
        tests = "<br>".join(f"{cell(name)} ({place})" for name, place in proofs.get(number, [])) or "none yet"
        lines.append(f"| {number} | {cell(claim)} | {tests} |")
    return "\n".join(lines) + "\n"


def soak() -> str:
    """What the last long soak has found, from the table that it wrote into its own page."""
    page = (ROOT / "docs" / "soak.md").read_text(encoding="utf-8")
    written = page.partition("<!-- soak:begin -->")[2].partition("<!-- soak:end -->")[0]
    rows = [line for line in written.splitlines() if line.startswith("|")]
    lines = ["", "## Faults met by chance", "", "`make soak` runs calls over links that break: [soak.md](soak.md) has the rules."]
    lines += ["The last long run:", "", *rows] if rows else ["No long run is written down there yet."]
    return "\n".join(lines) + "\n"


def mismarked(name: str, claimed: Claims, proofs: dict[str, list[tuple[str, str]]]) -> list[str]:
    """The claims whose mark in the file is not what the tests say."""
    lost = [f"{name} {number} has no test: {claimed.texts[number]}" for number in claimed.texts
            if number not in claimed.open and not proofs.get(number)]  # fmt: skip
    found = [f"{name} {number} has tests and is marked as open" for number in sorted(claimed.open) if proofs.get(number)]
    return lost + found


def main() -> int:
    requirements: dict[str, list[tuple[str, str]]] = {}
    faults: dict[str, list[tuple[str, str]]] = {}
    for name, place in sorted(set(test_names())):
        for number in sorted(requirements_of(name)):
            requirements.setdefault(number, []).append((name, place))
        for row in sorted(fault_rows(name)):
            faults.setdefault(str(row), []).append((name, place))

    claimed = {name: claims(name) for name in ("requirements", "faults")}
    pages = {
        "requirements.md": table(
            "Requirements and their tests",
            "What this version claims to do, and the tests whose names carry the requirement's number.",
            claimed["requirements"],
            requirements,
        ),
        "faults.md": table(
            "Faults and their tests",
            "What can go wrong and what is expected then. A row counts as proven by the tests whose names carry it; a row "
            "without one is not claimed.",
            claimed["faults"],
            faults,
        )
        + soak(),
    }
    stale = []
    for name, text in pages.items():
        path = ROOT / "docs" / name
        if "--check" in sys.argv[1:]:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(f"docs/{name}")
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"not current: {', '.join(stale)}; run scripts/proofs.py", file=sys.stderr)
    wrong = mismarked("requirement", claimed["requirements"], requirements) + mismarked("fault row", claimed["faults"], faults)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if stale or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
