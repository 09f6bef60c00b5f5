"""`GET /metrics`: what Prometheus reads, held to its own checker, after a run that has something of everything."""

import asyncio
import contextlib
import json
import re
import shutil
import subprocess
import urllib.parse

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from asking import ADMIN_KEY, ask, parley
from processes import Gateway, free_port, provider
from providers import GEMINI_MODEL, OPENAI_MODEL

SAMPLE = re.compile(r"(?P<name>[a-z_]+)(\{(?P<labels>.*)\})? (?P<value>\S+)")
LABEL = re.compile(r'(?P<name>[a-z_]+)="(?P<value>(?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SUFFIXES = ("_bucket", "_sum", "_count")
PROMTOOL = shutil.which("promtool")


class Page:
    """The page, read line by line as strictly as its format is described."""

    def __init__(self, text: str):
        self.text = text
        self.kinds: dict[str, str] = {}
        self.samples: dict[tuple[str, frozenset], float] = {}
        assert text.endswith("\n") and "\n\n" not in text
        for line in text.splitlines():
            if line.startswith("# HELP "):
                assert len(line.split(" ", 3)[3]) > 3, line
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name not in self.kinds, f"{name} is there twice"
                self.kinds[name] = kind
                current = name
            else:
                sample = SAMPLE.fullmatch(line)
                assert sample, line
                assert sample["name"] in [current, *(current + suffix for suffix in SUFFIXES)], line
                labels = [(label["name"], label["value"]) for label in LABEL.finditer(sample["labels"] or "")]
                assert "".join(f'{name}="{value}",' for name, value in labels).rstrip(",") == (sample["labels"] or "")
                key = (sample["name"], frozenset(labels))
                assert key not in self.samples, f"{line} is there twice"
                self.samples[key] = float(sample["value"])

    def value(self, name: str, **labels: str) -> float | None:
        return self.samples.get((name, frozenset(labels.items())))

    def check_histograms(self) -> int:
        """Buckets rise, the infinite one is the count. Returns how many histograms have counted something."""
        counts = {key: value for key, value in self.samples.items() if key[0].endswith("_count")}
        for (name, labels), count in counts.items():
            base = name.removesuffix("_count")
            if self.kinds.get(base) != "histogram":
                continue
            buckets = [
                (float(dict(found)["le"]), value)
                for (sample, found), value in self.samples.items()
                if sample == f"{base}_bucket" and found - {("le", dict(found)["le"])} == labels
            ]
            assert [bound for bound, _ in buckets] == sorted(bound for bound, _ in buckets), base
            rising = [value for _, value in buckets]
            assert rising == sorted(rising) and buckets[-1] == (float("inf"), count), base
            assert (f"{base}_sum", labels) in self.samples
        return len([key for key, value in counts.items() if value])


def read(gateway: Gateway, **options) -> Page:
    answer = ask(gateway, "GET", "/metrics", **options)
    assert answer.status == 200, answer
    assert answer.headers["content-type"].replace(" ", "") == "text/plain;version=0.0.4;charset=utf-8"
    return Page(answer.body.decode())


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, standin):
    providers = {
        "openai": provider("openai", standin.ports["openai"], OPENAI_MODEL),
        "gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL),
        "dead": provider("openai", free_port(), OPENAI_MODEL),
    }
    running = Gateway(
        tmp_path_factory.mktemp("metrics"), {"default": "openai", "providers": providers},
        {"ENGINE_API_KEY": ADMIN_KEY},
    )  # fmt: skip
    running.await_ready()
    yield running
    assert running.stop() == 0


async def talk(gateway: Gateway, name: str, says: list[dict], until: str) -> None:
    async with connect(f"{gateway.ws}/v1/realtime?provider={name}") as socket:
        for event in says:
            await socket.send(json.dumps(event))
        async for message in socket:
            if json.loads(message)["type"] == until:
                return


