"""A provider that goes away in the middle of an answer, for every kind of provider and every way of going."""

import pytest
from websockets.exceptions import ConnectionClosed

from conversation import assert_legal, audio_of, conversation, of_type
from providers import STANDINS

# Nothing of a close with 1000 says that the call should go on; Gemini's sessions outlive any close.
ENDS_WITH_1000 = [name for name in STANDINS if name != "gemini"]


async def cut_off(talk, how: str) -> list[dict]:
    """The events of an answer that the provider breaks off."""
    await talk.say_text(how)
    await talk.connection.response.create()
    events = await talk.until("response.done")
    assert audio_of(events), "what was said before the end is heard"
    response = events[-1]["response"]
    assert response["status"] == "failed"
    assert [item["status"] for item in response["output"]] == ["incomplete"]
    spoken = {event["item_id"] for event in of_type(events, "response.output_audio.delta")}
    assert spoken == {response["output"][0]["id"]}
    return events


@pytest.mark.parametrize("how", ["close 1001", "close 1011", "drop the line"])
@pytest.mark.parametrize("provider", STANDINS)
async def test_fault_row_46_a_provider_that_is_lost_in_an_answer_is_survived(gateway, provider, how):
    async with conversation(gateway, provider) as talk:
        assert_legal(await talk.text_turn("Hello."))
        await cut_off(talk, f"{how} while you speak")
        events = await talk.text_turn("Are you there?")
        assert events[-1]["response"]["status"] == "completed"
        assert not of_type(events, "error")


async def test_fault_row_46_gemini_that_closes_with_1000_in_an_answer_is_survived(gateway):
    async with conversation(gateway, "gemini") as talk:
        await cut_off(talk, "close 1000 while you speak")
        assert (await talk.text_turn("Are you there?"))[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize("provider", ENDS_WITH_1000)
async def test_fault_row_46_a_provider_that_closes_with_1000_in_an_answer_ends_the_session_with_an_event_and_1013(
    gateway, provider
):
    async with conversation(gateway, provider) as talk:
        await cut_off(talk, "close 1000 while you speak")
        fault = await talk.error()
        # vowel's engine says so when a session's time is over.
        assert fault["code"] == ("session_expired" if provider == "vowel" else "upstream_closed")
        with pytest.raises(ConnectionClosed) as closed:
            await talk.next()
        assert closed.value.rcvd.code == 1013
