"""Calls of functions through Gemini, as the unmodified openai package sees them."""

import json

import pytest

from conversation import Conversation, assert_legal, audio_of, conversation, of_type, types
from spoken import update

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
TOOLS = [
    {"type": "function", "name": "get_weather", "description": "The weather in a city.", "parameters": CITY},
    {"type": "function", "name": "get_time", "description": "The time in a city.", "parameters": CITY},
]
BOTH = 'call get_weather {"city":"Oslo"} and get_time {"city":"Rome"}'
RESULTS = "The result of get_weather is 7 C. The result of get_time is noon."


async def asked(talk: Conversation, text: str) -> list[dict]:
    """The calls that a typed turn brings about, after a look at all events of their response."""
    await update(talk, tools=TOOLS)
    events = await talk.text_turn(text)
    assert_legal(events)
    done = events[-1]["response"]
    assert done["status"] == "completed", done
    calls = [item for item in done["output"] if item["type"] == "function_call"]
    finished = of_type(events, "response.function_call_arguments.done")
    assert [(event["call_id"], event["name"], event["arguments"]) for event in finished] == [
        (call["call_id"], call["name"], call["arguments"]) for call in calls
    ]
    for call in calls:
        deltas = of_type(events, "response.function_call_arguments.delta")
        assert "".join(event["delta"] for event in deltas if event["call_id"] == call["call_id"]) == call["arguments"]
        added = [event["item"].get("call_id") for event in of_type(events, "conversation.item.added")]
        assert call["call_id"] in added and call["status"] == "completed"
    assert len({call["call_id"] for call in calls}) == len(calls)
    return calls


async def give(talk: Conversation, call: dict, output: str) -> None:
    await talk.connection.conversation.item.create(
        item={"type": "function_call_output", "call_id": call["call_id"], "output": output}
    )


def said(events: list[dict]) -> str:
    return "".join(event["transcript"] for event in of_type(events, "response.output_audio_transcript.done"))


async def test_R049_R150_R261_R265_a_call_and_its_result(gateway):
    async with conversation(gateway, "gemini") as talk:
        (call,) = await asked(talk, 'call get_weather {"city":"Oslo"}')
        assert call["name"] == "get_weather" and json.loads(call["arguments"]) == {"city": "Oslo"}
        await give(talk, call, "7 C")
        await talk.connection.response.create()
        events = await talk.until("response.done")
        assert_legal(events)
        assert said(events) == "The result of get_weather is 7 C." and audio_of(events)


# With "early", the request comes between the outputs, as from the Agents SDK.
@pytest.mark.parametrize("when", ["early", "late"])
async def test_R049_two_calls_of_one_turn_are_answered_together(gateway, when):
    async with conversation(gateway, "gemini") as talk:
        first, second = await asked(talk, BOTH)
        assert [first["name"], second["name"]] == ["get_weather", "get_time"]
        await give(talk, first, "7 C")
        if when == "early":
            await talk.connection.response.create()
        await give(talk, second, "noon")
        if when == "late":
            await talk.connection.response.create()
        events = await talk.until("response.done")
        assert_legal(events)
        assert said(events) == RESULTS and audio_of(events)
        outputs = [event["item"] for event in of_type(events, "conversation.item.added")][:2]
        assert [item["type"] for item in outputs] == ["function_call_output"] * 2, types(events)
        assert said(await talk.text_turn("And now?")) == "You said: And now?"


async def test_the_result_of_a_call_that_nobody_made_is_an_error_that_leaves_the_session_alone(gateway):
    async with conversation(gateway, "gemini") as talk:
        await give(talk, {"call_id": "call_nobody"}, "7 C")
        fault = await talk.error()
        assert fault["type"] == "invalid_request_error", fault
        await talk.still_works()


# As Pipecat begins: nothing waits for the connection to the provider.
@pytest.mark.parametrize("tools", [[], TOOLS], ids=["without tools", "with tools"])
async def test_R224_an_update_just_before_the_first_request_holds_for_its_one_answer(gateway, tools):
    async with conversation(gateway, "gemini") as talk:
        await update(talk, instructions="Answer in one sentence.")
        await talk.say_text(BOTH if tools else "One.")
        await talk.connection.session.update(session={"type": "realtime", "tools": tools})
        await talk.connection.response.create()
        output = (await talk.until("response.done"))[-1]["response"]["output"]
        calls = [item for item in output if item["type"] == "function_call"]
        assert len(calls) == len(tools)
        for call in calls:
            await give(talk, call, "noted")
        later = await talk.text_turn("And now?")
        assert_legal([event for event in later if event["type"].startswith("response.") or "item" in event])
        answer = "The result of get_weather is noted. The result of get_time is noted." if tools else "You said: And now?"
        assert said(later) == answer
