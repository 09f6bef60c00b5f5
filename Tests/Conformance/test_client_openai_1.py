"""Turns held by the unmodified openai package 1.x through its beta client, which sends `OpenAI-Beta` and dials wss only.

It runs through nginx with TLS, in an environment of its own: scripts/client.sh. Every event is judged by that package's
own types.
"""

import base64
import contextlib
import json

import pytest
from openai import AsyncOpenAI

from beta_conversation import BetaConversation, assert_beta_legal, audio_of, calls_of, said
from client_turns import CALLS, HEARD, OPENING, REST, SPEECH, STORY, STORY_BYTES, TONE_BYTES
from conversation import of_type, types
from providers import PROVIDERS, SLOW, STANDINS, added_by, without
from sound import chunks
from spoken import LONG_ANSWER, has

MODEL = "gpt-4o-realtime-preview"
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    {"type": "function", "name": "get_weather", "description": "The weather of a city.", "parameters": CITY},
    {"type": "function", "name": "get_time", "description": "The time in a city.", "parameters": CITY},
]
# Every flat field of the dialect's sessions that a client may set, at no default.
SESSION = {
    "modalities": ["text", "audio"],
    "instructions": "Answer in one sentence.",
    "voice": "echo",
    "input_audio_format": "pcm16",
    "output_audio_format": "pcm16",
    "input_audio_transcription": {"model": "whisper-1"},
    "turn_detection": {
        "type": "server_vad",
        "threshold": 0.4,
        "prefix_padding_ms": 200,
        "silence_duration_ms": 550,
        "create_response": True,
        "interrupt_response": True,
    },
    "tools": TOOLS,
    "tool_choice": "auto",
    "temperature": 0.7,
    "max_response_output_tokens": 300,
}


class Talk(BetaConversation):
    """A connection of the package."""

    def __init__(self, connection, provider: str):
        super().__init__(connection.recv_bytes, added_by(provider))
        self.connection = connection

    async def update(self, **session) -> dict:
        await self.connection.session.update(session=session)
        return (await self.until("session.updated"))[-1]["session"]

    async def type(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await self.connection.response.create()

    async def say(self, audio: bytes) -> None:
        for chunk in chunks(audio):
            await self.connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())

    async def answer(self) -> list[dict]:
        """The events up to the end of an answer, after a look at them all."""
        events = await self.until("response.done")
        assert_beta_legal(events)
        assert events[-1]["response"]["status"] == "completed", events[-1]
        return events


