"""Turns held by the unmodified realtime service of pipecat-ai, in a pipeline with its own context aggregators."""

import asyncio
import contextlib
import json

import pytest
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InputImageRawFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMMessagesAppendFrame,
    LLMRunFrame,
    LLMSetToolsFrame,
    LLMUpdateSettingsFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.realtime.events import (
    AudioConfiguration,
    AudioInput,
    InputAudioTranscription,
    SessionProperties,
)
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.workers.runner import WorkerRunner

from client_turns import CALLS, HEARD, LEAD_BYTES, OPENING, REST, SPEECH, STORY, STORY_BYTES, TONE_BYTES
from observed import WAIT_SECONDS, Observed
from providers import SLOW, STANDINS, without
from sound import RATE, chunks
from upstream_record import await_record



class Listener(FrameProcessor):
    """Where a transport would play the answer: remembers the frames that pass."""

    def __init__(self, seen: Observed):
        super().__init__(enable_direct_mode=True)
        self.seen = seen

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        if direction == FrameDirection.DOWNSTREAM:
            self.seen.add(frame)
        await self.push_frame(frame, direction)


class Talk:
    """A running pipeline, and the frames that came out of its service."""

    def __init__(self, worker: PipelineWorker, service: OpenAIRealtimeLLMService, context: LLMContext, seen: Observed):
        self.worker = worker
        self.service = service
        self.context = context
        self.seen = seen

    async def type(self, text: str) -> None:
        """A typed turn. The aggregator before the service would keep it to itself, so it goes to the service."""
        await self.service.queue_frame(LLMMessagesAppendFrame([user(text)], run_llm=True))

    async def say(self, audio: bytes) -> None:
        for chunk in chunks(audio):
            await self.worker.queue_frame(InputAudioRawFrame(audio=chunk, sample_rate=RATE, num_channels=1))

    async def frame(self, kind: type, after: int = 0) -> Frame:
        return await self.seen.until(lambda frame: isinstance(frame, kind), kind.__name__, after)

    async def answer_end(self, after: int = 0) -> int:
        """Waits for the end of an answer with sound; the position behind it."""
        sound = await self.frame(TTSAudioRawFrame, after)
        return self.seen.behind(await self.frame(LLMFullResponseEndFrame, self.seen.behind(sound)))

    def audio(self, start: int = 0, end: int | None = None) -> bytes:
        return b"".join(frame.audio for frame in self.seen.entries[start:end] if isinstance(frame, TTSAudioRawFrame))

    def words(self, start: int = 0, end: int | None = None) -> str:
        return "".join(frame.text for frame in self.seen.entries[start:end] if isinstance(frame, TTSTextFrame))

    def remembered(self, role: str) -> list[str]:
        return [message["content"] for message in self.context.get_messages() if message["role"] == role]


@contextlib.asynccontextmanager
async def talking(gateway, provider: str, messages: list | None = None, turn_detection=None, tools=()):
    heard = AudioInput(transcription=InputAudioTranscription(), turn_detection=turn_detection)
    service = OpenAIRealtimeLLMService(
        api_key="test",
        base_url=f"{gateway.ws}/v1/realtime?provider={provider}",
        settings=OpenAIRealtimeLLMService.Settings(
            system_instruction="Answer in one sentence.",
            session_properties=SessionProperties(audio=AudioConfiguration(input=heard)),
        ),
    )
    seen = Observed(lambda frame: isinstance(frame, ErrorFrame))
    context = LLMContext(messages or [], tools=ToolsSchema(standard_tools=[tool.schema for tool in tools]))
    for tool in tools:
        service.register_function(tool.schema.name, tool)
    aggregators = LLMContextAggregatorPair(context)
    pipeline = Pipeline([aggregators.user(), service, Listener(seen), aggregators.assistant()])
    worker = PipelineWorker(pipeline, cancel_on_idle_timeout=False, enable_rtvi=False)
    started = asyncio.Event()

    @worker.event_handler("on_pipeline_started")
    async def on_pipeline_started(worker, frame):
        started.set()

    @worker.event_handler("on_pipeline_error")
    async def on_pipeline_error(worker, frame):
        seen.add(frame)

    runner = WorkerRunner()
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    async with asyncio.timeout(WAIT_SECONDS):
        await started.wait()
    try:
        yield Talk(worker, service, context, seen)
        seen.assert_no_fault()
    finally:
        await worker.queue_frame(EndFrame())
        async with asyncio.timeout(WAIT_SECONDS):
            await running


