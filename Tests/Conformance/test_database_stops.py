"""A database that is away touches no call, and nothing is lost; what a full spool drops is counted and said."""

import asyncio
import contextlib
import json
import os
import pathlib
import subprocess
import time

import pytest

from asking import ADMIN_KEY, ENVIRONMENT, SERVER_KEY, ask, bearer, locked_gateway, locked_routes
from metered_calls import Call, make_call, short_call
from postgres import PASSWORD, await_true, postgres
from processes import BINARY, STANDIN_KEY, Gateway, is_healthy
from webhook_receiver import webhook_receiver

CALLS = 20
CALL_SECONDS = 4.0
# A minute by hand; in CI long enough for each call to end and to begin again in it.
DOWN_SECONDS = float(os.environ.get("DATABASE_DOWN_SECONDS", "10"))
BEFORE_SECONDS = 6.0
EXACTLY = "SELECT id, state, record->'audio_input'->>'bytes', sequence FROM parley_usage"


@pytest.fixture(scope="module")
def database_server():
    with postgres() as server:
        yield server


def spooled(folder: pathlib.Path, lane: str = "postgres") -> int:
    """The bytes that wait on disk."""
    total = 0
    for file in (folder / "spool" / lane).glob("*/*.jsonl"):
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


class Load:
    """Calls one after another, on many lines."""

    def __init__(self, running: Gateway, lines: int):
        self._url = f"{running.ws}/v1/realtime?provider=openai"
        self._stop = asyncio.Event()
        self.calls: list[Call] = []
        self.unhealthy = 0
        self._port = running.port
        self._tasks = [asyncio.create_task(self._line(number)) for number in range(lines)]
        self._tasks.append(asyncio.create_task(self._watch()))

    async def _line(self, number: int) -> None:
        await asyncio.sleep(number % CALLS * CALL_SECONDS / CALLS)
        while not self._stop.is_set():
            self.calls.append(call := Call())
            await make_call(self._url, CALL_SECONDS, call, **bearer(SERVER_KEY))
            if call.errors:
                await asyncio.sleep(0.2)

    async def _watch(self) -> None:
        while not self._stop.is_set():
            self.unhealthy += not await asyncio.to_thread(is_healthy, self._port)
            await asyncio.sleep(0.5)

    async def end(self) -> list[Call]:
        self._stop.set()
        await asyncio.gather(*self._tasks)
        return self.calls


def slowest(calls: list[Call], begin: float, end: float) -> float:
    """The delay of a question below which 95 of 100 stay."""
    delays = sorted(delay for call in calls for at, delay in call.delays if begin <= at < end)
    assert len(delays) > 50
    return delays[int(len(delays) * 0.95)]


