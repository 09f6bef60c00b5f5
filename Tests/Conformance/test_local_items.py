"""Items and responses before the voice engine: texts, recordings, functions, history, cancellation, truncation."""

import base64
import io
import json
import wave

import pytest

from conversation import assert_legal, audio_of, conversation, of_type, response_id, stages, types
from g711 import encoded
from processes import ROOT
from sound import RATE
from spoken import (
    LEAD, LONG_ANSWER, ask, has, hear, heard, milliseconds, push_to_talk, said, say_item, speech, update,
)  # fmt: skip

FIXTURES = ROOT / "Tests" / "VoiceEngineTests" / "Fixtures"
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def user(text: str) -> dict:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


async def test_R088_R089_text_in_and_speech_or_text_out(engine):
    async with conversation(engine, None) as talk:
        spoken = await talk.text_turn("Say good morning everybody.")
        assert_legal(spoken)
        assert said(spoken) == "good morning everybody."
        assert not of_type(spoken, "response.output_text.delta")
        assert (await update(talk, output_modalities=["text"]))["output_modalities"] == ["text"]
        written = await talk.text_turn("Count to twelve.")
        assert_legal(written)
        assert said(written) == "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12."
        deltas = of_type(written, "response.output_text.delta")
        assert len(deltas) >= 2 and "".join(event["delta"] for event in deltas) == said(written)
        assert not audio_of(written) and written[-1]["response"]["output_modalities"] == ["text"]
        # One response may be otherwise than its session.
        await talk.connection.response.create(response={"output_modalities": ["audio"], "input": [user("Say hello.")]})
        once = await talk.until("response.done")
        assert audio_of(once) and once[-1]["response"]["output_modalities"] == ["audio"]
    assert has(await hear(engine, audio_of(spoken)), "good morning everybody")


async def test_R049_a_spoken_wish_calls_a_function_and_its_result_is_spoken(engine):
    async with conversation(engine, None) as talk:
        assert (await update(talk, tools=[WEATHER]))["tools"][0]["name"] == "get_weather"
        events = await ask(talk, "What is the weather in Paris?")
        assert_legal(events)
        (call,) = events[-1]["response"]["output"]
        assert (call["type"], call["name"], call["status"]) == ("function_call", "get_weather", "completed")
        assert json.loads(call["arguments"]) == {"city": "Paris"}
        done = of_type(events, "response.function_call_arguments.done")[0]
        assert (done["name"], done["call_id"], done["arguments"]) == ("get_weather", call["call_id"], call["arguments"])
        assert "".join(
            event["delta"] for event in of_type(events, "response.function_call_arguments.delta")
        ) == call["arguments"]  # fmt: skip
        assert not audio_of(events)

        await talk.connection.conversation.item.create(
            item={
                "type": "function_call_output",
                "call_id": call["call_id"],
                "output": json.dumps({"temperature": 21, "sky": "sunny"}),
            }
        )
        await talk.until("conversation.item.done")
        await talk.connection.response.create()
        answer = await talk.until("response.done")
        assert_legal(answer)
        assert "get_weather" in said(answer) and has(said(answer), "temperature 21", "21")
    spoken = await hear(engine, audio_of(answer))
    assert has(spoken, "21", "twenty one") and has(spoken, "sunny")


async def test_R049_the_choice_of_tools_is_respected(engine):
    async with conversation(engine, None) as talk:
        await update(talk, tools=[WEATHER], tool_choice="none", output_modalities=["text"])
        events = await talk.text_turn("What is the weather in Paris?")
        assert events[-1]["response"]["output"][0]["type"] == "message"
        await talk.connection.response.create(response={"tool_choice": "required"})
        assert (await talk.until("response.done"))[-1]["response"]["output"][0]["name"] == "get_weather"


