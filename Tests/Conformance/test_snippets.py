"""Every block of code in the README and in docs/ is run, or held against what it is about (R152, R289).

Shell runs in a folder with a configuration, against a server with keys; Python and JavaScript run with the official
packages through the nginx of deploy/; JSON and YAML that configure something are read by the program. What is not run says
so: in the document (`<!-- not run: REASON -->` before the block), or below, for single commands.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import typing

import pytest
import yaml
from websockets.sync.client import connect

from asking import ADMIN_KEY, JWT_SECRET, ask, mint
from node import ENVIRONMENT as NODE_ENVIRONMENT
from processes import BINARY, ROOT, STANDIN_KEY, Gateway, free_port, provider
from providers import GEMINI_MODEL, OPENAI_MODEL
from tls_front import TLSFront

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
APP_KEY = "app-key-of-the-tests-0123456789"
PUBLIC = "voice.example.com"
SECONDS = 60
# Commands that are not run here, by what they contain, and why not.
ELSEWHERE = {
    "make ": "builds, or runs for minutes; CI itself is `make test`",
    "parley serve": "serves until it is stopped, as in every other test",
    "parley say": "test_say.py",
    "swift ": "builds",
    "scripts/": "test_engine_setup.py, or builds",
}
BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Snippet(typing.NamedTuple):
    place: str
    language: str
    text: str
    mark: str  # what the document says of it

    @property
    def reason(self) -> str | None:
        """Why it is not run."""
        return self.mark.removeprefix("not run: ") if self.mark.startswith("not run: ") else None


def snippets() -> list[Snippet]:
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start("language")) + 1
            place = f"{document.relative_to(ROOT)}:{line}"
            found.append(Snippet(place, match["language"], match["text"], match["mark"] or ""))
    return found


ALL = snippets()


def some(*languages: str, that=lambda _: True) -> dict:
    """For a test of each snippet in a language that is to be run."""
    chosen = [snippet for snippet in ALL if snippet.language in languages and not snippet.reason and that(snippet)]
    return {"argnames": "snippet", "argvalues": chosen, "ids": [snippet.place for snippet in chosen]}


def test_R152_every_snippet_is_run_or_says_why_not():
    handled = {"sh", "bash", "console", "python", "js", "json", "yaml"}
    # Pictures of how parts stand to one another have no language.
    strange = [snippet.place for snippet in ALL if not snippet.reason and snippet.language and snippet.language not in handled]
    assert not strange and len(ALL) > 30
    assert all(len(snippet.reason) > 10 for snippet in ALL if snippet.reason)
    fences = sum(len(re.findall(r"^```", document.read_text(encoding="utf-8"), re.MULTILINE)) for document in DOCUMENTS)
    assert fences == 2 * len(ALL), "a block that is not seen is not run"


# --- A server as the documents assume it


def routes(standin, folder: pathlib.Path) -> dict:
    return {
        "ledger": {"sqlite": str(folder / "usage.sqlite")},
        "default": "openai",
        "providers": {
            "openai": provider("openai", standin.ports["openai"], OPENAI_MODEL),
            "gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL),
            "azure": provider("azure", standin.ports["azure"], "my-deployment"),
            "inworld": provider("inworld", standin.ports["inworld"], None),
            "local": {"kind": "local"},
        },
        "routes": [
            {"path": "/v1/realtime"},
            {"path": "/openai/v1/realtime", "provider": "azure"},
            {"path": "/openai/realtime", "provider": "azure"},
            {"path": "/api/v1/inference/realtime", "provider": "inworld"},
        ],
        "access": {
            "keys": [{"name": "first-app", "key": "env:PARLEY_APP_KEY"}], "admin": "env:ENGINE_API_KEY",
            "proxies": ["127.0.0.1", "::1"], "apps": [{"name": "shop"}],
        },
        "tokens": {"secrets": [{"secret": "env:JWT_SECRET"}]},
    }  # fmt: skip


SECRETS = {"PARLEY_APP_KEY": APP_KEY, "ENGINE_API_KEY": ADMIN_KEY, "JWT_SECRET": JWT_SECRET, "STANDIN_KEY": STANDIN_KEY}


class Platform(Gateway):
    """A server with keys, tokens, a ledger, and a listener of the operator's own."""

    def __init__(self, folder: pathlib.Path, standin, arguments: list[str] | None = None, environment: dict | None = None):
        self.operator = free_port()
        public = free_port()
        listen = [
            {"host": "127.0.0.1", "port": public},
            {"host": "127.0.0.1", "port": self.operator, "serves": ["admin"]},
        ]
        environment = {**SECRETS, "PARLEY_DATA": str(folder / "data"), **(environment or {})}
        (folder / "data").mkdir()
        super().__init__(folder, {**routes(standin, folder), "listen": listen}, environment, arguments)
        self.port = public


