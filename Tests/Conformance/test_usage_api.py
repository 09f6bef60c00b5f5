"""What is told of usage over HTTP (R004, R018, R019, R041 to R043)."""

import asyncio
import contextlib
import json
import subprocess
import time

import pytest
from openai import AsyncOpenAI

from asking import ADMIN_KEY, SERVER_KEY, ask, locked_gateway
from conversation import Conversation
from providers import GEMINI_MODEL, OPENAI_MODEL, added_by

EVENTS = "/api/v1/usage/events"
SUMMARY = "/api/v1/usage/summary"
SEEN_WITHIN_SECONDS = 8
GROUPINGS = ["modality", "provider", "model", "key", "app", "day"]


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    with locked_gateway(tmp_path_factory.mktemp("usage"), standin, limits={"usageUpdateSeconds": 0.5}) as running:
        yield running


def get(server, target: str):
    answer = ask(server, "GET", target, key=ADMIN_KEY)
    assert answer.status == 200, answer
    return answer.json


def post(server, body: object):
    return ask(server, "POST", EVENTS, body, key=ADMIN_KEY)


async def ended(server, session: str) -> dict:
    """A session's event, when it has ended."""
    deadline = time.monotonic() + SEEN_WITHIN_SECONDS
    while True:
        found = [event for event in get(server, EVENTS + "?limit=1000") if event["id"] == session]
        if found and found[0]["state"] == "ended":
            return found[0]
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def talking(server, provider: str):
    async with AsyncOpenAI(base_url=f"{server.http}/v1", api_key=SERVER_KEY) as client:
        async with client.realtime.connect(extra_query={"provider": provider}) as connection:
            # Keys that begin with hyb_ have the audio in `audio`, too (Q1).
            talk = Conversation(connection, added_by(provider) | {"audio"})
            await talk.next()
            yield talk


async def voice(server, provider: str) -> dict:
    async with talking(server, provider) as talk:
        await talk.text_turn()
        session = talk.events[0]["session"]["id"]
    return await ended(server, session)


async def test_R004_R019_R042_text_tokens_and_voice_are_billed_from_one_place(server):
    event = await voice(server, "gemini")
    text = {"modality": "text", "provider": "openai", "model": "gpt-5", "key": "server"}
    answer = post(server, {**text, "tokens": {"input": 1200, "output": 300}})
    assert answer.status == 201 and answer.json["accepted"] == 1
    summary = get(server, f"{SUMMARY}?group_by=modality")
    groups = {group["key"]: group for group in summary["groups"]}
    assert groups["voice_realtime"]["minutes"] >= event["seconds"] / 60 > 0
    assert groups["voice_realtime"]["sessions"] >= 1
    assert groups["text"]["tokens"]["input"]["text"] >= 1200 and groups["text"]["tokens"]["output"]["text"] >= 300
    assert "minutes" in groups["text"] and groups["text"]["sessions"] == 0
    # The words of R042, by jq itself.
    filter = '.groups[]|select(.key=="voice_realtime").minutes'
    said = subprocess.run(["jq", "-e", filter], input=json.dumps(summary), capture_output=True, text=True, check=True)
    assert float(said.stdout) > 0


async def test_R018_a_gemini_session_is_managed_inference(server):
    event = await voice(server, "gemini")
    assert get(server, EVENTS)[-1]["id"] == event["id"]
    assert get(server, EVENTS)[-1]["mode"] == "managed_inference"
    assert (event["provider"], event["kind"], event["model"]) == ("gemini", "gemini-live", GEMINI_MODEL)
    assert (event["key"], event["app"], event["object"]) == ("server", "default", "usage.event")
    assert event["tokens"]["total"] > 0 and event["responses"] == 1 and event["audio_output"]["seconds"] > 0


async def test_R041_the_events_are_an_array_that_jq_reads(server):
    await voice(server, "openai")
    events = ask(server, "GET", EVENTS, key=ADMIN_KEY).body.decode()
    for filter in ('.[]|select(.modality=="voice_realtime")', ".[-1].mode"):
        said = subprocess.run(["jq", "-e", filter], input=events, capture_output=True, text=True, check=True)
        assert said.stdout.strip()


