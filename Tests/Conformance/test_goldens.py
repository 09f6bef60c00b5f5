"""Every frame of the golden transcripts of Gemini Live, theirs and ours, by the types of Google's own package."""

import json
import pathlib
import re

import pytest

from event_types import FrameFault, gemini_client_message, gemini_server_message

FOLDER = pathlib.Path(__file__).parent.parent / "Golden" / "gemini-live"
# The names of sound (`GoldenSound`).
SOUND = re.compile(r'"\d+ ms of [^"]*"')


def lines(path: pathlib.Path):
    head, *rest = SOUND.sub('"AAABAAIA"', path.read_text()).splitlines()
    if json.loads(head).get("platform") == "vertex":
        # Vertex AI's name for the same; the package's own reader renames it.
        rest = [line.replace('"candidatesToken', '"responseToken') for line in rest]
    return [json.loads(line) for line in rest]


def faults(judge, key: str, path: pathlib.Path):
    judged, found = 0, []
    for number, line in enumerate(lines(path), start=2):
        if line.get(key) not in ("upstream", "side") or "text" not in line:
            continue
        judged += 1
        try:
            judge(json.dumps(line["text"]))
        except FrameFault as fault:
            found.append(f"line {number}: {fault}")
    return judged, found


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.jsonl")), ids=lambda path: path.stem)
def test_R038_every_frame_of_a_golden_transcript_is_valid_by_googles_own_types(path):
    sent, ours = faults(gemini_client_message, "to", path)
    assert sent >= 1
    assert not ours, f"of {sent} to the service: {ours}"
    _, theirs = faults(gemini_server_message, "from", path)
    assert not theirs, f"of the service: {theirs}"
