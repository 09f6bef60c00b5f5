"""Reads the record of a stand-in: every request, and every frame that it received and sent, in order."""

import json
import pathlib
import time
import typing


class Frame(typing.NamedTuple):
    provider: str  # "gemini" or "openai"
    connection: int
    received: bool  # by the stand-in
    text: str

    @property
    def message(self) -> dict:
        return json.loads(self.text)


class Record(typing.NamedTuple):
    heads: dict[int, dict]  # the upgrade request of each connection: path, query, headers
    frames: list[Frame]

    def received(self, provider: str, connection: int | None = None) -> list[dict]:
        """The messages that a provider got, of one connection or of all."""
        return [
            frame.message
            for frame in self.frames
            if frame.received and frame.provider == provider and connection in (None, frame.connection)
        ]

    def connections(self, provider: str, holds: typing.Callable[[dict], bool]) -> set[int]:
        """The connections on which a provider got a message that fulfils a condition."""
        return {
            frame.connection
            for frame in self.frames
            if frame.received and frame.provider == provider and holds(frame.message)
        }


def read(path: pathlib.Path) -> Record:
    heads: dict[int, dict] = {}
    frames: list[Frame] = []
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    for line in lines[:-1]:  # the last is empty, or still being written
        entry = json.loads(line)
        number = entry["conn"]
        if "path" in entry:
            heads[number] = entry
        elif "text" in entry:
            is_gemini = any(name in heads[number]["path"] for name in ("generativelanguage", "aiplatform"))
            provider = "gemini" if is_gemini else "openai"
            frames.append(Frame(provider, number, entry["dir"] == "in", entry["text"]))
    return Record(heads, frames)


def await_record(path: pathlib.Path, holds: typing.Callable[[Record], bool], seconds: float = 5) -> Record:
    """The record as soon as a condition holds; the last look at it if that never comes (the caller then asserts)."""
    deadline = time.monotonic() + seconds
    while True:
        found = read(path)
        if holds(found) or time.monotonic() > deadline:
            return found
        time.sleep(0.02)
