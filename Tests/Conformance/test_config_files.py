"""The configuration's files, while the server runs: changed, broken, swapped, gone, and read again at SIGHUP."""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from asking import ADMIN_KEY, ask
from configured import MODELS, ConfiguredGateway, eventually
from processes import BINARY, STANDIN_KEY, free_port, is_healthy


@pytest.fixture
def server(tmp_path, standin):
    server = ConfiguredGateway(tmp_path, standin, "vad:\n  threshold: 0.7\n")
    server.await_ready()
    yield server
    assert server.stop() == 0, server.log


def threshold(server) -> float:
    return server.shown()["config"]["vad"]["threshold"]


async def test_R131_a_file_that_changes_is_taken_without_a_restart(server):
    pid = server.pid
    server.runtime.write_text("vad:\n  threshold: 0.8\ngateway:\n  default: openai\n")
    eventually(lambda: threshold(server) == 0.8, "the runtime file is taken")
    assert await server.default_model() == MODELS["openai"]
    server.runtime.write_text("vad:\n  threshold: 0.8\n")
    eventually(lambda: server.shown()["gateway"]["default"] == "gemini", "what is taken out is gone")
    server.routes["default"] = "openai"
    server.file.write_text(json.dumps({"listen": [{"host": "127.0.0.1", "port": server.port}], "ledger": "none",
                                       **server.routes}))  # fmt: skip
    eventually(lambda: server.shown()["gateway"]["default"] == "openai", "routes.json is taken")
    assert await server.default_model() == MODELS["openai"]
    assert server.pid == pid and server.log.count("configuration applied") >= 3
    assert server.metric("parley_configuration_current") == 1


BROKEN = {
    "broken YAML": ("vad: {threshold: [", ["invalid YAML"]),
    "unknown keys": ("vad: {treshold: 1}\nlmm: {}\n", ["vad.treshold: unknown key", "lmm: unknown key"]),
    "a bad value": ("vad: {threshold: 7}\n", ["runtime.yaml:1: vad.threshold: out of range"]),
    "a bad section of the gateway": (
        "gateway:\n  limits:\n    maxSesions: 1\n", ["runtime.yaml:3: gateway.limits.maxSesions: unknown key"]),
    "no text": ("\x00\x01", ["runtime.yaml"]),
}  # fmt: skip


async def test_bad_files_are_one_clear_line_each_and_the_service_goes_on(server):
    for name, (text, lines) in BROKEN.items():
        before = server.log.count("configuration refused")
        server.runtime.write_text(text)
        eventually(lambda: server.log.count("configuration refused") == before + len(lines), f"{name} is told")
        refused = [line for line in server.log.splitlines() if "configuration refused" in line][before:]
        for line in lines:
            assert sum(line in told for told in refused) == 1, (name, refused)
        assert threshold(server) == 0.7 and server.metric("parley_configuration_current") == 0
        assert await server.default_model() == MODELS["gemini"]
    assert server.metric('parley_configuration_reloads_total{outcome="refused"}') == len(BROKEN)
    server.runtime.write_text("vad:\n  threshold: 0.6\n")
    eventually(lambda: threshold(server) == 0.6, "a file that is right again is taken")
    assert server.metric("parley_configuration_current") == 1


async def test_files_that_vanish_leave_what_they_held(server):
    server.runtime.unlink()
    routes = server.file.read_text()
    server.file.unlink()
    eventually(lambda: server.log.count("configuration file vanished") == 2, "both are told once")
    assert threshold(server) == 0.7 and await server.default_model() == MODELS["gemini"]
    answer = server.admin("POST", "/config/reload")
    assert answer.status == 400 and "no such file" in answer.json["error"]["message"]
    server.put({"vad": {"minSilenceMs": 400}})
    assert server.runtime.read_text() == "vad:\n  threshold: 0.7\n  minSilenceMs: 400\n", "it is back, and whole"
    server.file.write_text(routes)
    assert server.admin("POST", "/config/reload").status == 200
    assert server.log.count("configuration file vanished") == 2


