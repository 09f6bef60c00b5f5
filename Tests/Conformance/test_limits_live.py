"""Limits of providers, keys and sessions as clients meet them: before the upgrade, and in the call."""

import asyncio
import contextlib
import json
import time
import typing

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from asking import bearer
from conversation import assert_legal
from event_types import openai_server_event
from metered import Caller, ended, events, kept
from processes import CONTACT, Gateway, provider
from providers import KINDS
from sound import tone

KEYS = {
    name: f"hyb_{name}-key-of-the-limits-0123456789"
    for name in ("plain", "quick", "chatty", "short", "daily", "few", "many")
}
LIMITS = {
    "plain": {},
    "quick": {"maxConnectsPerSecond": 3},
    "chatty": {"maxEventsPerSecond": 40},
    "short": {"maxMinutesPerSession": 3 / 60},
    "daily": {"maxMinutesPerDay": 4 / 60},
    "few": {"maxSessions": 10},
    "many": {"maxSessions": 25},
}
# Of the account that is flooded, in a second.
FRAMES = 20
ADMIN = {"ENGINE_API_KEY": "the-operators-own-key-0123456789"}


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin, slow_standin):
    folder = tmp_path_factory.mktemp("limits")
    kind = KINDS["inworld"]

    def entry(name: str, of, **fields) -> dict:
        kind = KINDS[name]
        return provider(kind.kind, of.ports[kind.service], kind.model, **kind.fields, **fields)

    routes = {
        "default": "inworld",
        "contact": CONTACT,
        "providers": {
            "inworld": entry("inworld", standin),
            "inworld-raised": entry("inworld", standin, maxSessions=22),
            "openai": entry("openai", standin),
            "openai-slow": entry("openai", slow_standin),
            "gemini-slow": entry("gemini", slow_standin),
            "narrow": entry("openai", standin, maxFramesPerSecond=FRAMES),
        },
        **kept(folder, limits={"limitWarningSeconds": 1}),
        "access": {"keys": [{"name": name, "key": f"env:KEY_{name.upper()}", **LIMITS[name]} for name in KEYS]},
    }
    assert kind.kind == "inworld"
    running = Gateway(folder, routes, {**ADMIN, **{f"KEY_{name.upper()}": key for name, key in KEYS.items()}})
    running.await_ready()
    yield running
    assert running.stop() == 0, "the server must end cleanly when asked to"


def url(server, provider: str | None) -> str:
    return f"{server.ws}/v1/realtime" + (f"?provider={provider}" if provider else "")


@contextlib.asynccontextmanager
async def calling(server, key: str, provider: str) -> typing.AsyncIterator[Caller]:
    async with connect(url(server, provider), max_size=None, **bearer(KEYS[key])) as socket:
        caller = Caller(socket)
        caller.id = (await caller.next())["session"]["id"]
        yield caller


class Refused(typing.NamedTuple):
    status: int
    error: dict
    retry_after: int


async def begun(server, key: str, provider: str | None, stack: contextlib.AsyncExitStack) -> Refused | dict:
    """The first event of a session that stays until the end of the test, or the refusal."""
    try:
        socket = await stack.enter_async_context(connect(url(server, provider), **bearer(KEYS[key])))
    except InvalidStatus as refused:
        answer = refused.response
        assert answer.headers["content-type"] == "application/json"
        return Refused(answer.status_code, json.loads(answer.body)["error"], int(answer.headers["retry-after"]))
    return json.loads(await socket.recv())


async def at_once(server, key: str, provider: str | None, count: int, stack) -> tuple[list[dict], list[Refused]]:
    found = await asyncio.gather(*(begun(server, key, provider, stack) for _ in range(count)))
    refused = [answer for answer in found if isinstance(answer, Refused)]
    greeted = [answer for answer in found if not isinstance(answer, Refused)]
    assert all(event["type"] == "session.created" for event in greeted)
    return greeted, refused


def assert_full(refused: Refused, param: str, code: str = "rate_limit_exceeded") -> None:
    assert refused.status == 429, refused
    assert refused.error["type"] == "rate_limit_error" and refused.error["code"] == code, refused
    assert refused.error["param"] == param and refused.error["message"].endswith(CONTACT), refused