@pytest.fixture
def talking(request):
    """Connects as a user of the package would."""

    @contextlib.asynccontextmanager
    async def connected(provider: str):
        front = request.getfixturevalue("secure_engine" if provider == "local" else "secure_gateway")
        client = AsyncOpenAI(base_url=f"{front.https}/v1", api_key="test")
        async with client, client.beta.realtime.connect(model=MODEL, extra_query={"provider": provider}) as connection:
            talk = Talk(connection, provider)
            created = await talk.next()
            assert created["type"] == "session.created" and created["session"]["modalities"], created
            yield talk
            talk.assert_one_dialect()

    return connected


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_R099_R100_R195_R204_the_flat_fields_of_a_session(talking, provider):
    async with talking(provider) as talk:
        assert talk.events[0]["session"]["temperature"] == 0.8
        session = await talk.update(**SESSION)
        assert set(session["modalities"]) == {"text", "audio"}
        assert SESSION["turn_detection"].items() <= session["turn_detection"].items()
        # What a provider has in the place of the others is shown instead of what was asked for.
        same = ["instructions", "input_audio_format", "output_audio_format", "tools", "tool_choice"]
        assert {name: session[name] for name in same} == {name: SESSION[name] for name in same}
        assert session["voice"] and session["input_audio_transcription"]
        if provider == "openai":
            assert {name: session[name] for name in SESSION.keys() - {"modalities", "turn_detection"}} == {
                name: value for name, value in SESSION.items() if name not in ("modalities", "turn_detection")
            }


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_R096_R099_R187_R188_R191_R192_a_text_turn(talking, provider):
    async with talking(provider) as talk:
        await talk.type("Say hello.")
        events = await talk.answer()
        assert has(said(events), "hello") and audio_of(events)
        user, assistant = of_type(events, "conversation.item.created")
        assert user["item"]["role"] == "user" and assistant["previous_item_id"] == user["item"]["id"]
        response = events[-1]["response"]
        assert response["output"][0]["content"] == [{"type": "audio", "transcript": said(events)}]
        usage = response["usage"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_R095_an_answer_in_writing(talking, provider):
    async with talking(provider) as talk:
        assert (await talk.update(modalities=["text"]))["modalities"] == ["text"]
        await talk.type("Say hello.")
        events = await talk.answer()
        assert has(said(events), "hello") and not audio_of(events)
        deltas = of_type(events, "response.text.delta")
        assert "".join(event["delta"] for event in deltas) == said(events)
        assert events[-1]["response"]["output"][0]["content"] == [{"type": "text", "text": said(events)}]


@pytest.mark.parametrize("provider", without(PROVIDERS, "inworld"))
async def test_R096_R099_a_spoken_turn(talking, provider):
    async with talking(provider) as talk:
        await talk.update(input_audio_transcription={"model": "whisper-1"})
        await talk.say(SPEECH)
        events = await talk.answer()
        order = types(events)
        started, stopped = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
        assert order.index(started) < order.index(stopped) < order.index("response.created")
        assert said(events) and audio_of(events)
        heard = of_type(talk.events, TRANSCRIBED) or await talk.until(TRANSCRIBED)
        assert has(heard[-1]["transcript"], HEARD)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_R201_turns_that_the_client_ends(talking, provider):
    async with talking(provider) as talk:
        assert (await talk.update(turn_detection=None))["turn_detection"] is None
        await talk.say(SPEECH)
        await talk.connection.input_audio_buffer.commit()
        await talk.until("input_audio_buffer.committed")
        await talk.connection.response.create(response={"modalities": ["text", "audio"], "voice": "echo"})
        events = await talk.answer()
        assert said(events) and audio_of(events)
        assert "input_audio_buffer.speech_started" not in types(talk.events)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_R189_R190_a_tool_round(talking, provider):
    async with talking(provider) as talk:
        await talk.update(tools=TOOLS)
        await talk.type("What is the weather in Paris?" if provider == "local" else 'call get_weather {"city":"Paris"}')
        events = await talk.until("response.done")
        (call,) = calls_of(events)
        assert call["name"] == "get_weather" and json.loads(call["arguments"]) == {"city": "Paris"}
        item = {"type": "function_call_output", "call_id": call["call_id"], "output": "It is sunny."}
        await talk.connection.conversation.item.create(item=item)
        await talk.connection.response.create()
        assert has(said(await talk.answer()), "sunny")


@pytest.mark.parametrize("provider", STANDINS)
async def test_R268_two_calls_of_one_turn(talking, provider):
    async with talking(provider) as talk:
        await talk.update(tools=TOOLS)
        await talk.type(CALLS)
        calls = calls_of(await talk.until("response.done"))
        assert [call["name"] for call in calls] == ["get_weather", "get_time"]
        for call, output in zip(reversed(calls), ["noon", "sunny"]):
            item = {"type": "function_call_output", "call_id": call["call_id"], "output": output}
            await talk.connection.conversation.item.create(item=item)
        await talk.connection.response.create()
        words = said(await talk.answer())
        assert has(words, "get_weather is sunny") and has(words, "get_time is noon"), words


@pytest.mark.parametrize("provider", SLOW)
async def test_R242_the_user_barges_in(talking, provider):
    async with talking(provider) as talk:
        await talk.type(STORY)
        begun = await talk.until("response.audio.delta")
        item = begun[-1]["item_id"]
        await talk.say(OPENING)
        events = await talk.until("input_audio_buffer.speech_started")
        await talk.connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=0)
        await talk.say(REST)
        events += await talk.until("response.done")
        assert_beta_legal(begun + events)
        assert events[-1]["response"]["status"] == "cancelled"
        assert len(audio_of(begun + events)) < STORY_BYTES
        answer = await talk.until("response.done")
        assert has(said(answer), HEARD) and len(audio_of(answer)) == TONE_BYTES
        assert item not in {event.get("item_id") for event in of_type(answer, "response.audio.delta")}
        assert [event["item_id"] for event in of_type(talk.events, "conversation.item.truncated")] == [item]


@pytest.mark.parametrize("provider", ["local", *SLOW])
async def test_an_answer_is_cancelled(talking, provider):
    async with talking(provider) as talk:
        await talk.type(LONG_ANSWER if provider == "local" else STORY)
        events = await talk.until("response.audio.delta")
        await talk.connection.response.cancel()
        events += await talk.until("response.done")
        assert_beta_legal(events)
        assert events[-1]["response"]["status"] == "cancelled"
        assert events[-1]["response"]["status_details"]["reason"] == "client_cancelled"
        await talk.type("Say hello.")
        assert has(said(await talk.answer()), "hello")


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_R144_items_are_read_and_deleted(talking, provider):
    async with talking(provider) as talk:
        await talk.type("Say hello.")
        name = (await talk.answer())[-1]["response"]["output"][0]["id"]
        await talk.connection.conversation.item.retrieve(item_id=name)
        retrieved = (await talk.until("conversation.item.retrieved"))[-1]["item"]
        assert retrieved["id"] == name and [part["type"] for part in retrieved["content"]] == ["audio"]
        await talk.connection.conversation.item.delete(item_id=name)
        assert (await talk.until("conversation.item.deleted"))[-1]["item_id"] == name
        await talk.connection.conversation.item.delete(item_id=name, event_id="again_1")
        fault = (await talk.until("error"))[-1]["error"]
        assert fault["code"] == "item_delete_invalid_item_id" and fault["event_id"] == "again_1"


async def test_R193_an_error_names_the_field_as_this_dialect_does(talking):
    async with talking("gemini") as talk:
        wrong = {"turn_detection": {"type": "server_vad", "threshold": 7}}
        await talk.connection.session.update(session=wrong, event_id="wrong_1")
        fault = (await talk.until("error"))[-1]["error"]
        assert fault["param"] == "session.turn_detection.threshold" and fault["event_id"] == "wrong_1"
        assert (await talk.update(instructions="Go on."))["instructions"] == "Go on."
