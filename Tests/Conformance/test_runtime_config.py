"""The configuration over HTTP, while the server runs (R075-R083, R109-R112, R128-R131)."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest
import yaml
from websockets.asyncio.client import connect

from asking import ADMIN_KEY, ENVIRONMENT, SERVER_KEY, ask, greeting, locked_gateway, mint
from configured import MODELS, ConfiguredGateway, eventually
from processes import BINARY, Process, is_healthy

SECRET = "sk-never-shown-0123456789"


@contextlib.contextmanager
def running(folder: pathlib.Path, standin, runtime: str | None = None, **environment: str):
    server = ConfiguredGateway(folder, standin, runtime, **environment)
    server.await_ready()
    try:
        yield server
    finally:
        assert server.stop() == 0, server.log


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    with running(tmp_path_factory.mktemp("configured"), standin, GROQ_API_KEY=SECRET) as server:
        yield server


def test_R076_the_configuration_is_shown_with_its_sources_and_without_secrets(server):
    shown = server.shown()
    assert set(shown) >= {"config", "sources", "effective", "gateway", "file", "revision", "loadedAt"}
    assert shown["config"]["llm"]["apiKey"] == "env:GROQ_API_KEY"
    assert shown["gateway"]["providers"]["openai"]["key"] == "env:STANDIN_KEY"
    assert shown["effective"]["llm"]["provider"] == "groq"
    assert shown["file"] == str(server.runtime)
    assert SECRET not in json.dumps(shown) and ADMIN_KEY not in json.dumps(shown) and SECRET not in server.log


def test_R078_R079_a_part_is_merged_and_is_in_the_file(server):
    before = server.shown()["config"]
    patch = {"llm": {"provider": "groq", "model": "openai/gpt-oss-20b"}}
    after = server.put(patch)
    assert after["config"]["llm"] == {**before["llm"], **patch["llm"]}
    assert {**after["config"], "llm": None} == {**before, "llm": None}, "the rest stays"
    assert server.shown()["config"] == after["config"]
    written = yaml.safe_load(server.runtime.read_text())
    assert written["llm"]["provider"] == "groq" and written["llm"]["model"] == "openai/gpt-oss-20b"
    # Q5: the same in an envelope.
    wrapped = server.put({"config": {"llm": {"model": "llama-of-the-envelope"}}})
    assert wrapped["config"]["llm"]["model"] == "llama-of-the-envelope"
    assert server.put({"llm": {"model": None}})["config"]["llm"]["model"] == "openai/gpt-oss-20b", "null takes away"


def test_R110_R111_the_examples_of_the_documents_run_as_they_are(server):
    example = '{"llm": {"provider": "openrouter", "model": "anthropic/claude-3-sonnet"}}'
    for kind in ("application/x-www-form-urlencoded", "text/plain", ""):
        answer = server.admin("PUT", "/config", example, {"Content-Type": kind})
        assert answer.status == 200, answer
        assert answer.json["config"]["llm"]["model"] == "anthropic/claude-3-sonnet"
        server.put({"llm": None})
    if curl := shutil.which("curl"):
        command = [curl, "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", f"{server.http}/config",
                   "-H", f"Authorization: Bearer {ADMIN_KEY}", "-d", example]  # fmt: skip
        assert subprocess.run(command, capture_output=True, text=True, timeout=20).stdout == "200"
    assert server.shown()["config"]["llm"]["provider"] == "openrouter"
    server.put({"llm": None})


BAD = {
    "a word": ({"llm": {"provider": "nope"}}, "llm.provider"),
    "a key": ({"llm": {"modle": "x"}}, "llm.modle"),
    "a section": ({"lmm": {}}, "lmm"),
    "a range": ({"vad": {"threshold": 7}}, "vad.threshold"),
    "a kind": ({"vad": {"enabled": "perhaps"}}, "vad.enabled"),
    "a secret that is not there": ({"tts": {"apiKey": "env:NOT_THERE"}}, "tts.apiKey"),
    "a provider that is not declared": ({"gateway": {"default": "nobody"}}, "gateway.default"),
    "a limit that is none": ({"gateway": {"limits": {"maxSesions": 1}}}, "gateway.limits.maxSesions"),
    "a secret in the open": ({"gateway": {"providers": {"openai": {"key": SECRET}}}}, "gateway.providers.openai.key"),
    "what only a start can change": ({"gateway": {"listen": []}}, "gateway.listen"),
    "something beside the envelope": ({"config": {}, "llm": {}}, "config"),
    "an envelope that holds nothing": ({"config": 7}, "config"),
}


@pytest.mark.parametrize("name", BAD)
def test_R080_what_is_wrong_is_refused_with_its_path_and_changes_nothing(server, name):
    patch, path = BAD[name]
    before, file = server.shown(), server.runtime.read_text()
    for method, target in (("POST", "/config/validate"), ("PUT", "/config"), ("PUT", "/config?persist=false")):
        answer = server.admin(method, target, patch)
        assert answer.status == 400, answer
        error = answer.json["error"]
        assert error["code"] == "invalid_configuration" and error["param"] == path, error
        assert error["type"] == "invalid_request_error" and error["message"], error
        assert all(set(fault) == {"path", "message"} for fault in error.get("faults", [])), error
        assert SECRET.encode() not in answer.body
    assert server.shown() == before and server.runtime.read_text() == file


def test_R080_every_mistake_is_told_at_once(server):
    answer = server.admin("PUT", "/config", {"llm": {"a": 1}, "stt": {"threads": 0}, "b": 2})
    assert sorted(fault["path"] for fault in answer.json["error"]["faults"]) == ["b", "llm.a", "stt.threads"]


@pytest.mark.parametrize(
    "body, status, code",
    [
        ("{", 400, "invalid_json"), ("[]", 400, "invalid_type"), ("", 400, "invalid_json"),
        ('{"a":' * 5000, 400, "invalid_json"), (" " * 300_000, 413, "request_too_large"),
    ],
)  # fmt: skip
def test_bodies_that_are_no_objects_are_refused(server, body, status, code):
    for method, target in (("PUT", "/config"), ("POST", "/config/validate")):
        answer = server.admin(method, target, body)
        assert (answer.status, answer.error["code"]) == (status, code)


def test_queries_and_methods_that_there_are_not_are_refused(server):
    assert server.admin("PUT", "/config?persist=maybe", {}).error["param"] == "persist"
    assert server.admin("PUT", "/config?presist=false", {}).error["code"] == "unknown_parameter"
    assert server.admin("PATCH", "/config", {}).status == 405


def test_R080_validation_says_yes_and_changes_nothing(server):
    before = server.shown()
    answer = server.admin("POST", "/config/validate", {"llm": {"provider": "openrouter"}})
    assert (answer.status, answer.json) == (200, {"ok": True})
    assert server.shown() == before


def test_R081_a_reload_reads_the_file_and_a_broken_one_changes_nothing(server):
    whole = server.runtime.read_text()
    try:
        server.runtime.write_text(whole + "realtimeModel: of-the-file\n")
        answer = server.admin("POST", "/config/reload")
        assert answer.status == 200 and answer.json["config"]["realtimeModel"] == "of-the-file"
        for broken in ("llm: {provider: [", "\tllm: x", "llm: {provider: groq, provider: groq}"):
            server.runtime.write_text(broken)
            answer = server.admin("POST", "/config/reload")
            assert answer.status == 400 and answer.json["error"]["code"] == "invalid_configuration"
            assert server.shown()["config"]["realtimeModel"] == "of-the-file"
            # A change does not write over what somebody is about to mend.
            assert server.admin("PUT", "/config", {"realtimeModel": "x"}).status == 400
            assert server.runtime.read_text() == broken
    finally:
        server.runtime.write_text(whole)
        assert server.admin("POST", "/config/reload").status == 200


def test_R082_R083_presets_can_be_put_as_they_are(server):
    presets = server.admin("GET", "/presets").json["presets"]
    assert {"groq", "openrouter", "embedded", "default-gemini"} <= {preset["name"] for preset in presets}
    for preset in presets:
        assert preset["description"] and preset["available"] == (not preset["missing"])
        assert server.admin("POST", "/config/validate", preset["config"]).json == {"ok": True}
    by_name = {preset["name"]: preset for preset in presets}
    assert by_name["groq"]["missing"] == ["DEEPGRAM_API_KEY"]
    server.put(by_name["embedded"]["config"], "?persist=false")
    assert server.shown()["effective"]["llm"]["provider"] == "rules"
    assert server.admin("POST", "/config/reload").status == 200


ROUTES = [
    ("GET", "/config"), ("PUT", "/config"), ("POST", "/config/validate"), ("POST", "/config/reload"),
    ("GET", "/presets"),
]  # fmt: skip


def test_R077_R083_the_operators_key_alone_opens(tmp_path, standin):
    with locked_gateway(tmp_path, standin) as locked:
        token = mint(locked)
        for method, target in ROUTES:
            for key in (None, "wrong", SERVER_KEY, ENVIRONMENT["PAGE_KEY"], token):
                answer = ask(locked, method, target, {}, key=key)
                assert answer.status in (401, 403) and answer.error["code"], (method, target, key)
            body = None if method == "GET" else {}
            assert ask(locked, method, target, body, key=ADMIN_KEY).status == 200, (method, target)
            assert ask(locked, method, f"{target}?key={ADMIN_KEY}", {}).status == 401, "not in the address"


async def test_R075_R112_R131_new_sessions_take_a_change_and_running_ones_keep_theirs(server):
    pid = server.pid
    async with connect(f"{server.ws}/v1/realtime") as first:
        assert json.loads(await first.recv())["session"]["model"] == MODELS["gemini"]
        server.put({"gateway": {"default": "openai"}})
        assert await server.default_model() == MODELS["openai"]
        await first.send(json.dumps({"type": "response.create", "response": {"instructions": "Say hello."}}))
        kinds = []
        while not kinds or kinds[-1] != "response.done":
            event = json.loads(await first.recv())
            kinds.append(event["type"])
        assert event["response"]["status"] == "completed"
        await first.send(json.dumps({"type": "session.update", "session": {"type": "realtime"}}))
        while (event := json.loads(await first.recv()))["type"] != "session.updated":
            assert event["type"] != "error", event
        assert event["session"]["model"] == MODELS["gemini"], "it is where it was"
    server.put({"gateway": None})
    assert await server.default_model() == MODELS["gemini"]
    assert server.pid == pid and is_healthy(server.port)


async def test_R112_the_voice_engine_is_another_for_new_sessions(server):
    url = f"{server.ws}/v1/realtime?provider=local"
    server.put({"llm": {"provider": "rules"}})
    async with connect(url) as first:
        rules = json.loads(await first.recv())["session"]["model"]
        server.put({"llm": {"provider": "openai-compatible", "baseUrl": "http://127.0.0.1:9/v1", "model": "other"}})
        assert (await greeting(url))["session"]["model"] == "other" != rules
        # The old one answers by rules still, without a server.
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello!"}]}
        await first.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await first.send(json.dumps({"type": "response.create", "response": {"output_modalities": ["text"]}}))
        while (event := json.loads(await first.recv()))["type"] != "response.done":
            pass
        assert event["response"]["status"] == "completed", event
    server.put({"llm": None})


def test_R130_http_comes_before_the_file_and_the_file_before_the_environment(tmp_path, standin):
    runtime = "llm:\n  provider: groq\n  model: of-the-file\n"
    with running(tmp_path, standin, runtime, GROQ_API_KEY=SECRET, GROQ_MODEL="of-the-environment") as server:
        def model() -> tuple[str, str]:
            shown = server.shown()
            return shown["config"]["llm"]["model"], shown["sources"]["llm.model"]

        assert model() == ("of-the-file", f"{server.runtime}:3")
        server.put({"llm": {"model": "of-the-request"}}, "?persist=false")
        assert model() == ("of-the-request", "request")
        assert server.runtime.read_text() == runtime
        assert server.admin("POST", "/config/reload").status == 200
        assert model() == ("of-the-file", f"{server.runtime}:3")
        server.put({"llm": {"model": None}})
        assert model() == ("of-the-environment", "environment GROQ_MODEL")


def test_R109_R128_R129_the_first_boot_writes_the_file_and_a_later_one_keeps_it(tmp_path, standin):
    environment = {
        "GROQ_API_KEY": SECRET, "DEEPGRAM_API_KEY": SECRET, "GROQ_MODEL": "of-the-environment", "VAD_THRESHOLD": "0.4",
        "VAD_MIN_SILENCE_MS": "400", "OPENROUTER_API_KEY": SECRET,
    }  # fmt: skip
    with running(tmp_path, standin, **environment) as server:
        written = yaml.safe_load(server.runtime.read_text())
        assert "llm" not in written, "what one provider has is not the next one's"
        assert written["vad"] == {"threshold": 0.4, "minSilenceMs": 400} and SECRET not in server.runtime.read_text()
        assert oct(os.stat(server.runtime).st_mode & 0o777) == "0o600"
        # R124: Deepgram's defaults, as soon as its key is there.
        hearing = server.shown()["config"]["stt"]
        assert (hearing["provider"], hearing["model"], hearing["language"]) == ("deepgram", "nova-3", "en-US")
        # The documentation's example: the key of the new provider, and not the one before.
        put = server.put({"llm": {"provider": "openrouter", "model": "anthropic/claude-3-sonnet"}})
        assert put["config"]["llm"]["apiKey"] == "env:OPENROUTER_API_KEY"
        assert put["sources"]["llm.apiKey"] == "environment OPENROUTER_API_KEY"
        server.put({"vad": {"threshold": 0.6}, "gateway": {"default": "openai"}, "llm": None})
    # Another container with the same volume.
    with running(tmp_path, standin, **{**environment, "VAD_THRESHOLD": "0.9"}) as server:
        shown = server.shown()
        assert shown["config"]["vad"]["threshold"] == 0.6 and shown["gateway"]["default"] == "openai"
        text = server.runtime.read_text().replace("  minSilenceMs: 400\n", "")
        server.runtime.write_text(text)
        assert server.admin("POST", "/config/reload").status == 200
        shown = server.shown()
        assert shown["sources"]["vad.minSilenceMs"] == "environment VAD_MIN_SILENCE_MS", "a key that is deleted is the environment's"


def test_fault_row_66_a_full_disk_is_told_and_changes_nothing(tmp_path, standin):
    """No file of the process may be larger than this: the system refuses as it does when the disk is full."""
    if not (shutil.which("prlimit") and shutil.which("env")):
        pytest.skip("needs prlimit (util-linux)")
    server = ConfiguredGateway(tmp_path / "plain", standin, "vad:\n  threshold: 0.7\n")
    server.await_ready()
    assert server.stop() == 0
    limited = ["--ignore-signal=XFSZ", "prlimit", "--fsize=40960:40960"]
    arguments = [*limited, str(BINARY), "serve", "--config", str(server.file)]
    environment = {
        "RUNTIME_CONFIG_PATH": str(server.runtime), "ENGINE_API_KEY": ADMIN_KEY, "STANDIN_KEY": "x" * 16,
    }  # fmt: skip
    server._process = Process(arguments, tmp_path / "serve.log", environment, program=pathlib.Path("/usr/bin/env"))
    server.await_ready()
    try:
        entry = {"kind": "openai", "url": "ws://127.0.0.1:9/v1/realtime", "model": "m" * 200}
        many = {"gateway": {"providers": {f"provider-{number}": entry for number in range(250)}}}
        before = server.runtime.read_text()
        answer = server.admin("PUT", "/config", many)
        assert answer.status == 507 and answer.json["error"]["code"] == "configuration_not_saved", answer
        assert answer.json["error"]["type"] == "server_error"
        assert server.runtime.read_text() == before
        assert list(tmp_path.glob("plain/runtime.yaml*")) == [server.runtime], "nothing is left beside it"
        assert "provider-7" not in server.shown()["gateway"]["providers"]
        server.put({"vad": {"threshold": 0.8}})
    finally:
        assert server.stop() == 0


def test_a_file_that_cannot_be_written_is_one_warning_and_a_500(tmp_path, standin):
    with running(tmp_path, standin, RUNTIME_CONFIG_PATH="/proc/parley-runtime.yaml", VAD_THRESHOLD="0.4") as server:
        assert server.log.count("configuration file not written") == 1
        answer = server.admin("PUT", "/config", {"vad": {"threshold": 0.6}})
        assert answer.status == 500 and answer.json["error"]["code"] == "configuration_not_saved"
        assert server.shown()["config"]["vad"]["threshold"] == 0.4
        server.put({"vad": {"threshold": 0.6}}, "?persist=false")
        assert server.shown()["config"]["vad"]["threshold"] == 0.6


def process_status(pid: int, field: str) -> int:
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith(field + ":")))


def test_R112_engines_of_the_past_leave_neither_threads_nor_memory(server):
    """The model is loaded anew each time, 75 MB of it: ten of them are not there any more."""
    server.put({"stt": {"provider": "whisper"}})
    if server.shown()["effective"]["stt"]["provider"] != "whisper":
        pytest.skip("the Whisper model is not installed: run `make setup`")
    marks = []
    for number in range(12):
        server.put({"stt": {"threads": 1 + number % 2}}, "?persist=false")
        if number in (2, 11):
            marks.append((process_status(server.pid, "Threads"), process_status(server.pid, "VmRSS")))
    server.put({"stt": None})
    (threads, kilobytes), (threads_after, kilobytes_after) = marks
    assert threads_after <= threads + 4 and kilobytes_after <= kilobytes + 150_000, marks
    # Those of the runtime's own pool come and go.
    eventually(lambda: process_status(server.pid, "Threads") <= threads + 2, "the threads of the old ones end")