async def test_R051_what_was_said_before_is_remembered_until_it_is_deleted(engine):
    async with conversation(engine, None) as talk:
        await update(talk, output_modalities=["text"])
        first = await talk.text_turn("My name is Alice.")
        item = of_type(first, "conversation.item.added")[0]["item"]["id"]
        events = await ask(talk, "What did I say?")
        assert has(heard(events), "what did I say")
        assert has(said(events), "before this you said my name is Alice")
        question = of_type(events, "conversation.item.added")[0]["item"]["id"]

        for name in (item, question):
            await talk.connection.conversation.item.delete(item_id=name)
            assert (await talk.until("conversation.item.deleted"))[-1]["item_id"] == name
        assert not has(said(await talk.text_turn("What did I say?")), "Alice")
        await talk.connection.conversation.item.delete(item_id=item, event_id="again_1")
        fault = await talk.error()
        assert fault["code"] == "item_delete_invalid_item_id" and fault["event_id"] == "again_1"


async def create(talk, item: dict, **options) -> None:
    await talk.connection.conversation.item.create(item=item, **options)


async def test_R051_the_client_can_tell_what_was_said_and_where_it_belongs(engine):
    async with conversation(engine, None) as talk:
        await update(talk, output_modalities=["text"])
        answer = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Green."}]}
        await create(talk, user("Which colour is best?"))
        await create(talk, {**answer, "id": "answer_1"})
        assert said(await talk.text_turn("Say that again.")) == "Green."
        # In front of everything, and after an item by its name.
        await create(talk, {**user("I am first."), "id": "first"}, previous_item_id="root")
        assert (await talk.until("conversation.item.done"))[-1]["previous_item_id"] is None
        await create(talk, {**user("I am second."), "id": "second"}, previous_item_id="first")
        assert (await talk.until("conversation.item.done"))[-1]["previous_item_id"] == "first"
        await create(talk, {**user("Lost."), "id": "lost"}, previous_item_id="nowhere")
        assert (await talk.error())["code"] == "item_create_invalid_previous_item_id"
        await create(talk, {**user("Twice."), "id": "first"})
        assert (await talk.error())["code"] == "item_create_duplicate_item_id"


async def test_what_a_spoken_item_holds_can_be_retrieved(engine):
    async with conversation(engine, None) as talk:
        events = await ask(talk, "What time is it?")
        question, answer = (event["item"]["id"] for event in of_type(events, "conversation.item.added"))
        for item, role in ((question, "user"), (answer, "assistant")):
            await talk.connection.conversation.item.retrieve(item_id=item)
            found = (await talk.until("conversation.item.retrieved"))[-1]["item"]
            assert (found["id"], found["role"], found["status"]) == (item, role, "completed")
            expected = heard(events) if role == "user" else said(events)
            assert found["content"][0]["transcript"] == expected != ""
        await talk.connection.conversation.item.retrieve(item_id="nothing")
        assert (await talk.error())["code"] == "item_retrieve_invalid_item_id"


async def test_R090_cancel_ends_an_answer_and_only_that(engine):
    async with conversation(engine, None) as talk:
        await talk.say_text(LONG_ANSWER)
        await talk.connection.response.create()
        begun = await talk.until("response.output_audio.delta")
        await talk.connection.response.create(event_id="second_1")
        refusal = await talk.until("error", accept_errors=True)
        assert refusal[-1]["error"]["code"] == "conversation_already_has_active_response"
        assert refusal[-1]["error"]["event_id"] == "second_1"
        await talk.connection.response.cancel()
        events = begun + refusal[:-1] + await talk.until("response.done")
        assert_legal(events)
        cut = events[-1]["response"]
        assert (cut["status"], cut["status_details"]["reason"]) == ("cancelled", "client_cancelled")
        assert cut["output"][0]["status"] == "incomplete"
        later = await talk.text_turn("What is seven times eight?")
        assert cut["id"] not in {response_id(event) for event in later} and has(said(later), "56")
        await talk.connection.response.cancel(event_id="late_1")
        fault = await talk.error()
        assert fault["code"] == "response_cancel_not_active" and fault["event_id"] == "late_1"
        assert fault["message"].startswith("Cancellation failed")


