"""The frames of Inworld's guide and of its front page, sent by Node with the package `ws`, to every provider."""

import json
import pathlib

import pytest

from client_turns import SPEECH
from conversation import of_type, types
from event_types import openai_server_event
from node import run_node
from providers import PROVIDERS, added_by, without
from sound import RATE
from upstream_record import await_record

GUIDES = pathlib.Path(__file__).parent / "guides"
UPDATES = [
    "configure", "model", "voice", "voice_model", "transcription_model", "semantic_vad", "server_vad",
    "transcription_hints",
]  # fmt: skip

# What the guide sets beyond OpenAI's sessions; it shows where a provider takes it.
INWORLDS = {"session.temperature", "session.audio.output.model"}


@pytest.fixture
def play(request, tmp_path):
    """Plays snippets to a provider: the events, all judged, and how many bytes of sound were played."""

    def run(provider: str, *snippets: str, listen: str | None = None, speech: bytes = SPEECH) -> tuple[list[dict], int]:
        server = request.getfixturevalue("engine" if provider == "local" else "gateway")
        recording = tmp_path / "speech.pcm"
        recording.write_bytes(speech)
        files = [str(GUIDES / "inworld" / f"{name}.js") for name in snippets]
        if listen:
            files = ["--listen", str(GUIDES / "inworld" / f"{listen}.js"), *files]
        url = f"{server.ws}/v1/realtime?provider={provider}"
        printed = run_node(GUIDES / "play.js", url, str(recording), *files).splitlines()
        events = [openai_server_event(line, added_by(provider) | INWORLDS) for line in printed[:-1]]
        assert types(events)[0] == "session.created" and not of_type(events, "error"), events[-1]
        return events, json.loads(printed[-1])["bytes"]

    return run


def response(events: list[dict]) -> dict:
    """The last response."""
    return of_type(events, "response.done")[-1]["response"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_R222_R274_every_update_of_the_guide_is_acknowledged_once(play, provider):
    events, _ = play(provider, *UPDATES)
    assert types(events) == ["session.created", *["session.updated"] * len(UPDATES)]
    detection = events[-1]["session"]["audio"]["input"]["turn_detection"]
    assert detection["silence_duration_ms"] == 1000 and detection["prefix_padding_ms"] == 200
    assert events[-1]["session"]["instructions"] == "You are a friendly narrator."


@pytest.mark.parametrize("provider", PROVIDERS)
def test_R157_R217_R260_a_typed_turn_of_the_guide(play, provider):
    events, _ = play(provider, "configure", "text_item", "create_response")
    assert response(events)["status"] == "completed"
    assert of_type(events, "response.output_audio.delta")
    assert of_type(events, "response.output_audio_transcript.done")[0]["transcript"].strip()


@pytest.mark.parametrize("provider", without(PROVIDERS, "vowel"))
def test_R258_a_recorded_turn_of_the_guide(play, provider):
    events, _ = play(provider, "configure", "recorded_item", "create_response")
    assert response(events)["status"] == "completed" and of_type(events, "response.output_audio.delta")
    assert of_type(events, "conversation.item.added")[0]["item"]["content"][0]["type"] == "input_audio"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_R263_R264_R265_R274_R277_the_tool_loop_of_the_guide(play, provider, tmp_path):
    question = tmp_path / "question.js"
    text = "What is the horoscope of Leo?" if provider == "local" else 'call get_horoscope {"sign":"Leo"}'
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    question.write_text(f"ws.send(JSON.stringify({json.dumps({'type': 'conversation.item.create', 'item': item})}));")
    events, _ = play(provider, "tool", str(question.with_suffix("")), "create_response", listen="answer_calls")
    (call,) = of_type(events, "response.function_call_arguments.done")
    assert call["name"] == "get_horoscope" and "Leo".lower() in json.loads(call["arguments"])["sign"].lower()
    assert types(events).count("response.created") == 2, "one answer with the call, one with its result"
    assert "a good day" in of_type(events, "response.output_audio_transcript.done")[-1]["transcript"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_R153_R154_R156_R158_R159_R160_R161_the_agent_of_the_front_page(play, provider):
    events, played = play(provider, listen="agent")
    order = types(events)
    assert order.count("session.updated") == 1 and "input_audio_buffer.speech_started" in order
    assert order.index("input_audio_buffer.committed") < order.index("response.created")
    assert response(events)["status"] == "completed" and played > RATE // 4


def merged(base: dict, changes: dict) -> dict:
    """Partial updates put together, as the service does."""
    both = {name: merged(base[name], changes[name]) for name in base.keys() & changes.keys() if is_object(base, changes, name)}
    return {**base, **changes, **both}


def is_object(base: dict, changes: dict, name: str) -> bool:
    return isinstance(base[name], dict) and isinstance(changes[name], dict)


def test_R215_R218_R222_R225_R228_R231_R244_R253_inworld_gets_what_its_guide_sets(play, standin):
    play("inworld", *UPDATES, "text_item", "create_response")

    def told(record) -> list[dict]:
        """What the connections of this test have been told of their sessions, each put together."""
        connections = record.connections("inworld", lambda message: "friendly narrator" in json.dumps(message))
        sessions = []
        for number in sorted(connections):
            session: dict = {}
            for message in record.received("inworld", number):
                session = merged(session, message.get("session", {})) if message["type"] == "session.update" else session
            if "Medical dictation" in json.dumps(session):
                sessions.append(session)
        return sessions

    session = told(await_record(standin.record, lambda record: bool(told(record))))[-1]
    assert session["model"] == "openai/gpt-4o-mini" and session["temperature"] == 0.8
    output, heard = session["audio"]["output"], session["audio"]["input"]
    assert (output["model"], output["voice"], output["speed"]) == ("inworld-tts-1.5-max", "Olivia", 1.0)
    assert heard["transcription"] == {
        "model": "assemblyai/u3-rt-pro",
        "prompt": "Medical dictation. Vocabulary: angioplasty, myocardial infarction.",
        "language": "en",
    }
    expected = {"threshold": 0.5, "prefix_padding_ms": 200, "silence_duration_ms": 1000, "idle_timeout_ms": 8000}
    assert expected.items() <= heard["turn_detection"].items()
