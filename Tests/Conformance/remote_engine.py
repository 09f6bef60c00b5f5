"""A gateway whose default is the voice engine, with its stages pointed at stand-ins by environment or file."""

import json
import os
import pathlib

import pytest

from conversation import of_type
from processes import ROOT, Gateway, Process, free_port
from sound import silence, spoken

# The engine's own settings; what the developer's shell has of them must not reach the tests.
PREFIXES = (
    "LLM_", "STT_", "TTS_", "VAD_", "GROQ_", "OPENROUTER_", "DEEPGRAM_", "OMNI_", "OPENAI_COMPATIBLE_",
    "TURN_DETECTION_", "DEFAULT_", "HYBRIE_", "RUNTIME_", "SILERO_", "PARLEY_MAX_TURNS",
)  # fmt: skip
# What ends a turn: longer than the default 550 ms of silence.
PAUSE_MS = 900


class EngineGateway(Gateway):
    """One `parley serve` without any provider but the voice engine."""

    def __init__(self, folder: pathlib.Path, environment: dict[str, str], runtime: str | None = None):
        self.port = free_port()
        name = f"engine-{self.port}"
        routes = {
            "listen": [{"host": "127.0.0.1", "port": self.port}],
            "default": "local",
            "providers": {"local": {"kind": "local"}},
            "routes": [{"path": "/v1/realtime"}],
        }
        file = folder / f"{name}.json"
        file.write_text(json.dumps(routes))
        runtime_file = folder / f"{name}.yaml"
        if runtime is not None:
            runtime_file.write_text(runtime)
        unset = {variable: "" for variable in os.environ if variable.startswith(PREFIXES)}
        data = os.environ.get("PARLEY_DATA", str(ROOT / "data"))
        environment = {**unset, "PARLEY_DATA": data, "RUNTIME_CONFIG_PATH": str(runtime_file), **environment}
        self._process = Process(["serve", "--config", str(file)], folder / f"{name}.log", environment)


def question(words: str, folder: pathlib.Path) -> bytes:
    """A spoken sentence with silence before and after it, so that its end is heard."""
    return silence(200) + spoken(words, folder) + silence(PAUSE_MS)


TIMEOUT_MS = 1_500


@pytest.fixture(scope="session")
def question_audio(folder) -> bytes:
    return question("What time does the cafe open tomorrow morning?", folder)


@pytest.fixture(scope="session")
def cascade(folder, running_standins):
    running = running_standins
    gateway = EngineGateway(
        folder,
        {
            "LLM_BASE_URL": f"{running.chat.url}/v1",
            "LLM_API_KEY": running.chat.key,
            "LLM_MODEL": "test-model",
            "LLM_TIMEOUT_MS": str(TIMEOUT_MS),
            "STT_BASE_URL": f"{running.hearing.url}/v1",
            "STT_API_KEY": running.hearing.key,
            "STT_MODEL": running.hearing.model,
            "TTS_BASE_URL": f"{running.speaking.url}/v1",
            "TTS_API_KEY": running.speaking.key,
            "TTS_MODEL": running.speaking.model,
            "TTS_VOICE": "af_heart",
        },
    )
    gateway.await_ready()
    yield gateway
    assert gateway.stop() == 0, "the server must end cleanly when asked to"


async def manual(talk, **session) -> None:
    """Turns are committed by the client."""
    audio = {"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}}
    await talk.connection.session.update(session={"type": "realtime", "audio": audio, **session})
    await talk.until("session.updated")


def transcript_of(events: list[dict]) -> str:
    return "".join(event["delta"] for event in of_type(events, "response.output_audio_transcript.delta"))


def outcome(events: list[dict]) -> dict:
    return of_type(events, "response.done")[0]["response"]


def history(exchange) -> list[tuple[str, str]]:
    """Role and text of each message that the chat server received."""

    def text(content) -> str:
        return content if isinstance(content, str) else "".join(part.get("text", "") for part in content or [])

    return [(message["role"], text(message.get("content"))) for message in exchange.body["messages"]]


async def failed_turn(talk, codes: set[str], reason: str = "") -> None:
    await talk.say_text("Say hello.")
    await talk.connection.response.create()
    events = await talk.until("response.done", accept_errors=True)
    response = outcome(events)
    assert response["status"] == "failed", response
    error = response["status_details"]["error"]
    assert error["code"] in codes and reason in error["message"], error
    assert "key-0123456789" not in json.dumps(events), "a key was shown"
