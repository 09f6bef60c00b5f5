"""Turns held by the unmodified OpenAI Agents SDK: its RealtimeRunner, its session and its WebSocket model with another URL."""

import asyncio
import contextlib
import json

import pytest
from agents import function_tool, set_tracing_disabled
from agents.realtime import RealtimeAgent, RealtimeRunner
from agents.realtime.model_inputs import RealtimeModelSendInterrupt

from client_turns import CALLS, HEARD, LEAD_BYTES, OPENING, REST, SPEECH, STORY, STORY_BYTES, TONE_BYTES
from observed import WAIT_SECONDS, Observed
from providers import SLOW, STANDINS, without
from sound import chunks


# A PNG of one pixel.
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

set_tracing_disabled(True)  # of the SDK's own traces, which it would upload


class Talk:
    """A session, and the events that it gives to its user."""

    def __init__(self, session, seen: Observed):
        self.session = session
        self.seen = seen

    async def listen(self) -> None:
        async for event in self.session:
            self.seen.add(event)

    async def say(self, audio: bytes) -> None:
        for chunk in chunks(audio):
            await self.session.send_audio(chunk)

    async def event(self, kind: str, after: int = 0):
        return await self.seen.until(lambda event: event.type == kind, kind, after)

    def audio(self, after: int = 0, item_id: str | None = None) -> bytes:
        """What was to be played, of all answers or of one."""
        return b"".join(
            event.audio.data
            for event in self.seen.entries[after:]
            if event.type == "audio" and item_id in (None, event.item_id)
        )

    def history(self, role: str) -> list[str]:
        """The words of one side, as the SDK has last shown them to its user."""
        items = []
        for event in self.seen.entries:
            if event.type == "history_updated":
                items = list(event.history)
            elif event.type == "history_added":
                items.append(event.item)
        messages = [item for item in items if item.type == "message" and item.role == role]
        return ["".join(words(part) for part in message.content) for message in messages]


def words(part) -> str:
    return (getattr(part, "transcript", None) or getattr(part, "text", None) or "").strip()


@contextlib.asynccontextmanager
async def talking(gateway, provider: str, tools=lambda seen: []):
    """`tools`: makes the agent's, which may wait for what is seen."""
    seen = Observed(lambda event: event.type == "error")
    runner = RealtimeRunner(RealtimeAgent(name="Clerk", instructions="Answer in one sentence.", tools=tools(seen)))
    url = f"{gateway.ws}/v1/realtime?provider={provider}"
    session = await runner.run(model_config={"api_key": "test", "url": url})
    async with session:
        talk = Talk(session, seen)
        listener = asyncio.create_task(talk.listen())
        yield talk
        talk.seen.assert_no_fault()
    async with asyncio.timeout(WAIT_SECONDS):
        await listener  # raises what the SDK's session would raise to its user


@pytest.mark.parametrize("provider", STANDINS)
async def test_the_agents_sdk_holds_a_text_turn(gateway, provider):
    async with talking(gateway, provider) as talk:
        await talk.session.send_message("Say hello.")
        await talk.event("agent_end")
        assert len(talk.audio()) == TONE_BYTES
        assert talk.history("user") == ["Say hello."]
        assert talk.history("assistant") == ["You said: Say hello."]


@pytest.mark.parametrize("provider", without(STANDINS, "inworld"))
async def test_R136_R237_the_agents_sdk_holds_an_audio_turn(gateway, provider):
    async with talking(gateway, provider) as talk:
        await talk.say(SPEECH)
        await talk.event("agent_end")
        assert len(talk.audio()) == TONE_BYTES
        await talk.seen.until(lambda event: talk.history("user") == [HEARD], "transcript of the user")
        assert talk.history("assistant")[0].lower().startswith(f"you said: {HEARD}")


@pytest.mark.parametrize("provider", without(SLOW, "inworld"))
async def test_the_agents_sdk_hears_that_the_user_barges_in(gateway, provider):
    async with talking(gateway, provider) as talk:
        await talk.session.send_message(STORY)
        cut = await talk.event("audio")
        before = talk.seen.mark
        await talk.say(OPENING)
        interrupted = await talk.event("audio_interrupted", before)
        await talk.say(REST)
        assert interrupted.item_id == cut.item_id
        await talk.event("agent_end", before)
        answered = await talk.seen.until(
            lambda event: event.type == "audio" and event.item_id != cut.item_id, "answer to what was said", before
        )
        await talk.event("agent_end", talk.seen.behind(answered))
        assert 0 < len(talk.audio(item_id=cut.item_id)) < STORY_BYTES
        assert len(talk.audio(item_id=answered.item_id)) == TONE_BYTES
        assert talk.history("assistant")[-1].lower().startswith(f"you said: {HEARD}")