async def test_R091_truncation_leaves_what_was_heard(engine):
    async with conversation(engine, None) as talk:
        events = await talk.text_turn("Count to ten.")
        item = events[-1]["response"]["output"][0]["id"]
        length = milliseconds(audio_of(events))

        async def truncate(end: int, **options) -> None:
            await talk.connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=end, **options)

        await truncate(length + 500, event_id="long_1")
        fault = await talk.error()
        assert fault["code"] == "invalid_value" and fault["event_id"] == "long_1"
        assert "is already shorter than" in fault["message"]
        await truncate(length // 2)
        assert (await talk.until("conversation.item.truncated"))[-1]["audio_end_ms"] == length // 2
        await update(talk, output_modalities=["text"])
        rest = said(await talk.text_turn("Say that again."))
        assert rest.startswith("1, 2") and not has(rest, "10")
        await truncate(length // 2 + 100)
        assert (await talk.error())["code"] == "invalid_value", "it is shorter now"

        await talk.connection.conversation.item.truncate(item_id="nothing", content_index=0, audio_end_ms=0)
        assert (await talk.error())["code"] == "item_truncate_invalid_item_id"


async def test_truncation_of_an_answer_that_is_still_spoken(engine):
    async with conversation(engine, None) as talk:
        await talk.say_text(LONG_ANSWER)
        await talk.connection.response.create()
        events = await talk.until("response.output_audio.delta")
        await talk.connection.conversation.item.truncate(
            item_id=events[-1]["item_id"], content_index=0, audio_end_ms=50
        )
        await talk.until("conversation.item.truncated")
        await talk.connection.response.cancel()
        await talk.until("response.done")
        await talk.connection.conversation.item.retrieve(item_id=events[-1]["item_id"])
        found = (await talk.until("conversation.item.retrieved"))[-1]["item"]
        assert len(found["content"][0]["transcript"]) < 12, found


async def test_a_response_beside_the_conversation_leaves_it_alone(engine):
    async with conversation(engine, None) as talk:
        await talk.say_text(LONG_ANSWER)
        await talk.connection.response.create()
        events = await talk.until("response.output_audio.delta")
        live = response_id(events[-1])
        await talk.connection.response.create(
            response={
                "conversation": "none",
                "metadata": {"topic": "sum"},
                "output_modalities": ["text"],
                "input": [user("What is seven times eight?")],
            }
        )
        done: list[dict] = []
        while not done:
            events += await talk.until("response.done")
            done = [event for event in of_type(events, "response.done") if response_id(event) != live]
        side = [event for event in events if response_id(event) == response_id(done[0])]
        assert stages(side) == sorted(set(stages(side)))
        for event in (side[0], side[-1]):
            assert event["response"]["metadata"] == {"topic": "sum"} and event["response"]["conversation_id"] is None
        assert has(said(side), "56")
        own = [item["id"] for item in done[0]["response"]["output"]]
        assert own and not set(own) & {event["item"]["id"] for event in of_type(events, "conversation.item.added")}
        assert live not in {response_id(event) for event in of_type(events, "response.done")}, "the other goes on"
        await talk.connection.response.cancel()
        await talk.until("response.done")
        await update(talk, output_modalities=["text"])
        assert said(await talk.text_turn("What did I say?")) == f"Before this you said: {LONG_ANSWER}"


async def test_a_response_to_items_of_its_own_and_to_items_by_reference(engine):
    async with conversation(engine, None) as talk:
        await update(talk, output_modalities=["text"])
        for name, text in (("sum", "What is seven times eight?"), ("word", "Spell cat.")):
            await talk.connection.conversation.item.create(item={**user(text), "id": name})
            await talk.until("conversation.item.done")
        await talk.connection.response.create(response={"input": [{"type": "item_reference", "id": "sum"}]})
        assert has(said(await talk.until("response.done")), "56")
        await talk.connection.response.create(response={"input": [user("Say hello."), user("What did I say?")]})
        assert said(await talk.until("response.done")) == "Before this you said: Say hello."
        await talk.connection.response.create(response={"input": [{"type": "item_reference", "id": "none"}]})
        assert (await talk.error())["param"] == "response.input[0].id"
        await talk.connection.response.create(response={"input": [], "instructions": 'Say exactly "All is well."'})
        assert said(await talk.until("response.done")) == "All is well."


async def test_the_answer_ends_at_the_limit_of_tokens(engine):
    async with conversation(engine, None) as talk:
        await update(talk, output_modalities=["text"])
        await talk.say_text(LONG_ANSWER)
        await talk.connection.response.create(response={"max_output_tokens": 4})
        done = (await talk.until("response.done"))[-1]["response"]
        assert (done["status"], done["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
        assert done["output"][0]["status"] == "incomplete"


def wav(audio: bytes, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(rate)
        recording.writeframes(audio)
    return file.getvalue()


# Understood over a telephone as well.
RECORDED = "Repeat after me, good morning everybody."


@pytest.mark.parametrize("kind", ["audio/pcm", "audio/pcmu", "audio/pcma", "wav"])
async def test_a_recording_is_an_item_like_any_other(engine, kind):
    audio = LEAD + speech(RECORDED) + LEAD
    async with conversation(engine, None) as talk:
        await update(talk, output_modalities=["text"])
        if kind in ("audio/pcmu", "audio/pcma"):
            await update(talk, audio={"input": {"format": {"type": kind}}})
        await say_item(talk, wav(audio) if kind == "wav" else audio if kind == "audio/pcm" else encoded(audio, kind))
        await talk.connection.response.create()
        events = await talk.until("response.done")
        assert has(said(events), "good morning everybody")


@pytest.mark.parametrize("name", ["speech.opus", "speech-mulaw.wav"])
async def test_Q13_a_recorded_file_says_its_own_format(engine, name):
    async with conversation(engine, None) as talk:
        item = await say_item(talk, (FIXTURES / name).read_bytes())
        await talk.connection.response.create(response={"output_modalities": ["text"]})
        await talk.until("response.done")
        await talk.connection.conversation.item.retrieve(item_id=item)
        part = (await talk.until("conversation.item.retrieved"))[-1]["item"]["content"][0]
        assert part["type"] == "input_audio" and len(part["transcript"].split()) >= 3, part


@pytest.mark.parametrize("audio", [b"OggS" + bytes(range(256)) * 4, b"RIFF" + bytes(600)], ids=["ogg", "wav"])
async def test_a_recording_that_cannot_be_read_is_a_clear_error(engine, audio):
    async with conversation(engine, None) as talk:
        content = [{"type": "input_audio", "audio": base64.b64encode(audio).decode()}]
        await talk.connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        events = await talk.until("error", accept_errors=True)
        fault = events[-1]["error"]
        assert fault["code"] == "audio_format_unsupported" and fault["message"]
        assert has(said(await talk.text_turn("What is seven times eight?")), "56")


async def test_audio_that_is_no_base64_is_refused_with_its_place(engine):
    async with conversation(engine, None) as talk:
        content = [{"type": "input_audio", "audio": "not base64!"}]
        await talk.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": content}, event_id="wrong_1"
        )
        fault = await talk.error()
        assert fault["param"] == "item.content[0].audio" and fault["event_id"] == "wrong_1"
        await talk.connection.input_audio_buffer.append(audio="not base64!")
        assert (await talk.error())["param"] == "audio"
        await push_to_talk(talk)
        assert types(await talk.text_turn("Flip a coin."))[-1] == "response.done"