async def freed(server, key: str, provider: str | None) -> None:
    """Waits until a session can be had again: the seats of sessions that have just ended come back."""
    deadline = time.monotonic() + 5
    while True:
        async with contextlib.AsyncExitStack() as stack:
            if not isinstance(await begun(server, key, provider, stack), Refused):
                return
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_R165_R167_R286_the_21st_is_429_and_a_key_with_more_is_served(server):
    async with contextlib.AsyncExitStack() as stack:
        # Inworld's limit holds unless the configuration says otherwise (Q22), here as the default provider.
        greeted, refused = await at_once(server, "plain", None, 20, stack)
        assert len(greeted) == 20 and not refused
        last = await begun(server, "plain", None, stack)
        assert isinstance(last, Refused)
        assert_full(last, "maxSessions")
        assert last.retry_after == 10
    async with contextlib.AsyncExitStack() as stack:
        # Raised, for the provider and for a key.
        greeted, refused = await at_once(server, "plain", "inworld-raised", 23, stack)
        assert (len(greeted), len(refused)) == (22, 1)
        assert_full(refused[0], "maxSessions")
        greeted, refused = await at_once(server, "many", "openai", 26, stack)
        assert (len(greeted), len(refused)) == (25, 1)
        assert_full(refused[0], "maxSessions")
    await freed(server, "plain", None)


async def test_of_fifty_at_once_exactly_ten_are_served(server):
    for _ in range(3):
        async with contextlib.AsyncExitStack() as stack:
            greeted, refused = await at_once(server, "few", "openai", 50, stack)
            assert (len(greeted), len(refused)) == (10, 40)
            for one in refused:
                assert_full(one, "maxSessions")
            # Another key's sessions are its own.
            assert not isinstance(await begun(server, "plain", "openai", stack), Refused)
        await freed(server, "few", "openai")


async def test_R286_connects_beyond_those_of_a_second_are_429(server):
    async with contextlib.AsyncExitStack() as stack:
        greeted, refused = await at_once(server, "quick", "openai", 5, stack)
        assert (len(greeted), len(refused)) == (3, 2)
        for one in refused:
            assert_full(one, "maxConnectsPerSecond")
            assert one.retry_after == 1
        await asyncio.sleep(1.05)
        greeted, refused = await at_once(server, "quick", "openai", 4, stack)
        assert (len(greeted), len(refused)) == (3, 1)


async def flood(callers: list[Caller], count: int) -> None:
    for number in range(count):
        for caller in callers:
            await caller.send("input_audio_buffer.clear", event_id=f"clear_{number}")


async def test_control_events_beyond_a_keys_rate_are_errors_and_its_sessions_live(server):
    async with calling(server, "chatty", "openai") as one, calling(server, "chatty", "openai") as two:
        for caller in (one, two):
            await caller.configure("audio/pcm")
        began = time.monotonic()
        await flood([one, two], 100)
        seen: dict[str, list] = {"input_audio_buffer.cleared": [], "error": []}
        for caller in (one, two):
            for _ in range(100):
                event = await caller.next()
                while event["type"] == "rate_limits.updated":
                    event = await caller.next()
                seen[event["type"]].append(event)
        took = time.monotonic() - began
        # 40 at once, and 40 in each second that it took.
        assert 40 <= len(seen["input_audio_buffer.cleared"]) <= 40 * (took + 1) + 1
        for event in seen["error"]:
            error = event["error"]
            assert error["code"] == "rate_limit_exceeded" and error["param"] == "maxEventsPerSecond", error
            assert error["type"] == "rate_limit_error" and error["event_id"].startswith("clear_")
        assert len(seen["error"]) >= 200 - 40 * (took + 1) - 1 > 0
        # Audio is never too much, and both go on.
        await asyncio.sleep(0.5)
        for caller in (one, two):
            await caller.append(tone(220, 400), [480])
            await caller.ask("Say hello.")
            assert (await caller.until("response.done"))["response"]["status"] == "completed"


