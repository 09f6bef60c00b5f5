"""Compares the Gemini stand-in's field tables with the types of google-genai.

    parley standin --dump-fields | python Tests/Conformance/check_standin_fields.py

Fails when a table has a field, or a value of an enumeration, that Google's types do not have, or holds another kind of
value there. Lists the fields that Google has and the tables lack: the stand-in refuses those, which is the strict side.
"""

import datetime
import enum
import json
import sys
import types as pytypes
import typing

import pydantic
from google.genai import types

# Fields that are on the wire though Google's types for it do not have them, with the type that does or None.
KNOWN = {
    # The SDK's configuration has it; its type of the message has not, its converter writes it all the same.
    ("LiveClientSetup", "realtimeInputConfig"): types.RealtimeInputConfig,
    # The wire's name; the SDK renames it to voiceActivityType.
    ("VoiceActivity", "type"): types.VoiceActivityType,
    # Vertex's names of responseTokenCount and responseTokensDetails, as recorded.
    ("UsageMetadata", "candidatesTokenCount"): int,
    ("UsageMetadata", "candidatesTokensDetails"): list[types.ModalityTokenCount],
}
# What the SDK's unions become on the wire.
ON_THE_WIRE = {
    ("LiveClientSetup", "systemInstruction"): types.Content,
    ("LiveClientContextUpdate", "systemInstruction"): types.Content,
    ("LiveClientSetup", "tools"): list[types.Tool],
    ("LiveClientContextUpdateTools", "tools"): list[types.Tool],
}
SCALARS = {
    "string": {str, datetime.datetime},
    "duration": {str},
    "bool": {bool},
    "integer": {int, float},
    "number": {int, float},
    "bytes": {bytes},
}


def fields_of(model: type[pydantic.BaseModel]) -> dict[str, typing.Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def plain(annotation: typing.Any) -> typing.Any:
    """The annotation without Optional and Annotated; a union of several stays one."""
    if typing.get_origin(annotation) is typing.Annotated:
        return plain(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, pytypes.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        return plain(members[0]) if len(members) == 1 else annotation
    return annotation


class Comparison:
    def __init__(self, table: dict[str, dict[str, str]]):
        self.table = table
        self.seen: set[tuple[str, str]] = set()
        self.faults: list[str] = []
        self.lacking: list[str] = []

    def message(self, ours: str, theirs: type[pydantic.BaseModel]) -> None:
        if (ours, theirs.__name__) in self.seen:
            return
        self.seen.add((ours, theirs.__name__))
        known = fields_of(theirs)
        for field, kind in self.table[ours].items():
            place = (theirs.__name__, field)
            annotation = ON_THE_WIRE.get(place, KNOWN.get(place, known.get(field)))
            if annotation is None:
                self.faults.append(f"{theirs.__name__} has no {field}")
            else:
                self.kind(kind, plain(annotation), f"{theirs.__name__}.{field}")
        for field in known.keys() - self.table[ours].keys():
            self.lacking.append(f"{theirs.__name__}.{field}")

    def kind(self, ours: str, theirs: typing.Any, place: str) -> None:
        origin, arguments = typing.get_origin(theirs), typing.get_args(theirs)
        if ours in ("any", "object"):
            fits = ours == "any" or origin is dict or isinstance(theirs, type)
        elif ours.startswith("["):
            fits = origin is list
            if fits:
                self.kind(ours[1:-1], plain(arguments[0]), place)
        elif ours.startswith("{"):
            fits = origin is dict
            if fits:
                self.kind(ours[1:-1], plain(arguments[1]), place)
        elif ours.startswith("enum "):
            fits = isinstance(theirs, type) and issubclass(theirs, enum.Enum)
            if fits:
                values = {member.value for member in theirs}
                self.faults += [f"{place} has no value {name}" for name in ours.split()[1:] if name not in values]
        elif ours in SCALARS:
            # An enumeration that the table leaves open is text on the wire.
            is_open = ours == "string" and isinstance(theirs, type) and issubclass(theirs, enum.Enum)
            fits = is_open or theirs in SCALARS[ours]
        else:
            fits = isinstance(theirs, type) and issubclass(theirs, pydantic.BaseModel)
            if fits:
                self.message(ours, theirs)
        if not fits:
            self.faults.append(f"{place} is {theirs}, the table says {ours}")


def main() -> int:
    dump = json.load(open(sys.argv[1], encoding="utf-8") if len(sys.argv) > 1 else sys.stdin)["gemini"]
    count = 0
    faults: list[str] = []
    for side, root, model in [
        ("client", "ClientMessage", types.LiveClientMessage),
        ("server", "ServerMessage", types.LiveServerMessage),
    ]:
        comparison = Comparison(dump[side])
        comparison.message(root, model)
        faults += comparison.faults
        reached = {name for name, _ in comparison.seen}
        # The content tables serve both sides; neither needs to reach all of them.
        count += sum(len(dump[side][name]) for name in reached)
        print(f"{side}: not in the table: {', '.join(sorted(comparison.lacking)) or 'nothing'}")
    for fault in faults:
        print(f"FAULT {fault}")
    print(f"{count} fields compared with google-genai, {len(faults)} faults")
    return 1 if faults or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
