"""Judges JSON by a vendor's own Python types, without the leniency that the packages have when they read.

Walks TypedDicts (requests of the `openai` package) and pydantic models (answers of `openai`, messages of
`deepgram-sdk`): kinds must match exactly, required fields must be there, and a field that the type does not declare is
a fault.
"""

import json
import types
import typing

import pydantic
import typing_extensions

LISTS = {"list", "Iterable", "Sequence", "SequenceNotStr"}


class TypeFault(AssertionError):
    """JSON that a vendor's type refuses."""


def strict_json(text: str | bytes):
    """The value of a JSON text that has no repeated key and no constant that JSON does not know."""

    def once(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise TypeFault(f"repeated keys among {names}")
        return dict(pairs)

    def never(word):
        raise TypeFault(f"{word} is not JSON")

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=never)
    except ValueError as error:
        raise TypeFault(f"not JSON: {error}") from error


def judge(value, hint, path: str = "$", extra: frozenset[str] = frozenset()) -> None:
    """Raises TypeFault with the dotted path of the first fault. `extra`: undeclared fields of the outermost object that
    the service documents."""
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if hint in (typing.Any, object):
        return
    if origin in (typing_extensions.Required, typing_extensions.NotRequired, typing.Annotated):
        return judge(value, arguments[0], path, extra)
    if typing_extensions.is_typeddict(hint):
        return _judge_members(value, *_typed_dict(hint), hint.__name__, path, extra)
    if isinstance(hint, type) and issubclass(hint, pydantic.BaseModel):
        members = {field.alias or name: field.annotation for name, field in hint.model_fields.items()}
        required = {field.alias or name for name, field in hint.model_fields.items() if field.is_required()}
        return _judge_members(value, members, required, hint.__name__, path, extra)
    if origin is typing.Union or origin is types.UnionType:
        return _judge_union(value, arguments, path, extra)
    if origin is typing.Literal:
        if value not in arguments or isinstance(value, bool) != any(isinstance(known, bool) for known in arguments):
            raise TypeFault(f"{path}: {value!r} is none of {arguments}")
        return
    if origin is not None and origin.__name__ in LISTS:
        if not isinstance(value, list):
            raise TypeFault(f"{path}: {value!r} is not a list")
        for index, element in enumerate(value):
            judge(element, arguments[0], f"{path}[{index}]")
        return
    if origin is dict:
        if not isinstance(value, dict):
            raise TypeFault(f"{path}: {value!r} is not an object")
        for name, member in value.items():
            judge(member, arguments[1], f"{path}.{name}")
        return
    _judge_scalar(value, hint, path)


def _judge_scalar(value, hint, path: str) -> None:
    wanted = {
        str: (str,),
        bool: (bool,),
        int: (int,),
        float: (int, float),
        None: (type(None),),
        type(None): (type(None),),
    }
    assert hint in wanted, f"{path}: the judge does not know the type {hint}"
    if not isinstance(value, wanted[hint]) or (isinstance(value, bool) and hint is not bool):
        raise TypeFault(f"{path}: {value!r} is not {hint}")


def _judge_union(value, hints, path: str, extra: frozenset[str]) -> None:
    faults = []
    for hint in hints:
        try:
            return judge(value, hint, path, extra)
        except TypeFault as fault:
            faults.append(str(fault))
    # The member that came furthest is the one that was meant.
    raise TypeFault(max(faults, key=lambda fault: fault.partition(":")[0].count(".")))


def _judge_members(value, members: dict, required: set, name: str, path: str, extra: frozenset[str]) -> None:
    if not isinstance(value, dict):
        raise TypeFault(f"{path}: {value!r} is not a {name}")
    for key, member in value.items():
        if key in members:
            judge(member, members[key], f"{path}.{key}")
        elif key not in extra:
            raise TypeFault(f"{path}.{key}: {name} declares no such field")
    missing = sorted(required - set(value))
    if missing:
        raise TypeFault(f"{path}: {name} needs {missing}")


_known: dict[type, tuple[dict, set]] = {}


def _typed_dict(hint) -> tuple[dict, set]:
    if hint not in _known:
        members = typing_extensions.get_type_hints(hint, include_extras=True)
        required = {name for name, member in members.items() if typing.get_origin(member) is typing_extensions.Required}
        _known[hint] = (members, required)
    return _known[hint]
