"""What a client may not send, byte by byte, and the answer to each within three seconds. After every one another session
works, and the stream of a session beside it is the same to the bit."""

import json
import time

import pytest

from raw_socket import BINARY, CLOSE, PING, TEXT, close, frame, text
from upstream_record import await_record

LIMIT = 24 * 1024 * 1024
DEFLATED = b"\xf2\x48\xcd\xc9\xc9\x07\x00"


def half(payload: bytes, at: int) -> bytes:
    """A text in two frames."""
    return frame(TEXT, payload[:at], final=False) + frame(0, payload[at:])


# Name, bytes, and the code of the one close frame that answers them.
BROKEN = [
    ("fault row 21 an unmasked frame", frame(TEXT, b"{}", key=None), 1002),
    *[
        (f"fault row 22 reserved bit {bit:#x}, the header alone", frame(TEXT, reserved=bit, length=5)[:2], 1002)
        for bit in (0x40, 0x20, 0x10)
    ],
    *[
        (f"fault row 22 opcode {opcode}, the header alone", frame(opcode, length=5)[:2], 1002)
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    ],
    *[
        (f"fault row 23 a fragmented control frame, opcode {opcode}", frame(opcode, final=False)[:2], 1002)
        for opcode in (8, 9, 10)
    ],
    *[
        (f"fault row 23 a control frame of 126 bytes, opcode {opcode}", frame(opcode, length=126)[:2], 1002)
        for opcode in (8, 9, 10)
    ],
    ("fault row 24 a continuation first", frame(0, length=1), 1002),
    ("fault row 24 a text inside a text", frame(TEXT, b"{", final=False) + frame(TEXT, b"}"), 1002),
    ("fault row 24 a binary inside a text", frame(TEXT, b"{", final=False) + frame(BINARY, length=1), 1002),
    ("fault row 25 a length of 2^63", frame(TEXT, length=1 << 63)[:10], 1002),
    ("fault row 25 a length of 2^62", frame(TEXT, length=1 << 62)[:10], 1009),
    ("fault row 25 a length of 4 GiB", frame(TEXT, length=1 << 32)[:10], 1009),
    ("fault row 25 a length of one byte beyond the limit", frame(TEXT, length=LIMIT + 1)[:10], 1009),
    (
        "fault row 26 fragments of one byte beyond the limit together",
        frame(TEXT, b" ", final=False) + frame(0, length=LIMIT),
        1009,
    ),
    ("fault row 26 20,000 empty fragments", frame(TEXT, final=False) + frame(0, final=False) * 20_000, 1008),
    ("fault row 26 20,000 fragments of a byte", frame(TEXT, b" ", final=False) + frame(0, b" ", final=False) * 20_000, 1008),
    ("fault row 27 a byte that is no UTF-8", frame(TEXT, b'{"a":"\xff"}'), 1007),
    ("fault row 27 a surrogate", frame(TEXT, b'"\xed\xa0\x80"'), 1007),
    ("fault row 27 an overlong form", frame(TEXT, b'"\xc0\xaf"'), 1007),
    ("fault row 27 beyond U+10FFFF", frame(TEXT, b'"\xf4\x90\x80\x80"'), 1007),
    ("fault row 27 a character cut by the end", frame(TEXT, b"\xe2\x82"), 1007),
    ("fault row 27 a character that goes wrong in the next fragment", half(b'"\xe2\x82A"', 3), 1007),
    ("fault row 27 a character cut by the last fragment's end", half(b'"\xe2\x82', 2), 1007),
    ("fault row 28 a close frame of one byte", frame(CLOSE, b"\x03"), 1002),
    *[
        (f"fault row 28 close code {code}", close(code), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535)
    ],
    ("fault row 28 a close reason that is no UTF-8", close(1000, b"\xff"), 1007),
    ("fault row 31 a compressed frame, as if that had been agreed", frame(TEXT, DEFLATED, reserved=0x40), 1002),
]


