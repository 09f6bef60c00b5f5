"""What keeps a call cheap, by the meter; and that languages are the models' affair."""

import asyncio

import pytest

from conversation import audio_of, conversation, of_type
from metered import Metered, calling, ended, events
from providers import KINDS, STANDINS
from upstream_record import await_record

CAP = 123
STORY_SECONDS = 10
# It has no such setting, and the session says so.
UNCAPPED = {"xai"}
SCRIPTS = {
    "Latin": "Grüße, ça va? Þú ert góð, Łódź, Việt Nam",
    "Cyrillic": "Широка страна моя родная",
    "Greek": "Ἐν ἀρχῇ ἦν ὁ λόγος",
    "Arabic": "السلام عليكم ورحمة الله",
    "Hebrew": "שָׁלוֹם עֲלֵיכֶם",
    "Devanagari": "नमस्ते दुनिया क्षत्रिय",
    "Tamil": "வணக்கம் உலகம்",
    "Thai": "สวัสดีชาวโลก",
    "Han": "天地玄黃，宇宙洪荒。𠮷野家",
    "Kana": "いろはにほへと チリヌルヲ",
    "Hangul": "동해 물과 백두산이 마르고",
    "Amharic": "ሰላም ለዓለም",
    "Cherokee": "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ",
    "Emoji": "👩🏽‍🚀👨‍👩‍👧‍👦 🏳️‍🌈 ☺️",
    "Decomposed": "e\u0301 a\u0308 \u1100\u1161\u11a8",
    "Controls": "a\u200bb\u200fc\u2028d\u00ade\ufefff",
    "Escapes": '"quoted" \\back\\ /slash/ \t<&>\u007f',
    "Mixed": "Hello, мир — 你好 🌍 \u202eabc\u202c",
}


@pytest.fixture(scope="module")
def metered(tmp_path_factory):
    running = Metered(tmp_path_factory.mktemp("cost"))
    yield running
    running.stop()


def holds_cap(value) -> bool:
    """Whether a message names the cap, in whatever vocabulary."""
    if isinstance(value, dict):
        names = ("max_output_tokens", "max_response_output_tokens", "maxOutputTokens")
        return any(value.get(name) == CAP for name in names) or any(map(holds_cap, value.values()))
    return any(map(holds_cap, value)) if isinstance(value, list) else False


@pytest.mark.parametrize("provider", STANDINS)
async def test_R163_R271_a_cap_reaches_the_provider_and_a_cancel_stops_the_meter(metered, provider):
    async with calling(metered.gateway, f"{provider}-slow") as caller:
        await caller.send("session.update", session={"type": "realtime", "max_output_tokens": CAP})
        shown = (await caller.until("session.updated"))["session"]["max_output_tokens"]
        await caller.ask("Tell me a long story.")
        for _ in range(3):
            await caller.until("response.output_audio.delta")
        if shown == CAP:
            service = KINDS[provider].service
            record = await_record(metered.slow.record, lambda record: any(map(holds_cap, record.received(service))))
            assert any(map(holds_cap, record.received(service)))
        else:
            assert provider in UNCAPPED and shown == "inf"
        await caller.send("response.cancel")
        assert (await caller.until("response.done"))["response"]["status"] == "cancelled"
        # The meter of the live session stands still from here on.
        await asyncio.sleep(1.2)
        first = events(metered.gateway)[caller.id]
        await asyncio.sleep(1.2)
        second = events(metered.gateway)[caller.id]
        assert first["state"] == second["state"] == "live" and second["sequence"] > first["sequence"]
        assert first["audio_output"] == second["audio_output"] and first["tokens"] == second["tokens"]
        assert 0 < second["audio_output"]["seconds"] < STORY_SECONDS / 2
        assert second["seconds"] > first["seconds"] + 0.3, "the time of the call goes on"
    assert (await ended(metered.gateway, caller.id))["audio_output"] == second["audio_output"]


@pytest.mark.parametrize("provider", STANDINS)
async def test_R164_text_of_many_scripts_passes_byte_for_byte(gateway, standin, provider):
    async with conversation(gateway, provider) as talk:
        for script, text in SCRIPTS.items():
            said = f"{script}: {text}."
            events = await talk.text_turn(said)
            spoken = "".join(event["delta"] for event in of_type(events, "response.output_audio_transcript.delta"))
            assert spoken == f"You said: {said}", script
            assert of_type(events, "response.output_audio_transcript.done")[0]["transcript"] == spoken
            assert audio_of(events)
    service = KINDS[provider].service
    told = await_record(
        standin.record, lambda record: all(heard(record, service, script) for script in SCRIPTS)
    )
    for script in SCRIPTS:
        assert heard(told, service, script), f"{script} did not reach the provider as it was typed"


def heard(record, service: str, script: str) -> bool:
    said = f"{script}: {SCRIPTS[script]}."
    return any(holds_text(message, said) for message in record.received(service))


def holds_text(value, text: str) -> bool:
    if isinstance(value, dict):
        return any(holds_text(member, text) for member in value.values())
    if isinstance(value, list):
        return any(holds_text(element, text) for element in value)
    return value == text
