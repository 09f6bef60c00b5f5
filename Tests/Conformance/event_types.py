"""Strict judgement of frames by the vendors' own types: the `openai` and `google-genai` packages from PyPI.

Both packages are lenient when they read from the wire. Here nothing is: kinds must match exactly (no number as text, no
fraction as integer), and a field that a type does not declare is a fault, except the few that the live service is known
to send although its types do not declare them.
"""

import functools
import json
import re
import typing
import warnings

import google.genai
import pydantic
from google.genai import _live_converters, types as genai
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent

# Sent by the live service, not declared by the package; and what Parley adds: `engine` tells what serves a local session,
# `voice` is for clients of which is not known yet whether they speak beta, and `limits` and `warning` of a
# `rate_limits.updated` tell where the client stands with limits of ours.
UNDECLARED = {
    "session.engine",
    "session.voice",
    "limits",
    "warning",
    "obfuscation",
    "session.id",
    "session.object",
    "session.expires_at",
    "usage.input_token_details.cached_tokens_details",
}


class FrameFault(AssertionError):
    """A frame that the vendor's own types refuse."""


def members(union) -> dict[str, type[pydantic.BaseModel]]:
    """The models of a discriminated union by the literal of their `type` field."""
    models = typing.get_args(typing.get_args(union)[0])
    return {typing.get_args(model.model_fields["type"].annotation)[0]: model for model in models}


SERVER_EVENTS = members(RealtimeServerEvent)
CLIENT_EVENTS = members(RealtimeClientEvent)


def _undeclared(value, path: str = "") -> typing.Iterator[str]:
    """The dotted paths of all fields that the parsed model carries without declaring them."""
    if isinstance(value, pydantic.BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}{name}"
        for name in type(value).model_fields:
            yield from _undeclared(getattr(value, name, None), f"{path}{name}.")
    elif isinstance(value, (list, tuple)):
        for element in value:
            yield from _undeclared(element, path)


def judge(raw: str | bytes, models: dict, side: str, undeclared: set[str]) -> dict:
    """The event, if its model among these accepts every field strictly and declares it, or it is one of `undeclared`."""
    event = json.loads(raw)
    model = models.get(event.get("type"))
    if model is None:
        raise FrameFault(f"{event.get('type')!r} is not a {side} event of the openai package")
    try:
        parsed = model.model_validate_json(raw, strict=True)
    except pydantic.ValidationError as error:
        raise FrameFault(f"{event['type']}: {error}") from error
    strange = sorted(
        path for path in _undeclared(parsed) if not any(path == known or path.endswith("." + known) for known in undeclared)
    )
    if strange:
        raise FrameFault(f"{event['type']} has fields that its type does not declare: {strange}")
    return event


def openai_server_event(raw: str | bytes, added: frozenset[str] = frozenset()) -> dict:
    """The event, if the openai package's type for it accepts every field strictly, but those that a service may add."""
    return judge(raw, SERVER_EVENTS, "server", UNDECLARED | added)


def openai_client_event(raw: str | bytes) -> dict:
    return judge(raw, CLIENT_EVENTS, "client", UNDECLARED)


# What google-genai itself writes into a setup although its LiveClientSetup does not declare it.
class GeminiSetup(genai.LiveClientSetup):
    realtime_input_config: typing.Optional[genai.RealtimeInputConfig] = None


class GeminiClientMessage(genai.LiveClientMessage):
    setup: typing.Optional[GeminiSetup] = None


# Free-form JSON of the application, where any key may stand.
FREE_FORM = {"args", "response", "properties", "parametersJsonSchema", "labels", "default", "example", "enum"}


