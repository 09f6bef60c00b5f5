"""`parley key` and `parley token`, beside a running server and alone."""

import asyncio
import hashlib
import json
import os
import pathlib
import subprocess
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

import jwt_forge
from processes import BINARY, Gateway, provider
from providers import GEMINI_MODEL, OPENAI_MODEL


class Place:
    """A folder with a configuration, and commands in it."""

    def __init__(self, folder: pathlib.Path, routes: dict, environment: dict[str, str]):
        self.folder = folder
        self.file = folder / "commands.json"
        self.file.write_text(json.dumps(routes))
        self.environment = {"STANDIN_KEY": "k", "PARLEY_DATA": str(folder / "data"), **environment}

    def run(self, *arguments: str, text: str | None = None, code: int = 0) -> subprocess.CompletedProcess:
        config = [] if arguments[:2] == ("key", "hash") else ["--config", str(self.file)]
        done = subprocess.run(
            [str(BINARY), *arguments, *config],
            input=text, capture_output=True, text=True, timeout=20, env={**os.environ, **self.environment}, check=False,
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return done


PROVIDERS = {
    "openai": {"kind": "openai", "url": "ws://127.0.0.1:1/v1/realtime", "model": OPENAI_MODEL},
    "gemini": {"kind": "gemini-live", "url": "ws://127.0.0.1:1", "model": GEMINI_MODEL},
}
ROUTES = {
    "default": "gemini",
    "providers": PROVIDERS,
    "ledger": {"sqlite": "keys.sqlite"},
    "access": {
        "apps": [{"name": "shop"}],
        "keys": [{"name": "written", "keyHash": f"sha256:{hashlib.sha256(b'hyb_written').hexdigest()}"}],
    },
}


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path, ROUTES, {"JWT_SECRET": jwt_forge.SECRET})