def user(text: str) -> dict:
    return {"role": "user", "content": text}


@pytest.mark.parametrize("provider", STANDINS)
async def test_pipecat_holds_text_turns(gateway, provider):
    async with talking(gateway, provider, [user("Say hello.")]) as talk:
        await talk.worker.queue_frame(LLMRunFrame())
        first = await talk.answer_end()
        assert talk.words() == "You said: Say hello."
        assert len(talk.audio()) == TONE_BYTES
        await talk.type("Say goodbye.")
        await talk.answer_end(first)
        # Pipecat sends it as the system's; some stand-ins answer the last text, the others the last that a user said.
        assert "Say goodbye." in talk.words(first) or "Say hello." in talk.words(first)
        assert len(talk.audio(first)) == TONE_BYTES


# Pipecat takes the start of speech as an interruption, and its frames are not yet through the pipeline when a stand-in
# that needs no time to think has answered. So here it is one that does.
@pytest.mark.parametrize("provider", without(SLOW, "inworld"))
async def test_pipecat_holds_an_audio_turn(gateway, provider):
    async with talking(gateway, provider, [user("Say hello.")]) as talk:
        await talk.worker.queue_frame(LLMRunFrame())
        greeted = await talk.answer_end()
        await talk.say(SPEECH)
        end = await talk.answer_end(greeted)
        assert talk.words(greeted, end).lower().startswith(f"you said: {HEARD}")
        assert len(talk.audio(greeted, end)) == TONE_BYTES
        await talk.seen.until(lambda frame: HEARD in talk.remembered("user"), "transcript")
        assert talk.remembered("user") == ["Say hello.", HEARD]


@pytest.mark.parametrize("provider", SLOW)
async def test_pipecat_hears_that_the_user_barges_in(gateway, provider):
    async with talking(gateway, provider, [user(STORY)]) as talk:
        await talk.worker.queue_frame(LLMRunFrame())
        await talk.frame(TTSAudioRawFrame)
        await talk.say(OPENING)
        interrupted = talk.seen.behind(await talk.frame(InterruptionFrame))
        await talk.say(REST)
        end = await talk.answer_end(interrupted)
        assert 0 < len(talk.audio(0, interrupted)) < STORY_BYTES
        assert len(talk.audio(interrupted, end)) == TONE_BYTES
        assert talk.words(interrupted, end).lower().startswith(f"you said: {HEARD}")


@pytest.mark.parametrize("provider", SLOW)
async def test_pipecat_cancels_an_answer(gateway, provider):
    # Where the application detects turns itself, an interruption is a response.cancel.
    async with talking(gateway, provider, [user(STORY)], turn_detection=False) as talk:
        await talk.worker.queue_frame(LLMRunFrame())
        await talk.frame(TTSAudioRawFrame)
        await talk.worker.queue_frame(InterruptionFrame())
        cut = talk.seen.behind(await talk.frame(InterruptionFrame))
        await talk.worker.queue_frame(UserStartedSpeakingFrame())
        await talk.say(SPEECH)
        await talk.worker.queue_frame(UserStoppedSpeakingFrame())
        end = await talk.answer_end(cut)
        assert 0 < len(talk.audio(0, cut)) < STORY_BYTES
        assert talk.words(cut, end).lower().startswith(f"you said: {HEARD}")
        assert len(talk.audio(cut, end)) == TONE_BYTES


