"""Spoken commands, judged by ear: the audio of each answer is recognised again, by another session."""

import asyncio
import datetime
import re

import pytest

from conversation import assert_legal, audio_of, conversation
from g711 import decoded, encoded
from spoken import LEAD, PAUSE, VOICES, has, hear, heard, said, speech, update
from sound import silence

TODAY = datetime.datetime.now(datetime.timezone.utc)

# The clock tells something else each minute, and not every minute is understood: its hour, its minutes or the half of
# the day must be.
SAME_TIME = "the same time"
HOURS = "one two three four five six seven eight nine ten eleven twelve".split()
SOUNDS_LIKE = {"2": ("to", "too"), "3": ("free",), "4": ("for",), "8": ("ate", "date")}

# Who says what, and what the answer must have: of each tuple one. The recogniser is a small one and its voices are
# synthetic: what both understand of one another was found by trying.
COMMANDS = [
    ("en-us", "What time is it?", [(SAME_TIME,)]),
    ("en-us", "Please tell me today's date.", [("today is",), (f"{TODAY:%B}", f"{TODAY:%A}", f"{TODAY:%Y}")]),
    # "Eight is fifty-six" is heard as a year.
    ("en-us", "Please calculate seven times eight.", [("56", "fifty six", "1856", "1956")]),
    ("en-gb", "What is twelve plus thirty?", [("42", "forty two")]),
    ("en-us", "How do you spell Monday?", [("m o n d a y", "monday")]),
    ("en-gb", "Count to five.", [("1 2 3 4 5", "one two three four five")]),
    ("en-us", "Repeat after me, good morning everybody.", [("good morning everybody",)]),
    ("en-gb", "I need help.", [("the time",), ("the date",), ("flip a coin",)]),
    ("en-us", "Who are you?", [("rules",), ("language model",)]),
    ("en-gb", "Flip a coin.", [("heads", "head's", "tails", "tales")]),
]


def is_heard(text: str, answer: str, alternatives: tuple[str, ...]) -> bool:
    if SAME_TIME not in alternatives:
        return has(text, *alternatives)
    hour, minute, half = re.search(r"(\d+):(\d+) ([AP]M)", answer).groups()
    figures = "".join(re.findall(r"\d", text))
    return (
        figures.startswith(hour)
        or figures.endswith(minute)
        or re.search(rf"\b\d*{half[0]}[ .]?M\b", text, re.IGNORECASE) is not None
        or has(text, HOURS[int(hour) - 1], *SOUNDS_LIKE.get(hour, ()))
    )


async def command(engine, voice: str, sentence: str, expected: list[tuple[str, ...]]) -> None:
    async with conversation(engine, None) as talk:
        # The pace that the recogniser likes best.
        await update(talk, audio={"output": {"speed": 1.1}})
        await talk.append(speech(sentence, voice) + PAUSE)
        events = await talk.until("response.done")
    assert_legal(events)
    assert events[-1]["response"]["status"] == "completed"
    attempts = []
    # What is told differs from minute to minute, so the ear may listen more than once.
    for lead in (300, 100, 500):
        attempts.append(await hear(engine, audio_of(events), silence(lead)))
        if all(is_heard(attempts[-1], said(events), alternatives) for alternatives in expected):
            return
    pytest.fail(
        f"{sentence!r} in {voice} was understood as {heard(events)!r} and answered with {said(events)!r}, "
        f"and that was heard as {attempts}"
    )


@pytest.mark.deadline(60)
@pytest.mark.parametrize("voice", VOICES)
async def test_R048_R132_the_answers_to_ten_spoken_commands_are_heard_right(engine, voice):
    # Side by side, because an answer is sent hardly faster than it is spoken.
    assert len(COMMANDS) == 10
    await asyncio.gather(*(command(engine, *row) for row in COMMANDS if row[0] == voice))


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
async def test_a_telephone_speaks_and_hears_g711(engine, kind):
    async with conversation(engine, None) as talk:
        session = await update(talk, audio={"input": {"format": {"type": kind}}, "output": {"format": {"type": kind}}})
        assert session["audio"]["input"]["format"] == session["audio"]["output"]["format"] == {"type": kind}
        audio = encoded(LEAD + speech("Repeat after me, good morning everybody."), kind)
        await talk.append(audio + encoded(silence(1_000), kind), chunk_bytes=160)
        events = await talk.until("response.done")
        assert_legal(events)
        assert events[-1]["response"]["audio"]["output"]["format"] == {"type": kind}
    answer = decoded(audio_of(events, sample_bytes=1), kind)
    assert has(await hear(engine, answer), "good morning everybody")
