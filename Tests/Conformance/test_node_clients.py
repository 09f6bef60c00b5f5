"""Clients in JavaScript: Node with the package `ws`."""

import json
import pathlib

import pytest

from node import run_node, wscat
from processes import ROOT
from providers import STANDINS

EXAMPLE = ROOT / "examples" / "realtime.js"


def run_moved(server, query: str, tmp_path: pathlib.Path, *arguments: str) -> list[str]:
    """What the example prints when it talks to a server on another port."""
    program = EXAMPLE.read_text(encoding="utf-8")
    moved = program.replace("127.0.0.1:8787/v1/realtime", f"127.0.0.1:{server.port}/v1/realtime{query}")
    assert moved != program, "the examples use the documented port"
    file = tmp_path / EXAMPLE.name
    file.write_text(moved, encoding="utf-8")
    return run_node(file, *arguments).splitlines()


@pytest.mark.parametrize("provider", STANDINS)
def test_R002_R154_R194_R211_the_example_connects_configures_and_logs_events(gateway, tmp_path, provider):
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 30
    printed = run_moved(gateway, f"?provider={provider}", tmp_path, "Say hello.")
    kinds = [line.split()[0] for line in printed]
    assert kinds[0] == "session.created" and "session.updated" in kinds and "response.done" in kinds
    words = [line.partition(" ")[2] for line in printed if line.startswith("response.output_audio_transcript.delta")]
    assert "".join(words) == "You said: Say hello."
    assert any(line.startswith("response.output_audio.delta ") and line.endswith(" bytes") for line in printed)


def test_R211_the_example_talks_to_the_voice_engine(engine, tmp_path):
    printed = run_moved(engine, "", tmp_path, "what is seven times eight")
    assert any(line.startswith("response.done") for line in printed) and any("56" in line for line in printed)


SUBPROTOCOLS = """
const WebSocket = require("ws");
const [url, offered, headers] = process.argv.slice(2);
const ws = new WebSocket(url, JSON.parse(offered), { headers: JSON.parse(headers) });
ws.on("message", (data) => {
  console.log(JSON.stringify([ws.protocol, JSON.parse(data.toString()).type]));
  ws.close();
});
"""


@pytest.mark.parametrize(
    "offered, headers, chosen",
    [
        ([], {"Authorization": "Bearer ek_token"}, ""),
        (["realtime", "openai-insecure-api-key.ek_token"], {}, "realtime"),
        (["realtime", "openai-insecure-api-key.ek_token", "openai-beta.realtime-v1"], {}, "realtime"),
    ],
    ids=["R059 none with headers", "R280 a key", "R099 a key and the beta marker"],
)
def test_what_node_offers_as_subprotocols(gateway, tmp_path, offered, headers, chosen):
    program = tmp_path / "subprotocols.js"
    program.write_text(SUBPROTOCOLS, encoding="utf-8")
    url = f"{gateway.ws}/v1/realtime"
    assert json.loads(run_node(program, url, json.dumps(offered), json.dumps(headers))) == [chosen, "session.created"]


def test_R058_wscat_as_the_documentation_calls_it(gateway):
    say = json.dumps({"type": "session.update", "session": {"instructions": "x"}})
    printed = wscat(f"{gateway.ws}/v1/realtime", "-H", "Authorization: Bearer ek_your_ephemeral_token", say=say)
    assert [json.loads(line)["type"] for line in printed] == ["session.created", "session.updated"]
