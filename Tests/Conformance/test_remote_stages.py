"""The voice engine with services for its stages: what they receive and what the client gets."""

import asyncio
import base64
import json

import pytest

from conversation import assert_legal, audio_of, conversation, of_type
from remote_engine import cascade, history, manual, outcome, question_audio, transcript_of  # noqa: F401
from sound import RATE, pitch, silence, tone
from standins_chat import Answer
from standins_services import eventually
from standins_speech import Speech, Transcript, running_standins, standins  # noqa: F401

TOOL = {
    "type": "function",
    "name": "book_table",
    "description": "Books a table.",
    "parameters": {"type": "object", "properties": {"people": {"type": "integer"}}, "required": ["people"]},
}


# A conversation.


async def test_R048_R051_speech_goes_through_three_services_and_the_second_turn_knows_the_first(
    cascade, standins, question_audio
):
    async with conversation(cascade, None) as talk:
        await talk.connection.session.update(session={"type": "realtime", "instructions": "You are the café's waiter."})
        await talk.until("session.updated")
        await talk.append(question_audio)
        events = await talk.until("response.done")
        assert outcome(events)["status"] == "completed"
        (understood,) = of_type(events, "conversation.item.input_audio_transcription.completed")
        assert understood["transcript"] == Transcript().text
        assert "opens at nine" in transcript_of(events) and "café" in transcript_of(events)
        assert abs(pitch(audio_of(events)) - standins.speaking.hertz) < 5, "this is not what the speech server said"

        (first,) = standins.chat.exchanges
        assert first.body["model"] == "test-model"
        roles = [role for role, _ in history(first)]
        assert roles == ["system", "user"], history(first)
        assert "You are the café's waiter." in history(first)[0][1]
        assert history(first)[1] == ("user", Transcript().text)
        said = " ".join(standins.speaking.inputs)
        assert "opens at nine" in said and "🎈" not in said

        standins.chat.plan(Answer(words="As I said, at nine."))
        events = await talk.text_turn("When?")
        assert "at nine" in transcript_of(events)
        assert_legal(events[events.index(of_type(events, "response.created")[0]) :])
        second = history(standins.chat.exchanges[1])
        assert [role for role, _ in second] == ["system", "user", "assistant", "user"]
        assert second[1] == ("user", Transcript().text) and second[3] == ("user", "When?")
        assert "opens at nine" in second[2][1]


async def test_R048_the_transcriber_receives_the_turn_as_16_kHz_WAV(cascade, standins):
    # A recording that the client brings along is not judged by the detector, so it may be a tone.
    recording = base64.b64encode(tone(440, 1200)).decode()
    async with conversation(cascade, None) as talk:
        await talk.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": recording}]}
        )
        await talk.connection.response.create()
        assert outcome(await talk.until("response.done"))["status"] == "completed"
    assert history(standins.chat.exchanges[0])[-1] == ("user", Transcript().text)
    (heard,) = standins.hearing.heard
    assert abs(len(heard) / 32 - 1200) <= 20, f"{len(heard) / 32} ms of 1200 ms"
    assert abs(pitch(heard, 16_000) - 440) < 1


async def test_R048_the_transcriber_receives_the_spoken_part_of_the_stream(cascade, standins, question_audio):
    async with conversation(cascade, None) as talk:
        await talk.append(silence(2000) + question_audio)
        await talk.until("response.done")
    (heard,) = standins.hearing.heard
    whole = len(question_audio) / 48
    assert 0.5 * whole < len(heard) / 32 <= whole + 400, f"{len(heard) / 32} ms of a turn of {whole} ms"