@pytest.mark.deadline(400)
@pytest.mark.parametrize("how", ["stopped", "hung"])
async def test_a_database_that_is_away_touches_no_call_and_nothing_is_lost(tmp_path, standin, database_server, how):
    database = database_server.database()
    environment = {"DATABASE_URL": database_server.url(database), "PARLEY_DATA": str(tmp_path)}
    # A limit makes every connect ask the database for its seat.
    access = {"keys": [{"name": "server", "key": "env:SERVER_KEY", "maxSessions": 500}]}
    sections = {"ledger": {"postgres": "env:DATABASE_URL"}, "access": access, "limits": {"usageUpdateSeconds": 2}}
    (tmp_path / "without").mkdir()
    with (
        locked_gateway(tmp_path, standin, environment, **sections) as running,
        locked_gateway(tmp_path / "without", standin, ledger="none") as without,
    ):
        load, comparison = Load(running, CALLS), Load(without, CALLS // 2)
        await asyncio.sleep(BEFORE_SECONDS)
        down = time.monotonic()
        await asyncio.to_thread(database_server.stop if how == "stopped" else database_server.pause)
        await asyncio.sleep(DOWN_SECONDS)
        waiting = spooled(tmp_path)
        up = time.monotonic()
        await asyncio.to_thread(database_server.start if how == "stopped" else database_server.resume)
        await asyncio.sleep(3)
        calls, others = await asyncio.gather(load.end(), comparison.end())

        assert [call.errors for call in calls if call.errors] == []
        assert load.unhealthy == 0
        assert waiting > 0, "what the database did not take is on disk"
        # Questions pass through sessions that run: they do not know of the database. What the machine does to them it
        # does to the calls of a server without one, too.
        assert slowest(calls, down, up) <= 2 * max(slowest(others, down, up), 0.05)
        wanted = {call.session: call.heard_bytes for call in calls}
        assert len(wanted) == len(calls) > CALLS

        def is_complete() -> bool:
            found = {row[0] for row in database_server.psql(database, EXACTLY) if row[1] == "ended"}
            return found >= set(wanted)

        await asyncio.to_thread(await_true, is_complete, "every session is in the database")
        await asyncio.to_thread(await_true, lambda: spooled(tmp_path) == 0, "the spool is empty")
        rows = database_server.psql(database, EXACTLY)
        assert len(rows) == len(wanted)
        assert {row[0]: int(row[2]) for row in rows} == wanted
        assert all(row[1] == "ended" for row in rows)
        summary = ask(running, "GET", "/api/v1/usage/summary", key=ADMIN_KEY)
        assert summary.json["total"]["sessions"] == len(wanted)
        heard = sum(wanted.values()) / 48_000
        assert summary.json["total"]["audio_input_seconds"] == pytest.approx(heard, abs=1e-6)
    assert PASSWORD not in running.log
    if how == "stopped":
        assert "takes no usage now" in running.log and "takes usage again" in running.log


@pytest.mark.deadline(60)
async def test_a_database_that_is_away_from_the_beginning_gets_everything_later(tmp_path, standin, database_server):
    database = database_server.database()
    environment = {"DATABASE_URL": database_server.url(database), "PARLEY_DATA": str(tmp_path)}
    sections = {"ledger": {"postgres": "env:DATABASE_URL"}, "limits": {"usageUpdateSeconds": 0.5}}
    database_server.stop()
    try:
        with locked_gateway(tmp_path, standin, environment, **sections) as running:
            url = f"{running.ws}/v1/realtime?provider=openai"
            sessions = {await short_call(url, **bearer(SERVER_KEY)) for _ in range(5)}
            await asyncio.to_thread(await_true, lambda: spooled(tmp_path) > 0, "it waits on disk")
            # What only the database can tell is refused in the one shape, and says when to come back.
            answer = ask(running, "GET", "/api/v1/usage/summary", key=ADMIN_KEY)
            assert answer.status == 503 and answer.error["code"] == "ledger_unavailable"
            assert int(answer.headers["retry-after"]) > 0
            await asyncio.to_thread(database_server.start)

            def are_there() -> bool:
                tables = database_server.psql(database, "SELECT to_regclass('parley_usage') IS NOT NULL")
                return tables == [["t"]] and {row[0] for row in database_server.psql(database, EXACTLY)} == sessions

            await asyncio.to_thread(await_true, are_there, "the tables are made, and everything is in them")
        assert PASSWORD not in running.log
    finally:
        with contextlib.suppress(AssertionError):
            database_server.start()


@pytest.mark.deadline(120)
async def test_a_full_spool_drops_counts_and_says_so(tmp_path, standin):
    with webhook_receiver() as receiver:
        receiver.answer = lambda batch: 503
        ledger = {
            "sqlite": str(tmp_path / "usage.sqlite"), "webhook": {"url": receiver.url}, "spoolBytes": 1_048_576,
        }  # fmt: skip
        with locked_gateway(tmp_path, standin, {"PARLEY_DATA": str(tmp_path)}, ledger=ledger) as running:
            url = f"{running.ws}/v1/realtime?provider=openai"
            sessions: set[str] = set()
            deadline = time.monotonic() + 80
            while "usage records are lost" not in running.log:
                assert time.monotonic() < deadline, "the spool is full, and nothing is said"
                sessions |= set(await asyncio.gather(*(short_call(url, **bearer(SERVER_KEY)) for _ in range(25))))
                assert spooled(tmp_path, "webhook") <= 1_048_576
            assert "the spool is full" in running.log
            # The store has them all the same: the lanes do not hold each other up.
            found = lambda: ask(running, "GET", "/api/v1/usage/summary", key=ADMIN_KEY).json["total"]["sessions"]
            await asyncio.to_thread(await_true, lambda: found() == len(sessions), "all are in the store")
            receiver.answer = lambda batch: 200
            await asyncio.to_thread(await_true, lambda: spooled(tmp_path, "webhook") == 0, "it is told in the end", 70)
            assert 0 < len(receiver.taken) < len(sessions)
            assert len({event["id"] for event in receiver.taken}) == len(receiver.taken)


@pytest.mark.parametrize("address", [f"postgresql://u:{PASSWORD}@[::1/db", f"password={PASSWORD} nonsense", PASSWORD])
def test_an_address_that_is_none_ends_the_start_with_one_line_without_it(tmp_path, standin, address):
    file = tmp_path / "routes.json"
    file.write_text(json.dumps({**locked_routes(standin, tmp_path), "ledger": {"postgres": "env:DATABASE_URL"}}))
    environment = {**os.environ, **ENVIRONMENT, "STANDIN_KEY": STANDIN_KEY, "DATABASE_URL": address}
    run = subprocess.run(
        [str(BINARY), "serve", "--config", str(file)], capture_output=True, text=True, timeout=30, cwd=tmp_path,
        env={**environment, "PARLEY_DATA": str(tmp_path)},
    )  # fmt: skip
    assert run.returncode == 1
    faults = [line for line in run.stderr.splitlines() if line.startswith("error:")]
    assert len(faults) == 1 and "env:DATABASE_URL" in faults[0]
    assert PASSWORD not in run.stdout + run.stderr


async def test_ledger_none_writes_nothing(tmp_path, standin):
    data = tmp_path / "data"
    with locked_gateway(tmp_path, standin, {"PARLEY_DATA": str(data)}, ledger="none") as running:
        await short_call(f"{running.ws}/v1/realtime?provider=openai", **bearer(SERVER_KEY))
        answer = ask(running, "GET", "/api/v1/usage/summary", key=ADMIN_KEY)
        assert answer.status == 501, answer
        await asyncio.sleep(1)
        opened = [os.readlink(link) for link in pathlib.Path(f"/proc/{running.pid}/fd").iterdir()]
        assert not [path for path in opened if "sqlite" in path or "spool" in path]
    assert not data.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["routes.json", "serve.log"]
