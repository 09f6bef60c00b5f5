"""Clients of the beta dialect that do not say so: the frames of two systems' documentation, with no beta header.

The dialect is decided by the first `session.update`; from then on every event has the beta dialect's name and shape, by the
openai package's own types for it. And the signs by which a client can choose the dialect from the start.
"""

import base64
import contextlib
import json

import pytest
from websockets.asyncio.client import connect

from beta_conversation import BetaConversation, assert_beta_legal, audio_of, calls_of, said
from beta_types import beta_server_event
from client_turns import SPEECH, STORY
from conversation import of_type, types
from event_types import openai_server_event
from g711 import encoded
from providers import PROVIDERS, SLOW, STANDINS, added_by
from sound import chunks, silence
from spoken import has

# The session of a self-hosted engine's documentation, literally.
ENGINE_UPDATE = {
    "type": "session.update",
    "session": {
        "instructions": "You are a helpful assistant.",
        "voice": "aura-2-thalia-en",
        "turn_detection": {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 550},
    },
}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
# Every field that a gateway's documentation lists, at the values that it names.
GATEWAY_SESSION = {
    "modalities": ["text", "audio"],
    "instructions": "You are a helpful assistant.",
    "voice": "alloy",
    "input_audio_format": "pcm16",
    "output_audio_format": "pcm16",
    "input_audio_transcription": {"model": "whisper-1"},
    "turn_detection": None,
    "tools": [{"type": "function", "name": "get_weather", "description": "The weather.", "parameters": CITY}],
    "tool_choice": "auto",
    "temperature": 0.8,
}
SAY_HELLO = {
    "type": "conversation.item.create",
    "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say hello."}]},
}


class Talk(BetaConversation):
    """A WebSocket of a program that writes its frames itself."""

    def __init__(self, socket, provider: str):
        super().__init__(socket.recv, added_by(provider))
        self.socket = socket

    async def send(self, *events: dict) -> None:
        for event in events:
            await self.socket.send(json.dumps(event))

    async def update(self, session: dict) -> dict:
        await self.send({"type": "session.update", "session": session})
        return (await self.until("session.updated"))[-1]["session"]

    async def append(self, audio: bytes) -> None:
        for chunk in chunks(audio):
            await self.send({"type": "input_audio_buffer.append", "audio": base64.b64encode(chunk).decode()})

    async def answer(self) -> list[dict]:
        events = await self.until("response.done")
        assert_beta_legal(events)
        assert events[-1]["response"]["status"] == "completed", events[-1]
        return events


@pytest.fixture
def talking(request):
    """Connects; the first event is judged by what is known of the client at that moment."""

    @contextlib.asynccontextmanager
    async def connected(provider: str, query: str = "", judge=openai_server_event, **options):
        server = request.getfixturevalue("engine" if provider == "local" else "gateway")
        options = options or {"additional_headers": {"Authorization": "Bearer ek_token"}}
        async with connect(f"{server.ws}/v1/realtime?provider={provider}{query}", **options) as socket:
            talk = Talk(socket, provider)
            assert (await talk.next(judge))["type"] == "session.created"
            yield talk
            talk.assert_one_dialect()

    return connected


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_R094_R096_R099_R100_the_frames_of_the_engines_documentation(talking, provider):
    async with talking(provider) as talk:
        assert isinstance(talk.events[0]["session"]["voice"], str)
        await talk.send(ENGINE_UPDATE)
        session = (await talk.until("session.updated"))[-1]["session"]
        assert session["instructions"] == "You are a helpful assistant."
        assert session["turn_detection"]["threshold"] == 0.5
        assert session["turn_detection"]["silence_duration_ms"] == 550
        await talk.send(SAY_HELLO, {"type": "response.create"})
        events = await talk.answer()
        assert has(said(events), "hello") and audio_of(events)
        assert len(of_type(events, "conversation.item.created")) == 2

        before = len(talk.events)
        await talk.append(SPEECH)
        spoken = await talk.answer()
        order = types(talk.events[before:])
        started, stopped = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
        assert order.index(started) < order.index(stopped) < order.index("response.created")
        assert said(spoken) and audio_of(spoken)


@pytest.mark.parametrize("provider", SLOW)
async def test_R099_the_answer_to_such_a_client_is_cancelled(talking, provider):
    async with talking(provider) as talk:
        await talk.send(ENGINE_UPDATE)
        content = [{"type": "input_text", "text": STORY}]
        item = {"type": "message", "role": "user", "content": content}
        await talk.send({"type": "conversation.item.create", "item": item}, {"type": "response.create"})
        await talk.until("response.audio.delta")
        await talk.send({"type": "response.cancel"})
        done = (await talk.until("response.done"))[-1]["response"]
        assert done["status"] == "cancelled" and done["output"][0]["content"][0]["type"] == "audio"


