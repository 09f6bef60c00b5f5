"""Turns of the user before the voice engine: where they begin and end, what interrupts what, and what is no turn."""

import array
import asyncio
import random
import time

import pytest

from conversation import assert_legal, conversation, of_type, response_id, types
from sound import RATE, silence
from spoken import (
    LEAD, LONG_ANSWER, PAUSE, TRANSCRIBED, ask, detect, has, heard, milliseconds, push_to_talk, said, silent_for,
    speech, update, words,
)  # fmt: skip

QUESTION = "Please calculate seven times eight."
STARTED, STOPPED = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"


async def long_answer(talk) -> list[dict]:
    """The beginning of an answer that takes far longer than a test."""
    await talk.say_text(LONG_ANSWER)
    await talk.connection.response.create()
    return await talk.until("response.output_audio.delta")


async def test_R092_R242_speaking_into_an_answer_interrupts_it(engine):
    async with conversation(engine, None) as talk:
        begun = await long_answer(talk)
        await talk.append(LEAD + speech(QUESTION) + PAUSE)
        events = begun + await talk.until("response.done")
        assert_legal(events)
        cut = events[-1]["response"]
        assert cut["status"] == "cancelled"
        assert cut["status_details"]["reason"] == "turn_detected"
        assert cut["output"][0]["status"] == "incomplete"
        assert types(events).index(STARTED) < types(events).index("response.done")
        assert not has(said(events), "30")

        answer = await talk.until("response.done")
        assert cut["id"] not in {response_id(event) for event in answer}, "an event of the cut response came late"
        assert_legal(of_type(events, "conversation.item.added") + answer)
        assert has(said(answer), "56")


async def test_R242_without_interrupt_response_the_answer_goes_on(engine):
    async with conversation(engine, None) as talk:
        await detect(talk, type="server_vad", interrupt_response=False)
        await talk.say_text("Count to ten.")
        await talk.connection.response.create()
        events = await talk.until("response.output_audio.delta")
        await talk.append(LEAD + speech(QUESTION) + PAUSE)
        events += await talk.until("response.done")
        assert_legal(events)
        assert events[-1]["response"]["status"] == "completed" and has(said(events), "10")
        assert STARTED in types(events), "the turn was noticed all the same"
        # What was said meanwhile is answered afterwards.
        answer = await talk.until("response.done")
        assert has(heard(events + answer), "seven times eight", "7 times 8")
        assert has(said(answer), "56")


async def test_R241_without_create_response_a_turn_waits_for_the_client(engine):
    async with conversation(engine, None) as talk:
        await detect(talk, type="server_vad", create_response=False)
        await talk.append(LEAD + speech(QUESTION) + PAUSE)
        turn = await talk.until(TRANSCRIBED)
        await talk.still_works()
        assert not [kind for kind in types(talk.events) if kind.startswith("response.")]
        await talk.connection.response.create()
        events = turn + await talk.until("response.done")
        assert_legal(events)
        assert has(said(events), "56")


async def test_R031_R087_a_client_that_commits_itself(engine):
    async with conversation(engine, None) as talk:
        await push_to_talk(talk)
        story = "I went to the market this morning.", "Then I bought some apples and bread."
        await talk.append(LEAD + PAUSE.join(speech(sentence) for sentence in story))
        await talk.connection.input_audio_buffer.commit()
        events = await talk.until(TRANSCRIBED)
        assert types(events)[:3] == [
            "input_audio_buffer.committed", "conversation.item.added", "conversation.item.done",
        ]  # fmt: skip
        assert has(heard(events), "market") and has(heard(events), "apples"), "a pause ends no turn here"
        await talk.still_works()
        assert not {STARTED, STOPPED, "response.created"} & set(types(talk.events)), "nobody asked for an answer"

        await talk.connection.input_audio_buffer.commit()
        assert (await talk.error())["code"] == "input_audio_buffer_commit_empty"
        await talk.append(silence(80))
        await talk.connection.input_audio_buffer.commit(event_id="short_1")
        fault = await talk.error()
        assert fault["code"] == "input_audio_buffer_commit_empty" and fault["event_id"] == "short_1"
        assert "buffer too small" in fault["message"] and "80.00ms" in fault["message"]

        await talk.append(speech("Flip a coin."))
        await talk.connection.input_audio_buffer.clear()
        await talk.until("input_audio_buffer.cleared")
        await talk.connection.input_audio_buffer.commit()
        assert (await talk.error())["code"] == "input_audio_buffer_commit_empty"
        await talk.append(LEAD + speech(QUESTION))
        await talk.connection.input_audio_buffer.commit()
        await talk.connection.response.create()
        events = await talk.until("response.done")
        assert_legal(events)
        assert not has(heard(events), "coin") and has(said(events), "56")