@pytest.fixture
def served(tmp_path, standin):
    """A server, and commands with its configuration."""
    routes = {
        "default": "gemini",
        "providers": {"gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL)},
        "ledger": {"sqlite": "usage.sqlite"},
    }
    environment = {"JWT_SECRET": jwt_forge.SECRET}
    running = Gateway(tmp_path, routes, environment)
    running.await_ready()
    yield running, Place(tmp_path, routes, environment)
    assert running.stop() == 0


async def status(server, key: str) -> int:
    try:
        async with connect(f"{server.ws}/v1/realtime", additional_headers={"Authorization": f"Bearer {key}"}) as opened:
            return opened.response.status_code
    except InvalidStatus as refused:
        return refused.response.status_code


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(place):
    made = place.run("key", "create", "mobile", "--app", "shop", "--expires", "30d", "--max-sessions", "3")
    key = made.stdout.strip()
    assert key.startswith("hyb_") and len(key) == 47 and "\n" not in key
    assert key not in made.stderr and "shop" in made.stderr
    listed = place.run("key", "list").stdout
    assert "mobile" in listed and "written" in listed and key[:8] in listed
    assert key not in listed and key[8:] not in listed and hashlib.sha256(key.encode()).hexdigest() not in listed
    records = [json.loads(line) for line in place.run("key", "list", "--json").stdout.splitlines()]
    record = next(record for record in records if record["name"] == "mobile")
    assert record["app"] == "shop" and record["limits"] == {"maxSessions": 3} and record["source"] == "store"
    assert record["expires_at"] - record["created_at"] == 30 * 86_400
    assert "revoked" in place.run("key", "revoke", "mobile").stdout
    assert "revoked" in place.run("key", "list").stdout
    # A name is free again after that, and the id tells the two apart.
    other = json.loads(place.run("key", "create", "mobile", "--prefix", "vkey_", "--json").stdout)
    assert other["key"].startswith("vkey_") and other["publishable"] and other["id"] != record["id"]
    assert "revoked" in place.run("key", "revoke", other["id"]).stdout


def test_a_stored_key_is_in_no_file_of_the_store(place):
    keys = [place.run("key", "create", f"k{number}").stdout.strip() for number in range(5)]
    files = [file for file in place.folder.rglob("*") if "sqlite" in file.name]
    assert files
    for file in files:
        content = file.read_bytes()
        for key in keys:
            assert key.encode() not in content and key[8:].encode() not in content


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["key", "create", "two words"], "name"),
        (["key", "create", "a", "--prefix", "ek_"], "prefix"),
        (["key", "create", "a", "--prefix", "hyb"], "prefix"),
        (["key", "create", "a", "--app", "nope"], "no app"),
        (["key", "create", "a", "--expires", "soon"], "no time"),
        (["key", "create", "a", "--expires", "2020-01-01"], "future"),
        (["key", "create", "a", "--max-sessions", "0"], "maxSessions"),
        (["key", "create", "a", "--max-minutes-per-day", "nan"], "maxMinutesPerDay"),
        (["key", "create", "a", "--origin", "app.example"], "origin"),
        (["key", "create", "a", "--model", "a*b"], "models"),
        (["key", "create", "written"], "There is a key"),
        (["key", "revoke", "nobody"], "no key"),
        (["key", "revoke", "written"], "configuration"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_changes(place, arguments, said):
    before = place.run("key", "list", "--json").stdout
    done = place.run(*arguments, code=64)
    assert said in done.stderr and done.stdout == ""
    assert place.run("key", "list", "--json").stdout == before


def test_without_a_store_there_are_the_keys_of_the_file(tmp_path):
    place = Place(tmp_path, {**ROUTES, "ledger": "none"}, {})
    assert "written" in place.run("key", "list").stdout
    for arguments in (["key", "create", "a"], ["key", "revoke", "written"]):
        assert "none" in place.run(*arguments, code=1).stderr
    assert not (tmp_path / "data").exists()


def test_key_hash_reads_standard_input(place):
    assert place.run("key", "hash", text="hyb_written\n").stdout.strip() == ROUTES["access"]["keys"][0]["keyHash"]
    for text in ("", "\n", "two words\n", "k" * 513):
        place.run("key", "hash", text=text, code=64)


async def test_revoked_by_the_command_line_while_the_server_runs_holds_at_the_next_connection(served):
    server, place = served
    assert await status(server, "sk-anything") == 101
    key = place.run("key", "create", "first").stdout.strip()
    # It opens the next connection; within five seconds nothing else does.
    assert await status(server, key) == 101
    deadline = time.monotonic() + 8
    while await status(server, "sk-anything") != 401:
        assert time.monotonic() < deadline, "the first key did not end the anonymous mode"
        await asyncio.sleep(0.2)
    headers = {"Authorization": f"Bearer {key}"}
    async with connect(f"{server.ws}/v1/realtime", additional_headers=headers) as running:
        assert json.loads(await running.recv())["type"] == "session.created"
        await asyncio.to_thread(place.run, "key", "revoke", "first")
        with pytest.raises(InvalidStatus) as refused:
            async with connect(f"{server.ws}/v1/realtime", additional_headers=headers):
                pass
        response = refused.value.response
        assert response.status_code == 401 and json.loads(response.body)["error"]["code"] == "api_key_revoked"
        # The session that is open goes on.
        await running.send(json.dumps({"type": "session.update", "session": {"type": "realtime", "instructions": "x"}}))
        assert json.loads(await running.recv())["type"] == "session.updated"
    # To revoke the last key does not open the server.
    assert await status(server, "sk-anything") == 401
    assert key not in server.log


async def test_a_minted_token_opens_a_session_of_a_running_server(served):
    server, place = served
    token = place.run("token", "mint", "--provider", "gemini", "--expires", "60", "--dialect", "beta").stdout.strip()
    assert token.startswith("ek_eyJhbGciOiJIUzI1NiIs") and "\n" not in token
    assert await status(server, token) == 101
    looked = place.run("token", "inspect", "-", text=token + "\n").stdout
    assert f"signed by  key {jwt_forge.kid()}" in looked and '"provider":"gemini"' in looked and "valid" in looked
    once = place.run("token", "mint", "--max-sessions", "1").stdout.strip()
    assert await status(server, once) == 101
    assert await status(server, once) == 401


def test_a_minted_token_carries_what_it_is_told_to(place, tmp_path):
    session = tmp_path / "session.json"
    session.write_text(json.dumps({"type": "realtime", "instructions": "Be brief."}))
    minted = json.loads(
        place.run(
            "token", "mint", "--provider", "openai", "--model", "m", "--voice", "marin", "--session", str(session),
            "--app", "shop", "--expires", "5m", "--max-sessions", "2", "--max-minutes-per-session", "1.5",
            "--origin", "https://a.example", "--origin", "*", "--dialect", "ga", "--json",
        ).stdout
    )  # fmt: skip
    claims = minted["claims"]
    assert claims["exp"] - claims["iat"] == 300 and claims["exp"] == minted["expires_at"]
    assert claims["session"] == {"instructions": "Be brief.", "audio": {"output": {"voice": "marin"}}}
    told = {"provider": "openai", "model": "m", "app": "shop", "maxSessions": 2, "maxMinutesPerSession": 1.5}
    assert {key: claims[key] for key in told} == told
    assert claims["origins"] == ["https://a.example", "*"] and claims["dialect"] == "ga"
    assert claims["purpose"] == "realtime" and claims["sub"] == "command"
    from_input = place.run("token", "mint", "--session", "-", "--json", text='{"instructions": "x"}').stdout
    assert json.loads(from_input)["claims"]["session"] == {"instructions": "x"}


@pytest.mark.parametrize(
    "arguments, text, said",
    [
        (["--provider", "nope"], None, "no provider"),
        (["--expires", "3h"], None, "expected 1 to 7200"),
        (["--expires", "0"], None, "expected 1 to 7200"),
        (["--max-sessions", "0"], None, "can carry"),
        (["--origin", "https://a.example/"], None, "origin"),
        (["--app", "two words"], None, "can carry"),
        (["--session", "/nowhere.json"], None, "cannot be read"),
        (["--session", "-"], "[]", "JSON object"),
        (["--session", "-"], "{", "JSON"),
        (["--session", "-"], '{"type": "other"}', "type"),
        (["--session", "-"], json.dumps({"instructions": "x" * 8_000}), "bytes"),
        (["--dialect", "old"], None, "dialect"),
    ],
)
def test_a_token_that_cannot_be_is_not_minted(place, arguments, text, said):
    done = place.run("token", "mint", *arguments, text=text, code=64)
    assert said in done.stderr and done.stdout == ""


@pytest.mark.parametrize("name", list(jwt_forge.forged("http://127.0.0.1:1")))
def test_inspect_ends_with_1_for_what_would_be_refused(place, name):
    token = jwt_forge.forged("http://127.0.0.1:1")[name]
    done = place.run("token", "inspect", text=token + "\n", code=1)
    assert "refused    " in done.stdout and "valid      " not in done.stdout


def test_without_a_secret_nothing_is_minted(tmp_path):
    place = Place(tmp_path, ROUTES, {"JWT_SECRET": ""})
    assert "JWT_SECRET" in place.run("token", "mint", code=1).stderr
    assert "JWT_SECRET" in place.run("token", "inspect", text=jwt_forge.token(), code=1).stdout