async def test_R166_a_flood_over_many_sessions(server):
    """Each session has a message that waits for its turn, and all together are far behind: control events are refused until
    they are not, audio waits, and all sessions live."""
    count, rounds = FRAMES + 10, 4
    async with contextlib.AsyncExitStack() as stack:
        # With a model in the address nothing of the client is needed to set them up.
        provider = f"narrow&model={KINDS['openai'].model}"
        callers = [await stack.enter_async_context(calling(server, "plain", provider)) for _ in range(count)]
        await asyncio.sleep(count * 2 / FRAMES)
        for _ in range(rounds):
            await flood(callers, 1)
            await asyncio.sleep(0.2)
        refusals = 0
        for caller in callers:
            for _ in range(rounds):
                event = await caller.next()
                if event["type"] == "error":
                    assert event["error"]["code"] == "rate_limit_exceeded", event
                    assert event["error"]["type"] == "rate_limit_error"
                    assert event["error"]["param"] == "maxFramesPerSecond" and event["error"]["event_id"]
                    refusals += 1
                else:
                    assert event["type"] == "input_audio_buffer.cleared"
        assert count // 2 < refusals < count * rounds, refusals
        # What is audio waits for its turn and is no error.
        for caller in callers:
            await caller.append(tone(220, 100), [4_800])
        await asyncio.sleep(count / FRAMES)
        for caller in callers[:FRAMES // 2]:
            await caller.send("input_audio_buffer.commit")
            await caller.until("input_audio_buffer.committed")
        assert all(caller.socket.state.name == "OPEN" for caller in callers)


async def warned(caller: Caller, began: float) -> tuple[dict, float]:
    """The warning, judged by the official types, and when it came."""
    while True:
        event = await caller.next()
        if event["type"] == "rate_limits.updated" and "warning" in event:
            return openai_server_event(json.dumps(event)), time.monotonic() - began


async def end_of(caller: Caller) -> tuple[dict, int]:
    """The error that ends a session, and the close code."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            await caller.next()
    return caller.history[-1]["error"], closed.value.rcvd.code


@pytest.mark.parametrize("provider", ["openai-slow", "gemini-slow"])
async def test_R151_the_minutes_of_a_session_end_it_after_a_warning_and_its_turn_whole(server, provider):
    began = time.monotonic()
    async with calling(server, "short", provider) as caller:
        await caller.ask("Tell me a long story.")
        event, after = await warned(caller, began)
        assert after == pytest.approx(2, abs=0.3)
        warning = event["warning"]
        assert warning["code"] == "limit_approaching" and warning["limit"] == "maxMinutesPerSession"
        assert warning["seconds_left"] == 1 and warning["message"]
        error, code = await end_of(caller)
        assert time.monotonic() - began == pytest.approx(3, abs=0.3)
        assert (error["type"], error["code"], error["param"]) == (
            "rate_limit_error", "session_expired", "maxMinutesPerSession",
        )  # fmt: skip
        assert code == 1000
        # What was being said is ended, not cut.
        first = next(index for index, event in enumerate(caller.history) if event["type"] == "conversation.item.added")
        of_answer = [
            event
            for event in caller.history[first:-1]
            if event["type"] != "rate_limits.updated" and (event.get("item") or {}).get("role") != "user"
        ]
        assert_legal(of_answer)
        assert of_answer[-1]["response"]["status"] != "completed"
    told = [event for event in caller.history if event["type"] == "rate_limits.updated" and event.get("limits")]
    assert len(told) == 2, "one with the response, one as the warning"
    entry = told[0]["limits"][0]
    assert entry["name"] == "maxMinutesPerSession" and entry["holder"] == "key"
    assert entry["limit"] == pytest.approx(3 / 60) and 0 < entry["remaining"] < 3 / 60
    assert told[0]["rate_limits"][0]["name"] == "requests"
    assert (await ended(server, caller.id))["end"] == "session_expired"


async def test_the_minutes_of_a_day_end_the_sessions_of_a_key_and_refuse_the_next(server):
    """Four seconds a day, used by two sessions at a time."""
    began = time.monotonic()
    async with calling(server, "daily", "openai") as one:
        event, after = await warned(one, began)
        assert event["warning"]["limit"] == "maxMinutesPerDay"
        assert after == pytest.approx(3, abs=0.4)
        error, code = await end_of(one)
        assert time.monotonic() - began == pytest.approx(4, abs=0.4)
        assert (error["code"], error["param"], code) == ("minutes_exhausted", "maxMinutesPerDay", 1000)
    async with contextlib.AsyncExitStack() as stack:
        refused = await begun(server, "daily", "openai", stack)
        assert isinstance(refused, Refused)
        assert_full(refused, "maxMinutesPerDay", "minutes_exhausted")
        midnight = 86_400 - time.time() % 86_400
        assert refused.retry_after == pytest.approx(midnight, abs=5)
    event = await ended(server, one.id)
    assert event["end"] == "minutes_exhausted"
    used = sum(event["seconds"] for event in events(server).values() if event["key"] == "daily")
    assert used <= 4 + 0.3


async def test_a_session_without_limits_is_told_of_none(server):
    async with calling(server, "plain", "openai") as caller:
        await caller.ask("Say hello.")
        await caller.until("response.done")
        assert not [event for event in caller.history if "limits" in event]
