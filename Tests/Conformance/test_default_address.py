"""The server as it starts without further arguments (R052): in a network of its own, so that port 8787 is free."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from processes import BINARY

# Runs inside of the network: its loopback is switched on, the server started without arguments, and asked.
INSIDE = """
import json, subprocess, sys, time, urllib.request
from websockets.sync.client import connect
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
server = subprocess.Popen([sys.argv[1], "serve"], stdout=sys.stderr, stderr=sys.stderr)
try:
    for attempt in range(600):
        try:
            health = json.load(urllib.request.urlopen("http://localhost:8787/health", timeout=1))
            break
        except OSError:
            assert server.poll() is None, "the server has ended"
            time.sleep(0.05)
    said = {}
    for url in ("ws://localhost:8787/v1/realtime", "ws://127.0.0.1:8787/v1/realtime", "ws://[::1]:8787/v1/realtime"):
        with connect(url) as socket:
            said[url] = json.loads(socket.recv())["type"]
    print(json.dumps({"health": health["status"], "said": said}))
finally:
    server.terminate()
    server.wait(10)
"""


def may_make_networks() -> bool:
    run = subprocess.run(["unshare", "--net", "--map-root-user", "ip", "link"], capture_output=True)
    return run.returncode == 0


@pytest.mark.skipif(not shutil.which("unshare") or not may_make_networks(), reason="no network namespaces here")
def test_R052_started_without_arguments_it_answers_at_8787(tmp_path: pathlib.Path):
    (tmp_path / "routes.json").write_text(json.dumps({"default": "local", "providers": {"local": {"kind": "local"}}}))
    run = subprocess.run(
        ["unshare", "--net", "--map-root-user", sys.executable, "-c", INSIDE, str(BINARY)],
        capture_output=True, text=True, timeout=60, cwd=tmp_path,
        env={**os.environ, "PARLEY_DATA": str(tmp_path / "data")},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    assert answer["health"] == "ok" and set(answer["said"].values()) == {"session.created"}