class Tool:
    """A function of the application that remembers its calls."""

    def __init__(self, name: str, result: str):
        city = {"city": {"type": "string", "description": "Its name."}}
        self.schema = FunctionSchema(name=name, description="About a city.", properties=city, required=["city"])
        self.result = result
        self.calls: list[dict] = []

    async def __call__(self, params) -> None:
        self.calls.append(dict(params.arguments))
        await params.result_callback({"result": self.result})


@pytest.mark.parametrize("provider", STANDINS)
async def test_pipecat_answers_two_calls_of_one_turn(gateway, provider):
    weather, time = Tool("get_weather", "Sunny"), Tool("get_time", "Noon")
    asked = [user(CALLS)]
    async with talking(gateway, provider, asked, tools=[weather, time]) as talk:
        await talk.worker.queue_frame(LLMRunFrame())
        told = await talk.seen.until(lambda frame: "result of get_time" in talk.words(), "both results")
        end = await talk.answer_end(talk.seen.behind(told))
        assert weather.calls == [{"city": "Oslo"}] and time.calls == [{"city": "Rome"}]
        words = talk.words(0, end).replace('": "', '":"')
        assert 'get_weather is {"result":"Sunny"}' in words and 'get_time is {"result":"Noon"}' in words, words
        assert len(talk.audio(0, end)) == LEAD_BYTES.get(provider, 0) + TONE_BYTES
        if provider == "gemini":
            # The others answer what the user has said last, and Pipecat says this as the system.
            await talk.type("And now?")
            await talk.seen.until(lambda frame: "And now?" in talk.words(end), "later answer", end)


async def test_pipecat_changes_instructions_and_tools_between_turns(gateway, standin):
    async with talking(gateway, "gemini", [user("One.")]) as talk:
        await talk.worker.queue_frame(LLMRunFrame())
        first = await talk.answer_end()
        changed = OpenAIRealtimeLLMService.Settings(system_instruction="Answer in Esperanto.")
        await talk.service.queue_frame(LLMUpdateSettingsFrame(delta=changed))
        tools = ToolsSchema(standard_tools=[Tool("get_moon_phase", "Full").schema])
        await talk.worker.queue_frame(LLMSetToolsFrame(tools=tools))
        await talk.frame(LLMSetToolsFrame, first)
        await talk.type("Two.")
        await talk.answer_end(first)
        assert "Two." in talk.words(first)

    def holds(message: dict) -> bool:
        text = json.dumps(message)
        return "Esperanto" in text and "get_moon_phase" in text

    record = await_record(standin.record, lambda record: record.connections("gemini", holds))
    assert record.connections("gemini", holds), "Gemini was not told"


async def test_pipecat_shows_an_image(gateway, standin):
    async with talking(gateway, "gemini", [user("Say hello.")]) as talk:
        await talk.worker.queue_frame(LLMRunFrame())
        first = await talk.answer_end()
        image = InputImageRawFrame(image=bytes(64 * 64 * 3), size=(64, 64), format="RGB")
        await talk.service.queue_frame(image)
        await talk.type("Two.")
        await talk.answer_end(first)
        assert "Two." in talk.words(first)

    def holds(message: dict) -> bool:
        return "image/jpeg" in json.dumps(message)

    record = await_record(standin.record, lambda record: record.connections("gemini", holds))
    assert record.connections("gemini", holds), "Gemini was not shown it"


async def test_pipecat_detects_turns_itself(gateway):
    async with talking(gateway, "gemini", turn_detection=False) as talk:
        await talk.worker.queue_frame(UserStartedSpeakingFrame())
        await talk.say(SPEECH)
        await talk.worker.queue_frame(UserStoppedSpeakingFrame())
        end = await talk.answer_end()
        assert talk.words(0, end).lower().startswith(f"you said: {HEARD}") and len(talk.audio(0, end)) == TONE_BYTES
