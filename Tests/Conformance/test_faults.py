"""Mistakes of the client: one error event each, with the documented code and parameter, and a session that goes on."""

import base64
import json

import pytest
from websockets.asyncio.client import connect

from conversation import conversation
from event_types import openai_server_event
from sound import tone
from upstream_record import await_record

PROVIDERS = ["gemini", "openai"]

# Name, frame, and the code and parameter of the answer (None: any).
FRAMES = [
    ("R098 an unknown type", {"type": "no.such", "event_id": "e"}, "invalid_value", "type"),
    ("R180 no type", {"event_id": "e"}, None, "type"),
    ("fault row 39 a type that is a number", {"type": 5, "event_id": "e"}, None, "type"),
    ("R102 audio that is not base64", {"type": "input_audio_buffer.append", "audio": "!!", "event_id": "e"}, None, "audio"),
    ("R086 half a sample", {"type": "input_audio_buffer.append", "audio": "AAAA", "event_id": "e"}, "invalid_value", "audio"),
    ("fault row 40 no audio", {"type": "input_audio_buffer.append", "event_id": "e"}, "missing_required_parameter", "audio"),
    ("fault row 40 audio of the wrong kind", {"type": "input_audio_buffer.append", "audio": 5, "event_id": "e"}, "invalid_type", "audio"),
    (
        "an item to delete that does not exist",
        {"type": "conversation.item.delete", "item_id": "item_none", "event_id": "e"},
        "item_delete_invalid_item_id",
        None,
    ),
    (
        "a threshold out of range",
        {
            "type": "session.update",
            "event_id": "e",
            "session": {
                "type": "realtime",
                "instructions": "must not stick",
                "audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 7}}},
            },
        },
        None,
        "session.audio.input.turn_detection.threshold",
    ),
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("frame, code, param", [case[1:] for case in FRAMES], ids=[case[0] for case in FRAMES])
async def test_R193_R272_a_bad_event_is_one_error(gateway, provider, frame, code, param):
    async with conversation(gateway, provider) as talk:
        await talk.connection.send_raw(json.dumps(frame))
        fault = await talk.error()
        assert fault["type"] == "invalid_request_error"
        assert fault["event_id"] == "e"
        assert code is None or fault["code"] == code, fault
        assert param is None or fault["param"] == param, fault
        await talk.still_works()
        assert [event["type"] for event in talk.events] == ["session.created", "error", "session.updated"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_update_that_is_partly_wrong_changes_nothing(gateway, provider):
    async with conversation(gateway, provider) as talk:
        await talk.still_works()
        before = talk.events[-1]["session"]
        wrong = FRAMES[-1][1]
        await talk.connection.send_raw(json.dumps(wrong))
        await talk.error()
        await talk.connection.session.update(session={"type": "realtime"})
        after = (await talk.until("session.updated"))[-1]["session"]
        assert after == before


NOT_JSON = ["", "{", "[]", "5", "null", '{"type":"session.update"} x', "\ufeff{}", '{"type":"a","type":"b"}', "{'type':1}"]


@pytest.mark.parametrize("text", NOT_JSON)
async def test_fault_row_35_text_that_is_not_one_json_object_is_an_error(gateway, text):
    async with conversation(gateway, "gemini") as talk:
        await talk.connection.send_raw(text)
        fault = await talk.error()
        assert fault["type"] == "invalid_request_error"
        await talk.still_works()


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_R026_fault_row_32_a_binary_frame_is_an_error_and_every_answer_is_text(gateway, provider):
    async with connect(f"{gateway.ws}/v1/realtime?provider={provider}") as socket:
        received = [await socket.recv()]
        await socket.send(b'{"type":"session.update","session":{"type":"realtime"}}')
        received.append(await socket.recv())
        await socket.send('{"type":"session.update","session":{"type":"realtime"}}')
        received.append(await socket.recv())
        assert all(isinstance(message, str) for message in received)
        events = [openai_server_event(message) for message in received]
        assert [event["type"] for event in events] == ["session.created", "error", "session.updated"]
        assert events[1]["error"]["code"] == "invalid_event"


async def test_fault_row_53_cancel_commit_and_close_in_one_segment_arrive_in_order_once_each(gateway, slow_standin):
    words = "fault row 53"
    async with connect(f"{gateway.ws}/v1/realtime?provider=openai-slow") as socket:

        async def until(kind: str) -> None:
            while openai_server_event(await socket.recv())["type"] != kind:
                pass

        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
        for event in (
            {"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": None}}}},
            {"type": "conversation.item.create", "item": item},
            {"type": "response.create"},
        ):
            await socket.send(json.dumps(event))
        await until("response.output_audio.delta")
        audio = base64.b64encode(tone(220, 200)).decode()
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        for kind in ("response.cancel", "input_audio_buffer.commit"):
            socket.protocol.send_text(json.dumps({"type": kind}).encode())
        socket.protocol.send_close(1000)
        socket.transport.write(b"".join(socket.protocol.data_to_send()))
        await socket.wait_closed()
        assert socket.close_code == 1000

    def kinds(record) -> list[str]:
        (number,) = record.connections("openai", lambda message: words in json.dumps(message)) or {None}
        return [message["type"] for message in record.received("openai", number)] if number else []

    record = await_record(slow_standin.record, lambda record: "input_audio_buffer.commit" in kinds(record))
    assert kinds(record)[-2:] == ["response.cancel", "input_audio_buffer.commit"]
    assert kinds(record).count("response.cancel") == kinds(record).count("input_audio_buffer.commit") == 1
