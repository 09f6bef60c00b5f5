"""That a session will end is no fault to livekit-plugins-openai."""

import asyncio

from client_turns import TONE_BYTES
from limited import WARNED_WITHIN_SECONDS, limited_gateway
from test_client_livekit import talking, whole


async def test_livekit_goes_on_after_a_warning(tmp_path, standin):
    with limited_gateway(tmp_path, standin) as gateway:
        async with talking(gateway, "openai") as talk:
            warnings: list[dict] = []
            talk.session.on(
                "openai_server_event_received", lambda event: warnings.append(event) if "warning" in event else None
            )
            assert (await whole(await talk.say("Say hello."))).words
            await asyncio.sleep(WARNED_WITHIN_SECONDS)
            answer = await whole(await talk.say("Say goodbye."))
            assert len(answer.audio) == TONE_BYTES
            assert [event["warning"]["limit"] for event in warnings] == ["maxMinutesPerSession"]
