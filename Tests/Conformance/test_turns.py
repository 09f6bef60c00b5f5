"""Turns held by the unmodified openai package through both providers. Every event is judged as it arrives."""

import asyncio
import json

import pytest

from conversation import STAGES, assert_legal, audio_of, conversation, of_type, response_id, stages, types
from providers import SLOW, STANDINS, without
from sound import pitch, silence, strength, tone
from upstream_record import read

SPEECH = tone(220, 600) + silence(1200)


@pytest.mark.parametrize("provider", STANDINS)
async def test_R037_R045_R088_R089_R097_R183_R212_R216_a_text_turn(gateway, provider):
    async with conversation(gateway, provider) as talk:
        events = await talk.text_turn()
        assert_legal(events)
        done = events[-1]["response"]
        assert done["status"] == "completed" and done["status_details"] is None
        items = of_type(events, "conversation.item.added")
        assert items[0]["item"]["role"] == "user" and items[1]["item"]["role"] == "assistant"
        assert items[1]["previous_item_id"] == items[0]["item"]["id"]
        assert done["output"][0]["content"][0]["transcript"].strip()


@pytest.mark.parametrize("provider", STANDINS)
async def test_R001_R027_R033_R036_R092_R093_R182_R256_R257_an_audio_turn(gateway, provider):
    async with conversation(gateway, provider) as talk:
        await talk.connection.session.update(
            session={"type": "realtime", "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}}
        )
        await talk.until("session.updated")
        await talk.append(SPEECH)
        events = await talk.until("response.done")
        assert_legal(events)
        started = of_type(events, "input_audio_buffer.speech_started")
        stopped = of_type(events, "input_audio_buffer.speech_stopped")
        committed = of_type(events, "input_audio_buffer.committed")
        assert len(started) == len(stopped) == len(committed) == 1, types(events)
        user_item = started[0]["item_id"]
        assert stopped[0]["item_id"] == committed[0]["item_id"] == user_item
        # Where the service does not say when speech began, the positions are Parley's own count at the first sign of it:
        # with audio that is sent faster than it plays, both can be the end of what was sent.
        assert 0 <= started[0]["audio_start_ms"] <= stopped[0]["audio_end_ms"] <= 1800
        order = types(events)
        assert order.index("input_audio_buffer.speech_started") < order.index("input_audio_buffer.speech_stopped")
        assert order.index("input_audio_buffer.committed") < order.index("response.created")
        assert of_type(events, "response.output_audio.delta")

        # Both transcripts: the answer's is checked by assert_legal, the user's may come before or after the answer.
        heard = "conversation.item.input_audio_transcription.completed"
        if not of_type(events, heard):
            events += await talk.until(heard)
        transcript = of_type(events, heard)[0]
        assert transcript["item_id"] == user_item and transcript["transcript"].strip() and transcript["usage"]
        assert of_type(events, "response.output_audio_transcript.done")[0]["transcript"].strip()


@pytest.mark.parametrize("provider", STANDINS)
async def test_R035_the_tone_of_the_stand_in_is_1_kHz_at_24_kHz(gateway, provider):
    async with conversation(gateway, provider) as talk:
        audio = audio_of(await talk.text_turn())
        assert len(audio) >= 4_800, "at least a tenth of a second, or the measurement says nothing"
        assert abs(pitch(audio) - 1000) < 5
        assert strength(audio, 1000) > 0.9


async def test_R012_R039_the_same_script_gives_the_same_events_from_every_provider(gateway):
    kinds, orders = {}, {}
    for provider in STANDINS:
        async with conversation(gateway, provider) as talk:
            events = await talk.text_turn()
            await talk.append(SPEECH)
            spoken = await talk.until("response.done")
            await talk.still_works()
            everything = [event for event in talk.events if event["type"] != "rate_limits.updated"]
            kinds[provider] = set(types(everything))
            orders[provider] = (stages(events), stages(spoken))
    assert orders["gemini"] == orders["openai"]
    assert orders["gemini"][0] == sorted(set(STAGES.values()))
    assert kinds["gemini"] == kinds["openai"]


@pytest.mark.parametrize("provider", STANDINS)
async def test_R085_R186_R194_every_accepted_update_is_confirmed_once_in_order(gateway, provider):
    async with conversation(gateway, provider) as talk:
        for number in range(3):
            await talk.connection.session.update(session={"type": "realtime", "instructions": f"Rule {number}"})
        for number in range(3):
            event = await talk.next()
            assert event["type"] == "session.updated"
            assert event["session"]["instructions"] == f"Rule {number}"
        events = await talk.text_turn()
        assert "session.updated" not in types(events)


@pytest.mark.parametrize("provider", STANDINS)
async def test_R031_R087_a_manual_turn_ends_with_commit(gateway, provider):
    async with conversation(gateway, provider) as talk:
        await talk.connection.session.update(
            session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        )
        updated = await talk.until("session.updated")
        assert updated[-1]["session"]["audio"]["input"]["turn_detection"] is None
        await talk.append(tone(220, 400))
        await talk.connection.input_audio_buffer.commit()
        acknowledged = await talk.until("conversation.item.done")
        assert types(acknowledged)[:2] == ["input_audio_buffer.committed", "conversation.item.added"]
        await talk.connection.response.create()
        assert_legal(acknowledged[1:] + await talk.until("response.done"))


@pytest.mark.parametrize("provider", SLOW)
async def test_R137_R138_R140_answers_arrive_as_they_are_generated(gateway, provider):
    async with conversation(gateway, provider) as talk:
        await talk.say_text("Say hello.")
        await talk.connection.response.create()
        await talk.until("response.output_audio.delta")
        first = talk.arrivals[-1]
        await talk.append(silence(200))  # input goes on while output streams
        events = await talk.until("response.done")
        assert talk.arrivals[-1] - first > 0.1, "the answer came at once: something held it back"
        assert of_type(events, "response.output_audio.delta")


@pytest.mark.parametrize("provider", SLOW)
async def test_R092_fault_row_51_speaking_into_an_answer_interrupts_it(gateway, provider):
    async with conversation(gateway, provider) as talk:
        await talk.say_text("Tell me a long story.")
        await talk.connection.response.create()
        begun = await talk.until("response.output_audio.delta")
        await talk.append(SPEECH)
        events = begun + await talk.until("response.done")
        assert_legal(events)
        cut = events[-1]["response"]
        assert cut["status"] == "cancelled"
        assert cut["status_details"]["type"] == "cancelled" and cut["status_details"]["reason"] == "turn_detected"
        assert cut["output"][0]["status"] == "incomplete"
        order = types(events)
        assert order.index("input_audio_buffer.speech_started") < order.index("response.done")

        answer = await talk.until("response.done")
        assert cut["id"] not in {response_id(event) for event in answer}, "an event of the cut response came late"
        assert answer[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize("provider", SLOW)
async def test_R090_R271_response_cancel_ends_the_answer(gateway, provider):
    async with conversation(gateway, provider) as talk:
        await talk.say_text("Tell me a long story.")
        await talk.connection.response.create()
        begun = await talk.until("response.output_audio.delta")
        await talk.connection.response.cancel()
        events = begun + await talk.until("response.done")
        assert_legal(events)
        cut = events[-1]["response"]
        assert cut["status"] == "cancelled" and cut["status_details"]["reason"] == "client_cancelled"
        later = await talk.text_turn("And now?")
        assert cut["id"] not in {response_id(event) for event in later}
        assert later[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize("provider", without(STANDINS, "vowel"))
async def test_cancel_without_an_answer_is_an_error_that_leaves_the_session_alone(gateway, provider):
    async with conversation(gateway, provider) as talk:
        await talk.connection.response.cancel(event_id="cancel_1")
        fault = await talk.error()
        assert fault["code"] == "response_cancel_not_active" and fault["event_id"] == "cancel_1"
        assert fault["message"].startswith("Cancellation failed")
        await talk.still_works()


async def test_the_thoughts_of_gemini_are_never_shown(gateway, slow_standin):
    async with conversation(gateway, "gemini-slow") as talk:
        assert_legal(await talk.text_turn())
        seen = json.dumps(talk.events)
    record = read(slow_standin.record)
    assert any(not frame.received and '"thought": true' in frame.text for frame in record.frames)
    assert "**Answering**" not in seen and "thought" not in seen


async def test_many_conversations_at_once_stay_apart(gateway):
    async def one(number: int) -> tuple[str, bytes]:
        async with conversation(gateway, STANDINS[number % 2]) as talk:
            events = await talk.text_turn(f"Number {number}")
            assert_legal(events)
            return events[-1]["response"]["id"], audio_of(events)

    answers = await asyncio.gather(*(one(number) for number in range(12)))
    assert len({name for name, _ in answers}) == 12
    assert all(abs(pitch(audio) - 1000) < 5 for _, audio in answers)
