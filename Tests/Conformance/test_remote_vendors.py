"""The services that the voice engine takes when only their keys are set, OpenRouter by file, an Omni server, and a chat
server that is found on this machine. The addresses point at stand-ins; everything else is the engine's own default."""

import base64
import json
import socket

import pytest

from conversation import audio_of, conversation, of_type
from remote_engine import EngineGateway, failed_turn, history, manual, outcome, question_audio, transcript_of  # noqa: F401
from sound import pitch, tone
from standins_chat import Answer, ChatServer
from standins_deepgram import Heard
from standins_services import Services, eventually
from standins_speech import Transcript, running_standins, standins  # noqa: F401

OLLAMA_PORT = 11434
FREE_MODEL = "some-vendor/some-model:free"


def running(gateway):
    gateway.await_ready()
    yield gateway
    assert gateway.stop() == 0, "the server must end cleanly when asked to"


@pytest.fixture(scope="module")
def vendors(folder, running_standins):
    """Only the keys of Groq and Deepgram are set."""
    chat, deepgram = running_standins.chat, running_standins.deepgram
    environment = {
        "GROQ_API_KEY": chat.key,
        "GROQ_BASE_URL": f"{chat.url}/openai/v1",
        "DEEPGRAM_API_KEY": deepgram.key,
        "DEEPGRAM_BASE_URL": deepgram.url,
    }
    yield from running(EngineGateway(folder, environment))


async def test_R122_R124_R125_keys_alone_choose_Groq_and_Deepgram_with_their_defaults(
    vendors, standins, question_audio
):
    async with conversation(vendors, None) as talk:
        await talk.append(question_audio)
        events = await talk.until("response.done")
        assert outcome(events)["status"] == "completed"
        (understood,) = of_type(events, "conversation.item.input_audio_transcription.completed")
        assert understood["transcript"] == Heard().text, "the final pieces and nothing of the guesses"
        assert abs(pitch(audio_of(events)) - standins.deepgram.hertz) < 5

    (asked,) = standins.chat.exchanges
    assert asked.path == "/openai/v1/chat/completions" and asked.body["model"] == "openai/gpt-oss-20b"
    assert history(asked)[-1] == ("user", Heard().text)
    (call,) = standins.deepgram.calls
    assert call.query["model"] == "nova-3" and call.query["language"] == "en-US"
    seconds = len(call.audio) / 2 / int(call.query["sample_rate"])
    assert 1 < seconds < len(question_audio) / 48_000 + 0.4, f"{seconds} s of sound"
    assert "Finalize" in call.messages or "CloseStream" in call.messages
    await eventually(lambda: call.is_over, what="the end of the connection")
    spoken = [exchange for exchange in standins.deepgram.exchanges if exchange.path == "/v1/speak"]
    assert spoken and {exchange.query["model"] for exchange in spoken} == {"aura-2-thalia-en"}
    assert "opens at nine" in " ".join(standins.deepgram.spoken)


async def test_R126_the_detector_has_the_defaults_of_the_source(vendors, standins):
    async with conversation(vendors, None) as talk:
        detection = talk.events[0]["session"]["audio"]["input"]["turn_detection"]
        assert (detection["type"], detection["threshold"], detection["silence_duration_ms"]) == ("server_vad", 0.5, 550)


async def test_R124_guesses_arrive_as_deltas_before_the_transcript(vendors, standins, question_audio):
    async with conversation(vendors, None) as talk:
        await talk.append(question_audio)
        events = await talk.until("conversation.item.input_audio_transcription.completed")
        deltas = [event["delta"] for event in of_type(events, "conversation.item.input_audio_transcription.delta")]
        assert "".join(deltas) in ("", Heard().text), "deltas that were told cannot be taken back"


HEARD = {
    "an end that is not confirmed": Heard(confirms=False),
    "the guess was wrong": Heard(guess="something quite different that is long"),
}


@pytest.mark.parametrize("heard", HEARD.values(), ids=HEARD)
async def test_R124_the_words_are_those_that_are_final(vendors, standins, question_audio, heard):
    standins.deepgram.plan(heard)
    async with conversation(vendors, None) as talk:
        await talk.append(question_audio)
        events = await talk.until("conversation.item.input_audio_transcription.completed")
        assert events[-1]["transcript"] == heard.text