@pytest.fixture
def platform(tmp_path, standin):
    running = Platform(tmp_path, standin)
    running.await_ready()
    yield running
    assert running.stop() == 0, running.log


@pytest.fixture(scope="module")
def public(tmp_path_factory, standin, authority):
    """The same behind nginx with TLS, for programs."""
    folder = tmp_path_factory.mktemp("public")
    server = Platform(folder, standin)
    server.await_ready()
    front = TLSFront(folder / "nginx", authority, server.port)
    front.await_ready()
    yield front
    assert front.stop() == 0 and server.stop() == 0, server.log


# --- Shell


@contextlib.contextmanager
def one_call(server: Gateway):
    """There is something to be seen: a call that has had a turn. The commands may end it."""
    headers = {"Authorization": f"Bearer {APP_KEY}"}
    with connect(f"{server.ws}/v1/realtime", additional_headers=headers) as socket:
        content = [{"type": "input_text", "text": "Say hello."}]
        item = {"type": "message", "role": "user", "content": content}
        socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        socket.send(json.dumps({"type": "response.create"}))
        while json.loads(socket.recv(10))["type"] != "response.done":
            pass
        yield


def commands(snippet: Snippet) -> str:
    """The script of a block, with what is done elsewhere left out."""
    lines = snippet.text.splitlines()
    if snippet.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    # Joined where a backslash goes on, so that a command is left out as a whole.
    whole = "\n".join(lines).replace("\\\n", " ").splitlines()
    return "\n".join(line for line in whole if line and not any(part in line for part in ELSEWHERE))


@pytest.mark.parametrize(**some("sh", "bash", "console", that=commands))
def test_R152_the_commands(snippet, platform, tmp_path):
    script = commands(snippet)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "parley").symlink_to(BINARY)
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    (tmp_path / "app.key").write_text(APP_KEY)
    (tmp_path / "token.txt").write_text(mint(platform, APP_KEY))
    environment = {
        **os.environ, **SECRETS, "PATH": f"{programs}:{os.environ['PATH']}", "KEY": APP_KEY,
        "HTTP": f"http://127.0.0.1:{platform.operator}", "PARLEY_DATA": str(tmp_path / "data"),
    }  # fmt: skip
    # The documents' placeholders for secrets are this server's.
    script = re.sub(r"\b(ENGINE_API_KEY|JWT_SECRET|OPENAI_API_KEY)=\.\.\.", r"\1=$\1", script)
    for name in ("127.0.0.1", "localhost"):
        script = script.replace(f"{name}:8787", f"127.0.0.1:{platform.port}")
    with one_call(platform):
        run = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True,
            timeout=SECONDS,
        )  # fmt: skip
    assert run.returncode == 0, f"{script}\n{run.stdout}{run.stderr}"
    assert '"error"' not in run.stdout, run.stdout


# --- Programs


def moved(snippet: Snippet, front: TLSFront, file: pathlib.Path) -> pathlib.Path:
    """The program, with the address of this machine in place of the documents' own."""
    assert PUBLIC in snippet.text, "programs on these pages speak to the public address"
    file.write_text(snippet.text.replace(PUBLIC, f"localhost:{front.port}"), encoding="utf-8")
    return file