async def test_a_commit_before_the_end_of_speech_is_one_turn(engine):
    async with conversation(engine, None) as talk:
        await detect(talk, type="server_vad", silence_duration_ms=5_000)
        await talk.append(LEAD + speech(QUESTION) + silence(300))
        started = await talk.until(STARTED)
        await talk.connection.input_audio_buffer.commit()
        events = started + await talk.until("response.done")
        assert_legal(events)
        assert len(of_type(events, "input_audio_buffer.committed")) == 1
        assert of_type(events, "input_audio_buffer.committed")[0]["item_id"] == started[-1]["item_id"]
        assert has(said(events), "56")


async def test_clear_forgets_a_turn_that_has_begun(engine):
    async with conversation(engine, None) as talk:
        await talk.append(speech("Flip a coin.") + silence(100))
        await talk.until(STARTED)
        await talk.connection.input_audio_buffer.clear()
        await talk.until("input_audio_buffer.cleared")
        events = await ask(talk, QUESTION)
        assert not has(heard(events), "coin") and has(said(events), "56")


async def end_of_turn(engine, pause: bytes = silence(2_500), **turn_detection) -> tuple[int, int]:
    """Where a turn begins and ends, in milliseconds of the audio."""
    async with conversation(engine, None) as talk:
        await detect(talk, **turn_detection)
        await talk.append(silence(600) + speech(QUESTION) + pause)
        events = await talk.until(STOPPED)
        return of_type(events, STARTED)[0]["audio_start_ms"], events[-1]["audio_end_ms"]


async def test_R244_semantic_and_server_detection_wait_as_long_as_they_are_told(engine):
    turns = await asyncio.gather(
        *(end_of_turn(engine, type="semantic_vad", eagerness=eagerness) for eagerness in ("high", "auto", "low")),
        end_of_turn(engine, type="server_vad", silence_duration_ms=350, prefix_padding_ms=0),
        end_of_turn(engine, type="server_vad", silence_duration_ms=1_000, prefix_padding_ms=300),
    )
    (_, high), (_, automatic), (_, low), (late, short), (early, long) = turns
    frame = 32
    assert high == short
    assert abs(automatic - high - 350) <= frame and abs(low - high - 850) <= frame and abs(long - short - 650) <= frame
    assert abs(late - early - 300) <= frame


async def test_R243_R251_an_update_holds_from_the_next_audio_on(engine):
    async with conversation(engine, None) as talk:
        await detect(talk, type="server_vad", silence_duration_ms=10_000)
        first = LEAD + speech(QUESTION) + silence(1_500)
        await talk.append(first)
        await talk.until(STARTED)
        await detect(talk, silence_duration_ms=300)
        await talk.append(silence(200))
        end = (await talk.until(STOPPED))[-1]["audio_end_ms"]
        assert milliseconds(first) - 32 <= end <= milliseconds(first) + 64
        await talk.until("response.done")

    async with conversation(engine, None) as talk:
        await detect(talk, type="server_vad", threshold=1.0)
        await talk.append(first)
        assert await silent_for(talk, 0.5), "no sound is certain enough"
        await detect(talk, threshold=0.5)
        await talk.append(LEAD + speech(QUESTION) + PAUSE)
        started = (await talk.until(STARTED))[-1]
        assert started["audio_start_ms"] >= milliseconds(first) - 300
        assert has(said(await talk.until("response.done")), "56")