@pytest.mark.parametrize("crude", [False, True], ids=["in pieces", "in one piece, all with index 0"])
async def test_R049_calls_go_to_the_client_and_their_results_to_the_model(cascade, standins, crude):
    calls = [("book_table", '{"people": 4, "name": "Zoë \\"Z\\""}'), ("book_table", '{"people": 2}')]
    async with conversation(cascade, None) as talk:
        await talk.connection.session.update(session={"type": "realtime", "tools": [TOOL], "tool_choice": "auto"})
        await talk.until("session.updated")
        standins.chat.plan(
            Answer(words="", calls=calls, calls_are_crude=crude), Answer(words="Your tables are booked.")
        )
        events = await talk.text_turn("Two tables, please.")
        assert outcome(events)["status"] == "completed"
        done = of_type(events, "response.function_call_arguments.done")
        assert [(event["name"], json.loads(event["arguments"])) for event in done] == [
            (name, json.loads(arguments)) for name, arguments in calls
        ]
        assert [item["type"] for item in outcome(events)["output"]] == ["function_call", "function_call"]
        for number, event in enumerate(done):
            await talk.connection.conversation.item.create(
                item={"type": "function_call_output", "call_id": event["call_id"], "output": f'{{"table": {number}}}'}
            )
        await talk.connection.response.create()
        events = await talk.until("response.done")
        assert "booked" in transcript_of(events)

    first, second = standins.chat.exchanges
    (tool,) = first.body["tools"]
    assert tool["function"]["name"] == TOOL["name"] and tool["function"]["description"] == TOOL["description"]
    assert tool["function"]["parameters"] == TOOL["parameters"]
    messages = second.body["messages"]
    results = [message for message in messages if message["role"] == "tool"]
    assert [message["content"] for message in results] == ['{"table": 0}', '{"table": 1}']
    asked = [call for message in messages for call in message.get("tool_calls") or []]
    assert [call["id"] for call in asked] == [message["tool_call_id"] for message in results]
    assert [json.loads(call["function"]["arguments"]) for call in asked] == [json.loads(text) for _, text in calls]


# The dialects of the streams.

DIALECTS = {
    "CRLF": Answer(line_end=b"\r\n"),
    "data: without a space": Answer(field_end=b":"),
    "comments of OpenRouter": Answer(comments=True),
    "finished but without [DONE]": Answer(has_done=False),
    "slow": Answer(pause=0.03),
}


@pytest.mark.parametrize("answer", DIALECTS.values(), ids=DIALECTS)
async def test_a_stream_cut_anywhere_is_understood(cascade, standins, answer):
    async with conversation(cascade, None) as talk:
        await manual(talk, output_modalities=["text"])
        standins.chat.plan(answer)
        events = await talk.text_turn()
        assert outcome(events)["status"] == "completed"
        (done,) = of_type(events, "response.output_text.done")
        assert done["text"] == answer.words
        assert outcome(events)["usage"]["total_tokens"] == 58, "the server counted"


THOUGHTS = {
    "the field reasoning": Answer(thoughts="The secret is plain."),
    "the field reasoning_content": Answer(thoughts="The secret is plain.", thoughts_field="reasoning_content"),
    "<think>": Answer(words="<think>The secret is\n\n plain.</think>\n\nThe café opens at nine."),
    "<think> that is glued": Answer(
        words="<think>secret</think>The café opens at nine. <think>secret</think> Come early."
    ),
}


@pytest.mark.parametrize("answer", THOUGHTS.values(), ids=THOUGHTS)
async def test_thoughts_are_never_spoken_shown_or_kept(cascade, standins, answer):
    async with conversation(cascade, None) as talk:
        standins.chat.plan(answer)
        events = await talk.text_turn()
        assert outcome(events)["status"] == "completed"
        assert "opens at nine" in transcript_of(events)
        events += await talk.text_turn("And then?")
        assert "secret" not in json.dumps(events) and "think>" not in json.dumps(events)
        assert "secret" not in " ".join(standins.speaking.inputs)
        assert "secret" not in json.dumps(standins.chat.exchanges[-1].body["messages"])


