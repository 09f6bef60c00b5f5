"""The unmodified OpenAI Agents SDK with an ephemeral key, as its documentation tells browsers and servers to use it."""

import asyncio

import pytest
from agents.realtime import RealtimeAgent, RealtimeRunner

from asking import locked_gateway, mint
from client_turns import TONE_BYTES
from observed import WAIT_SECONDS, Observed
from test_client_agents import Talk


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    with locked_gateway(tmp_path_factory.mktemp("agents"), standin) as running:
        yield running


@pytest.mark.parametrize("provider", ["gemini", "openai"])
async def test_the_agents_sdk_holds_a_turn_with_a_client_secret(server, provider):
    secret = mint(server, provider=provider)
    seen = Observed(lambda event: event.type == "error")
    runner = RealtimeRunner(RealtimeAgent(name="Clerk", instructions="Answer in one sentence."))
    session = await runner.run(model_config={"api_key": secret, "url": f"{server.ws}/v1/realtime"})
    async with session:
        talk = Talk(session, seen)
        listener = asyncio.create_task(talk.listen())
        await session.send_message("Say hello.")
        await talk.event("agent_end")
        assert len(talk.audio()) == TONE_BYTES and talk.history("assistant") == ["You said: Say hello."]
        seen.assert_no_fault()
    async with asyncio.timeout(WAIT_SECONDS):
        await listener
