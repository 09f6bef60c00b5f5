"""The official client and no provider: what the voice engine of the process is to it, and what a session of it says."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect

from conversation import assert_legal, audio_of, conversation, of_type, types
from event_types import openai_server_event
from spoken import (
    PAUSE, TRANSCRIBED, LocalEngine, ask, detect, has, hear, heard, milliseconds, said, speech, update,
)  # fmt: skip
from upstream_record import await_record, read

# The events of a spoken turn in the order of the source's nine steps.
NINE_STEPS = [
    "session.created",
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    TRANSCRIBED,
    "response.created",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.done",
]


async def test_R132_R134_R252_the_nine_steps_in_order(engine):
    async with conversation(engine, None) as talk:
        events = await ask(talk, "What time is it?")
        assert_legal(events)
        order = types(talk.events)
        places = [order.index(step) for step in NINE_STEPS]
        assert places == sorted(places), order
        started, stopped = (of_type(events, f"input_audio_buffer.speech_{what}") for what in ("started", "stopped"))
        committed, transcribed = of_type(events, "input_audio_buffer.committed"), of_type(events, TRANSCRIBED)
        assert len(started) == len(stopped) == len(committed) == len(transcribed) == 1
        items = {event["item_id"] for event in started + stopped + committed + transcribed}
        assert items == {of_type(events, "conversation.item.added")[0]["item"]["id"]}
        length = milliseconds(speech("What time is it?"))
        assert 0 <= started[0]["audio_start_ms"] < stopped[0]["audio_end_ms"] <= length + 1_300
        assert transcribed[0]["usage"]["type"] == "duration" and 0.5 < transcribed[0]["usage"]["seconds"] < 2.5
        assert has(heard(events), "what time is it")
        assert has(said(events), "am", "pm")


async def test_R003_R014_without_a_provider_the_engine_of_the_process_answers(engine, standin):
    before = len(read(standin.record).heads)
    async with conversation(engine, None) as talk:
        session = talk.events[0]["session"]
        assert session["engine"]["stt"].startswith("whisper") and session["engine"]["tts"].startswith("espeak")
        assert "degraded" not in session["engine"]
        events = await talk.text_turn("What is seven times eight?")
        assert has(said(events), "56")
    assert len(read(standin.record).heads) == before, "nobody else was called"


async def test_R003_R014_a_provider_that_is_named_answers_in_its_place(engine, standin):
    mark = "test_local_engine names a provider"
    async with conversation(engine, "gemini") as talk:
        assert "engine" not in talk.events[0]["session"]
        assert_legal(await talk.text_turn(mark))

    def has_mark(message: dict) -> bool:
        return mark in json.dumps(message)

    record = await_record(standin.record, lambda record: bool(record.connections("gemini", has_mark)))
    assert len(record.connections("gemini", has_mark)) == 1


@pytest.mark.parametrize("model", ["gpt-realtime", "Qwen2.5-Omni-3B", "gpt-4o-realtime-preview-2024-12-17"])
async def test_R025_Q21_a_model_that_does_not_run_here_is_answered_honestly(engine, model):
    async with conversation(engine, None, model=model) as talk:
        assert talk.events[0]["session"]["model"] == "parley-rules"
        assert (await update(talk, model=model))["model"] == "parley-rules"
        events = await talk.text_turn("Who are you?")
        assert_legal(events)
        assert has(said(events), "no language model")


async def raw(socket, *messages: dict) -> None:
    for message in messages:
        await socket.send(json.dumps(message))


async def received(socket, last: str, added: frozenset[str] = frozenset()) -> list[dict]:
    events = []
    while not events or events[-1]["type"] != last:
        events.append(openai_server_event(await asyncio.wait_for(socket.recv(), 10), added))
    return events


async def test_R025_the_example_without_a_provider_works_literally(engine):
    # wss://api.stimulir.com/api/v1/inference/realtime, Authorization: Bearer hyb_..., model Qwen2.5-Omni-3B
    url = f"{engine.ws}/api/v1/inference/realtime"
    text = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say good morning."}]}
    async with connect(url, additional_headers={"Authorization": "Bearer hyb_..."}) as socket:
        await raw(
            socket,
            {"type": "session.update", "session": {"model": "Qwen2.5-Omni-3B"}},
            {"type": "conversation.item.create", "item": text},
            {"type": "response.create"},
        )
        # The path tells audio by both names.
        events = await received(socket, "response.done", frozenset({"audio"}))
    assert types(events)[:2] == ["session.created", "session.updated"] and "error" not in types(events)
    assert_legal(events)
    assert said(events) == "good morning."


async def test_R100_the_flat_update_of_the_example_is_taken_literally(engine):
    example = {
        "type": "session.update",
        "session": {
            "instructions": "You are a helpful assistant.",
            "voice": "aura-2-thalia-en",
            "turn_detection": {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 550},
        },
    }
    # Without a sign the flat fields mean the beta dialect, whose own tests show it.
    async with connect(f"{engine.ws}/v1/realtime?dialect=ga") as socket:
        await raw(socket, example)
        created, updated = await received(socket, "session.updated")
    session = updated["session"]
    assert session["instructions"] == "You are a helpful assistant."
    detection = session["audio"]["input"]["turn_detection"]
    assert (detection["type"], detection["threshold"], detection["silence_duration_ms"]) == ("server_vad", 0.5, 550)
    # The engine has no such voice, and says which one it has.
    assert session["audio"]["output"]["voice"] == created["session"]["audio"]["output"]["voice"] == "en-us"


async def test_R126_R127_the_environment_says_how_turns_are_detected(folder):
    variants = {
        "manual": {"VAD_ENABLED": "false"},
        "tuned": {"VAD_THRESHOLD": "0.7", "VAD_MIN_SILENCE_MS": "900", "PARLEY_MAX_TURNS": "1"},
    }
    servers = {name: LocalEngine(folder / f"engine-{name}", None, variant) for name, variant in variants.items()}
    try:
        for server in servers.values():
            server.await_ready()
        async with conversation(servers["manual"], None) as talk:
            assert talk.events[0]["session"]["audio"]["input"]["turn_detection"] is None
        async with conversation(servers["tuned"], None) as talk:
            detection = talk.events[0]["session"]["audio"]["input"]["turn_detection"]
            assert (detection["threshold"], detection["silence_duration_ms"]) == (0.7, 900)
        await one_turn_too_many(servers["tuned"])
    finally:
        codes = [server.stop() for server in servers.values()]
    assert codes == [0, 0]


async def one_turn_too_many(engine) -> None:
    """Of several turns at once, an engine that takes one at a time refuses some clearly, and the sessions go on."""

    async def turn() -> str:
        async with conversation(engine, None) as talk:
            await talk.append(speech("What time is it?") + PAUSE)
            events = await talk.until("response.done", accept_errors=True)
            faults = of_type(events, "error")
            response = events[-1]["response"]
            if not faults:
                return response["status"]
            assert [fault["error"]["code"] for fault in faults] == ["rate_limit_exceeded"]
            assert response["status"] == "failed"
            assert response["status_details"]["error"]["code"] == "rate_limit_exceeded"
            assert has(said(await talk.text_turn("What is seven times eight?")), "56")
            return "refused"

    outcomes = await asyncio.gather(*(turn() for _ in range(4)))
    assert set(outcomes) == {"completed", "refused"}, outcomes


async def test_R126_R244_what_a_session_begins_with(engine):
    async with conversation(engine, None) as talk:
        session = talk.events[0]["session"]
    assert session["output_modalities"] == ["audio"]
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 550,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }
    assert session["audio"]["input"]["transcription"]["model"] == "tiny.en"
    assert session["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24_000}


async def test_R243_R244_R250_a_partial_update_keeps_the_rest(engine):
    async with conversation(engine, None) as talk:
        expected = talk.events[0]["session"]["audio"]["input"]["turn_detection"]
        for change in (
            {"threshold": 0.8}, {"silence_duration_ms": 700}, {"prefix_padding_ms": 100}, {"idle_timeout_ms": 9_000},
            {"create_response": False}, {"interrupt_response": False}, {"idle_timeout_ms": None},
        ):  # fmt: skip
            expected = {**expected, **change}
            assert await detect(talk, type="server_vad", **change) == expected
        session = await update(talk, instructions="Be brief.")
        assert session["audio"]["input"]["turn_detection"] == expected


@pytest.mark.parametrize(
    "change, param",
    [
        ({"type": "server_vad", "threshold": 1.5}, "threshold"),
        ({"type": "server_vad", "threshold": -0.1}, "threshold"),
        ({"type": "foo"}, "type"),
        ({"type": "semantic_vad", "eagerness": "urgent"}, "eagerness"),
    ],
)
async def test_R245_R275_a_wrong_turn_detection_is_refused_and_changes_nothing(engine, change, param):
    async with conversation(engine, None) as talk:
        # The hello of a client that has not said what it speaks has one field of the other dialect.
        before = {name: value for name, value in talk.events[0]["session"].items() if name != "voice"}
        await talk.connection.session.update(
            session={"type": "realtime", "instructions": "No.", "audio": {"input": {"turn_detection": change}}},
            event_id="wrong_1",
        )
        fault = await talk.error()
        assert fault["type"] == "invalid_request_error" and fault["event_id"] == "wrong_1"
        assert fault["param"] == f"session.audio.input.turn_detection.{param}"
        assert await update(talk) == before


async def test_R157_Q23_voices_and_modalities_show_what_is_effective(engine):
    async with conversation(engine, None) as talk:
        default = talk.events[0]["session"]["audio"]["output"]["voice"]
        session = await update(talk, audio={"output": {"voice": "marin"}}, output_modalities=["audio", "text"])
        assert session["audio"]["output"]["voice"] == default
        assert session["output_modalities"] == ["audio"]
        session = await update(talk, audio={"output": {"voice": "en-gb", "speed": 1.25}})
        assert (session["audio"]["output"]["voice"], session["audio"]["output"]["speed"]) == ("en-gb", 1.25)
        events = await talk.text_turn("Say good morning.")
        assert events[-1]["response"]["audio"]["output"]["voice"] == "en-gb"


async def test_the_voice_and_the_speed_are_heard(engine):
    async def answer(**output) -> bytes:
        async with conversation(engine, None) as talk:
            await update(talk, audio={"output": output})
            return audio_of(await talk.text_turn("Say good morning everybody."))

    plain, british, fast = await asyncio.gather(answer(), answer(voice="en-gb"), answer(speed=1.5))
    assert british != plain
    assert milliseconds(fast) < 0.85 * milliseconds(plain)


async def test_R050_text_and_audio_are_streamed(engine):
    async with conversation(engine, None) as talk:
        await talk.text_turn("Count to ten.")
        events = talk.events
        arrivals = dict(zip((id(event) for event in events), talk.arrivals))
        texts = of_type(events, "response.output_audio_transcript.delta")
        sounds = of_type(events, "response.output_audio.delta")
        done = of_type(events, "response.done")
        assert len(texts) >= 2 and len(sounds) >= 2
        assert events.index(texts[0]) < events.index(sounds[0])
        assert all(250 >= milliseconds(audio_of([event])) for event in sounds), "in small pieces"
        assert arrivals[id(done[0])] - arrivals[id(sounds[0])] > 0.5, "it came at once: something held it back"
        # Sent hardly faster than it is spoken, so that the user can still interrupt it.
        spoken = milliseconds(audio_of(events)) / 1000
        assert arrivals[id(done[0])] - arrivals[id(sounds[0])] > spoken - 2.5


async def test_the_usage_counts_what_was_heard_and_spoken(engine):
    async with conversation(engine, None) as talk:
        events = await ask(talk, "What time is it?")
        usage = events[-1]["response"]["usage"]
        # 10 tokens a second heard, 20 spoken.
        end = of_type(events, "input_audio_buffer.speech_stopped")[0]["audio_end_ms"]
        start = of_type(events, "input_audio_buffer.speech_started")[0]["audio_start_ms"]
        assert abs(usage["input_token_details"]["audio_tokens"] - (end - start) / 100) <= 1
        assert abs(usage["output_token_details"]["audio_tokens"] - milliseconds(audio_of(events)) / 50) <= 1
        assert usage["input_token_details"]["text_tokens"] > 0 and usage["output_token_details"]["text_tokens"] > 0
        written = await talk.text_turn("What time is it?")
        assert written[-1]["response"]["usage"]["input_token_details"]["audio_tokens"] == 0
        await update(talk, output_modalities=["text"])
        silent = await talk.text_turn("What time is it?")
        assert silent[-1]["response"]["usage"]["output_token_details"]["audio_tokens"] == 0


async def test_two_conversations_at_once_stay_apart(engine):
    async def one(sentence: str) -> str:
        async with conversation(engine, None) as talk:
            events = await ask(talk, sentence)
            assert_legal(events)
            return await hear(engine, audio_of(events))

    total, count = await asyncio.gather(one("What is twelve plus thirty?"), one("Count to five."))
    assert has(total, "42", "forty two") and not has(total, "5")
    assert has(count, "1 2 3 4 5", "one two three four five")
