"""Reads the record of a stand-in: every frame that it received and sent, in order."""

import json
import pathlib
import time
import typing


class Frame(typing.NamedTuple):
    provider: str  # "gemini" or "openai"
    connection: int
    received: bool  # by the stand-in
    text: str


def frames(record: pathlib.Path) -> list[Frame]:
    found = []
    for line in record.read_text().splitlines() if record.exists() else []:
        entry = json.loads(line)
        if "text" in entry:
            found.append(
                Frame(entry["provider"], entry["connection"], entry["direction"] == "received", entry["text"])
            )
    return found


def await_frames(record: pathlib.Path, holds: typing.Callable[[list[Frame]], bool], seconds: float = 5) -> list[Frame]:
    """The frames, once a condition holds; those of the last look if it never does (the caller then asserts)."""
    deadline = time.monotonic() + seconds
    while True:
        found = frames(record)
        if holds(found) or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


def connections(found: list[Frame], provider: str) -> dict[int, list[Frame]]:
    """The received frames by connection."""
    result: dict[int, list[Frame]] = {}
    for frame in found:
        if frame.provider == provider and frame.received:
            result.setdefault(frame.connection, []).append(frame)
    return result
