"""The stand-ins' field tables beside the vendors' own types: a stand-in that agrees with our mistakes proves nothing."""

import json
import pathlib
import subprocess
import sys
import typing

import openai.types.beta.realtime.response_create_event as beta_response
import openai.types.beta.realtime.session_update_event as beta_session
import openai.types.realtime as ga
import openai.types.realtime.realtime_audio_input_turn_detection as ga_detection
import pytest

from processes import BINARY

SCRIPT = pathlib.Path(__file__).with_name("check_standin_fields.py")


def tables() -> dict:
    run = subprocess.run([str(BINARY), "standin", "--dump-fields"], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def compare(dump: dict) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(SCRIPT)], input=json.dumps(dump), capture_output=True, text=True)


def test_the_standin_knows_no_field_that_google_does_not():
    run = compare(tables())
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_planted_field_is_found():
    dump = tables()
    dump["gemini"]["client"]["Blob"]["colour"] = "string"
    run = compare(dump)
    assert run.returncode == 1
    assert "colour" in run.stdout


# The tables' messages, and the types that they stand for.
OPENAI = {
    ("openai", "Session"): ga.RealtimeSessionCreateRequest,
    ("openai", "TranscriptionSession"): ga.RealtimeTranscriptionSessionCreateRequest,
    ("openai", "AudioInput"): ga.RealtimeAudioConfigInput,
    ("openai", "AudioOutput"): ga.RealtimeAudioConfigOutput,
    ("openai", "Transcription"): ga.AudioTranscription,
    ("openai", "ServerVAD"): ga_detection.ServerVad,
    ("openai", "SemanticVAD"): ga_detection.SemanticVad,
    ("openai", "FunctionTool"): ga.RealtimeFunctionTool,
    ("openai", "ResponseOptions"): ga.RealtimeResponseCreateParams,
    ("azure-preview", "Session"): beta_session.Session,
    ("azure-preview", "ServerVAD"): beta_session.SessionTurnDetection,
    ("azure-preview", "ResponseOptions"): beta_response.Response,
}
# What the live service takes without declaring it, and what it declares and no session of ours may send.
TOLERATED = {("openai", "FunctionTool"): {"strict"}}
REFUSED = {("azure-preview", "Session"): {"client_secret"}, ("azure-preview", "ServerVAD"): {"eagerness"}}


def literals(annotation) -> set:
    """The values of the Literals in an annotation."""
    if typing.get_origin(annotation) is typing.Literal:
        return set(typing.get_args(annotation))
    return {value for member in typing.get_args(annotation) for value in literals(member)}


def faults(table: dict[str, str], model, tolerated: set[str], refused: set[str]) -> list[str]:
    known = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    found = [f"{name} is not declared" for name in table.keys() - known.keys() - tolerated]
    found += [f"{name} is lacking" for name in known.keys() - table.keys() - refused]
    for name, kind in table.items():
        declared = literals(known.get(name))
        for alternative in (part.strip("[]") for part in kind.split("|")):
            if alternative.startswith("enum ") and declared:
                found += [f"{name} has no value {value}" for value in set(alternative.split()[1:]) - declared]
    return found


@pytest.mark.parametrize("place", OPENAI, ids="-".join)
def test_the_standins_know_the_fields_that_openai_declares(place):
    service, message = place
    table = tables()[service]["client"][message]
    assert not faults(table, OPENAI[place], TOLERATED.get(place, set()), REFUSED.get(place, set()))


def test_a_planted_openai_field_is_found():
    table = tables()["openai"]["client"]["Session"]
    planted = {**table, "temperature": "number", "output_modalities": "enum smell"}
    planted.pop("audio")
    found = faults(planted, ga.RealtimeSessionCreateRequest, set(), set())
    assert found == ["temperature is not declared", "audio is lacking", "output_modalities has no value smell"]
