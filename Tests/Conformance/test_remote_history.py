"""What a chat server is sent of conversations that are long, interrupted or odd: always something that it takes."""

import json

import pytest

from conversation import conversation, of_type
from remote_engine import TIMEOUT_MS, EngineGateway, cascade, history, manual, outcome, transcript_of  # noqa: F401
from standins_chat import Answer
from standins_services import eventually
from standins_speech import running_standins, standins  # noqa: F401

HISTORY_TOKENS = 300
TOOL = {"type": "function", "name": "look_up", "parameters": {"type": "object", "properties": {}}}


@pytest.fixture(scope="module")
def frugal(folder, running_standins):
    """Little history, and addresses as people write them: without /v1, with a slash at the end."""
    running = running_standins
    environment = {
        "LLM_BASE_URL": f"{running.chat.url}/",
        "LLM_API_KEY": running.chat.key,
        "LLM_MODEL": "test-model",
        "LLM_HISTORY_TOKENS": str(HISTORY_TOKENS),
        "LLM_TIMEOUT_MS": str(TIMEOUT_MS),
        "STT_BASE_URL": f"{running.hearing.url}/v1/",
        "STT_API_KEY": running.hearing.key,
        "STT_MODEL": running.hearing.model,
        "TTS_BASE_URL": running.speaking.url,
        "TTS_API_KEY": running.speaking.key,
        "TTS_MODEL": running.speaking.model,
        "TTS_VOICE": "af_sky",
    }
    gateway = EngineGateway(folder, environment)
    gateway.await_ready()
    yield gateway
    assert gateway.stop() == 0, "the server must end cleanly when asked to"


async def output(talk, call_id: str, text: str) -> None:
    item = {"type": "function_call_output", "call_id": call_id, "output": text}
    await talk.connection.conversation.item.create(item=item)


async def answer(talk) -> list[dict]:
    await talk.connection.response.create()
    return await talk.until("response.done")


async def test_R051_a_long_history_is_trimmed_to_what_the_service_takes(frugal, standins):
    async with conversation(frugal, None) as talk:
        await manual(talk, output_modalities=["text"], instructions="Be a librarian.", tools=[TOOL])
        for number in range(8):
            standins.chat.plan(Answer(words="", calls=[("look_up", "{}"), ("look_up", "{}")]))
            events = await talk.text_turn(f"Question {number}: " + "where is the book that I asked for " * 4)
            calls = [item["call_id"] for item in outcome(events)["output"]]
            for call in reversed(calls):
                await output(talk, call, f"result of question {number}")
            assert outcome(await answer(talk))["status"] == "completed"
    longest = max(standins.chat.exchanges, key=lambda exchange: len(exchange.body["messages"]))
    last = history(standins.chat.exchanges[-1])
    assert last[0] == ("system", "Be a librarian."), "the instructions stay"
    assert any(text.startswith("Question 7") for _, text in last) and last[-1][1] == "result of question 7"
    assert not any(text.startswith("Question 0") for _, text in last), "the oldest goes first"
    assert len(longest.body["messages"]) < 20


async def test_R049_a_call_without_a_result_does_not_break_the_next_turn(cascade, standins):
    async with conversation(cascade, None) as talk:
        await manual(talk, output_modalities=["text"], tools=[TOOL])
        standins.chat.plan(Answer(words="One moment.", calls=[("look_up", "{}")]))
        await talk.text_turn("Look it up.")
        assert outcome(await talk.text_turn("Never mind. What else?"))["status"] == "completed"


async def test_R049_of_two_calls_one_may_be_answered(cascade, standins):
    async with conversation(cascade, None) as talk:
        await manual(talk, output_modalities=["text"], tools=[TOOL])
        standins.chat.plan(Answer(words="", calls=[("look_up", "{}"), ("look_up", '{"again": true}')]))
        events = await talk.text_turn("Look it up.")
        await output(talk, outcome(events)["output"][1]["call_id"], "the second result")
        assert outcome(await answer(talk))["status"] == "completed"
    results = [message for message in standins.chat.exchanges[-1].body["messages"] if message["role"] == "tool"]
    assert "the second result" in [message["content"] for message in results]


async def test_R049_a_result_that_comes_after_other_words_still_follows_its_call(cascade, standins):
    async with conversation(cascade, None) as talk:
        await manual(talk, output_modalities=["text"], tools=[TOOL])
        standins.chat.plan(Answer(words="", calls=[("look_up", "{}")]))
        events = await talk.text_turn("Look it up.")
        await talk.text_turn("Meanwhile, who are you?")
        await output(talk, outcome(events)["output"][0]["call_id"], "the late result")
        assert outcome(await answer(talk))["status"] == "completed"
    assert "the late result" in json.dumps(standins.chat.exchanges[-1].body["messages"])