@pytest.mark.parametrize("provider", STANDINS)
async def test_R181_R195_R196_R200_R201_R202_R203_R204_the_fields_of_the_gateways_documentation(talking, provider):
    async with talking(provider, "&token=ek_token", additional_headers={}) as talk:
        session = await talk.update(GATEWAY_SESSION)
        assert set(session.pop("modalities")) == {"text", "audio"}
        # What a provider has in the place of a voice, a transcriber or a temperature is shown instead of what was asked for.
        same = GATEWAY_SESSION.keys() - {"modalities", "voice", "input_audio_transcription", "temperature"}
        assert {name: session[name] for name in same} == {name: GATEWAY_SESSION[name] for name in same}
        assert session["voice"] and session["input_audio_transcription"]

        await talk.append(SPEECH)
        await talk.send({"type": "response.create"})  # R184: of the conversation and the buffer
        events = await talk.answer()
        assert said(events) and audio_of(events)
        assert of_type(talk.events, "input_audio_buffer.committed")
        usage = events[-1]["response"]["usage"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
        assert {"text_tokens", "audio_tokens", "cached_tokens"} <= set(usage["input_token_details"])
        assert {"text_tokens", "audio_tokens"} <= set(usage["output_token_details"])


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_R189_R190_R203_a_tool_round_of_such_a_client(talking, provider):
    async with talking(provider) as talk:
        for choice in ("get_weather", {"type": "function", "name": "get_weather"}, "auto"):
            await talk.update({**GATEWAY_SESSION, "tool_choice": choice})
        text = "What is the weather in Paris?" if provider == "local" else 'call get_weather {"city":"Paris"}'
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        await talk.send({"type": "conversation.item.create", "item": item}, {"type": "response.create"})
        (call,) = calls_of(await talk.until("response.done"))
        assert json.loads(call["arguments"]) == {"city": "Paris"}
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "It is sunny."}
        await talk.send({"type": "conversation.item.create", "item": output}, {"type": "response.create"})
        assert has(said(await talk.answer()), "sunny")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("law", ["ulaw", "alaw"])
async def test_R198_R199_the_telephones_formats(talking, provider, law):
    async with talking(provider) as talk:
        name, kind = f"g711_{law}", {"ulaw": "audio/pcmu", "alaw": "audio/pcma"}[law]
        formats = {"modalities": ["text", "audio"], "input_audio_format": name, "output_audio_format": name}
        session = await talk.update({**formats, "input_audio_transcription": {"model": "whisper-1"}})
        assert session["input_audio_format"] == session["output_audio_format"] == name
        await talk.append(encoded(SPEECH, kind))
        events = await talk.until("response.done")
        sound = b"".join(base64.b64decode(event["delta"]) for event in of_type(events, "response.audio.delta"))
        if provider != "local":
            assert len(sound) == 8_000 * 400 // 1_000, "the stand-ins' answers are 400 ms"
        assert sound


BETA_SIGNS = {
    "the header": ("", {"additional_headers": {"OpenAI-Beta": "realtime=v1"}}),
    "the header among others": ("", {"additional_headers": {"openai-beta": "assistants=v2, Realtime=v1"}}),
    "the subprotocol": ("", {"subprotocols": ["realtime", "openai-insecure-api-key.key", "openai-beta.realtime-v1"]}),
    "the query": ("&dialect=beta", {"additional_headers": {}}),
}


@pytest.mark.parametrize("query, options", BETA_SIGNS.values(), ids=BETA_SIGNS.keys())
@pytest.mark.parametrize("provider", STANDINS)
async def test_R099_a_client_that_says_so_has_beta_from_the_first_event(talking, provider, query, options):
    async with talking(provider, query, beta_server_event, **options) as talk:
        assert "modalities" in talk.events[0]["session"]
        # Nothing that comes later decides again.
        await talk.send(SAY_HELLO, {"type": "response.create"})
        events = await talk.answer()
        assert audio_of(events)
        updated = await talk.update({"type": "realtime", "instructions": "Go on."})
        assert updated["instructions"] == "Go on." and "modalities" in updated


def ga_server_event(raw: str | bytes, added: frozenset[str]) -> dict:
    """The event by the types of GA; fields of the client's that GA does not know may be shown."""
    return openai_server_event(raw, added | {f"session.{name}" for name in GATEWAY_SESSION})


GA_SIGNS = {
    "the query against beta fields": ("&dialect=ga", {"additional_headers": {}}, {"instructions": "x", "voice": "alloy"}),
    "the type": ("", {"additional_headers": {}}, {"type": "realtime", "instructions": "x"}),
    "GA fields": ("", {"additional_headers": {}}, {"output_modalities": ["audio"]}),
    "nothing": ("", {"additional_headers": {}}, {"instructions": "x"}),
}


@pytest.mark.parametrize("query, options, session", GA_SIGNS.values(), ids=GA_SIGNS.keys())
@pytest.mark.parametrize("provider", STANDINS)
async def test_R099_another_client_has_GA_to_the_end(gateway, provider, query, options, session):
    async with connect(f"{gateway.ws}/v1/realtime?provider={provider}{query}", **options) as socket:
        assert openai_server_event(await socket.recv(), added_by(provider))["type"] == "session.created"
        frames = [{"type": "session.update", "session": session}, SAY_HELLO, {"type": "response.create"}]
        # A flat update comes too late to decide; OpenAI and Azure would refuse it themselves.
        late = {"instructions": "y"} if provider in ("openai", "azure") else {"modalities": ["text"]}
        frames.append({"type": "session.update", "session": late})
        for frame in frames:
            await socket.send(json.dumps(frame))
        kinds = []
        while kinds.count("response.done") < 1 or kinds.count("session.updated") + kinds.count("error") < 2:
            kinds.append(ga_server_event(await socket.recv(), added_by(provider))["type"])
        assert "response.output_audio.delta" in kinds and "conversation.item.added" in kinds


async def test_R099_audio_before_any_update_decides_for_GA(gateway, provider="gemini"):
    async with connect(f"{gateway.ws}/v1/realtime?provider={provider}") as socket:
        openai_server_event(await socket.recv(), added_by(provider))
        audio = base64.b64encode(silence(20)).decode()
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        await socket.send(json.dumps({"type": "session.update", "session": GATEWAY_SESSION}))
        event = ga_server_event(await socket.recv(), added_by(provider))
        assert event["type"] in ("session.updated", "error")
        if event["type"] == "session.updated":
            assert event["session"]["output_modalities"] == ["audio"]
