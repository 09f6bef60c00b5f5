"""The HTTP side by its own document: schemathesis asks the running server everything that it tells of, and more."""

import json
import os
import re
import subprocess

import pytest

from asking import ADMIN_KEY, ENVIRONMENT, SERVER_KEY, ask, locked_routes
from processes import ROOT, Gateway
from spoken import ENVIRONMENT as ENGINE

TOOL = ROOT / ".venv-openapi" / "bin" / "schemathesis"
SETTINGS = ROOT / "Tests" / "Conformance" / "schemathesis.toml"
# Beyond it, something hangs.
SECONDS = 200


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    folder = tmp_path_factory.mktemp("openapi")
    routes = locked_routes(standin, folder)
    # It speaks, for POST /v1/audio/speech.
    routes["providers"]["local"] = {"kind": "local"}
    running = Gateway(folder, routes, {**ENVIRONMENT, **ENGINE})
    running.await_ready()
    yield running
    assert running.stop() == 0, "the server must end cleanly when asked to"


def judge(server, folder, *arguments: str) -> None:
    """Fails with what schemathesis has found."""
    assert TOOL.exists(), f"{TOOL} is missing: run scripts/python.sh openapi"
    command = [TOOL, "--config-file", SETTINGS, "run", f"{server.http}/openapi.json", "--no-color", *arguments]
    run = subprocess.run(
        [str(argument) for argument in command],
        cwd=folder, capture_output=True, text=True, timeout=SECONDS,
        env={**os.environ, "ADMIN_KEY": ADMIN_KEY, "SERVER_KEY": SERVER_KEY},
    )  # fmt: skip
    (folder / "schemathesis.txt").write_text(run.stdout + run.stderr)
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
    assert re.search(r"\d+ passed", run.stdout), run.stdout


def test_the_document_is_open_and_tells_every_part(server):
    answer = ask(server, "GET", "/openapi.json")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    document = answer.json
    assert document["openapi"] == "3.1.0"
    assert {tag["name"] for tag in document["tags"]} == {
        "health", "sessions", "tokens", "keys", "usage", "configuration", "running",
    }  # fmt: skip
    paths = {"/health", "/metrics", "/v1/models", "/config", "/presets", "/sessions", "/drain", "/api/v1/keys"}
    assert paths <= document["paths"].keys(), "a server with everything has all of them"


def test_every_operation_does_what_the_document_says(server, tmp_path):
    # The last is of another test: after it, the server is out of service.
    judge(server, tmp_path, "--exclude-operation-id", "beginDrain")
    assert ask(server, "GET", "/health").json["status"] == "ok", "whatever it was asked"


def test_and_so_does_the_end_of_service(server, tmp_path):
    hooks = tmp_path / "hooks.py"
    # The order to exit is a good one; whoever obeys it answers no more.
    hooks.write_text(
        "import schemathesis\n\n\n"
        "@schemathesis.hook\n"
        "def before_call(context, case, kwargs):\n"
        "    if isinstance(case.body, dict) and case.body.get('exit') is True:\n"
        "        case.body['exit'] = False\n"
    )
    os.environ["SCHEMATHESIS_HOOKS"] = str(hooks)
    try:
        judge(server, tmp_path, "--include-operation-id", "beginDrain", "--include-operation-id", "getDrain")
    finally:
        del os.environ["SCHEMATHESIS_HOOKS"]
    assert ask(server, "GET", "/drain", key=ADMIN_KEY).json["draining"] is True
    assert json.loads(ask(server, "GET", "/health").body)["status"] == "draining"