async def test_R124_a_turn_in_which_nothing_is_understood_has_no_words(vendors, standins, question_audio):
    standins.deepgram.plan(Heard(text="", guess=""))
    async with conversation(vendors, None) as talk:
        await talk.append(question_audio)
        events = await talk.until("conversation.item.input_audio_transcription.completed")
        assert events[-1]["transcript"] == ""


DEEPGRAM_FAULTS = {
    "401": Heard(refusal=(401, "INVALID_AUTH", "Invalid credentials.")),
    "402": Heard(refusal=(402, "ASR_PAYMENT_REQUIRED", "Not enough credits.")),
    "429": Heard(refusal=(429, "TOO_MANY_REQUESTS", "Too many requests.")),
    "1011 NET-0001": Heard(closes_after=0.6),
    "1008 DATA-0000": Heard(closes_after=0.6, close=(1008, "DATA-0000")),
}


@pytest.mark.parametrize("heard", DEEPGRAM_FAULTS.values(), ids=DEEPGRAM_FAULTS)
async def test_a_fault_of_Deepgram_is_told_and_the_next_turn_is_heard(vendors, standins, question_audio, heard):
    async with conversation(vendors, None) as talk:
        await manual(talk)
        standins.deepgram.plan(heard)
        for kind in ("failed", "completed"):
            await talk.append(question_audio)
            await talk.connection.input_audio_buffer.commit()
            events = await talk.until(f"conversation.item.input_audio_transcription.{kind}", accept_errors=True)
            assert standins.deepgram.key not in json.dumps(events), "the key was shown"
        assert events[-1]["transcript"] == Heard().text


async def test_a_fault_of_Deepgrams_voice_fails_the_turn_and_the_next_is_spoken(vendors, standins):
    standins.deepgram.speech_plans.append((422, "UNPROCESSABLE_ENTITY", "No."))
    async with conversation(vendors, None) as talk:
        await failed_turn(talk, {"tts_refused"}, "No.")
        assert audio_of(await talk.text_turn())


# A file, and the rest of the vendors.


@pytest.fixture(scope="module")
def filed(folder, running_standins):
    """OpenRouter by file, Groq's transcription by environment, the embedded voice."""
    chat, hearing = running_standins.chat, running_standins.hearing
    runtime = (
        "llm:\n  provider: openrouter\n  apiKey: env:THE_KEY\n"
        f'  model: "{FREE_MODEL}"\n  baseUrl: {chat.url}/api/v1\n  temperature: 0.3\n'
    )
    environment = {
        "THE_KEY": chat.key,
        "LLM_PROVIDER": "groq",
        "STT_PROVIDER": "groq",
        "GROQ_API_KEY": hearing.key,
        "GROQ_BASE_URL": f"{hearing.url}/openai/v1",
        "GROQ_WHISPER_MODEL": hearing.model,
        "VAD_ENABLED": "false",
    }
    yield from running(EngineGateway(folder, environment, runtime))


async def test_R121_R123_the_file_wins_and_OpenRouter_gets_any_model(filed, standins):
    recording = base64.b64encode(tone(440, 700)).decode()
    async with conversation(filed, None) as talk:
        assert talk.events[0]["session"]["audio"]["input"]["turn_detection"] is None, "R127: VAD_ENABLED=false"
        await talk.connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await talk.until("session.updated")
        await talk.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": recording}]}
        )
        standins.chat.plan(Answer(comments=True))
        await talk.connection.response.create()
        events = await talk.until("response.done")
        assert of_type(events, "response.output_text.done")[0]["text"] == Answer().words
    (asked,) = standins.chat.exchanges
    assert asked.path == "/api/v1/chat/completions" and asked.body["model"] == FREE_MODEL
    assert asked.body["temperature"] == 0.3
    assert history(asked)[-1] == ("user", Transcript().text)
    assert [exchange.path for exchange in standins.hearing.exchanges] == ["/openai/v1/audio/transcriptions"]


