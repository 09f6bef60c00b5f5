"""`parley say` and `parley engine` in a terminal: a spoken question, its transcript, its answer as sound, and plain faults."""

import array
import contextlib
import json
import os
import pathlib
import re
import subprocess
import threading
import wave

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from processes import BINARY, ROOT, Gateway, accepts_connections, free_port
from sound import silence, spoken

STANDARD_PORT = 8787


def data_folder() -> pathlib.Path:
    named = os.environ.get("PARLEY_DATA")
    if named:
        return pathlib.Path(named)
    image = pathlib.Path("/app/data")
    return image if image.is_dir() else ROOT / "data"


needs_engine = pytest.mark.skipif(
    not (data_folder() / "models" / "ggml-tiny.en.bin").exists(),
    reason="the parts of the voice engine are not installed: run make setup",
)
needs_no_server = pytest.mark.skipif(
    accepts_connections(STANDARD_PORT),
    reason=f"something listens on port {STANDARD_PORT}, so that `parley say` would not start a server of its own",
)


def parley(*arguments: str, seconds: float = 15, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(BINARY), *arguments],
        env={**os.environ, "PARLEY_DATA": str(data_folder()), **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
    )


@pytest.fixture(scope="module")
def local_gateway(tmp_path_factory):
    """A server whose only provider is the voice engine."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PARLEY_DATA", str(data_folder()))
        running = Gateway(
            tmp_path_factory.mktemp("say"), {"default": "local", "providers": {"local": {"kind": "local"}}}
        )
        running.await_ready()
    yield running
    assert running.stop() == 0


def events(output: str) -> list[str]:
    """The types of the events in the order in which they were shown."""
    return re.findall(r"^ *\d+ ms  ([a-z_.]+)", output, re.MULTILINE)


def latencies(output: str) -> dict[str, int]:
    """The rows of the table that have a time."""
    table = re.search(r"^after the (?:end of speech|question) +ms\n((?:.+\n)+)", output, re.MULTILINE)
    assert table, output
    return {name: int(ms) for name, ms in re.findall(r"^(\S.*?) +(-?\d+)$", table[1], re.MULTILINE)}


def assert_speech(path: pathlib.Path) -> None:
    """24 kHz, mono, 16 bits, and not silence."""
    with wave.open(str(path), "rb") as recording:
        assert (recording.getframerate(), recording.getnchannels(), recording.getsampwidth()) == (24_000, 1, 2)
        samples = array.array("h")
        samples.frombytes(recording.readframes(recording.getnframes()))
    assert len(samples) > 12_000, "half a second is the least that an answer takes"
    assert max(samples) > 2_000, "the answer is silent"


def assert_one_error(run: subprocess.CompletedProcess, *parts: str) -> None:
    assert run.returncode == 1, run.stdout + run.stderr
    (line,) = run.stderr.splitlines()
    assert line.startswith("error: ")
    for part in parts:
        assert part in line, line


def assert_spoken_answer(run: subprocess.CompletedProcess, saved: pathlib.Path) -> None:
    assert run.returncode == 0, run.stdout + run.stderr
    heard = re.search(r"^heard: +(.+)$", run.stdout, re.MULTILINE)[1].lower()
    assert "what time is it" in heard
    answer = re.search(r"^answer: +(.+)$", run.stdout, re.MULTILINE)[1]
    assert re.search(r"\d", answer), answer
    order = [
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "response.created",
        "response.output_audio_transcript.delta",
        "response.output_audio.done",
        "response.done",
    ]
    shown = events(run.stdout)
    assert [event for event in order if event in shown] == order, shown
    assert sorted(order, key=shown.index) == order, shown
    assert shown.count("response.output_audio.delta") == 1, "the deltas are summed up"
    assert "conversation.item.input_audio_transcription.completed" in shown
    times = latencies(run.stdout)
    assert set(times) == {
        "speech_stopped", "transcript", "response.created", "first text", "first audio", "response.done",
    }
    # The turn ends after 500 ms of silence; less would mean that the end of the speech was not found.
    assert 300 < times["speech_stopped"] <= times["first audio"] <= times["response.done"] < 10_000, times
    assert_speech(saved)


@needs_engine
def test_a_question_is_spoken_heard_and_answered_by_a_running_server(local_gateway, tmp_path):
    saved = tmp_path / "answer.wav"
    run = parley("say", "what time is it", "--save", str(saved), "--url", f"{local_gateway.ws}/v1/realtime")
    assert_spoken_answer(run, saved)
    assert "serves itself" not in run.stdout


@needs_engine
@needs_no_server
def test_without_a_server_it_is_its_own(tmp_path):
    saved = tmp_path / "answer.wav"
    run = parley("say", "what", "time", "is", "it", "--save", str(saved))
    assert_spoken_answer(run, saved)
    assert "this process serves itself at ws://127.0.0.1:" in run.stdout.splitlines()[0]


@needs_engine
def test_a_recording_is_asked_and_the_answer_is_not_played_when_quiet(local_gateway, tmp_path):
    recording = tmp_path / "question.wav"
    with wave.open(str(recording), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(spoken("What is seven times six?", tmp_path))
    run = parley("say", str(recording), "--quiet", "--url", f"{local_gateway.ws}/v1/realtime")
    assert run.returncode == 0, run.stdout + run.stderr
    answer = re.search(r"^answer: +(.+)$", run.stdout, re.MULTILINE)[1].lower()
    assert "42" in answer or "forty-two" in answer
    assert "played" not in run.stdout


@needs_engine
def test_text_stays_text_and_is_answered_in_speech(local_gateway, tmp_path):
    saved = tmp_path / "answer.wav"
    run = parley("say", "--text", "what time is it", "--save", str(saved), "--url", f"{local_gateway.ws}/v1/realtime")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "heard:" not in run.stdout
    assert "input_audio_buffer.committed" not in events(run.stdout)
    assert {"first text", "first audio", "response.done"} <= set(latencies(run.stdout))
    assert_speech(saved)


def test_it_speaks_with_every_provider_of_a_server(gateway, tmp_path):
    for provider in ("gemini", "openai"):
        saved = tmp_path / f"{provider}.wav"
        run = parley(
            "say", "--text", "Hello there", "--save", str(saved), "--url", f"{gateway.ws}/v1/realtime", "--provider", provider
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert "Hello there" in re.search(r"^answer: +(.+)$", run.stdout, re.MULTILINE)[1]
        assert saved.stat().st_size > 1_000


@needs_engine
def test_silence_is_no_question_and_the_wait_has_an_end(local_gateway, tmp_path):
    recording = tmp_path / "silence.wav"
    with wave.open(str(recording), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(silence(500))
    run = parley("say", str(recording), "--timeout", "1.5", "--url", f"{local_gateway.ws}/v1/realtime")
    assert_one_error(run, "heard no speech")


def test_a_server_that_is_not_there_is_one_line():
    run = parley("say", "--text", "hello", "--url", f"ws://127.0.0.1:{free_port()}/v1/realtime")
    assert_one_error(run, "cannot be reached")


def test_an_address_of_another_kind_is_one_line():
    assert_one_error(parley("say", "--text", "hello", "--url", "ftp://127.0.0.1/"), "no ws:// or wss:// address")


def test_a_refused_connection_names_the_status(gateway):
    run = parley("say", "--text", "hello", "--url", f"{gateway.ws}/nowhere")
    assert_one_error(run, "status 404")


def test_an_answer_that_never_begins_is_given_up(gateway):
    run = parley(
        "say", "--text", "hello", "--timeout", "1", "--provider", "gemini-silent", "--url", f"{gateway.ws}/v1/realtime"
    )
    assert_one_error(run, "no answer began within 1000 ms")


@pytest.fixture
def scripted_server():
    """A server that says what the test wants, and then what it wants of the first event."""
    script: list[dict] = []

    def serve_one(connection):
        for event in script[:-1]:
            connection.send(json.dumps(event))
        connection.recv()
        connection.send(json.dumps(script[-1]))
        with contextlib.suppress(ConnectionClosed):
            connection.recv()

    with serve(serve_one, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield script, f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1/realtime"
        server.shutdown()
        thread.join()


def test_an_error_event_is_one_line_that_cannot_drive_the_terminal(scripted_server):
    script, url = scripted_server
    script += [
        {"type": "session.created", "session": {"model": "scripted\x1b[2J"}},
        {"type": "error", "error": {"message": "No such\nvoice\x1b]0;x\x07 here."}},
    ]
    run = parley("say", "--text", "hello", "--url", url)
    assert_one_error(run, "No such voice", " here.")
    assert "\x1b" not in run.stdout + run.stderr and "\x07" not in run.stdout + run.stderr
    assert events(run.stdout) == ["session.created", "error"]


def test_a_failed_answer_gives_its_reason(scripted_server):
    script, url = scripted_server
    failed = {"status": "failed", "status_details": {"error": {"message": "The model is away."}}}
    script += [{"type": "session.created", "session": {}}, {"type": "response.done", "response": failed}]
    assert_one_error(parley("say", "--text", "hello", "--url", url), "the answer failed: The model is away.")


def test_a_file_that_is_missing_or_no_wav_is_named(tmp_path):
    missing = tmp_path / "missing.wav"
    assert_one_error(parley("say", str(missing)), str(missing), "no such file")
    text = tmp_path / "text.wav"
    text.write_text("This is not sound.")
    assert_one_error(parley("say", str(text)), str(text), "no WAV")


def test_nothing_to_say_is_wrong_use():
    run = parley("say", " ")
    assert run.returncode == 64 and "nothing to say" in run.stderr


@needs_engine
def test_the_engine_hears_itself():
    run = parley("engine", "--self-test")
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"^stt +whisper tiny\.en", run.stdout, re.MULTILINE)
    assert "the weather will be tomorrow morning" in run.stdout.lower()
    assert run.stdout.rstrip().endswith("The engine understood itself.")


def test_an_engine_without_ears_says_so(tmp_path):
    run = parley("engine", "--self-test", PARLEY_DATA=str(tmp_path))
    assert run.returncode == 1
    assert "Nothing transcribes speech here" in run.stderr
    assert re.search(r"^stt +none", run.stdout, re.MULTILINE)


def test_the_configuration_of_the_engine_is_shown_without_its_keys(tmp_path):
    run = parley("engine", "--json", LLM_PROVIDER="groq", GROQ_API_KEY="very-secret-key")
    assert run.returncode == 0, run.stderr
    assert '"effective"' in run.stdout and '"groq"' in run.stdout
    assert "very-secret-key" not in run.stdout + run.stderr
