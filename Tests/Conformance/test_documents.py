"""What the documents say is what is so: the README's program runs, the tables are current, every limit is described."""

import base64
import json
import pathlib
import re
import subprocess
import sys
import time

from websockets.sync.client import connect

from processes import BINARY, ROOT, Gateway
from sound import silence
from spoken import ENVIRONMENT, require_parts, speech


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


def test_R170_a_key_a_socket_and_a_spoken_answer_within_minutes_of_the_build(tmp_path):
    """Everything behind `make build`: a server is started, a key is made, speech is streamed, and the answer is heard."""
    started = time.monotonic()
    folder = tmp_path / "server"
    folder.mkdir()
    engine = Gateway(
        folder,
        {"default": "local", "providers": {"local": {"kind": "local"}}, "ledger": {"sqlite": str(tmp_path / "keys.sqlite")}},
        ENVIRONMENT,
    )
    require_parts()
    engine.await_ready()
    try:
        made = subprocess.run(
            [str(BINARY), "key", "create", "mine", "--config", str(engine.file)], capture_output=True, text=True, timeout=30
        )
        assert made.returncode == 0, made.stderr
        socket = connect(f"{engine.ws}/v1/realtime", additional_headers={"Authorization": f"Bearer {made.stdout.strip()}"})
        with socket:
            sound = silence(300) + speech("what is seven times eight") + silence(1_000)
            for start in range(0, len(sound), 9_600):
                chunk = base64.b64encode(sound[start : start + 9_600]).decode()
                socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": chunk}))
            events = [json.loads(socket.recv(30))]
            while events[-1]["type"] != "response.done":
                events.append(json.loads(socket.recv(30)))
        assert any(event["type"] == "response.output_audio.delta" for event in events)
        assert any("56" in event.get("transcript", "") for event in events), events[-1]
    finally:
        assert engine.stop() == 0
    assert time.monotonic() - started < 5 * 60


def test_R135_the_repository_has_a_licence_and_says_what_it_is():
    assert "MIT License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# Parley\n") and "[MIT licence](LICENSE)" in readme


def test_every_link_between_documents_leads_somewhere():
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for link, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)", document.read_text(encoding="utf-8")):
            target = (document.parent / link) if link else document
            assert target.exists(), f"{document.name}: {link}"
            if anchor:
                assert anchor in anchors(target), f"{document.name}: {link}#{anchor}"


def anchors(document: pathlib.Path) -> set[str]:
    """What the headings of a document are called in addresses."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_line_of_the_log_that_operators_are_told_of_exists():
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.split("### Logs\n")[1].split("\n### ")[0]
    lines = [line for row in re.findall(r"^\| (`.+?) \| ", table, re.MULTILINE) for line in re.findall(r"`([^`]+)`", row)]
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "Sources").rglob("*.swift"))
    assert len(lines) > 25
    assert not [line for line in lines if f'"{line}"' not in source]


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
