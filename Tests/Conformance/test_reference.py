"""What can be configured and measured is printed by the program, and the documents say the same."""

import pathlib
import re
import subprocess
import sys

import pytest
from processes import BINARY, ROOT


def reference(*topic: str) -> str:
    run = subprocess.run([str(BINARY), "reference", *topic], capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_tables_of_the_documents_are_current():
    check = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "docs.py"), "--check", "--binary", str(BINARY)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert check.returncode == 0, check.stderr


@pytest.mark.parametrize(
    "topic, row",
    [
        ("configuration", "| `providers` |"),
        ("limits", "| `drainGraceSeconds` | 30 seconds | 0 to 3,600 |"),
        ("runtime", "| `vad.minSilenceMs` | `VAD_MIN_SILENCE_MS` | 0 to 60,000 | 550 |"),
        ("metrics", "| `parley_realtime_sessions` | gauge | `provider` |"),
        ("environment", "| `ENGINE_API_KEY` |"),
    ],
)
def test_a_topic_is_a_table_in_Markdown(topic, row):
    printed = reference(topic)
    assert row in printed
    tables = re.findall(r"<!-- table: (.+) \(written by make docs\) -->\n(.*?)\n<!-- end of table -->\n", printed, re.DOTALL)
    assert tables and (len(tables) == 1 or topic == "configuration")
    for name, text in tables:
        widths = {line.count("|") for line in text.splitlines()}
        assert len(widths) == 1, f"{name}: rows of {widths}"


def test_a_topic_that_there_is_not_is_refused():
    run = subprocess.run([str(BINARY), "reference", "prices"], capture_output=True, text=True, timeout=30)
    assert run.returncode == 64 and "configuration" in run.stderr


def test_every_variable_that_the_program_reads_is_in_a_table():
    """By the ways in which the sources read one."""
    reading = re.compile(r"""(?:environment|environment\.variable|usualSecret|variable)[\[(](?:name: )?"([A-Za-z_]+)\"""")
    more = re.compile(r'"((?:OTEL|PARLEY)_[A-Z_]+)"')
    read: set[str] = set()
    for path in (ROOT / "Sources").rglob("*.swift"):
        if path.relative_to(ROOT / "Sources").parts[0] in ("StandIns", "ParleyTesting"):
            continue
        text = path.read_text(encoding="utf-8")
        read |= set(reading.findall(text)) | set(more.findall(text))
    # These say where a program is and who started it, not what it is to do.
    read -= {"PATH", "REQUEST_METHOD"}
    printed = reference("environment") + reference("runtime")
    missing = {name for name in read if f"`{name}`" not in printed}
    assert len(read) > 10 and not missing, f"in no table: {sorted(missing)}"


def write(document: pathlib.Path, text: str) -> None:
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(text, encoding="utf-8")


def test_a_table_that_is_stale_or_missing_is_told_and_written(tmp_path):
    write(tmp_path / "scripts" / "docs.py", (ROOT / "scripts" / "docs.py").read_text(encoding="utf-8"))
    printed = reference()
    names = re.findall(r"<!-- table: (.+) \(written by make docs\) -->", printed)
    write(tmp_path / "README.md", "# Nothing\n")
    stale = "\n".join(
        f"<!-- table: {name} (written by make docs) -->\n| old |\n<!-- end of table -->\n" for name in names
    )
    write(tmp_path / "docs" / "all.md", stale)

    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, str(tmp_path / "scripts" / "docs.py"), "--binary", str(BINARY), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    check = run("--check")
    assert check.returncode == 1 and "docs/all.md is not current: run make docs" in check.stderr
    assert (tmp_path / "docs" / "all.md").read_text(encoding="utf-8") == stale
    assert run().returncode == 0
    assert "| old |" not in (tmp_path / "docs" / "all.md").read_text(encoding="utf-8")
    assert run("--check").returncode == 0

    write(tmp_path / "docs" / "all.md", "<!-- table: prices (written by make docs) -->\n<!-- end of table -->\n")
    check = run("--check")
    assert check.returncode == 1 and "no such table: prices" in check.stderr
    assert f"in no document: {sorted(names)[0]}" in check.stderr