def _keys(value) -> typing.Iterator[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            if key not in FREE_FORM:
                yield from _keys(member)
    elif isinstance(value, list):
        for element in value:
            yield from _keys(element)


def _lower_camel_case(message: dict) -> None:
    strange = [key for key in _keys(message) if not re.fullmatch(r"[a-z][A-Za-z0-9]*", key)]
    if strange:
        raise FrameFault(f"keys that are not lowerCamelCase: {strange}")


@functools.cache
def _no_lenient_enums() -> None:
    # The package accepts an unknown enum value with a warning.
    warnings.filterwarnings("error", message=".*is not a valid.*")


def gemini_client_message(raw: str | bytes) -> dict:
    """The message, if google-genai's types (which forbid unknown fields) accept it, with exactly one member."""
    _no_lenient_enums()
    message = json.loads(raw)
    _lower_camel_case(message)
    if len(message) != 1:
        raise FrameFault(f"a client message has exactly one member, this one has {sorted(message)}")
    try:
        GeminiClientMessage.model_validate_json(raw)
    except (pydantic.ValidationError, UserWarning) as error:
        raise FrameFault(f"{sorted(message)}: {error}") from error
    if "setup" in message:
        _setup_as_the_package_writes_it(message["setup"])
    return message


@functools.cache
def _api_client():
    """The package's converters ask which platform they write for; this one is never connected."""
    return google.genai.Client(api_key="unused")._api_client


def _setup_as_the_package_writes_it(setup: dict) -> None:
    """Hands our setup to google-genai as its own configuration: what it writes must be what we wrote."""
    configuration = {key: value for key, value in setup.items() if key not in ("model", "generationConfig")}
    configuration.update(setup.get("generationConfig", {}))
    written = _live_converters._LiveConnectParameters_to_mldev(
        api_client=_api_client(),
        from_object=genai.LiveConnectParameters(
            model=setup["model"], config=genai.LiveConnectConfig.model_validate(configuration)
        ).model_dump(exclude_none=True),
    )
    expected = json.loads(json.dumps(written["setup"], default=_plain))
    expected["model"] = setup["model"]
    # The package adds the role of a system instruction; the service does not need it.
    if isinstance(expected.get("systemInstruction"), dict) and "role" not in setup.get("systemInstruction", {}):
        expected["systemInstruction"].pop("role", None)
    ours, theirs = _camel(setup), _camel(expected)
    if ours != theirs:
        raise FrameFault(f"google-genai would write this setup as\n{theirs}\nnot as\n{ours}")


def _plain(value):
    if isinstance(value, pydantic.BaseModel):
        return value.model_dump(exclude_none=True, by_alias=True, mode="json")
    return getattr(value, "value", None) or str(value)


def _camel(value):
    """Keys in lowerCamelCase (the package writes a mixture, and the service reads both)."""
    if isinstance(value, dict):
        return {re.sub(r"_([a-z])", lambda match: match[1].upper(), key): _camel(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_camel(element) for element in value]
    return value


GEMINI_SERVER_MEMBERS = {
    "setupComplete", "serverContent", "toolCall", "toolCallCancellation", "goAway", "sessionResumptionUpdate",
    "usageMetadata", "voiceActivity", "voiceActivityDetectionSignal",
}  # fmt: skip


def gemini_server_message(raw: str | bytes) -> dict:
    """The message, if google-genai's types accept it after its own reading step, and that step dropped nothing."""
    _no_lenient_enums()
    message = json.loads(raw)
    _lower_camel_case(message)
    if not set(message) <= GEMINI_SERVER_MEMBERS:
        raise FrameFault(f"unknown members: {sorted(set(message) - GEMINI_SERVER_MEMBERS)}")
    read = dict(message)
    if "voiceActivity" in read:
        # The one member that the package renames while reading.
        read["voiceActivity"] = _live_converters._VoiceActivity_from_mldev(read["voiceActivity"], {})
    try:
        genai.LiveServerMessage.model_validate_json(json.dumps(read, default=_plain))
    except (pydantic.ValidationError, UserWarning) as error:
        raise FrameFault(f"{sorted(message)}: {error}") from error
    return message