@pytest.mark.parametrize("arguments", ['{"city": ', "null", "[1]", "Zürich"])
async def test_R049_arguments_that_are_no_object_do_not_break_the_next_turn(cascade, standins, arguments):
    async with conversation(cascade, None) as talk:
        await manual(talk, output_modalities=["text"], tools=[TOOL])
        standins.chat.plan(Answer(words="", calls=[("look_up", arguments)], calls_are_crude=True))
        (call,) = outcome(await talk.text_turn("Look it up."))["output"]
        assert call["arguments"] == arguments, "the client sees what the model wrote"
        await output(talk, call["call_id"], "the result")
        assert outcome(await answer(talk))["status"] == "completed"


@pytest.mark.parametrize("arguments", ["", " "], ids=["nothing", "a space"])
async def test_R049_a_call_without_arguments_is_an_empty_object(cascade, standins, arguments):
    async with conversation(cascade, None) as talk:
        await manual(talk, output_modalities=["text"], tools=[TOOL])
        standins.chat.plan(Answer(words="", calls=[("look_up", arguments)], calls_are_crude=True))
        events = await talk.text_turn("Look it up.")
        (call,) = outcome(events)["output"]
        assert json.loads(call["arguments"]) == {}
        await output(talk, call["call_id"], "the result")
        assert outcome(await answer(talk))["status"] == "completed"


CHOICES = [
    ("required", "required"),
    ("none", "none"),
    ({"type": "function", "name": "look_up"}, {"type": "function", "function": {"name": "look_up"}}),
]


@pytest.mark.parametrize("choice, sent", CHOICES, ids=["required", "none", "a function"])
async def test_R049_the_choice_of_tools_and_the_limit_of_tokens_are_passed_on(cascade, standins, choice, sent):
    async with conversation(cascade, None) as talk:
        await manual(talk, output_modalities=["text"], tools=[TOOL], tool_choice=choice, max_output_tokens=77)
        await talk.text_turn("Look it up.")
    (asked,) = standins.chat.exchanges
    assert asked.body["tool_choice"] == sent
    assert asked.body.get("max_completion_tokens", asked.body.get("max_tokens")) == 77


async def test_items_that_the_client_wrote_itself_are_sent_with_their_roles(cascade, standins):
    async with conversation(cascade, None) as talk:
        await manual(talk, output_modalities=["text"])
        for role, kind, text in (
            ("system", "input_text", "The shop is closed on Monday."),
            ("user", "input_text", "Hello."),
            ("assistant", "output_text", "Good day."),
            ("user", "input_text", "Are you open?"),
        ):
            item = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
            await talk.connection.conversation.item.create(item=item)
        await answer(talk)
    said = [pair for pair in history(standins.chat.exchanges[0]) if "helpful" not in pair[1]]
    assert said[-4:] == [
        ("system", "The shop is closed on Monday."),
        ("user", "Hello."),
        ("assistant", "Good day."),
        ("user", "Are you open?"),
    ]


async def test_R051_an_interrupted_answer_is_remembered_as_far_as_it_was_given(cascade, standins):
    standins.chat.plan(Answer(words="This sentence is one of very many. " * 60, pause=0.02))
    async with conversation(cascade, None) as talk:
        await talk.say_text("Tell me everything.")
        await talk.connection.response.create()
        events = await talk.until("response.output_audio.delta")
        await talk.connection.response.cancel()
        events += await talk.until("response.done")
        await eventually(lambda: standins.chat.exchanges[0].was_aborted)
        assert outcome(await talk.text_turn("Enough?"))["status"] == "completed"
    remembered = [text for role, text in history(standins.chat.exchanges[1]) if role == "assistant"]
    assert len(remembered) <= 1 and "".join(remembered) in transcript_of(events)


async def test_an_empty_answer_is_a_complete_one_and_leaves_nothing_behind(cascade, standins):
    standins.chat.plan(Answer(words=""))
    async with conversation(cascade, None) as talk:
        assert outcome(await talk.text_turn())["status"] == "completed"
        assert outcome(await talk.text_turn("And now?"))["status"] == "completed"
    assert [role for role, _ in history(standins.chat.exchanges[1]) if role == "assistant"] == []


async def test_a_long_answer_without_a_full_stop_is_spoken_in_pieces(frugal, standins):
    standins.chat.plan(Answer(words="and so on " * 300))
    async with conversation(frugal, None) as talk:
        events = await talk.text_turn()
        assert outcome(events)["status"] == "completed"
    assert " ".join(standins.speaking.inputs).count("and so on") == 300
    assert of_type(events, "response.output_audio.delta")
    assert {exchange.body["voice"] for exchange in standins.speaking.exchanges} == {"af_sky"}
