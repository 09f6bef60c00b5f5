"""Usage as CloudEvents to a receiver of the operator's, whatever the receiver does."""

import asyncio
import time

import pytest

from asking import SERVER_KEY, bearer, locked_gateway
from metered_calls import held_call, make_call, short_call
from postgres import await_true
from processes import free_port
from webhook_receiver import WebhookReceiver, webhook_receiver

HOOK_KEY = "the-receivers-own-key-0123456789"
EVENT_FIELDS = ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"]


def server(folder, standin, receiver_url: str, **webhook):
    settings = {"url": receiver_url, "key": "env:HOOK_KEY", **webhook}
    ledger = {"sqlite": str(folder / "usage.sqlite"), "webhook": settings}
    environment = {"HOOK_KEY": HOOK_KEY, "PARLEY_DATA": str(folder)}
    return locked_gateway(folder, standin, environment, ledger=ledger, limits={"usageUpdateSeconds": 0.5})


def url(running) -> str:
    return f"{running.ws}/v1/realtime?provider=openai"


async def told(receiver, sessions: set[str], seconds: float = 30) -> None:
    await asyncio.to_thread(
        await_true, lambda: {event["subject"] for event in receiver.taken} >= sessions, "all are told", seconds
    )


async def test_a_session_that_has_ended_is_told_as_a_cloud_event(tmp_path, standin):
    with webhook_receiver() as receiver, server(tmp_path, standin, receiver.url) as running:
        call = await make_call(url(running), 1.2, **bearer(SERVER_KEY))
        await told(receiver, {call.session})
        assert len(receiver.taken) == 1, "updates are not told unless that is wanted"
        (batch,) = receiver.received
        assert batch.headers["content-type"].startswith("application/cloudevents-batch+json")
        assert batch.headers["authorization"] == f"Bearer {HOOK_KEY}"
        (event,) = batch.events
        assert list(event) == EVENT_FIELDS
        assert (event["specversion"], event["type"]) == ("1.0", "dev.parley.usage.ended")
        assert event["datacontenttype"] == "application/json" and event["time"].endswith("Z")
        data = event["data"]
        assert event["id"] == f"{call.session}:{data['sequence']}"
        assert data["audio_input"]["bytes"] == call.heard_bytes and data["state"] == "ended"
        assert (data["modality"], data["key"], data["provider"]) == ("voice_realtime", "server", "openai")
    assert HOOK_KEY not in running.log and SERVER_KEY not in str(receiver.received)


async def test_updates_are_told_in_order_where_that_is_wanted(tmp_path, standin):
    with webhook_receiver() as receiver, server(tmp_path, standin, receiver.url, updates=True) as running:
        call = await make_call(url(running), 2.5, **bearer(SERVER_KEY))
        await asyncio.to_thread(
            await_true, lambda: any(event["data"]["state"] == "ended" for event in receiver.taken), "the end is told"
        )
        events = [event for event in receiver.taken if event["subject"] == call.session]
        sequences = [event["data"]["sequence"] for event in events]
        assert len(sequences) >= 3 and sequences == sorted(set(sequences))
        kinds = [event["type"] for event in events]
        assert set(kinds[:-1]) == {"dev.parley.usage.updated"} and kinds[-1] == "dev.parley.usage.ended"
        heard = [event["data"]["audio_input"]["bytes"] for event in events]
        assert heard == sorted(heard) and heard[-1] == call.heard_bytes


@pytest.mark.parametrize("status", [500, 503, 408, 401, 404, 302])
async def test_a_receiver_that_fails_is_told_again_and_no_call_notices(tmp_path, standin, status):
    with webhook_receiver() as receiver, webhook_receiver() as stranger:
        receiver.answer = lambda batch: (status, {"Location": stranger.url} if status == 302 else {})
        with server(tmp_path, standin, receiver.url) as running:
            call = await make_call(url(running), 1.0, **bearer(SERVER_KEY))
            assert call.errors == []
            await asyncio.to_thread(await_true, lambda: len(receiver.received) >= 2, "it is tried again")
            receiver.answer = lambda batch: 204
            await told(receiver, {call.session})
            assert len(receiver.taken) == 1
            assert stranger.received == [], "a redirect is not followed"


async def test_429_is_given_the_time_that_it_asks_for(tmp_path, standin):
    with webhook_receiver() as receiver:
        moments = []

        def refuse(batch):
            moments.append(time.monotonic())
            return (429, {"Retry-After": "3"}) if len(moments) == 1 else 200

        receiver.answer = refuse
        with server(tmp_path, standin, receiver.url) as running:
            session = await short_call(url(running), **bearer(SERVER_KEY))
            await told(receiver, {session})
            assert 3.0 <= moments[1] - moments[0] < 8.0


async def test_a_record_that_is_refused_for_good_costs_itself_and_is_counted(tmp_path, standin):
    with webhook_receiver() as receiver:
        refused = []

        def refuse_one(batch):
            # The first session that is seen is the one that this receiver will never take.
            refused.extend([batch[0]["subject"]] if not refused else [])
            return 400 if any(event["subject"] == refused[0] for event in batch) else 200

        receiver.answer = refuse_one
        with server(tmp_path, standin, receiver.url) as running:
            sessions = set(await asyncio.gather(*(short_call(url(running), **bearer(SERVER_KEY)) for _ in range(10))))
            await asyncio.to_thread(await_true, lambda: len(receiver.taken) >= 9, "the others are told")
            assert {event["subject"] for event in receiver.taken} == sessions - set(refused)
            await asyncio.to_thread(await_true, lambda: "usage records are lost" in running.log, "it is said")


@pytest.mark.deadline(60)
async def test_a_receiver_that_is_away_or_hangs_gets_everything_when_it_returns(tmp_path, standin):
    port = free_port()
    with server(tmp_path, standin, f"http://127.0.0.1:{port}/usage") as running:
        sessions = {await short_call(url(running), **bearer(SERVER_KEY)) for _ in range(5)}
        await asyncio.sleep(1.5)
        receiver = WebhookReceiver(port)
        try:
            await told(receiver, sessions)
            # It takes its time now: connects are as quick as before, and what it was told is told once.
            receiver.answer = lambda batch: time.sleep(2) or 200
            begin = time.monotonic()
            async with held_call(url(running), **bearer(SERVER_KEY)) as held:
                more = {await short_call(url(running), **bearer(SERVER_KEY)) for _ in range(5)}
            assert time.monotonic() - begin < 2
            await told(receiver, sessions | more | {held})
            assert len({event["id"] for event in receiver.taken}) == len(receiver.taken) == 11
        finally:
            receiver.stop()