async def test_R248_silence_after_an_answer_is_a_turn_in_the_end(engine):
    async with conversation(engine, None) as talk:
        await update(talk, output_modalities=["text"])
        await detect(talk, type="server_vad", idle_timeout_ms=800)
        await talk.append(silence(500))
        await talk.text_turn("Say good morning.")
        begun = time.monotonic()
        await talk.append(silence(400))
        events = await talk.until("response.done")
        waited = talk.arrivals[talk.events.index(events[0])] - begun
        assert types(events)[:5] == [
            "input_audio_buffer.timeout_triggered",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
        ]
        assert 0.7 < waited < 1.5, waited
        assert (events[0]["audio_start_ms"], events[0]["audio_end_ms"]) == (500, 900)
        assert events[0]["item_id"] == events[1]["item_id"] == events[2]["item"]["id"]
        assert_legal(events)


async def test_R249_without_an_idle_timeout_silence_stays_silent(engine):
    async def waits(idle: int | None) -> bool:
        async with conversation(engine, None) as talk:
            await update(talk, output_modalities=["text"])
            assert (await detect(talk, type="server_vad", idle_timeout_ms=idle))["idle_timeout_ms"] in (idle, None)
            await talk.text_turn("Say good morning.")
            return await silent_for(talk, 3)

    assert await asyncio.gather(waits(None), waits(0)) == [True, True]


def noise(duration: int, level: int) -> bytes:
    dice = random.Random(7)
    return array.array("h", (dice.randint(-level, level) for _ in range(RATE * duration // 1000))).tobytes()


def click() -> bytes:
    return array.array("h", [30_000] * 12 + [-30_000] * 12).tobytes() + silence(400)


NOISES = {
    "silence": silence(3_000),
    "hiss": noise(3_000, 300),
    "noise": noise(3_000, 8_000),
    "clicks": silence(500) + click() * 5,
}


@pytest.mark.parametrize("sound", NOISES.values(), ids=NOISES)
async def test_what_nobody_says_is_no_turn(engine, sound):
    async with conversation(engine, None) as talk:
        await talk.append(sound + silence(1_500))
        # The engine hears in order: the first that it reports is what was really said.
        events = await ask(talk, QUESTION)
        assert types(events)[0] == STARTED
        assert events[0]["audio_start_ms"] >= milliseconds(sound) + 500
        assert len(of_type(events, STARTED)) == 1 and has(said(events), "56")


@pytest.mark.deadline(60)
async def test_an_utterance_without_end_is_cut_and_answered(engine):
    story = speech("My grandmother has a garden with apples and tomatoes, and she goes there in the morning. " * 8)
    limit = 25_000
    audio = story[: 27_000 * RATE * 2 // 1000]
    assert milliseconds(audio) == 27_000
    async with conversation(engine, None) as talk:
        await update(talk, output_modalities=["text"])
        await talk.append(audio + PAUSE)
        events = await talk.until("response.done", accept_errors=True)
        (fault,) = of_type(events, "error")
        assert fault["error"]["code"] == "input_audio_too_long" and fault["error"]["param"] == "audio"
        first = of_type(events, STOPPED)[0]
        assert limit - 500 <= first["audio_end_ms"] <= limit + 1_000
        assert has(heard(events), "tomatoes", "apples") and len(words(heard(events))) > 40
        assert len(of_type(events, "input_audio_buffer.committed")) == 2, "what follows is a turn of its own"
        assert_legal([event for event in events if event["type"] != "error"])
        assert has(said(await ask(talk, QUESTION)), "56")
