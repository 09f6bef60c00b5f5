"""A call in which nobody says a word, behind an nginx that cuts what is silent (R114).

With the times that production has, once and by hand: `SILENT_SECONDS=600 pytest test_nginx_idle.py` (ten minutes, nginx's
own default of 60 s, Parley's own default of a ping every 20 s).
"""

import asyncio
import contextlib
import os

import pytest
from openai import AsyncOpenAI
from websockets.exceptions import ConnectionClosedError

from client_turns import SPEECH
from conversation import Conversation, assert_legal, audio_of, of_type
from processes import Gateway, provider
from providers import GEMINI_MODEL
from tls_front import TLSFront

SILENT_SECONDS = float(os.environ.get("SILENT_SECONDS", 5))
IS_REAL = SILENT_SECONDS >= 600
READ_TIMEOUT_SECONDS = 60 if IS_REAL else 2
# Without a number: the default, 20 s.
LIMITS = {} if IS_REAL else {"pingIntervalSeconds": 0.5}
LATE = {"pingIntervalSeconds": READ_TIMEOUT_SECONDS * 5}


@contextlib.contextmanager
def behind_nginx(folder, authority, standin, limits: dict):
    """A server behind the very location block of deploy/nginx/parley.conf, but for its patience."""
    folder.mkdir()
    gemini = provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL)
    gateway = Gateway(folder, {"default": "gemini", "providers": {"gemini": gemini}, "limits": limits})
    gateway.await_ready()
    patience = {f"{name} 86400;": f"{name} {READ_TIMEOUT_SECONDS}s;" for name in ("proxy_read_timeout", "proxy_send_timeout")}
    front = TLSFront(folder / "nginx", authority, gateway.port, "nginx/parley.conf", patience)
    front.await_ready()
    try:
        yield front
    finally:
        assert front.stop() == 0 and gateway.stop() == 0


@contextlib.asynccontextmanager
async def silent_client(front):
    """The official client, which says nothing by itself: its own pings are off, and only the server's are left."""
    client = AsyncOpenAI(base_url=f"{front.https}/v1", api_key="unused")
    options = {"ping_interval": None}
    async with client, client.realtime.connect(websocket_connection_options=options) as connection:
        talk = Conversation(connection)
        assert (await talk.next())["type"] == "session.created"
        yield talk


@pytest.mark.deadline(SILENT_SECONDS + 60)
async def test_R114_pings_keep_a_silent_call_behind_a_proxy_that_cuts_silence(tmp_path, authority, standin):
    with (
        behind_nginx(tmp_path / "pinged", authority, standin, LIMITS) as pinged,
        behind_nginx(tmp_path / "late", authority, standin, LATE) as late,
    ):

        async def kept() -> None:
            async with silent_client(pinged) as talk:
                with pytest.raises(asyncio.TimeoutError):
                    await talk.next(SILENT_SECONDS)
                # It is not only open: words and sound go through it both ways.
                events = await talk.text_turn()
                assert_legal(events)
                assert audio_of(events)
                await talk.append(SPEECH)
                assert of_type(await talk.until("response.done"), "response.done")[0]["response"]["status"] == "completed"

        async def cut() -> None:
            # Shows that nginx does cut, so that the other call lives by its pings and by nothing else.
            async with silent_client(late) as talk:
                with pytest.raises(ConnectionClosedError):
                    await talk.next(READ_TIMEOUT_SECONDS * 2)

        await asyncio.gather(kept(), cut())
