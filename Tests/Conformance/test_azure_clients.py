"""The forms of connections that Azure's clients make, by the unmodified openai package: through nginx with TLS, because
that client dials wss only."""

import contextlib

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI

from beta_types import beta_server_event
from conversation import Conversation, assert_legal, audio_of
from event_types import openai_server_event
from providers import STANDINS, added_by

DEPLOYMENT = "our-deployment"
VERSION = "2025-04-01-preview"


@contextlib.asynccontextmanager
async def talking(client, provider: str, **query: str):
    query = {"provider": provider, **query}
    async with client, client.realtime.connect(model=DEPLOYMENT, extra_query=query) as connection:
        talk = Conversation(connection, added_by(provider))
        assert (await talk.next())["type"] == "session.created"
        yield talk


@pytest.mark.parametrize("provider", STANDINS)
async def test_R005_R162_the_present_form_with_an_api_key_header(secure_gateway, provider):
    # What Azure tells its users to write: the resource's address with /openai/v1, and the deployment as the model.
    client = AsyncOpenAI(
        base_url=f"{secure_gateway.https}/openai/v1", api_key="test", default_headers={"api-key": "test"}
    )
    async with talking(client, provider) as talk:
        events = await talk.text_turn()
        assert_legal(events)
        assert audio_of(events)


@pytest.mark.parametrize("provider", STANDINS)
@pytest.mark.parametrize("credential", [{"api_key": "test"}, {"azure_ad_token": "entra-token"}], ids=["key", "Entra"])
async def test_the_azure_client_with_a_version_and_a_deployment(secure_gateway, provider, credential):
    client = AsyncAzureOpenAI(azure_endpoint=secure_gateway.https, api_version=VERSION, **credential)
    # The address of the preview, whose dialect is beta; this package's connection reads GA.
    async with talking(client, provider, dialect="ga") as talk:
        await talk.connection.session.update(session={"type": "realtime", "instructions": "Answer in one sentence."})
        assert (await talk.until("session.updated"))[-1]["session"]["instructions"] == "Answer in one sentence."
        events = await talk.text_turn()
        assert_legal(events)
        assert audio_of(events)


@pytest.mark.parametrize("provider", STANDINS)
def test_R099_the_address_of_the_preview_speaks_beta(secure_gateway, provider):
    client = AzureOpenAI(azure_endpoint=secure_gateway.https, api_version=VERSION, api_key="test")
    with client, client.realtime.connect(model=DEPLOYMENT, extra_query={"provider": provider}) as connection:
        assert "modalities" in beta_server_event(connection.recv_bytes(), added_by(provider))["session"]


def test_R013_the_deployment_names_the_provider(secure_gateway):
    client = AzureOpenAI(azure_endpoint=secure_gateway.https, api_version=VERSION, api_key="test")
    query = {"dialect": "ga"}
    with client, client.realtime.connect(model="openai/gpt-realtime", extra_query=query) as connection:
        assert openai_server_event(connection.recv_bytes())["session"]["model"] == "gpt-realtime"
