"""Items with more than words, before every provider: taken as they are, turned into what the service takes, or refused
by an error that names their place."""

import base64

import pytest

from client_turns import OPENING
from conversation import Conversation, assert_legal, audio_of, conversation, of_type, types
from processes import ROOT
from providers import PROVIDERS, STANDINS
from spoken import say_item, update

FIXTURES = ROOT / "Tests" / "VoiceEngineTests" / "Fixtures"
# A PNG of one pixel.
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = {
    "type": "message",
    "role": "user",
    "content": [{"type": "input_image", "image_url": PIXEL}, {"type": "input_text", "text": "What is this?"}],
}


@pytest.fixture
def talking(request):
    def connected(provider: str):
        server = request.getfixturevalue("engine" if provider == "local" else "gateway")
        return conversation(server, None if provider == "local" else provider)

    return connected


async def judged(talk: Conversation, event_id: str) -> bool:
    """Whether the item just sent was taken; if not, after a look at the refusal."""
    event = await talk.next()
    if event["type"] == "error":
        assert event["error"]["event_id"] == event_id and event["error"]["param"].startswith("item.content"), event
        assert event["error"]["type"] == "invalid_request_error" and event["error"]["message"]
        await talk.still_works()
        return False
    assert event["type"] == "conversation.item.added"
    return True


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_R291_a_picture_is_seen_or_refused(talking, provider):
    async with talking(provider) as talk:
        await talk.connection.conversation.item.create(item=PICTURE, event_id="picture_1")
        if await judged(talk, "picture_1"):
            assert [part["type"] for part in talk.events[-1]["item"]["content"]] == ["input_image", "input_text"]
            await talk.until("conversation.item.done")
            await talk.connection.response.create()
            assert_legal([talk.events[1], *await talk.until("response.done")])


@pytest.mark.parametrize("provider", STANDINS)
async def test_R259_a_recording_in_ogg_opus_is_heard_or_refused(gateway, provider):
    async with conversation(gateway, provider) as talk:
        audio = base64.b64encode((FIXTURES / "speech.opus").read_bytes()).decode()
        item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
        await talk.connection.conversation.item.create(item=item, event_id="recording_1")
        if await judged(talk, "recording_1"):
            await talk.until("conversation.item.done")
            await talk.connection.response.create()
            events = await talk.until("response.done")
            assert events[-1]["response"]["status"] == "completed" and audio_of(events)


@pytest.mark.parametrize("provider", STANDINS)
async def test_R258_a_recording_is_heard_after_what_was_said_before(gateway, provider):
    async with conversation(gateway, provider) as talk:
        first = await talk.text_turn("One.")
        name = await say_item(talk, OPENING)
        added = of_type(talk.events, "conversation.item.added")[-1]
        assert added["item"]["id"] == name and added["previous_item_id"] == first[-1]["response"]["output"][0]["id"]
        await talk.connection.response.create()
        events = await talk.until("response.done")
        assert events[-1]["response"]["status"] == "completed" and audio_of(events)
        assert "input_audio_buffer.committed" not in types(talk.events), "a recording is no speech of the microphone"


@pytest.mark.parametrize("provider", STANDINS)
async def test_R144_R269_R270_items_are_read_cut_and_deleted(gateway, provider):
    async with conversation(gateway, provider) as talk:
        output = (await talk.text_turn())[-1]["response"]["output"][0]
        item = talk.connection.conversation.item
        await item.retrieve(item_id=output["id"])
        retrieved = (await talk.until("conversation.item.retrieved"))[-1]["item"]
        assert retrieved["id"] == output["id"]
        assert retrieved["content"][0]["transcript"] == output["content"][0]["transcript"]
        await item.truncate(item_id=output["id"], content_index=0, audio_end_ms=100)
        assert (await talk.until("conversation.item.truncated"))[-1]["audio_end_ms"] == 100
        await item.delete(item_id=output["id"])
        assert (await talk.until("conversation.item.deleted"))[-1]["item_id"] == output["id"]
        for ask in (item.retrieve, item.delete):
            await ask(item_id=output["id"], event_id="gone_1")
            assert (await talk.error())["event_id"] == "gone_1"
        assert (await talk.text_turn("And now?"))[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize("provider", STANDINS)
async def test_R217_R266_answers_in_writing(gateway, provider):
    async with conversation(gateway, provider) as talk:
        assert (await update(talk, output_modalities=["text"]))["output_modalities"] == ["text"]
        events = await talk.text_turn()
        assert_legal(events)
        assert not audio_of(events) and of_type(events, "response.output_text.delta")
        assert of_type(events, "response.output_text.done")[0]["text"].strip()
        assert (await update(talk, output_modalities=["audio", "text"]))["output_modalities"] == ["audio"]
        assert audio_of(await talk.text_turn())
