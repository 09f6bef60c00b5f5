"""What a session is metered at, against what its client and its provider counted themselves."""

import asyncio
import contextlib

import pytest

from g711 import encoded
from metered import FORMATS, KEYS, Metered, bytes_of, calling, counted, ended, kept
from processes import Gateway
from providers import KINDS
from sound import tone
from spoken import ENVIRONMENT, require_parts
from upstream_record import read

ODD_SIZES = [333, 4_800, 65_536, 7]
TOLERANCE_SECONDS = 0.020
# vowel is fed whole pieces of 4,096 samples: what is a multiple of them needs no silence at its end.
TURNS_MS, RECORDED_MS = (1_536, 1_024), 512


@pytest.fixture(scope="module")
def metered(tmp_path_factory):
    running = Metered(tmp_path_factory.mktemp("metered"))
    yield running
    running.stop()


def sound(kind: str, milliseconds: int) -> bytes:
    audio = tone(220, milliseconds)
    return audio if kind == "audio/pcm" else encoded(audio, kind)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("provider", KINDS)
async def test_the_meter_and_the_stand_in_agree_within_20_ms_in_both_directions(metered, provider, kind):
    before = metered.connections()
    async with calling(metered.gateway, provider) as caller:
        await caller.configure(kind)
        assert set(caller.formats.values()) == {kind}
        for milliseconds in TURNS_MS:
            await caller.turn(sound(kind, milliseconds), ODD_SIZES)
        await caller.recorded(sound(kind, RECORDED_MS))
    event = await ended(metered.gateway, caller.id)
    seconds = counted(read(metered.quick.record), metered.connections() - before)
    assert event["audio_input"]["seconds"] == pytest.approx(seconds["heard"], abs=TOLERANCE_SECONDS)
    assert event["audio_output"]["seconds"] == pytest.approx(seconds["spoken"], abs=TOLERANCE_SECONDS)
    assert event["audio_input"]["seconds"] == pytest.approx((sum(TURNS_MS) + RECORDED_MS) / 1000, abs=1e-9)
    assert seconds["spoken"] > 0.9
    # And to the byte with what the client has counted itself.
    assert bytes_of(event["audio_input"]) == caller.sent
    assert bytes_of(event["audio_output"]) == caller.had


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("provider", KINDS)
async def test_bytes_by_format_are_exact_when_an_answer_is_cancelled(metered, provider, kind):
    async with calling(metered.gateway, f"{provider}-slow") as caller:
        await caller.configure(kind)
        # One that is in no turn counts as well: it was taken.
        await caller.append(sound(kind, 700), ODD_SIZES)
        await caller.ask("Tell me a long story.")
        for _ in range(3):
            await caller.until("response.output_audio.delta")
        await caller.send("response.cancel")
        cancelled = await caller.until("response.done")
        assert cancelled["response"]["status"] == "cancelled"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                while True:
                    await caller.next()
    event = await ended(metered.gateway, caller.id)
    assert bytes_of(event["audio_input"]) == caller.sent
    taken_back = sum(part["bytes"] for part in event["audio_output"]["taken_back_formats"])
    assert event["audio_output"]["bytes"] - taken_back == sum(caller.had.values()) > 0
    assert event["responses"] == 1


@pytest.mark.parametrize("provider", ["openai", "azure", "xai"])
async def test_what_is_told_again_after_a_loss_is_metered_once(metered, provider):
    async with calling(metered.gateway, f"{provider}-slow") as caller:
        await caller.configure("audio/pcm")
        await caller.turn(sound("audio/pcm", TURNS_MS[0]), ODD_SIZES)
        # Said into an answer that is paced and breaks off, so that the next connection has to hear it again.
        await caller.ask("drop the line while you speak")
        await caller.append(sound("audio/pcm", TURNS_MS[1]), ODD_SIZES)
        await caller.until("response.done", accept_errors=True)
        # The service may have lost what nobody has written down, and the client is told so.
        await caller.turn(sound("audio/pcm", RECORDED_MS), ODD_SIZES, accept_errors=True)
    event = await ended(metered.gateway, caller.id)
    assert bytes_of(event["audio_input"]) == caller.sent
    assert bytes_of(event["audio_output"]) == caller.had
    record = read(metered.slow.record)
    own = record.connections(KINDS[provider].service, lambda message: "drop the line" in str(message))
    heard = counted(record, set(range(min(own), max(record.heads) + 1)))["heard"]
    assert heard > event["audio_input"]["seconds"] + 0.4, "nothing was told again: this proves nothing"


async def test_R040_two_sessions_of_different_length_are_two_events(metered):
    async def last(seconds: float) -> dict:
        async with calling(metered.gateway, "openai") as caller:
            await asyncio.sleep(seconds)
        return await ended(metered.gateway, caller.id)

    short, long = await asyncio.gather(last(3), last(5))
    assert short["id"] != long["id"]
    assert short["seconds"] == pytest.approx(3, abs=0.2) and long["seconds"] == pytest.approx(5, abs=0.2)
    for event in (short, long):
        assert event["minutes"] == pytest.approx(event["seconds"] / 60, abs=1e-12)


@pytest.mark.parametrize("provider", ["gemini", "openai"])
async def test_R285_one_record_has_minutes_tokens_and_names(metered, provider):
    async with calling(metered.gateway, provider) as caller:
        await caller.configure("audio/pcm")
        await caller.turn(sound("audio/pcm", 800), ODD_SIZES)
        usage = caller.history[-1]["response"]["usage"]
    event = await ended(metered.gateway, caller.id)
    assert event["minutes"] > 0 and event["responses"] == 1
    assert event["tokens"]["total"] == usage["total_tokens"] > 0
    said = usage["output_token_details"]
    assert event["tokens"]["output"] == {"text": said["text_tokens"], "audio": said["audio_tokens"]}
    read_in = usage["input_token_details"]
    assert event["tokens"]["input"]["audio"] == read_in["audio_tokens"]
    assert event["tokens"]["estimated"] is False
    assert (event["provider"], event["kind"]) == (provider, KINDS[provider].kind)
    assert event["model"] == KINDS[provider].model
    assert (event["key"], event["app"], event["mode"]) == ("server", "default", "managed_inference")
    assert event["key_id"].startswith("key_") and event["token_id"] is None
    assert event["modality"] == "voice_realtime"
    assert event["started_at"] < event["ended_at"] and event["end"]
    assert event["sequence"] >= 1 and event["instance"]


@pytest.mark.parametrize("kind", FORMATS)
async def test_the_engine_of_the_process_is_metered_as_its_client_counts(tmp_path, kind):
    require_parts()
    routes = {"default": "local", "providers": {"local": {"kind": "local"}}, **kept(tmp_path)}
    gateway = Gateway(tmp_path, routes, {**ENVIRONMENT, **KEYS})
    gateway.await_ready()
    try:
        async with calling(gateway, None) as caller:
            await caller.configure(kind)
            await caller.append(sound(kind, 700), ODD_SIZES)
            await caller.ask("Hello.")
            await caller.until("response.done")
        event = await ended(gateway, caller.id)
    finally:
        assert gateway.stop() == 0
    assert bytes_of(event["audio_input"]) == caller.sent
    assert bytes_of(event["audio_output"]) == caller.had and caller.had[kind] > 0
    assert event["mode"] == "local" and event["tokens"]["estimated"] is True