TURN = [
    {"type": "conversation.item.create", "item": {
        "type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}},
    {"type": "response.create"},
]  # fmt: skip


def promtool_says(page: str) -> str:
    """What `promtool check metrics` has to say; nothing if all is well."""
    assert PROMTOOL
    check = subprocess.run([PROMTOOL, "check", "metrics"], input=page, capture_output=True, text=True, timeout=30)
    return check.stdout + check.stderr + ("" if check.returncode == 0 else f"exit code {check.returncode}")


async def test_R120_the_page_before_the_first_session(gateway):
    page = read(gateway)
    assert "realtime_sessions" in page.text and page.kinds["parley_realtime_sessions"] == "gauge"
    assert page.kinds["parley_sessions_total"] == "counter"
    assert page.value("parley_log_lines_dropped_total") == 0
    for name in ("process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"):
        assert (page.value(name) or 0) > 0, name
    assert [value for (name, _), value in page.samples.items() if name == "parley_build_info"] == [1]


async def test_R120_sessions_frames_turns_and_errors_are_counted(gateway):
    await talk(gateway, "openai", TURN, "response.done")
    await talk(gateway, "gemini", TURN, "response.done")
    await talk(gateway, "openai", [{"type": "no.such.event"}], "error")
    await talk(gateway, "dead", [], "error")
    with pytest.raises(InvalidStatus):
        await talk(gateway, "nope", [], "error")
    # A session ends a moment after its client has gone.
    for _ in range(500):
        page = read(gateway)
        if sum(value for (name, _), value in page.samples.items() if name == "parley_sessions_ended_total") == 4:
            break
    assert page.value("parley_sessions_total", provider="openai") == 2
    assert page.value("parley_realtime_sessions", provider="openai") == 0
    assert page.value("parley_turns_total", provider="gemini", outcome="completed") == 1
    assert page.value("parley_errors_total", provider="openai", source="downstream") == 1
    assert page.value("parley_sessions_ended_total", provider="dead", source="upstream") == 1
    assert page.value("parley_turn_first_audio_seconds_count", provider="openai") == 1
    assert page.value("parley_upstream_connect_seconds_count", provider="gemini") == 1
    for leg in ("client", "upstream"):
        for direction in ("in", "out"):
            labels = {"provider": "openai", "leg": leg, "direction": direction}
            assert page.value("parley_frames_total", **labels) > 0, labels
            assert page.value("parley_bytes_total", **labels) > 100, labels
    assert sum(value for (name, _), value in page.samples.items() if name == "parley_sessions_refused_total") == 1
    assert page.check_histograms() >= 6


async def test_R120_every_metric_is_in_the_catalogue_and_its_labels_too(gateway):
    await talk(gateway, "openai", TURN, "response.done")
    printed = parley("reference", "metrics")
    page = read(gateway)
    for name in page.kinds:
        assert f"`{name}`" in printed, name
    rows = dict(re.findall(r"^\| `((?:parley|process)_[a-z_]+)` \| \w+ \| (.*?) \|", printed, re.MULTILINE))
    for name, labels in rows.items():
        assert name in page.kinds, name
        known = set(re.findall(r"`(\w+)`", labels))
        for sample in re.findall(rf"^{name}(?:_bucket|_sum|_count)?\{{(.*?)\}} ", page.text, re.MULTILINE):
            assert set(re.findall(r'(\w+)="', sample)) - {"le"} == known, (name, sample)
    for name in ("parley_turns_total", "parley_turn_first_audio_seconds_count", "parley_frames_total"):
        assert re.search(rf'^{name}\{{.*provider="openai".*\}} [1-9]', page.text, re.MULTILINE), name


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed (Debian package prometheus)")
async def test_R120_promtool_finds_nothing_to_say(gateway):
    await talk(gateway, "gemini", TURN, "response.done")
    assert promtool_says(read(gateway).text) == ""


async def test_fault_row_62_what_a_client_writes_is_in_no_label(gateway):
    hostile = 'evil"} 1\n# TYPE evil counter\nevil{a="'
    target = urllib.parse.quote(hostile, safe="")
    for query in (f"provider={target}", f"model={target}", f"{target}=1"):
        with contextlib.suppress(InvalidStatus, ConnectionClosed, TimeoutError):
            async with asyncio.timeout(2), connect(
                f"{gateway.ws}/v1/realtime?{query}", additional_headers={"User-Agent": "evil", "X-Evil": "evil"}
            ) as socket:
                await socket.recv()
    update = {"type": "session.update", "session": {"type": "realtime", hostile: 1, "instructions": hostile}}
    await talk(gateway, "gemini", [update, {"type": hostile, "event_id": hostile}], "error")
    page = read(gateway)
    assert "evil" not in page.text
