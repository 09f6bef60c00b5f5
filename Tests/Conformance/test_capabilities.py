"""GET /v1/capabilities of the real binary: what it says, who may have it, and that it holds no secret."""

import json
import urllib.error
import urllib.request

import pytest

from processes import STANDIN_KEY, Gateway
from spoken import ENVIRONMENT

EVENTS = [
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "output_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.retrieve",
    "conversation.item.truncate",
    "conversation.item.delete",
    "response.create",
    "response.cancel",
]
DETECTION = "session.audio.input.turn_detection"


def get(url: str, headers: dict[str, str] | None = None) -> tuple[int, str, str]:
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers["Content-Type"], refusal.read().decode()


@pytest.fixture(scope="module")
def keyed(folder):
    (folder / "capabilities").mkdir()
    routes = {
        "default": "local",
        "providers": {
            "local": {"kind": "local"},
            "google": {"kind": "gemini-live", "model": "gemini-3.8-live", "key": "env:STANDIN_KEY"},
            "strict": {"kind": "gemini-live", "model": "gemini-3.8-live", "key": "env:STANDIN_KEY", "strict": True},
            "elsewhere": {"kind": "openai", "url": "wss://api.example.test/v1", "key": "env:NO_SUCH", "model": "m"},
        },
        "access": {"keys": [{"name": "app", "key": "env:STANDIN_KEY"}]},
    }
    server = Gateway(folder / "capabilities", routes, {**ENVIRONMENT, "TTS_PROVIDER": "none"})
    server.await_ready()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def providers(keyed):
    status, kind, text = get(f"{keyed.http}/v1/capabilities", {"Authorization": f"Bearer {STANDIN_KEY}"})
    assert status == 200 and kind == "application/json"
    assert STANDIN_KEY not in text and "example.test" not in text and "NO_SUCH" not in text
    answer = json.loads(text)
    assert answer["object"] == "list"
    return {entry["provider"]: entry for entry in answer["data"]}


def test_R008_capabilities_need_the_key_that_a_session_needs(keyed):
    url = f"{keyed.http}/v1/capabilities"
    status, kind, text = get(url)
    assert (status, kind, json.loads(text)["error"]["code"]) == (401, "application/json", "missing_api_key")
    assert get(url, {"Authorization": "Bearer wrong"})[0] == 401


def test_every_provider_is_listed_in_the_order_of_the_file(providers):
    shown = [(name, it["kind"], it["available"], it["default"]) for name, it in providers.items()]
    assert shown == [
        ("local", "local", True, True),
        ("google", "gemini-live", True, False),
        ("strict", "gemini-live", True, False),
        ("elsewhere", "openai", False, False),
    ]
    assert providers["google"]["model"] == "gemini-3.8-live" and providers["elsewhere"]["model"] == "m"


def test_every_provider_tells_of_every_event(providers):
    for name, provider in providers.items():
        rows = provider["coverage"]
        subjects = [row["subject"] for row in rows if "when" not in row]
        assert len(set(subjects)) == len(subjects), name
        assert set(EVENTS) <= set(subjects), name
        for row in rows:
            assert row["support"] in {"mapped", "emulated", "ignored", "refused"}
            assert row.get("takes_effect") in {None, "at_once", "next_chunk", "next_response", "at_set_up"}
            assert row["note"]


def test_R251_the_delay_of_voice_detection_is_stated(providers):
    def moment(name: str, field: str, when: dict | None = None) -> str:
        rows = providers[name]["coverage"]
        return next(it["takes_effect"] for it in rows if it["subject"] == field and it.get("when") == when)

    assert moment("local", f"{DETECTION}.threshold") == "next_chunk"
    assert moment("google", f"{DETECTION}.threshold") == "next_response"
    own = {f"{DETECTION}.create_response": False}
    assert moment("google", f"{DETECTION}.threshold", own) == "next_chunk"


def test_fields_of_one_service_are_told_of_by_every_other(providers):
    fields = {"session.temperature", "session.audio.output.model", "session.providerData", "session.audio.output.speed"}
    for name, provider in providers.items():
        assert fields <= {row["subject"] for row in provider["coverage"]}, name


def test_Q23_what_is_ignored_is_refused_where_the_provider_is_strict(providers):
    def support(name: str) -> str:
        rows = providers[name]["coverage"]
        return next(it["support"] for it in rows if it["subject"] == "session.audio.output.speed")

    assert (support("google"), support("strict")) == ("ignored", "refused")
