"""Who judges the judges: recordings of real services must pass, and frames known to be wrong must not."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
import yaml

from event_types import FrameFault, gemini_client_message, gemini_server_message, openai_server_event
from processes import BINARY, ROOT

WRONG_GEMINI = [
    {"setup": {"model": "m", "responseModalities": ["AUDIO"]}},
    {"setup": {"model": "m", "generationConfig": {"responseModalities": ["T"]}}},
    {"setup": {"model": "m", "systemInstruction": "bare text"}},
    {"setup": {"model": "m", "realtimeInputConfig": {"turnCoverage": "NOPE"}}},
    {"realtime_input": {"text": "x"}},
    {"realtimeInput": {"audio": {"data": "AA!A", "mimeType": "audio/pcm"}}},
    {"clientContent": {"turnComplete": True}, "realtimeInput": {"text": "two members"}},
]

WRONG_OPENAI = [
    {"type": "no.such", "event_id": "e"},
    {"type": "input_audio_buffer.cleared"},
    {"type": "input_audio_buffer.cleared", "event_id": 5},
    {"type": "input_audio_buffer.cleared", "event_id": "e", "surprise": 1},
    {"type": "input_audio_buffer.speech_started", "event_id": "e", "item_id": "i", "audio_start_ms": 1.5},
]


@pytest.mark.parametrize("message", WRONG_GEMINI, ids=range(len(WRONG_GEMINI)))
def test_the_judge_of_gemini_messages_refuses_what_the_service_refuses(message):
    with pytest.raises(FrameFault):
        gemini_client_message(json.dumps(message))


@pytest.mark.parametrize("event", WRONG_OPENAI, ids=range(len(WRONG_OPENAI)))
def test_the_judge_of_openai_events_refuses_what_clients_choke_on(event):
    with pytest.raises(FrameFault):
        openai_server_event(json.dumps(event))


def received(pattern: str) -> list[str]:
    """What the services sent in the recordings of a name."""
    folder = os.environ.get("REALTIME_RECORDINGS")
    if not folder:
        pytest.skip("REALTIME_RECORDINGS does not name a folder of recordings")
    files = sorted(pathlib.Path(folder).glob(pattern))
    assert files, f"no {pattern} in {folder}"
    return [
        json.dumps(step["data"])
        for file in files
        for step in yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["interactions"]
        if step["kind"] == "message" and step["direction"] == "received"
    ]


def test_every_event_of_the_real_openai_service_passes():
    for text in received("openai-*.yaml"):
        openai_server_event(text)


def test_every_message_of_the_real_gemini_service_passes():
    for text in received("gemini-*.yaml"):
        gemini_server_message(text)


def test_a_service_that_only_resembles_openai_does_not_pass():
    faults = 0
    for text in received("xai-*.yaml"):
        try:
            openai_server_event(text)
        except FrameFault:
            faults += 1
    assert faults > 0


def test_the_stand_ins_table_of_gemini_fields_agrees_with_googles_types(tmp_path):
    tables = tmp_path / "fields.json"
    tables.write_bytes(subprocess.run([str(BINARY), "standin", "--dump-fields"], check=True, capture_output=True).stdout)
    check = ROOT / "Tests" / "Conformance" / "check_standin_fields.py"
    comparison = subprocess.run([sys.executable, str(check), str(tables)], capture_output=True, text=True)
    assert comparison.returncode == 0, comparison.stdout + comparison.stderr