# Omni.


@pytest.fixture(scope="module")
def omni(folder, running_standins):
    yield from running(EngineGateway(folder, {"OMNI_BASE_URL": f"{running_standins.omni.url}/v1"}))


@pytest.fixture(scope="module")
def renamed(folder, running_standins):
    environment = {"OMNI_BASE_URL": f"{running_standins.omni.url}/v1", "HYBRIE_REALTIME_MODEL": "foo"}
    yield from running(EngineGateway(folder, environment))


async def test_R022_Q21_an_omni_server_is_the_default_model(omni, standins, question_audio):
    async with conversation(omni, None) as talk:
        assert talk.events[0]["session"]["model"] == "Qwen2.5-Omni-3B"
        await talk.append(question_audio)
        events = await talk.until("response.done")
        assert outcome(events)["status"] == "completed", outcome(events)
        assert "opens at nine" in transcript_of(events)
        assert abs(pitch(audio_of(events)) - standins.omni.hertz) < 5
        assert abs(len(audio_of(events)) / 48 - 900) < 30, "all of the one piece of speech"
        (heard,) = standins.omni.heard
        whole = len(question_audio) / 48
        assert 0.5 * whole < len(heard) / 32 <= whole + 400

        await talk.text_turn("And on Sunday?")
        second = history(standins.omni.exchanges[1])
        assert second[-1] == ("user", "And on Sunday?") and "opens at nine" in second[-2][1]


async def test_R023_Q21_the_omni_model_has_the_name_that_the_operator_gives(renamed, standins):
    standins.omni.models = ["foo"]
    try:
        async with conversation(renamed, None) as talk:
            assert talk.events[0]["session"]["model"] == "foo"
            events = await talk.text_turn()
            assert outcome(events)["status"] == "completed", outcome(events)
            assert standins.omni.exchanges[0].body["model"] == "foo"
    finally:
        standins.omni.models = ["Qwen/Qwen2.5-Omni-3B"]


async def test_an_omni_server_that_is_down_fails_the_turn_and_the_next_works(omni, standins):
    async with conversation(omni, None) as talk:
        with standins.services.without(standins.omni):
            await failed_turn(talk, {"llm_unreachable"}, "cannot be reached")
        assert outcome(await talk.text_turn())["status"] == "completed"


async def test_R090_an_interruption_ends_the_request_at_the_omni_server(omni, standins):
    standins.omni.plan(Answer(words="This sentence is one of very many. " * 60, pause=0.02))
    async with conversation(omni, None) as talk:
        await talk.say_text("Tell me everything.")
        await talk.connection.response.create()
        await talk.until("response.output_audio_transcript.delta")
        await talk.connection.response.cancel()
        assert outcome(await talk.until("response.done"))["status"] == "cancelled"
        await eventually(lambda: standins.omni.exchanges[0].was_aborted, what="the end of the request")


# A server that runs on this machine.


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Ollama(ChatServer):
    name = "ollama"
    key = None
    bases = ("/v1",)
    models = ["nomic-embed-text:latest", "llama3.2:1b"]

    def __init__(self):
        super().__init__()
        self.port = OLLAMA_PORT


@pytest.mark.skipif(not is_free(OLLAMA_PORT), reason=f"port {OLLAMA_PORT} is taken, so no found server can be played")
async def test_a_chat_server_on_this_machine_is_found_and_used(folder):
    server = Ollama()
    services = Services(server)
    try:
        gateway = EngineGateway(folder, {"TTS_PROVIDER": "none"})
        gateway.await_ready()
        try:
            async with conversation(gateway, None) as talk:
                await manual(talk, output_modalities=["text"])
                events = await talk.text_turn()
                assert of_type(events, "response.output_text.done")[0]["text"] == Answer().words
            (asked,) = server.exchanges
            assert asked.body["model"] == "llama3.2:1b", "not the model for embeddings"
            assert f"127.0.0.1:{OLLAMA_PORT}" in gateway.log, "the log names it"
        finally:
            assert gateway.stop() == 0
        assert not server.faults, server.faults
    finally:
        services.stop()
