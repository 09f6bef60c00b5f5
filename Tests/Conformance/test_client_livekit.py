"""Turns held by the unmodified realtime model of livekit-plugins-openai, used directly: no LiveKit server is needed."""

import asyncio
import contextlib
import json
import typing

import aiohttp
import pytest
from livekit import rtc
from livekit.agents import llm
from livekit.plugins.openai.realtime import RealtimeModel
from openai.types.realtime.realtime_audio_input_turn_detection import SemanticVad

from client_turns import CALLS, HEARD, LEAD_BYTES, OPENING, REST, SPEECH, STORY, STORY_BYTES, TONE_BYTES
from observed import WAIT_SECONDS, Observed
from providers import STANDINS, without
from sound import RATE, chunks

REPORTED = [
    "generation_created", "input_speech_started", "input_speech_stopped", "input_audio_transcription_completed",
    "remote_item_added", "error",
]  # fmt: skip


class Answer(typing.NamedTuple):
    words: str
    audio: bytes
    calls: list[llm.FunctionCall]
    message_id: str | None


class Talk:
    """A session, and what it reports."""

    def __init__(self, session):
        self.session = session
        self.seen = Observed(lambda entry: entry[0] == "error")
        for name in REPORTED:
            session.on(name, lambda report, name=name: self.seen.add((name, report)))

    async def say(self, text: str) -> llm.GenerationCreatedEvent:
        """A typed turn; its answer as soon as that begins."""
        context = self.session.chat_ctx.copy()
        context.add_message(role="user", content=text)
        await self.session.update_chat_ctx(context)
        return await self.session.generate_reply()

    def push(self, audio: bytes) -> None:
        for chunk in chunks(audio):
            self.session.push_audio(rtc.AudioFrame(chunk, RATE, 1, len(chunk) // 2))

    async def reported(self, name: str, after: int = 0):
        entry = await self.seen.until(lambda entry: entry[0] == name, name, after)
        return entry[1]


@contextlib.asynccontextmanager
async def talking(gateway, provider: str, **options):
    async with aiohttp.ClientSession() as http:
        model = RealtimeModel(
            base_url=f"{gateway.http}/v1?provider={provider}", api_key="test", http_session=http, **options
        )
        session = model.session()
        talk = Talk(session)
        try:
            await session.update_instructions("Answer in one sentence.")
            yield talk
            talk.seen.assert_no_fault()
        finally:
            async with asyncio.timeout(WAIT_SECONDS):
                await session.aclose()


async def whole(generation: llm.GenerationCreatedEvent) -> Answer:
    """All that comes of an answer, to its end."""
    words, audio, calls, message_id = "", b"", [], None
    async with asyncio.timeout(WAIT_SECONDS):
        async for message in generation.message_stream:
            message_id = message.message_id
            words += "".join([word async for word in message.text_stream])
            audio += b"".join([bytes(frame.data) async for frame in message.audio_stream])
        async for call in generation.function_stream:
            calls.append(call)
    return Answer(words, audio, calls, message_id)


@pytest.mark.parametrize("provider", STANDINS)
async def test_livekit_holds_a_text_turn(gateway, provider):
    async with talking(gateway, provider) as talk:
        generation = await talk.say("Say hello.")
        assert generation.user_initiated, "the metadata of the request did not come back"
        answer = await whole(generation)
        assert answer.words == "You said: Say hello."
        assert len(answer.audio) == TONE_BYTES
        remembered = talk.session.chat_ctx.get_by_id(answer.message_id)
        assert remembered.role == "assistant" and remembered.text_content == answer.words


@pytest.mark.parametrize("provider", STANDINS)
async def test_livekit_holds_an_audio_turn(gateway, provider):
    async with talking(gateway, provider) as talk:
        talk.push(SPEECH)
        await talk.reported("input_speech_started")
        generation = await talk.reported("generation_created")
        assert not generation.user_initiated
        answer = await whole(generation)
        assert answer.words.lower().startswith(f"you said: {HEARD}") and len(answer.audio) == TONE_BYTES
        heard = await talk.seen.until(
            lambda entry: entry[0] == "input_audio_transcription_completed" and entry[1].is_final, "final transcript"
        )
        assert heard[1].transcript.strip() == HEARD


@pytest.mark.parametrize("provider", [f"{name}-slow" for name in STANDINS])
async def test_livekit_hears_that_the_user_barges_in(gateway, provider):
    async with talking(gateway, provider) as talk:
        cut = await talk.say(STORY)
        async with asyncio.timeout(WAIT_SECONDS):
            message = await anext(cut.message_stream)
            first = await anext(message.audio_stream)
        before = talk.seen.mark
        talk.push(OPENING)
        await talk.reported("input_speech_started", before)
        # What an AgentSession does then.
        talk.session.interrupt()
        talk.session.truncate(message_id=message.message_id, modalities=["audio"], audio_end_ms=100)
        talk.push(REST)
        answer = await whole(await talk.reported("generation_created", before))
        assert answer.words.lower().startswith(f"you said: {HEARD}") and len(answer.audio) == TONE_BYTES
        async with asyncio.timeout(WAIT_SECONDS):
            rest = b"".join([bytes(frame.data) async for frame in message.audio_stream])
        assert 0 < len(bytes(first.data)) + len(rest) < STORY_BYTES


@pytest.mark.parametrize("provider", [f"{name}-slow" for name in STANDINS])
async def test_livekit_cancels_an_answer(gateway, provider):
    async with talking(gateway, provider) as talk:
        cut = await talk.say(STORY)
        async with asyncio.timeout(WAIT_SECONDS):
            message = await anext(cut.message_stream)
            await anext(message.audio_stream)
            talk.session.interrupt()
            rest = b"".join([bytes(frame.data) async for frame in message.audio_stream])
        assert len(rest) < STORY_BYTES
        answer = await whole(await talk.say("And now?"))
        assert answer.words == "You said: And now?" and len(answer.audio) == TONE_BYTES


@llm.function_tool
async def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: Its name.
    """
    return f"Sunny in {city}"


@llm.function_tool
async def get_time(city: str) -> str:
    """The time in a city.

    Args:
        city: Its name.
    """
    return f"Noon in {city}"


@pytest.mark.parametrize("provider", without(STANDINS, "xai"))
async def test_livekit_answers_two_calls_of_one_turn(gateway, provider):
    async with talking(gateway, provider) as talk:
        await talk.session.update_tools([get_weather, get_time])
        asked = await whole(await talk.say(CALLS))
        calls = [(call.name, json.loads(call.arguments)) for call in asked.calls]
        assert calls == [("get_weather", {"city": "Oslo"}), ("get_time", {"city": "Rome"})]
        assert len(asked.audio) == LEAD_BYTES.get(provider, 0)

        tools = {"get_weather": get_weather, "get_time": get_time}
        context = talk.session.chat_ctx.copy()
        for call in asked.calls:
            output = await tools[call.name](**json.loads(call.arguments))
            context.insert(llm.FunctionCallOutput(call_id=call.call_id, name=call.name, output=output, is_error=False))
        await talk.session.update_chat_ctx(context)
        answer = await whole(await talk.session.generate_reply())
        assert answer.words == "The result of get_weather is Sunny in Oslo. The result of get_time is Noon in Rome."
        assert len(answer.audio) == TONE_BYTES and not answer.calls
        later = await whole(await talk.say("And now?"))
        assert later.words == "You said: And now?"


async def asked(talk: Talk, text: str) -> str:
    """The words of the answer to a typed turn."""
    return (await whole(await talk.say(text))).words


# The two refuse another voice once one has spoken.
@pytest.mark.parametrize("provider", without(STANDINS, "azure-preview", "voice-live"))
async def test_livekit_changes_instructions_tools_and_voice_between_turns(gateway, provider):
    async with talking(gateway, provider) as talk:
        assert await asked(talk, "One.") == "You said: One."
        await talk.session.update_instructions("Answer in French.")
        await talk.session.update_tools([get_weather])
        # OpenAI changes no voice that has been heard.
        voice = {} if provider in ("openai", "azure") else {"voice": "cedar"}
        talk.session.update_options(**voice, max_response_output_tokens=200)
        assert await asked(talk, "What are your instructions?") == "My instructions are: Answer in French."
        assert await asked(talk, "What are your tools?") == "My tools are: get_weather."
        assert "One." in await asked(talk, "What did I say?"), "the conversation was lost"


@pytest.mark.parametrize("provider", STANDINS)
async def test_livekit_edits_the_conversation_between_turns(gateway, provider):
    async with talking(gateway, provider) as talk:
        await asked(talk, "One.")
        await asked(talk, "Two.")
        edited = talk.session.chat_ctx.copy()
        edited.items = [item for item in edited.items if item.text_content not in ("Two.", "You said: Two.")]
        edited.items.insert(0, llm.ChatMessage(role="user", content=["Zero."]))
        await talk.session.update_chat_ctx(edited)
        assert [item.text_content for item in talk.session.chat_ctx.items] == ["Zero.", "One.", "You said: One."]
        said = await asked(talk, "What was said?")
        assert "Two." not in said and 0 < said.index("Zero.") < said.index("One."), said


async def test_livekit_shows_an_image(gateway):
    async with talking(gateway, "gemini") as talk:
        talk.session.push_video(rtc.VideoFrame(64, 64, rtc.VideoBufferType.RGBA, bytes(64 * 64 * 4)))
        await talk.reported("remote_item_added")
        assert await asked(talk, "What have you seen?") == "I have seen 1 image."


async def test_livekit_asks_for_the_answers_itself(gateway):
    hears = SemanticVad(type="semantic_vad", create_response=False, interrupt_response=False)
    async with talking(gateway, "gemini", turn_detection=hears) as talk:
        talk.push(SPEECH)
        await talk.reported("input_speech_stopped")
        answer = await whole(await talk.session.generate_reply())
        assert answer.words.lower().startswith(f"you said: {HEARD}")
        generations = [report for name, report in talk.seen.entries if name == "generation_created"]
        assert [report.user_initiated for report in generations] == [True]


async def test_livekit_pushes_to_talk(gateway):
    async with talking(gateway, "gemini", turn_detection=None) as talk:
        talk.push(SPEECH)
        talk.session.clear_audio()
        talk.push(SPEECH)
        talk.session.commit_audio()
        answer = await whole(await talk.session.generate_reply())
        assert answer.words.lower().startswith(f"you said: {HEARD}") and len(answer.audio) == TONE_BYTES