@pytest.mark.parametrize("sent, code", [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
async def test_what_breaks_the_framing_is_closed_with_its_code(edge, sent, code):
    async with edge.undisturbed():
        async with edge.socket() as socket:
            await socket.event("session.created")
            await socket.send(sent)
            end = await socket.end()
            assert end.codes == [code], end
            assert len(end.reason.encode()) in range(1, 124)
            # An event says why as well, for clients that do not show the close.
            assert [event["type"] for event in end.events] == ["error"], end
            error = end.events[0]["error"]
            assert error["code"] in {
                1002: ["protocol_error"], 1007: ["invalid_utf8"], 1008: ["too_many_fragments"], 1009: ["message_too_big"],
            }[code]  # fmt: skip
            assert end.reason in error["message"]


async def test_fault_row_27_a_character_cut_between_fragments_is_whole(edge):
    async with edge.undisturbed():
        async with edge.socket() as socket:
            await socket.event("session.created")
            said = '{"type":"session.update","session":{"type":"realtime","instructions":"€"}}'.encode()
            await socket.send(half(said, said.index("€".encode()) + 1))
            assert (await socket.event("session.updated"))["session"]["instructions"] == "€"


# What a client sends, and the codes of the server's close frames.
ENDINGS = [
    ("fault row 28 codes that may travel are echoed and not forwarded", close(3999, b"ours"), [3999]),
    ("fault row 28 a close without a code", close(), [None]),
    ("fault row 29 data after the close", close(1000) + text({"type": "no.such"}) + frame(PING, b"x"), [1000]),
    ("fault row 29 two closes", close(1000) + close(1001), [1000]),
    ("fault row 29 a broken frame after the close", close(1000) + frame(3, key=None), [1000]),
]


@pytest.mark.parametrize("sent, codes", [case[1:] for case in ENDINGS], ids=[case[0] for case in ENDINGS])
async def test_a_close_is_answered_once_and_what_follows_is_ignored(edge, sent, codes):
    async with edge.undisturbed():
        async with edge.socket() as socket:
            await socket.event("session.created")
            await socket.send(sent)
            end = await socket.end()
            assert end.codes == codes and not end.events and not end.pongs, end


async def test_fault_row_30_five_thousand_pings_at_once_are_answered_and_the_session_goes_on(edge):
    async with edge.undisturbed():
        async with edge.socket() as socket:
            await socket.event("session.created")
            await socket.send(b"".join(frame(PING, b"%d" % number) for number in range(5_000)))
            update = {"type": "session.update", "session": {"type": "realtime", "instructions": "after"}}
            await socket.send(text(update))
            pongs = []
            while True:
                opcode, payload = await socket.frame()
                if opcode == TEXT:
                    break
                pongs.append(int(payload))
            # Every one, or fewer that end with the latest; always in order.
            assert pongs == sorted(set(pongs)) and pongs[-1] == 4_999
            assert json.loads(payload)["session"]["instructions"] == "after"


OFFERS = [
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; server_max_window_bits=8; client_max_window_bits=15, permessage-deflate",
    "permessage-deflate; server_max_window_bits=99",
    "permessage-deflate; no_such_parameter=1",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    "permessage-bzip2, x-webkit-deflate-frame",
    ";;;,,, =",
]


@pytest.mark.parametrize("offer", OFFERS, ids=[f"fault row 31 the offer {offer}" for offer in OFFERS])
async def test_fault_row_31_compression_is_declined_and_the_session_works(edge, offer):
    async with edge.undisturbed():
        async with edge.socket("openai", f"Sec-WebSocket-Extensions: {offer}") as socket:
            assert "sec-websocket-extensions" not in socket.head.lower()
            await socket.event("session.created")
            await socket.send(text({"type": "session.update", "session": {"type": "realtime", "instructions": "plain"}}))
            assert (await socket.event("session.updated"))["session"]["instructions"] == "plain"
            await socket.send(frame(TEXT, DEFLATED, reserved=0x40))
            assert (await socket.end()).codes == [1002]


async def test_fault_row_20_nothing_of_a_clients_head_reaches_the_provider(edge):
    secret = f"of-the-client-{time.monotonic_ns()}"
    fields = [
        f"X-Forwarded-For: 203.0.113.7, {secret}", f"X-Forwarded-Host: {secret}", f"Forwarded: for={secret}",
        f"X-User-Id: {secret}", f"Authorization: Bearer {secret}", f"api-key: {secret}", f"Cookie: session={secret}",
        f"OpenAI-Organization: {secret}", f"User-Agent: {secret}", "Origin: http://localhost",
        f"X-Goog-Api-Key: {secret}",
    ]  # fmt: skip
    words = f"Row twenty {time.monotonic_ns()}."
    async with edge.undisturbed():
        for provider in ("openai", "gemini"):
            async with edge.socket(provider, *fields) as socket:
                await socket.event("session.created")
                update = {"type": "realtime", "instructions": words}
                await socket.send(text({"type": "session.update", "session": update}))
                await socket.event("session.updated")

                def heads(record) -> list[dict]:
                    numbers = record.connections(provider, lambda message: words in json.dumps(message))
                    return [record.heads[number] for number in numbers]

                (head,) = heads(await_record(edge.quick.record, lambda record: len(heads(record)) == 1))
            assert secret not in json.dumps(head) and "203.0.113.7" not in json.dumps(head)
            names = {name.lower() for name, _ in head["headers"]}
            assert not names & {"x-forwarded-for", "forwarded", "x-user-id", "cookie", "origin", "openai-organization"}
