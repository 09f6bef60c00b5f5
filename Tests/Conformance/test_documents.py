"""What the documents say is what is so: the README's program runs, the tables are current, every limit is described."""

import pathlib
import re
import subprocess
import sys

from processes import BINARY, ROOT


def fenced(path: pathlib.Path, language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def run_example(name: str, port: int, tmp_path: pathlib.Path, *arguments: str) -> str:
    """What a program of examples/ prints when it talks to a server on another port."""
    program = (ROOT / "examples" / name).read_text(encoding="utf-8")
    moved = program.replace("127.0.0.1:8787", f"127.0.0.1:{port}")
    assert moved != program, "the examples use the documented port"
    file = tmp_path / name
    file.write_text(moved, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, str(file), *arguments], capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_R045_the_program_in_the_README_gets_a_spoken_answer_without_a_key(engine, tmp_path):
    (program,) = fenced(ROOT / "README.md", "python")
    assert program == (ROOT / "examples" / "ask.py").read_text(encoding="utf-8")
    printed = run_example("ask.py", engine.port, tmp_path, "what is seven times eight")
    assert "56" in printed and "s of speech are in answer.wav" in printed
    assert (tmp_path / "answer.wav").stat().st_size > 24_000


def test_the_example_holds_both_conversations_with_the_stand_ins(gateway, tmp_path):
    printed = run_example("quickstart.py", gateway.port, tmp_path)
    assert printed.count("completed") == 4, printed
    assert "You said: Hello there" in printed


def test_the_configuration_in_the_README_is_valid(tmp_path):
    (routes,) = fenced(ROOT / "README.md", "json")
    file = tmp_path / "routes.json"
    file.write_text(routes, encoding="utf-8")
    check = subprocess.run([str(BINARY), "check", str(file)], capture_output=True, text=True, timeout=30)
    assert check.returncode == 0, check.stdout + check.stderr


def test_R152_the_examples_are_valid():
    for file in [ROOT / "routes.json", *sorted((ROOT / "examples").glob("*.json"))]:
        check = subprocess.run([str(BINARY), "check", str(file)], capture_output=True, text=True, timeout=30)
        assert check.returncode == 0, f"{file.name}:\n{check.stdout}{check.stderr}"


def test_every_limit_is_documented_and_no_other():
    source = (ROOT / "Sources" / "Routing" / "GatewayLimits.swift").read_text(encoding="utf-8")
    defined = set(re.findall(r'\.init\("(\w+)"', source))
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `(\w+)` \|", page.split("## Limits")[1], re.MULTILINE))
    assert len(defined) > 10 and described == defined


def test_the_tables_of_proofs_are_current():
    check = subprocess.run([sys.executable, str(ROOT / "scripts" / "proofs.py"), "--check"], capture_output=True, text=True)
    assert check.returncode == 0, check.stderr


def test_R278_the_index_for_machines_leads_to_every_document():
    index = ROOT / "docs" / "llms.txt"
    links = set(re.findall(r"\]\(([^)]+)\)", index.read_text(encoding="utf-8")))
    assert all((index.parent / link).is_file() for link in links)
    assert {file.name for file in index.parent.glob("*.md")} <= links


def test_every_dependency_is_justified():
    manifest = (ROOT / "Package.swift").read_text(encoding="utf-8")
    used = set(re.findall(r'\.package\(url: "https://github\.com/[^/]+/([\w.-]+?)(?:\.git)?"', manifest))
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    justified = set(re.findall(r"^\| ([\w.-]+) \|", page, re.MULTILINE))
    assert used and used <= justified, f"not in docs/dependencies.md: {sorted(used - justified)}"


def test_make_help_has_one_line_for_each_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split())
    shown = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    assert {line.split()[1] for line in shown.splitlines()} == targets
    assert len(shown.splitlines()) == len(targets)