async def test_R043_every_grouping_adds_up_and_an_unknown_one_is_400(server):
    await voice(server, "openai")
    for modality in ("text", "images"):
        assert post(server, {"modality": modality, "app": "till", "key": None, "seconds": 1.5}).status == 201
    events = get(server, EVENTS + "?limit=1000")
    for grouping in GROUPINGS:
        summary = get(server, f"{SUMMARY}?group_by={grouping}")
        assert summary["group_by"] == grouping and summary["object"] == "usage.summary"
        for name in ("events", "sessions", "seconds", "minutes"):
            assert summary["total"][name] == pytest.approx(sum(group[name] for group in summary["groups"]))
        assert summary["total"]["events"] == len(events)
        assert summary["total"]["seconds"] == pytest.approx(sum(event["seconds"] for event in events))
    by_model = {group["key"] for group in get(server, f"{SUMMARY}?group_by=model")["groups"]}
    assert {OPENAI_MODEL, None} <= by_model
    wrong = ask(server, "GET", f"{SUMMARY}?group_by=bad", key=ADMIN_KEY)
    assert wrong.status == 400 and wrong.error["param"] == "group_by"


def test_a_period_takes_what_began_in_it(server):
    for day in ("2021-03-01T00:00:00Z", "2021-03-01T23:59:59Z", "2021-03-02T00:00:00Z"):
        assert post(server, {"modality": "text", "timestamp": day, "seconds": 60}).status == 201
    for period, count in [
        ("from=2021-03-01&to=2021-03-02", 2), ("from=2021-03-01T00:00:00Z&to=2021-03-01T23:59:59Z", 1),
        ("from=2021-03-02&to=2021-03-02", 0), ("from=2021-03-01T23:59:59Z&to=2021-04-01", 2),
        ("from=2021-03-01T02:00:00%2B02:00&to=2021-03-01T00:00:01Z", 1),
    ]:  # fmt: skip
        assert get(server, f"{SUMMARY}?{period}")["total"]["events"] == count, period
        assert len(get(server, f"{EVENTS}?{period}")) == count, period
    days = get(server, f"{SUMMARY}?group_by=day&from=2021-03-01&to=2021-03-03")["groups"]
    assert [(day["key"], day["minutes"]) for day in days] == [("2021-03-01", 2.0), ("2021-03-02", 1.0)]


def test_pages_meet_without_gap_or_overlap_while_events_arrive(server):
    known = [f"page-{index}" for index in range(25)]
    times = [f"2022-01-01T00:00:{second:02}Z" for second in range(len(known))]
    batch = [{"id": id, "modality": "pages", "timestamp": time} for id, time in zip(known, times)]
    answer = post(server, batch)
    assert answer.json == {"object": "list", "accepted": 25, "duplicates": 0, "ids": known}
    seen: list[str] = []
    target, pages = f"{EVENTS}?modality=pages&limit=10", 0
    while target:
        page = ask(server, "GET", target, key=ADMIN_KEY)
        ids = [event["id"] for event in page.json]
        assert ids == sorted(ids, key=known.index), "the newest last"
        seen = ids + seen
        link = page.headers.get("link")
        assert (link is None) == ("x-next-cursor" not in page.headers)
        target = link.split(">")[0].lstrip("<") if link else None
        pages += 1
        post(server, {"id": f"later-{pages}", "modality": "pages"})
    assert seen == known and pages == 3


def test_what_is_handed_in_again_counts_once_and_a_bad_list_not_at_all(server):
    events = [{"id": f"again-{index}", "modality": "again", "tokens": {"total": 5}} for index in range(3)]
    assert post(server, events).json["accepted"] == 3
    again = post(server, [*events, {"id": "again-3", "modality": "again", "tokens": {"total": 5}}])
    assert (again.json["accepted"], again.json["duplicates"]) == (1, 3)
    bad = post(server, [{"id": "again-4", "modality": "again"}, {"modality": "voice_realtime"}])
    assert bad.status == 400 and bad.error["param"] == "[1].modality"
    held = [group for group in get(server, SUMMARY)["groups"] if group["key"] == "again"][0]
    assert held["events"] == 4 and held["tokens"]["total"] == 20


async def test_a_live_session_is_seen_before_it_ends(server):
    async with talking(server, "gemini") as talk:
        session = talk.events[0]["session"]["id"]
        deadline = time.monotonic() + SEEN_WITHIN_SECONDS
        while not (found := [event for event in get(server, EVENTS) if event["id"] == session]):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        assert found[0]["state"] == "live" and found[0]["ended_at"] is None
    assert (await ended(server, session))["end"]


@pytest.mark.parametrize("name", ["key", "app", "provider", "modality"])
def test_events_are_found_by_who_and_what(server, name):
    value = f"only-{name}"
    assert post(server, {"modality": "found", name: value}).status == 201
    found = get(server, f"{EVENTS}?{name}={value}")
    assert len(found) == 1 and found[0][name] == value