def test_a_mounted_configuration_is_swapped(tmp_path, standin):
    """As Kubernetes does it: the file is a link through a link, which is exchanged for another."""
    for name, value in (("..one", 0.6), ("..two", 0.8)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "runtime.yaml").write_text(f"vad:\n  threshold: {value}\n")
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "runtime.yaml").symlink_to("..data/runtime.yaml")
    server = ConfiguredGateway(tmp_path, standin)
    server.await_ready()
    try:
        assert threshold(server) == 0.6
        (tmp_path / "..new").symlink_to("..two")
        os.rename(tmp_path / "..new", tmp_path / "..data")
        eventually(lambda: threshold(server) == 0.8, "the other file is taken")
    finally:
        assert server.stop() == 0


async def test_fault_row_58_sighup_reads_everything_again_secrets_too(tmp_path, standin):
    key = tmp_path / "provider.key"
    key.write_text("not-the-key")
    patch = {"gateway": {"providers": {"openai": {"key": f"file:{key}"}}, "default": "openai"}}
    server = ConfiguredGateway(tmp_path, standin)
    server.await_ready()
    try:
        server.put(patch)
        server.put({"vad": {"threshold": 0.9}}, "?persist=false")
        # The key's file is in no list of what is watched: somebody has to say that it changed.
        key.write_text(STANDIN_KEY + "\n")
        revision = server.shown()["revision"]
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda: server.shown()["revision"] == revision + 1, "the signal is obeyed")
        assert await server.default_model() == MODELS["openai"]
        assert threshold(server) == 0.5, "what no file has is gone (Q6)"

        good = server.runtime.read_text()
        server.runtime.write_text("vad: [")
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda: "configuration refused" in server.log, "a bad file is refused")
        server.runtime.write_text(good)
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda: server.metric("parley_configuration_current") == 1, "and a good one taken")
        assert is_healthy(server.port) and await server.default_model() == MODELS["openai"]
        # Many at once are few readings, and hold up nobody who wants the end.
        for _ in range(300):
            os.kill(server.pid, signal.SIGHUP)
    finally:
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 8
    assert server.log.count("cause=reload") < 100


def started(folder: pathlib.Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(BINARY), "serve", "--config", str(folder / "routes.json"), *arguments],
        capture_output=True, text=True, timeout=20, env={**os.environ, "ENGINE_API_KEY": ADMIN_KEY, **environment},
    )  # fmt: skip


def test_a_start_with_bad_files_names_every_mistake_and_serves_nothing(tmp_path):
    routes = {"listen": [{"host": "127.0.0.1", "port": free_port()}], "default": "nobody", "contract": "x",
              "providers": {"local": {"kind": "local"}}, "ledger": "none"}  # fmt: skip
    (tmp_path / "routes.json").write_text(json.dumps(routes))
    (tmp_path / "runtime.yaml").write_text("vad:\n  treshold: 1\ngateway: {limits: {x: 1}}\n")
    ended = started(tmp_path, "--runtime-config", str(tmp_path / "runtime.yaml"))
    assert ended.returncode == 1
    lines = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 4 and "listening" not in ended.stdout, ended
    for place in ("default: ", "contract: ", "runtime.yaml:2: vad.treshold: ", "runtime.yaml:3: gateway.limits.x: "):
        assert sum(place in line for line in lines) == 1, (place, lines)

    absent = tmp_path / "nowhere" / "runtime.yaml"
    ended = started(tmp_path, "--runtime-config", str(absent))
    assert ended.returncode == 1 and f"{absent}: cannot be read: no such file" in ended.stderr, ended


def test_what_only_a_start_can_change_is_told(server):
    server.routes["default"] = "openai"
    listen = [{"host": "127.0.0.1", "port": free_port()}]
    server.file.write_text(json.dumps({"listen": listen, "ledger": "none", **server.routes}))
    eventually(lambda: server.shown()["gateway"]["default"] == "openai", "the rest is taken")
    assert any("needs a restart" in line and "section=listen" in line for line in server.log.splitlines())
    assert ask(server, "GET", "/health").status == 200
