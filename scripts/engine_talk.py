"""A server with the voice engine, and conversations with it as a client has them: a WebSocket and an open microphone."""

import asyncio
import base64
import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
import typing

import websockets

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "Conformance"))
from processes import free_port, is_healthy  # noqa: E402

from engine_speech import BYTES_PER_SECOND  # noqa: E402

CHUNK_SECONDS = 0.02
CHUNK_BYTES = int(BYTES_PER_SECOND * CHUNK_SECONDS)
STARTS_WITHIN_SECONDS = 60
TURN_SECONDS = 60
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
NOT_TRANSCRIBED = "conversation.item.input_audio_transcription.failed"


class Failure(Exception):
    """Something could not be measured; the message says what."""


def append_event(audio: bytes) -> str:
    return json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(audio).decode()})


QUIET = append_event(bytes(CHUNK_BYTES))


class Server:
    """One `parley serve` whose only provider is the engine. Nothing of the caller's environment reaches it but its paths."""

    def __init__(self, binary: pathlib.Path, folder: pathlib.Path, voice: str):
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.voice = voice
        routes = {
            "listen": [{"host": "127.0.0.1", "port": self.port}],
            "default": "local",
            "providers": {"local": {"kind": "local"}},
            "routes": [{"path": "/v1/realtime"}],
        }
        (folder / "routes.json").write_text(json.dumps(routes))
        (folder / "runtime.yaml").write_text("")
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        environment = {
            **kept,
            "PARLEY_DATA": os.environ.get("PARLEY_DATA") or str(ROOT / "data"),
            "RUNTIME_CONFIG_PATH": str(folder / "runtime.yaml"),
            "LLM_PROVIDER": "rules",
            "TTS_PROVIDER": voice,
        }
        self.log = folder / "serve.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(binary), "serve", "--config", str(folder / "routes.json")],
                stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=ROOT,
            )

    async def await_ready(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while not await asyncio.to_thread(is_healthy, self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"the server did not start:\n{self.end_of_log()}")
            await asyncio.sleep(0.05)

    def end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def memory(self) -> dict[str, float]:
        """Resident, its largest so far, and what of it is no file: MB (10^6 bytes)."""
        fields = {}
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in ("VmRSS", "VmHWM", "RssAnon"):
                fields[name] = int(value.split()[0]) * 1_024 / 1e6
        return {"resident": fields["VmRSS"], "peak": fields["VmHWM"], "anonymous": fields["RssAnon"]}

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextlib.asynccontextmanager
async def serving(binary: pathlib.Path, folder: pathlib.Path, voice: str) -> typing.AsyncIterator[Server]:
    server = Server(binary, folder, voice)
    try:
        await server.await_ready()
        yield server
    except (Failure, websockets.ConnectionClosed) as failure:
        raise Failure(f"{failure}\n--- the end of the server's log\n{server.end_of_log()}") from failure
    finally:
        server.stop()


@dataclasses.dataclass
class Turn:
    """One question and its answer. Times are seconds from the true end of the question."""

    question: str
    understood: str = ""
    answer: str = ""
    audio: bytes = b""
    status: str = ""
    code: str | None = None
    stopped: float | None = None
    transcribed: float | None = None
    sounded: float | None = None

    @property
    def is_refused(self) -> bool:
        return self.code == "rate_limit_exceeded"

    @property
    def is_answered(self) -> bool:
        return self.status == "completed" and self.sounded is not None


class Talk:
    """A session. Events are stamped as they arrive."""

    def __init__(self, socket):
        self._socket = socket
        self._events: collections.deque = collections.deque()
        self._arrived = asyncio.Event()
        self._speech: collections.deque = collections.deque()
        self._chunk = 0
        self._started = time.monotonic()
        self._fault: BaseException | None = None
        self.worst_lag = 0.0
        self.session: dict = {}

    # MARK: Events

    async def read(self) -> None:
        try:
            async for message in self._socket:
                self._events.append((time.monotonic(), json.loads(message)))
                self._arrived.set()
        except websockets.ConnectionClosed as fault:
            self._fault = fault
        self._fault = self._fault or Failure("the server closed the session")
        self._arrived.set()

    async def next(self, seconds: float = TURN_SECONDS) -> tuple[float, dict]:
        try:
            async with asyncio.timeout(seconds):
                while not self._events:
                    if self._fault:
                        raise self._fault
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise Failure(f"the server said nothing for {seconds:g} s") from None
        return self._events.popleft()

    async def until(self, kind: str, seconds: float = TURN_SECONDS) -> dict:
        while True:
            _, event = await self.next(seconds)
            if event["type"] == "error":
                raise Failure(f"error instead of {kind}: {event['error']}")
            if event["type"] == kind:
                return event

    async def send(self, event: dict) -> None:
        await self._socket.send(json.dumps(event))

    async def update(self, **session) -> dict:
        await self.send({"type": "session.update", "session": {"type": "realtime", **session}})
        return (await self.until("session.updated"))["session"]

    # MARK: Speaking

    async def listen(self) -> None:
        """The microphone: a chunk of 20 ms when it has passed, speech if there is some, else silence."""
        self._started, self._chunk = time.monotonic(), 0
        while True:
            due = self._started + (self._chunk + 1) * CHUNK_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._socket.send(self._speech.popleft() if self._speech else QUIET)
            self.worst_lag = max(self.worst_lag, time.monotonic() - due)
            self._chunk += 1

    def say(self, audio: bytes) -> float:
        """Speaks from the next chunk on. Gives the moment of its first sample."""
        padded = audio + bytes(-len(audio) % CHUNK_BYTES)
        self._speech.extend(append_event(padded[at : at + CHUNK_BYTES]) for at in range(0, len(padded), CHUNK_BYTES))
        return self._started + self._chunk * CHUNK_SECONDS

    async def ask(self, question: str, audio: bytes, speech_seconds: float) -> Turn:
        """A question in real time, and its answer heard to the end. A refusal is a result, not a failure."""
        turn = Turn(question)
        end = self.say(audio) + speech_seconds
        open_turns = 0
        # A pause may make two turns of a question; the last answer counts.
        while not turn.status or open_turns:
            at, event = await self.next()
            match event["type"]:
                case "input_audio_buffer.speech_started":
                    open_turns += 1
                case "input_audio_buffer.speech_stopped":
                    turn.stopped = at - end
                case kind if kind == TRANSCRIBED:
                    open_turns -= 1
                    turn.transcribed = at - end
                    turn.understood = f"{turn.understood} {event['transcript']}".strip()
                    # A turn in which nothing was recognised gets no answer.
                    if not event["transcript"].strip():
                        turn.status = "not understood"
                case kind if kind == NOT_TRANSCRIBED:
                    open_turns -= 1
                    turn.code = event["error"]["code"]
                case "error":
                    turn.code = event["error"]["code"]
                case "response.created":
                    turn.status, turn.sounded, turn.audio, turn.answer = "", None, b"", ""
                case "response.output_audio.delta":
                    if turn.sounded is None:
                        turn.sounded = at - end
                    turn.audio += base64.b64decode(event["delta"])
                case "response.output_audio_transcript.done":
                    turn.answer = event["transcript"]
                case "response.done":
                    turn.status = event["response"]["status"]
                    error = (event["response"].get("status_details") or {}).get("error") or {}
                    turn.code = error.get("code") or turn.code
        if turn.sounded is not None:
            # The next question comes when this answer has been played.
            played = end + turn.sounded + len(turn.audio) / BYTES_PER_SECOND
            await asyncio.sleep(max(0.0, played - time.monotonic()) + 0.3)
        return turn

    async def recognise_turns(self, audio: bytes) -> str:
        """What detected turns are transcribed as; the audio is sent as fast as it goes, ended by silence."""
        for at in range(0, len(audio), 10 * CHUNK_BYTES):
            await self._socket.send(append_event(audio[at : at + 10 * CHUNK_BYTES]))
        open_turns, texts = 0, []
        while not texts or open_turns:
            _, event = await self.next()
            if event["type"] == "input_audio_buffer.speech_started":
                open_turns += 1
            elif event["type"] == TRANSCRIBED:
                open_turns -= 1
                texts.append(event["transcript"])
            elif event["type"] in (NOT_TRANSCRIBED, "error"):
                raise Failure(f"not transcribed: {event['error']}")
        return " ".join(texts)

    async def recognise_item(self, audio: bytes) -> str:
        """What a recording that is brought along as an item is transcribed as."""
        content = [{"type": "input_audio", "audio": base64.b64encode(audio).decode()}]
        await self.send({
            "type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": content}
        })
        item = (await self.until("conversation.item.done"))["item"]
        deadline = time.monotonic() + TURN_SECONDS
        while time.monotonic() < deadline:
            await self.send({"type": "conversation.item.retrieve", "item_id": item["id"]})
            part = (await self.until("conversation.item.retrieved"))["item"]["content"][0]
            if part.get("transcript") is not None:
                return part["transcript"]
            await asyncio.sleep(0.05)
        raise Failure("a recorded item was not transcribed")


@contextlib.asynccontextmanager
async def talking(server: Server, *, microphone: bool) -> typing.AsyncIterator[Talk]:
    address = f"ws://127.0.0.1:{server.port}/v1/realtime"
    async with websockets.connect(address, max_size=None, compression=None, proxy=None) as socket:
        talk = Talk(socket)
        tasks = [asyncio.create_task(talk.read())]
        try:
            talk.session = (await talk.until("session.created"))["session"]
            if microphone:
                tasks.append(asyncio.create_task(talk.listen()))
                # The detector gets to know the room.
                await asyncio.sleep(0.5)
            yield talk
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