def run_program(*command, authority) -> str:
    environment = {
        **NODE_ENVIRONMENT, "PARLEY_KEY": APP_KEY, "SSL_CERT_FILE": str(authority.certificate),
        "NODE_EXTRA_CA_CERTS": str(authority.certificate),
    }  # fmt: skip
    run = subprocess.run(
        [str(part) for part in command], env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def is_elsewhere(snippet: Snippet) -> bool:
    """Those of the README are run by test_documents.py, against the voice engine."""
    return snippet.place.startswith("README.md")


@pytest.mark.parametrize(**some("python", that=lambda snippet: not is_elsewhere(snippet)))
def test_R152_R289_the_programs_in_python(snippet, public, authority, tmp_path):
    interpreter = pathlib.Path(sys.executable)
    if snippet.mark.startswith("environment: "):
        interpreter = ROOT / f".venv-{snippet.mark.removeprefix('environment: ')}" / "bin" / "python"
        if not interpreter.exists():
            pytest.skip(f"{interpreter} is missing: run scripts/python.sh openai-1")
    printed = run_program(interpreter, moved(snippet, public, tmp_path / "program.py"), authority=authority)
    check_printed(snippet, printed)


@pytest.mark.parametrize(**some("js"))
def test_R152_R211_R289_the_programs_in_javascript(snippet, public, authority, tmp_path):
    check_printed(snippet, run_program("node", moved(snippet, public, tmp_path / "program.js"), authority=authority))


def check_printed(snippet: Snippet, printed: str) -> None:
    if "Say hello." in snippet.text:
        assert printed.splitlines() == ["You said: Say hello.", "completed"], printed
    else:
        assert printed.startswith("ek_") and "session.created" in printed, printed


def test_R289_there_is_a_program_for_each_service_that_is_left():
    page = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")
    for section in ("From OpenAI", "From Azure OpenAI", "From the beta API", "From Inworld"):
        part = page.split(f"\n## {section}\n")[1].split("\n## ")[0]
        assert re.search(r"^```(python|js)$", part, re.MULTILINE), section


# --- What configures something

# In place of a certificate and of keys that a piece refers to.
FILES = re.compile(r'"(?:file:)?([\w./-]+\.(?:key|pem|json|txt))"')
ROOT_KEYS = {"listen", "default", "providers", "routes", "access", "tokens", "ledger", "contact", "limits"}
BASE = {
    "default": "local",
    "providers": {"local": {"kind": "local"}},
    "access": {"keys": [{"name": "base", "key": "env:PARLEY_APP_KEY"}]},
}


def configuration(document: object) -> dict | None:
    """The whole configuration that a piece of JSON is a part of, or nil for what is none."""
    if not isinstance(document, dict) or "object" in document:
        return None
    if "kind" in document and "url" in document or document.get("kind") in ("gemini-live", "azure", "xai", "local"):
        return {**BASE, "providers": {**BASE["providers"], "shown": document}}
    if document.keys() <= ROOT_KEYS and document:
        return {**BASE, **document, "providers": {**BASE["providers"], **document.get("providers", {})}}
    if document and all(isinstance(value, dict) and "kind" in value for value in document.values()):
        return {**BASE, "providers": {**BASE["providers"], **document}}
    return None


@pytest.mark.parametrize(**some("json"))
def test_R152_the_json(snippet, tmp_path):
    text = snippet.text if snippet.text.lstrip()[0] in "{[" else f"{{{snippet.text}}}"
    document = json.loads(text)
    whole = configuration(document)
    if whole is None:
        return
    # Providers that the piece names and does not show are there.
    named = set(re.findall(r'"provider": "([\w-]+)"', text)) | set(re.findall(r'"providers": \["([\w-]+)"\]', text))
    for name in named - whole["providers"].keys():
        whole["providers"][name] = {"kind": "xai", "key": "env:XAI_API_KEY"}
    for name in FILES.findall(text):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a-secret-of-the-tests-of-at-least-32-bytes")
    file = tmp_path / "routes.json"
    file.write_text(json.dumps(whole))
    named = dict.fromkeys(re.findall(r"env:(\w+)", text), "a-secret-of-the-tests-of-at-least-32-bytes")
    check = subprocess.run(
        [str(BINARY), "check", str(file)], capture_output=True, text=True, timeout=SECONDS,
        env={**os.environ, **SECRETS, **named},
    )  # fmt: skip
    assert check.returncode == 0, check.stderr


@pytest.mark.parametrize(**some("yaml"))
def test_R152_the_yaml_is_served_with(snippet, tmp_path, standin):
    assert isinstance(yaml.safe_load(snippet.text), dict)
    file = tmp_path / "runtime.yaml"
    file.write_text(snippet.text)
    keys = {"DEEPGRAM_API_KEY": "x" * 20, "GROQ_API_KEY": "x" * 20}
    running = Platform(tmp_path, standin, ["--runtime-config", str(file)], keys)
    running.await_ready()
    shown = ask(server_at(running.operator), "GET", "/config", key=ADMIN_KEY).json
    assert running.stop() == 0
    assert shown["file"] == str(file)


class server_at(typing.NamedTuple):  # noqa: N801
    port: int