@pytest.mark.parametrize("provider", SLOW)
async def test_the_agents_sdk_cancels_an_answer(gateway, provider):
    async with talking(gateway, provider) as talk:
        await talk.session.send_message(STORY)
        cut = await talk.event("audio")
        await talk.session.model.send_event(RealtimeModelSendInterrupt(force_response_cancel=True))
        await talk.event("audio_interrupted")
        await talk.event("agent_end")
        later = talk.seen.mark
        await talk.session.send_message("And now?")
        await talk.event("agent_end", later)
        assert 0 < len(talk.audio(item_id=cut.item_id)) < STORY_BYTES
        assert cut.item_id not in {event.item_id for event in talk.seen.entries[later:] if event.type == "audio"}
        assert len(talk.audio(later)) == TONE_BYTES
        assert talk.history("assistant")[-1] == "You said: And now?"


def slow_tools(seen: Observed) -> list:
    """Two functions, the first of which ends after the turn that called it, and the second after the SDK has sent the
    first one's output: so it asks for a response while a call is open."""

    @function_tool
    async def get_weather(city: str) -> str:
        """The weather in a city."""
        await seen.until(lambda event: event.type == "agent_end", "end of the calls")
        return f"Sunny in {city}"

    @function_tool
    async def get_time(city: str) -> str:
        """The time in a city."""
        await seen.until(is_output_added, "acknowledged output")
        return f"Noon in {city}"

    return [get_weather, get_time]


def is_output_added(event) -> bool:
    if event.type != "raw_model_event" or event.data.type != "raw_server_event":
        return False
    message = event.data.data
    return message["type"] == "conversation.item.added" and message["item"]["type"] == "function_call_output"


@pytest.mark.parametrize("provider", STANDINS)
async def test_the_agents_sdk_answers_two_calls_of_one_turn(gateway, provider):
    async with talking(gateway, provider, tools=slow_tools) as talk:
        await talk.session.send_message(CALLS)
        first, second = "The result of get_weather is Sunny in Oslo.", "The result of get_time is Noon in Rome."
        # Gemini waits for both results; a service of OpenAI's kind answers each request with what it has.
        results = [f"{first} {second}"] if provider == "gemini" else [first, second]
        answered = await talk.seen.until(lambda event: talk.history("assistant")[-len(results) :] == results, "both results")
        await talk.event("agent_end", talk.seen.behind(answered))
        started = [event for event in talk.seen.entries if event.type == "tool_start"]
        assert [(event.tool.name, json.loads(event.arguments)) for event in started] == [
            ("get_weather", {"city": "Oslo"}),
            ("get_time", {"city": "Rome"}),
        ]
        ended = [event for event in talk.seen.entries if event.type == "tool_end"]
        assert [event.output for event in ended] == ["Sunny in Oslo", "Noon in Rome"]
        assert len(talk.audio()) == LEAD_BYTES.get(provider, 0) + len(results) * TONE_BYTES
        # The SDK has a second request for a response to send, which must not be in the way of the next turn.
        await talk.session.send_message("And now?")
        await talk.seen.until(lambda event: talk.history("assistant")[-1] == "You said: And now?", "later answer")


async def said(talk: Talk, text) -> str:
    """The last words of the assistant after a typed turn."""
    before = talk.seen.mark
    await talk.session.send_message(text)
    await talk.event("agent_end", before)
    return talk.history("assistant")[-1]


@pytest.mark.parametrize("provider", STANDINS)
async def test_the_agents_sdk_changes_its_agent_between_turns(gateway, provider):
    async with talking(gateway, provider) as talk:
        assert await said(talk, "One.") == "You said: One."
        other = RealtimeAgent(name="Guide", instructions="Answer in French.", tools=slow_tools(talk.seen))
        await talk.session.update_agent(other)
        assert await said(talk, "What are your instructions?") == "My instructions are: Answer in French."
        assert await said(talk, "What are your tools?") == "My tools are: get_time, get_weather."
        assert "One." in await said(talk, "What did I say?"), "the conversation was lost"


async def test_the_agents_sdk_shows_an_image(gateway):
    async with talking(gateway, "gemini") as talk:
        image = {"type": "input_image", "image_url": PIXEL}
        text = {"type": "input_text", "text": "What have you seen?"}
        seen = await said(talk, {"type": "message", "role": "user", "content": [image, text]})
        assert seen == "I have seen 1 image."
