"""Strict judgement of events of the beta dialect by the `openai` package's own types for it."""

import json

from openai.types.beta.realtime import RealtimeServerEvent

from event_types import judge, members

SERVER_EVENTS = members(RealtimeServerEvent)

# Sent by the service of that time, not declared by the package; and `engine`, by which Parley tells what serves a local
# session, and `limits` and `warning` of a `rate_limits.updated`.
UNDECLARED = {
    "limits",
    "warning",
    "session.client_secret",
    "session.engine",
    "session.expires_at",
    "session.id",
    "session.include",
    "session.input_audio_noise_reduction",
    "session.object",
    "session.prompt",
    "session.turn_detection.idle_timeout_ms",
    "item.content.format",
    "name",
    "response.usage.input_token_details.cached_tokens_details",
}



def beta_server_event(raw: str | bytes, added: frozenset[str] = frozenset()) -> dict:
    """The event, if the package's beta type for it accepts every field strictly, but those that a service may add."""
    allowed = UNDECLARED | {name for name in added if not name.startswith("session.audio.")}
    if any(name.startswith("session.audio.") for name in added):
        allowed |= {"session.audio"}  # what has no flat form stays where it is
    event = json.loads(raw)
    if "session" not in event:
        return judge(raw, SERVER_EVENTS, "beta server", allowed)
    kind, session = event["type"], dict(event["session"])
    # The types list the models that there were at their time.
    if isinstance(session.get("model"), str):
        session["model"] = "gpt-4o-realtime-preview"
    # They have the choice of tools as a word; that of one function is an object, as in what the client asks for.
    if isinstance(session.get("tool_choice"), dict):
        assert session["tool_choice"].keys() == {"type", "name"}
        session["tool_choice"] = "auto"
    if kind.startswith("transcription_session."):
        # There is one type for both, and it insists on a secret, although it says itself that WebSockets get none.
        assert not session.get("client_secret")
        kind, session["client_secret"] = "transcription_session.updated", {"value": "ek", "expires_at": 0}
        transcription = session.get("input_audio_transcription")
        if transcription and isinstance(transcription.get("model"), str):
            session["input_audio_transcription"] = {**transcription, "model": "whisper-1"}
    judge(json.dumps({**event, "type": kind, "session": session}), SERVER_EVENTS, "beta server", allowed)
    return event