@pytest.mark.parametrize("finish, reason", [("length", "max_output_tokens"), ("content_filter", "content_filter")])
async def test_an_answer_that_the_service_cut_is_incomplete(cascade, standins, finish, reason):
    async with conversation(cascade, None) as talk:
        standins.chat.plan(Answer(finish=finish))
        response = outcome(await talk.text_turn())
        assert (response["status"], response["status_details"]["reason"]) == ("incomplete", reason)


# Interrupting.


def long_answer() -> Answer:
    return Answer(words="This sentence is one of very many. " * 60, pause=0.02)


@pytest.mark.parametrize("way", ["response.cancel", "speech", "leaving"])
async def test_R090_R242_an_interruption_ends_the_request_at_the_service(cascade, standins, question_audio, way):
    standins.chat.plan(long_answer())
    async with conversation(cascade, None) as talk:
        await talk.say_text("Tell me everything.")
        await talk.connection.response.create()
        await talk.until("response.output_audio.delta")
        (exchange,) = standins.chat.exchanges
        assert not exchange.is_finished
        if way == "response.cancel":
            await talk.connection.response.cancel()
        elif way == "speech":
            await talk.append(question_audio)
        if way != "leaving":
            response = outcome(await talk.until("response.done"))
            assert response["status"] == "cancelled"
            wanted = "turn_detected" if way == "speech" else "client_cancelled"
            assert response["status_details"]["reason"] == wanted
            await eventually(lambda: exchange.was_aborted, what="the end of the request")
            if way == "response.cancel":
                assert outcome(await talk.text_turn())["status"] == "completed"
    await eventually(lambda: exchange.was_aborted, what="the end of the request")
    assert not exchange.is_finished


async def test_R090_an_interruption_ends_the_speech_request_too(cascade, standins):
    standins.speaking.plan(Speech(milliseconds=20_000, pause=0.1))
    async with conversation(cascade, None) as talk:
        await talk.say_text("Tell me everything.")
        await talk.connection.response.create()
        await talk.until("response.output_audio.delta")
        await talk.connection.response.cancel()
        await talk.until("response.done")
        await eventually(lambda: standins.speaking.exchanges[0].was_aborted, what="the end of the speech request")


# Hearing and speaking.

TRANSCRIPTS = {"plain text": Transcript(shape="text"), "spaces of whisper.cpp": Transcript(shape="spaces")}


@pytest.mark.parametrize("plan", TRANSCRIPTS.values(), ids=TRANSCRIPTS)
async def test_a_transcript_is_read_in_every_shape(cascade, standins, question_audio, plan):
    async with conversation(cascade, None) as talk:
        await manual(talk)
        standins.hearing.plan(plan)
        await talk.append(question_audio)
        await talk.connection.input_audio_buffer.commit()
        events = await talk.until("conversation.item.input_audio_transcription.completed")
        assert events[-1]["transcript"] == plan.text


@pytest.mark.parametrize("rate", [24_000, 44_100, 22_050])
async def test_a_wav_of_unknown_length_is_spoken_at_its_own_rate(cascade, standins, rate):
    standins.chat.plan(Answer(words="Nine."))
    standins.speaking.plan(Speech(shape="wav", rate=rate, milliseconds=500, hertz=600))
    async with conversation(cascade, None) as talk:
        sound = audio_of(await talk.text_turn())
        assert abs(len(sound) / 2 / RATE - 0.5) < 0.03
        assert abs(pitch(sound) - 600) < 8


async def test_two_sessions_do_not_mix(cascade, standins):
    async with conversation(cascade, None) as one, conversation(cascade, None) as other:
        await asyncio.gather(one.text_turn("This is one."), other.text_turn("This is other."))
        for talk, words in ((one, "This is one."), (other, "This is other.")):
            await talk.text_turn("Again.")
            texts = [text for role, text in history(standins.chat.exchanges[-1]) if role == "user"]
            assert texts == [words, "Again."]
