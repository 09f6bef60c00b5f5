"""GET /v1/models, /v1/models/{id} and /v1/voices of the real binary."""

import json
import urllib.parse

import openai
import pytest

from processes import STANDIN_KEY, Gateway, free_port
from spoken import ENVIRONMENT
from test_capabilities import get

INWORLD_NAMES = {"Dennis", "Olivia", "Clive", "Liam", "Sarah"}
OPENAI_VOICES = {"alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse"}
KEY = {"Authorization": f"Bearer {STANDIN_KEY}"}


@pytest.fixture(scope="module")
def server(folder):
    """One provider of each kind; nothing listens where their services should be."""
    (folder / "catalogue").mkdir()
    nowhere = f"ws://127.0.0.1:{free_port()}"
    remote = {"key": "env:STANDIN_KEY", "url": nowhere}
    routes = {
        "default": "local",
        "providers": {
            "local": {"kind": "local"},
            "openai": {"kind": "openai", "model": "gpt-realtime", **remote},
            "google": {"kind": "gemini-live", "model": "gemini-3.8-live", **remote},
            "xai": {"kind": "xai", "model": "grok-voice-latest", **remote},
            "inworld": {"kind": "inworld", "model": "google-ai-studio/gemini-2.5-flash", **remote},
            "vowel": {"kind": "vowel", "model": "openai/gpt-oss-120b", **remote},
            "elsewhere": {"kind": "openai", "url": "wss://api.example.test/v1", "key": "env:NO_SUCH", "model": "m"},
        },
        "access": {"keys": [{"name": "app", "key": "env:STANDIN_KEY"}]},
    }
    running = Gateway(folder / "catalogue", routes, ENVIRONMENT)
    running.await_ready()
    yield running
    assert running.stop() == 0


def fetched(server, path: str, status: int = 200) -> dict:
    code, kind, text = get(server.http + path, KEY)
    assert (code, kind) == (status, "application/json"), text
    assert STANDIN_KEY not in text and "example.test" not in text and "NO_SUCH" not in text
    return json.loads(text)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/gpt-realtime", "/v1/voices"])
def test_R008_the_catalogue_needs_the_key_that_a_session_needs(server, path):
    code, kind, text = get(server.http + path)
    assert (code, kind, json.loads(text)["error"]["code"]) == (401, "application/json", "missing_api_key")


def test_R045_the_official_client_lists_the_models(server):
    client = openai.OpenAI(api_key=STANDIN_KEY, base_url=f"{server.http}/v1")
    models = list(client.models.list())
    assert {"gpt-realtime", "gemini-3.8-live", "grok-voice-latest", "m"} <= {model.id for model in models}
    assert all(model.object == "model" and model.owned_by for model in models)
    assert client.models.retrieve("google-ai-studio/gemini-2.5-flash").owned_by == "inworld"
    with pytest.raises(openai.NotFoundError) as refusal:
        client.models.retrieve("no-such-model")
    assert refusal.value.code == "model_not_found"


def test_every_provider_has_its_configured_model_as_its_default(server):
    models = fetched(server, "/v1/models")["data"]
    defaults = {model["provider"]: model["id"] for model in models if model["default"]}
    assert defaults.pop("local")
    assert defaults == {
        "openai": "gpt-realtime",
        "google": "gemini-3.8-live",
        "xai": "grok-voice-latest",
        "inworld": "google-ai-studio/gemini-2.5-flash",
        "vowel": "openai/gpt-oss-120b",
        "elsewhere": "m",
    }
    assert {model["provider"] for model in models if not model["available"]} == {"elsewhere"}
    (inworld,) = [model for model in models if model["provider"] == "inworld"]
    assert "provider/model" in inworld["note"]


@pytest.mark.parametrize("written", ["google-ai-studio/gemini-2.5-flash", "google-ai-studio%2Fgemini-2.5-flash"])
def test_a_model_whose_id_has_a_slash_is_found(server, written):
    assert fetched(server, f"/v1/models/{written}")["id"] == urllib.parse.unquote(written)


def test_R227_the_voices_of_inworld_are_listed_even_where_it_does_not_answer(server):
    voices = fetched(server, "/v1/voices?provider=inworld")
    assert voices["source"] == "table" and voices["object"] == "list"
    assert INWORLD_NAMES <= {voice["id"] for voice in voices["data"]}
    assert [voice["id"] for voice in voices["data"] if voice["default"]] == ["Dennis"]


@pytest.mark.parametrize(
    ("provider", "standard", "some"),
    [
        ("openai", "marin", OPENAI_VOICES),
        ("google", "Despina", {"Puck", "Kore", "Zephyr"}),
        ("xai", "eve", {"eve", "ara", "rex", "sal", "leo", "zenith"}),
        ("vowel", "aura-2-thalia-en", {"aura-2-thalia-en"}),
    ],
)
def test_R227_every_provider_has_voices_and_one_of_them_is_its_default(server, provider, standard, some):
    voices = fetched(server, f"/v1/voices?provider={provider}")["data"]
    assert some <= {voice["id"] for voice in voices}
    assert [voice["id"] for voice in voices if voice["default"]] == [standard]
    assert {voice["provider"] for voice in voices} == {provider}


def test_R227_without_a_provider_the_voices_are_the_default_ones(server):
    voices = fetched(server, "/v1/voices")
    assert voices["provider"] == "local" and voices == fetched(server, "/v1/voices?provider=local")


def test_an_unknown_provider_is_a_404_that_names_the_known_ones(server):
    error = fetched(server, "/v1/voices?provider=nobody", 404)["error"]
    assert error["code"] == "provider_not_found" and error["param"] == "provider"
    assert "local, openai, google, xai, inworld, vowel, elsewhere" in error["message"]
