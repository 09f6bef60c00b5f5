"""The providers of the test server: each service of the stand-ins, quick and paced."""

import typing

from processes import StandIn, provider

GEMINI_MODEL = "gemini-3.8-live"
OPENAI_MODEL = "gpt-realtime"


class Kind(typing.NamedTuple):
    """What the configuration says of a provider, and which service of the stand-ins that is."""

    service: str
    kind: str
    model: str
    fields: dict[str, str] = {}
    adds: frozenset[str] = frozenset()


# Fields of a service's own in events that the openai package declares: they are passed on, as any that is unknown.
XAI_ADDS = frozenset({
    "audio_duration_ms", "latency", "previous_item_id", "response_id", "rid", "start_time", "status", "ts",
    "response.usage.billable_audio_seconds", "response.usage.output_audio_seconds",
    "response.usage.input_token_details.grok_tokens", "response.usage.output_token_details.grok_tokens",
})  # fmt: skip
KINDS = {
    "gemini": Kind("gemini", "gemini-live", GEMINI_MODEL),
    "openai": Kind("openai", "openai", OPENAI_MODEL),
    "azure": Kind("azure", "azure", "our-deployment", adds=frozenset({"content"})),
    "azure-preview": Kind(
        "azure", "azure", "our-deployment", {"api": "preview"}, frozenset({"response.temperature"})
    ),
    "voice-live": Kind(
        "azure", "azure", "gpt-realtime", {"api": "voice-live"},
        frozenset({"response.temperature", "response.usage.output_token_details.reasoning_tokens"}),
    ),
    "xai": Kind("xai", "xai", "grok-voice-latest", adds=XAI_ADDS),
    "inworld": Kind(
        "inworld", "inworld", "google-ai-studio/gemini-2.5-flash",
        adds=frozenset({"session.audio.output.model", "session.providerData", "session.temperature"}),
    ),
    "vowel": Kind("vowel", "vowel", "openai/gpt-oss-20b", {"tokens": "engine"}),
}
STANDINS = list(KINDS)
# And the voice engine, which is another server's.
PROVIDERS = ["local", *STANDINS]
SLOW = [f"{name}-slow" for name in STANDINS]


def without(providers: list[str], *left_out: str) -> list[str]:
    """Those of a list that a test is for."""
    return [name for name in providers if name.removesuffix("-slow") not in left_out]


def added_by(provider: str | None) -> frozenset[str]:
    """The fields that a provider's service may add."""
    kind = KINDS.get((provider or "").removesuffix("-slow"))
    return kind.adds if kind else frozenset()


def entries(quick: StandIn, slow: StandIn) -> dict[str, dict]:
    """The providers of routes.json."""
    return {
        name + suffix: provider(kind.kind, standin.ports[kind.service], kind.model, **kind.fields)
        for name, kind in KINDS.items()
        for suffix, standin in (("", quick), ("-slow", slow))
    }
