"""Runs last: judges every frame of all conversations, at the other end, by the vendors' own types.

What Parley sent must be what the provider's own package would accept and write; what the stand-ins sent must be what the
provider's own package accepts, or the stand-ins would prove nothing.
"""

import pytest

from conversation import conversation
from event_types import (
    FrameFault,
    gemini_client_message,
    gemini_server_message,
    openai_client_event,
    openai_server_event,
)
from upstream_record import await_record

JUDGES = {
    ("gemini", True): gemini_client_message,
    ("gemini", False): gemini_server_message,
    ("openai", True): openai_client_event,
    ("openai", False): openai_server_event,
}


@pytest.mark.parametrize("provider", ["gemini", "openai"])
@pytest.mark.parametrize("received", [True, False], ids=["sent by Parley", "sent by the stand-in"])
async def test_R038_every_frame_is_valid_by_the_vendors_own_types(gateway, standin, slow_standin, provider, received):
    async with conversation(gateway, provider) as talk:
        # So that there is something to judge when this test is run alone.
        await talk.text_turn()
        await talk.still_works()
    judged, faults = 0, []
    for source in (standin, slow_standin):
        record = await_record(source.record, lambda record: True)
        for frame in record.frames:
            if frame.provider != provider or frame.received != received:
                continue
            judged += 1
            try:
                JUDGES[provider, received](frame.text)
            except FrameFault as fault:
                faults.append(f"connection {frame.connection}: {fault}\n  {frame.text[:300]}")
    assert judged >= 3
    assert not faults, f"{len(faults)} of {judged} frames are invalid, the first:\n" + "\n".join(faults[:5])
