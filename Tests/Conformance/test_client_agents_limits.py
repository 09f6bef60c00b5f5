"""That a session will end is no fault to the OpenAI Agents SDK."""

import asyncio

from client_turns import TONE_BYTES
from limited import WARNED_WITHIN_SECONDS, limited_gateway
from test_client_agents import talking


async def test_the_agents_sdk_goes_on_after_a_warning(tmp_path, standin):
    with limited_gateway(tmp_path, standin) as gateway:
        async with talking(gateway, "openai") as talk:
            await talk.session.send_message("Say hello.")
            await talk.event("agent_end")
            warned = talk.seen.mark
            await asyncio.sleep(WARNED_WITHIN_SECONDS)
            await talk.session.send_message("Say goodbye.")
            await talk.event("agent_end", warned)
            assert len(talk.audio(warned)) == TONE_BYTES
            raw = [event.data for event in talk.seen.entries if event.type == "raw_model_event"]
            warnings = [event.data for event in raw if event.type == "raw_server_event" and "warning" in event.data]
            assert [event["warning"]["limit"] for event in warnings] == ["maxMinutesPerSession"]
