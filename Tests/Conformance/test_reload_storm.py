"""A hundred calls while the configuration changes under them, and then a stop: nobody is cut off."""

import asyncio
import contextlib
import json
import os
import signal
import urllib.error
import urllib.request

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from asking import ADMIN_KEY, ask
from client_turns import STORY
from draining import PART_BYTES, gateway, storyteller

CALLS = int(os.environ.get("STORM_CALLS", "100"))
RELOADS = 20
PARTS, INTERVAL_MS = 10, 100
WAIT_SECONDS = 30.0

ASK = [
    json.dumps({"type": "conversation.item.create", "item": {
        "type": "message", "role": "user", "content": [{"type": "input_text", "text": STORY}]}}),
    json.dumps({"type": "response.create"}),
]  # fmt: skip


class TalkativeCall:
    """A client that asks again as soon as it was answered, until it is told to come back."""

    def __init__(self):
        self.model = ""
        self.begun = 0
        self.answers = 0
        self.audio_bytes = 0
        self.errors: list[str] = []
        self.close_code: int | None = None

    async def run(self, url: str, is_live: asyncio.Event) -> None:
        async with connect(url, open_timeout=WAIT_SECONDS) as socket:
            created = json.loads(await asyncio.wait_for(socket.recv(), WAIT_SECONDS))
            self.model = created["session"]["model"]
            try:
                for message in ASK:
                    await socket.send(message)
                async for message in socket:
                    await self.heard(json.loads(message), socket, is_live)
            except ConnectionClosed:
                pass
            self.close_code = socket.close_code

    async def heard(self, event: dict, socket, is_live: asyncio.Event) -> None:
        if event["type"] == "response.created":
            self.begun += 1
        elif event["type"] == "response.output_audio.delta":
            self.audio_bytes += len(event["delta"]) // 4 * 3
            is_live.set()
        elif event["type"] == "response.done":
            assert event["response"]["status"] == "completed", event
            self.answers += 1
            # Who was told the end meanwhile reads it next.
            with contextlib.suppress(ConnectionClosed):
                for message in ASK:
                    await socket.send(message)
        elif event["type"] == "error":
            self.errors.append(event["error"]["code"])

    def check_never_cut(self) -> None:
        assert self.close_code == 1012 and self.errors == ["gateway_restarting"], vars(self)
        assert self.begun == self.answers and self.audio_bytes == self.answers * PARTS * PART_BYTES, vars(self)


def shown(running) -> dict:
    answer = ask(running, "GET", "/config", key=ADMIN_KEY)
    assert answer.status == 200, answer
    return answer.json


def refusals(running) -> float:
    with urllib.request.urlopen(f"{running.http}/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith('parley_configuration_reloads_total{outcome="refused"}'):
                return float(line.split()[-1])
    return 0.0


async def until(condition, what: str) -> None:
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while not await asyncio.to_thread(condition):
        assert asyncio.get_running_loop().time() < deadline, what
        await asyncio.sleep(0.05)


BROKEN = ["{", '{"default": "openai", "provders": {}}', "", '{"default": "nobody", "providers": {}}']


async def storm(running, routes: dict) -> None:
    """Good and broken files by turns, by the watch, by SIGHUP and over HTTP; each is seen to have had its effect."""
    for number in range(RELOADS):
        if number % 2:
            before = refusals(running)
            running.file.write_text(BROKEN[number // 2 % len(BROKEN)])
            if number % 4 == 1:
                os.kill(running.pid, signal.SIGHUP)
            await until(lambda: refusals(running) > before, f"the broken file {number} is refused")
        elif number % 4 == 2:
            patch = {"gateway": {"providers": {"openai": {"model": f"gpt-realtime-patch-{number}"}}}}
            answer = await asyncio.to_thread(
                ask, running, "PUT", "/config?persist=false", patch, key=ADMIN_KEY
            )
            # What is wrong with the file is wrong with the whole; the running configuration stays.
            assert answer.status in (200, 400), answer
            assert answer.status == 400 or answer.json["gateway"]["providers"]["openai"]["model"].endswith(str(number))
        else:
            wanted = f"storm {number}"
            running.file.write_text(json.dumps({**routes, "contact": wanted}))
            await until(lambda: shown(running)["gateway"]["contact"] == wanted, f"the good file {number} is taken")


@pytest.mark.deadline(180)
async def test_R112_R287_a_hundred_calls_twenty_reloads_and_a_stop(tmp_path):
    with storyteller(tmp_path, PARTS, INTERVAL_MS) as standin:
        running = gateway(tmp_path, standin, 30)
        routes = json.loads(running.file.read_text())
        made = [TalkativeCall() for _ in range(CALLS)]
        live = [asyncio.Event() for _ in made]
        url = f"{running.ws}/v1/realtime"
        tasks = [asyncio.create_task(call.run(url, event)) for call, event in zip(made, live)]
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in live)), WAIT_SECONDS)
        await storm(running, routes)
        assert not any(task.done() for task in tasks), [vars(c) for c, t in zip(made, tasks) if t.done()]
        running.file.write_text(json.dumps({**routes, "contact": "the last"}))
        await until(lambda: shown(running)["gateway"]["contact"] == "the last", "the service goes on with a good file")
        os.kill(running.pid, signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*tasks), WAIT_SECONDS + 10)
        for call in made:
            call.check_never_cut()
        assert await asyncio.to_thread(running._process._process.wait, WAIT_SECONDS) == 0
        assert sum(call.answers for call in made) >= CALLS
        assert running.stop() == 0
