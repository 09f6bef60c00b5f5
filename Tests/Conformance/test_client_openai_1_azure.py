"""The Azure clients of the unmodified openai package 1.x: beta, with a version and a deployment, key or Entra token."""

import pytest
from openai import AsyncAzureOpenAI, AzureOpenAI

from beta_conversation import assert_beta_legal, audio_of, said
from providers import STANDINS
from spoken import has
from test_client_openai_1 import Talk

VERSION = "2024-10-01-preview"


@pytest.mark.parametrize("provider", STANDINS)
@pytest.mark.parametrize("credential", [{"api_key": "test"}, {"azure_ad_token": "entra-token"}], ids=["key", "Entra"])
async def test_R096_R099_the_asynchronous_azure_client_holds_a_turn(secure_gateway, provider, credential):
    client = AsyncAzureOpenAI(azure_endpoint=secure_gateway.https, api_version=VERSION, **credential)
    options = {"model": "our-deployment", "extra_query": {"provider": provider}}
    async with client, client.beta.realtime.connect(**options) as connection:
        talk = Talk(connection, provider)
        assert (await talk.next())["type"] == "session.created"
        assert (await talk.update(modalities=["text", "audio"], voice="alloy"))["voice"]
        await talk.type("Say hello.")
        events = await talk.answer()
        assert_beta_legal(events)
        assert has(said(events), "hello") and audio_of(events)
        talk.assert_one_dialect()


@pytest.mark.parametrize("provider", STANDINS)
def test_R096_R099_the_synchronous_azure_client_holds_a_turn(secure_gateway, provider):
    client = AzureOpenAI(azure_endpoint=secure_gateway.https, api_version=VERSION, api_key="test")
    options = {"model": "our-deployment", "extra_query": {"provider": provider}}
    with client, client.beta.realtime.connect(**options) as connection:
        content = [{"type": "input_text", "text": "Say hello."}]
        connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        connection.response.create()
        words = ""
        for event in connection:
            assert event.type != "error", event
            if event.type == "response.audio_transcript.delta":
                words += event.delta
            if event.type == "response.done":
                break
        assert words == "You said: Say hello."
