"""That a session will end is no fault to pipecat, which ends a call at nearly any `error` event."""

import asyncio

from client_turns import TONE_BYTES
from limited import WARNED_WITHIN_SECONDS, limited_gateway
from pipecat.frames.frames import LLMRunFrame
from test_client_pipecat import talking, user


async def test_pipecat_goes_on_after_a_warning(tmp_path, standin):
    with limited_gateway(tmp_path, standin) as gateway:
        async with talking(gateway, "openai", [user("Say hello.")]) as talk:
            await talk.worker.queue_frame(LLMRunFrame())
            first = await talk.answer_end()
            await asyncio.sleep(WARNED_WITHIN_SECONDS)
            await talk.type("Say goodbye.")
            await talk.answer_end(first)
            assert len(talk.audio(first)) == TONE_BYTES
