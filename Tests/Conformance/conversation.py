"""What the tests do with the unmodified official client: connect, speak, and judge every event that comes back."""

import asyncio
import base64
import contextlib
import time
import typing

from openai import AsyncOpenAI

from event_types import openai_server_event
from providers import added_by
from sound import CHUNK_BYTES, chunks

EVENT_SECONDS = 10.0


class Conversation:
    """A connection of the openai package. Every event that arrives is held against the package's own types."""

    def __init__(self, connection, added: frozenset[str] = frozenset()):
        self.connection = connection
        self._added = added
        self.events: list[dict] = []
        self.arrivals: list[float] = []

    async def next(self, seconds: float = EVENT_SECONDS) -> dict:
        raw = await asyncio.wait_for(self.connection.recv_bytes(), seconds)
        event = openai_server_event(raw, self._added)
        self.events.append(event)
        self.arrivals.append(time.monotonic())
        return event

    async def until(self, kind: str, *, accept_errors: bool = False) -> list[dict]:
        """All events up to the first of a type. An error that was not asked for fails the test."""
        seen = []
        while True:
            event = await self.next()
            seen.append(event)
            if event["type"] == kind:
                return seen
            assert accept_errors or event["type"] != "error", event

    async def error(self) -> dict:
        """The next event, which must be an error; its error object."""
        event = await self.next()
        assert event["type"] == "error", event
        assert isinstance(event["error"]["message"], str) and "code" in event["error"]
        return event["error"]

    async def say_text(self, text: str) -> None:
        await self.connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        )

    async def append(self, audio: bytes, chunk_bytes: int = CHUNK_BYTES) -> None:
        for chunk in chunks(audio, chunk_bytes):
            await self.connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())

    async def text_turn(self, text: str = "Say hello.") -> list[dict]:
        await self.say_text(text)
        await self.connection.response.create()
        return await self.until("response.done")

    async def still_works(self) -> None:
        """The session takes and acknowledges an update."""
        await self.connection.session.update(session={"type": "realtime"})
        await self.until("session.updated")


@contextlib.asynccontextmanager
async def conversation(gateway, provider: str | None, **options) -> typing.AsyncIterator[Conversation]:
    """Connects as any user of the package would: base URL, key, and the provider in the query."""
    client = AsyncOpenAI(base_url=f"{gateway.http}/v1", api_key="test")
    query = {"provider": provider} if provider else {}
    async with client, client.realtime.connect(extra_query=query, **options) as connection:
        talk = Conversation(connection, added_by(provider))
        created = await talk.next()
        assert created["type"] == "session.created", created
        yield talk


def audio_of(events: list[dict], sample_bytes: int = 2) -> bytes:
    """The decoded audio of a response, each delta a whole number of samples."""
    audio = b""
    for event in of_type(events, "response.output_audio.delta"):
        piece = base64.b64decode(event["delta"], validate=True)
        assert piece and len(piece) % sample_bytes == 0, "a delta with half a sample, or none"
        audio += piece
    return audio


def of_type(events: list[dict], kind: str) -> list[dict]:
    return [event for event in events if event["type"] == kind]


def types(events: list[dict]) -> list[str]:
    return [event["type"] for event in events]


def item_id(event: dict) -> str | None:
    return event.get("item_id") or event.get("item", {}).get("id")


def response_id(event: dict) -> str | None:
    return event.get("response_id") or event.get("response", {}).get("id")


# The stages of a response. An event of a later stage is never followed by one of an earlier stage of the same item.
STAGES = {
    "response.created": 0,
    "response.output_item.added": 1,
    "response.content_part.added": 2,
    "response.output_audio.delta": 3,
    "response.output_audio_transcript.delta": 3,
    "response.output_text.delta": 3,
    "response.function_call_arguments.delta": 3,
    "response.output_audio.done": 4,
    "response.output_audio_transcript.done": 4,
    "response.output_text.done": 4,
    "response.function_call_arguments.done": 4,
    "response.content_part.done": 5,
    "response.output_item.done": 6,
    "response.done": 7,
}


def stages(events: list[dict]) -> list[int]:
    """The stages of the response events among these, repetitions collapsed."""
    found: list[int] = []
    for event in events:
        stage = STAGES.get(event["type"])
        if stage is not None and (not found or found[-1] != stage):
            found.append(stage)
    return found


def assert_legal(events: list[dict]) -> None:
    """One response's worth of events in a legal order, with consistent ids and texts. It may have several items."""
    ids = [event["event_id"] for event in events]
    assert len(set(ids)) == len(ids), "event ids repeat"
    created = of_type(events, "response.created")
    done = of_type(events, "response.done")
    assert len(created) == 1 and len(done) == 1, types(events)
    name = created[0]["response"]["id"]
    assert done[0]["response"]["id"] == name
    assert all(response_id(event) == name for event in events if event["type"].startswith("response."))
    of_response = [event for event in events if event["type"].startswith("response.")]
    assert of_response[0] is created[0] and of_response[-1] is done[0], f"out of order: {types(events)}"
    for event in of_type(events, "response.output_item.added"):
        of_item = [other for other in of_response if item_id(other) == event["item"]["id"]]
        assert stages(of_item) == sorted(set(stages(of_item))), f"out of order: {types(of_item)}"

    announced = {event["item"]["id"] for event in of_type(events, "conversation.item.added")}
    for event in events:
        if event["type"].startswith("response.") and "item_id" in event:
            assert event["item_id"] in announced, "an item was used before conversation.item.added"

    for event in of_type(events, "response.output_audio_transcript.done"):
        deltas = of_type(events, "response.output_audio_transcript.delta")
        assert event["transcript"] == "".join(
            delta["delta"] for delta in deltas if delta["item_id"] == event["item_id"]
        )
    response = done[0]["response"]
    assert [item["id"] for item in response["output"]] == [
        event["item"]["id"] for event in of_type(events, "response.output_item.done")
    ]
    if response["status"] == "completed":
        usage = response["usage"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
