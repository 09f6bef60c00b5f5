"""What the tests do in the beta dialect: connect, speak, and judge every event that comes back."""

import asyncio
import base64
import typing

from beta_types import beta_server_event
from conversation import EVENT_SECONDS, assert_legal, of_type

# The beginnings of names that are others in GA.
RENAMED = {
    "response.audio.": "response.output_audio.",
    "response.audio_transcript.": "response.output_audio_transcript.",
    "response.text.": "response.output_text.",
    "conversation.item.created": "conversation.item.added",
}
GA_NAMES = (
    "response.output_audio.",
    "response.output_audio_transcript.",
    "response.output_text.",
    "conversation.item.added",
    "conversation.item.done",
)


class BetaConversation:
    """The events of one connection, each held against the openai package's beta types as it arrives."""

    def __init__(
        self, receive: typing.Callable[[], typing.Awaitable[str | bytes]], added: frozenset[str] = frozenset()
    ):
        self._receive = receive
        self._added = added
        self.events: list[dict] = []

    async def next(self, judge: typing.Callable[..., dict] = beta_server_event) -> dict:
        event = judge(await asyncio.wait_for(self._receive(), EVENT_SECONDS), self._added)
        self.events.append(event)
        return event

    async def until(self, kind: str) -> list[dict]:
        """All events up to the first of a type. An error fails the test."""
        seen = []
        while not seen or seen[-1]["type"] != kind:
            seen.append(await self.next())
            assert kind == "error" or seen[-1]["type"] != "error", seen[-1]
        return seen

    def assert_one_dialect(self) -> None:
        """No event of the connection has a name that GA alone uses."""
        names = {event["type"] for event in self.events}
        assert not [name for name in names if name.startswith(GA_NAMES)], names


def assert_beta_legal(events: list[dict]) -> None:
    """One response's worth of beta events in a legal order, with consistent ids and texts."""
    assert_legal([{**event, "type": ga_name(event["type"])} for event in events])


def ga_name(kind: str) -> str:
    for beta, ga in RENAMED.items():
        if kind.startswith(beta):
            return ga + kind.removeprefix(beta)
    return kind


def audio_of(events: list[dict]) -> bytes:
    """The decoded audio of an answer, each delta a whole number of samples."""
    pieces = [base64.b64decode(event["delta"], validate=True) for event in of_type(events, "response.audio.delta")]
    assert all(piece and len(piece) % 2 == 0 for piece in pieces), "a delta with half a sample, or none"
    return b"".join(pieces)


def said(events: list[dict]) -> str:
    """The words of an answer, spoken or written."""
    texts = [event["transcript"] for event in of_type(events, "response.audio_transcript.done")]
    texts += [event["text"] for event in of_type(events, "response.text.done")]
    return " ".join(texts)


def calls_of(events: list[dict]) -> list[dict]:
    """The calls of functions in an answer: told in pieces, whole, in an item, and in the response, all the same."""
    finished = of_type(events, "response.function_call_arguments.done")
    calls = [item for item in events[-1]["response"]["output"] if item["type"] == "function_call"]
    assert [(event["call_id"], event["arguments"]) for event in finished] == [
        (call["call_id"], call["arguments"]) for call in calls
    ]
    created = [event["item"].get("call_id") for event in of_type(events, "conversation.item.created")]
    for call in calls:
        deltas = of_type(events, "response.function_call_arguments.delta")
        told = "".join(event["delta"] for event in deltas if event["call_id"] == call["call_id"])
        assert told == call["arguments"] and call["call_id"] in created and call["status"] == "completed"
    return calls
