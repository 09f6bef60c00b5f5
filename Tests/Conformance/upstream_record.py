"""Reads the record of a stand-in: every request, and every frame that it received and sent, in order."""

import json
import pathlib
import time
import typing


class Frame(typing.NamedTuple):
    provider: str  # as the stand-ins name it: "gemini", "openai", "azure", "xai", "inworld" or "vowel"
    connection: int
    received: bool  # by the stand-in
    text: str

    @property
    def message(self) -> dict:
        return json.loads(self.text)


class Record(typing.NamedTuple):
    heads: dict[int, dict]  # the request of each connection: service, method, path, query, headers
    frames: list[Frame]
    violations: list[dict]  # the rules that were broken: connection, type of the frame, code, message, param
    ports: dict[str, int]  # where each service listens

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
    violations: list[dict] = []
    ports: dict[str, int] = {}
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    for line in lines[:-1]:  # the last is empty, or still being written
        entry = json.loads(line)
        number = entry["conn"]
        if "path" in entry:
            heads[number] = entry
        elif "port" in entry:
            ports[entry["service"]] = entry["port"]
        elif "violation" in entry:
            violations.append({"connection": number, "service": heads[number]["service"], **entry["violation"]})
        elif "text" in entry and heads[number]["method"] == "GET":
            frames.append(Frame(heads[number]["service"], number, entry["dir"] == "in", entry["text"]))
    return Record(heads, frames, violations, ports)


def await_record(path: pathlib.Path, holds: typing.Callable[[Record], bool], seconds: float = 5) -> Record:
    """The record as soon as a condition holds; the last look at it if that never comes (the caller then asserts)."""
    deadline = time.monotonic() + seconds
    while True:
        found = read(path)
        if holds(found) or time.monotonic() > deadline:
            return found
        time.sleep(0.02)
