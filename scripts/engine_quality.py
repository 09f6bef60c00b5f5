#!/usr/bin/env python3
"""Measures the local voice engine through its WebSocket: words, commands, latency, memory, capacity.

Usage: engine_quality.py [--quick] [--minutes N] [--output FILE]      (scripts/engine-quality.sh prepares what it needs)

Takes $PARLEY_BINARY, else the release build. Prints tables, writes .build/bench/engine-latest.json, and puts the tables
into docs/local-engine.md if it was a complete run of a release build. Exits with 1 if something could not be measured or
an answer was wrong; a target that was missed is printed and is no failure of the run.
"""

import argparse
import asyncio
import datetime
import functools
import json
import os
import pathlib
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from engine_report import document, tables, write_into
from engine_speech import ESPEAK, SENTENCES, Voice, end_of_speech, has, silence, spoken, voices, word_errors
from engine_talk import ROOT, Failure, Server, Talk, Turn, serving, talking

TODAY = datetime.datetime.now().astimezone()

# What is said, and what the spoken answer must have, heard again: of each tuple one.
COMMANDS = (
    ("What time is it?", [("it is", "it's"), ("am", "pm")]),
    ("What is today's date?", [("today is",), (f"{TODAY:%B}", f"{TODAY + datetime.timedelta(days=1):%B}")]),
    ("What is seven times eight?", [("56",)]),
    ("What is twelve plus thirty?", [("42",)]),
    ("Spell the word cat.", [("c a t", "cat")]),
    ("Count to five.", [("1 2 3 4 5", "12345")]),
    ("Repeat after me: the weather is nice today.", [("the weather is nice today",)]),
    ("What can you do?", [("time",), ("arithmetic",), ("coin",)]),
    ("Who are you?", [("responder",), ("language model",)]),
    ("Flip a coin.", [("heads", "head's", "tails", "tales")]),
)

# Short questions with short answers, so that many turns fit into the time.
QUESTIONS = (
    "What is seven times eight?",
    "What time is it?",
    "What is twelve plus thirty?",
    "Flip a coin.",
    "What day is it today?",
    "Spell the word cat.",
    "How much is ninety minus four?",
    "Roll the dice.",
)


@functools.cache
def measured(sentence: str, voice: Voice = ESPEAK) -> tuple[str, bytes, float]:
    audio = spoken(sentence, voice)
    return sentence, audio, end_of_speech(audio)


# MARK: The five measurements


async def word_error_rate(server: Server, count: int) -> dict:
    """Sentences through detected turns, without answers."""
    result = {"sentences": count, "through": "detected turns (server_vad, 550 ms)", "voices": {}}
    for voice in voices():
        errors = total = 0
        wrong = []
        async with talking(server, microphone=False) as talk:
            detection = {**talk.session["audio"]["input"]["turn_detection"], "create_response": False}
            await talk.update(audio={"input": {"turn_detection": detection}})
            for sentence in SENTENCES[:count]:
                heard = await talk.recognise_turns(silence(0.5) + spoken(sentence, voice) + silence(1))
                found, length = word_errors(sentence, heard)
                errors, total = errors + found, total + length
                if found:
                    wrong.append({"said": sentence, "heard": heard, "errors": found})
        result["voices"][voice.name] = {"errors": errors, "words": total, "rate": errors / total, "wrong": wrong}
    errors = sum(voice["errors"] for voice in result["voices"].values())
    total = sum(voice["words"] for voice in result["voices"].values())
    return {**result, "errors": errors, "words": total, "rate": errors / total}


async def commands(server: Server, count: int) -> list[dict]:
    """Spoken commands; each answer's audio is recognised by another session, as a recorded item."""
    results = []
    for voice in voices():
        async with talking(server, microphone=True) as talk, talking(server, microphone=False) as listener:
            for sentence, expected in COMMANDS[:count]:
                turn = await talk.ask(*measured(sentence, voice))
                # A recording of somebody does not begin with the first sound.
                heard = await listener.recognise_item(silence(0.3) + turn.audio) if turn.audio else ""
                missing = [alternatives[0] for alternatives in expected if not has(heard, *alternatives)]
                results.append({
                    "asked_by": voice.name, "answered_by": server.voice, "said": sentence,
                    "understood": turn.understood, "answer": turn.answer, "heard": heard, "missing": missing,
                    "answer_ok": turn.is_answered and all(has(turn.answer, *words) for words in expected),
                    "ok": turn.is_answered and not missing,
                })
    return results


async def latency(server: Server, count: int) -> dict:
    """Questions in real time, one after another, in one session."""
    turns = []
    async with talking(server, microphone=True) as talk:
        for number in range(count):
            turn = await talk.ask(*measured(QUESTIONS[number % len(QUESTIONS)]))
            if not turn.is_answered:
                raise Failure(f"no answer to {turn.question!r}: {turn.status} {turn.code or ''}")
            turns.append(turn)
        lag = talk.worst_lag
    return {"voice": server.voice, "turns": count, "worst_microphone_lag_ms": milliseconds(lag), **stages(turns)}


def stages(turns: list[Turn]) -> dict:
    """From the true end of speech, milliseconds."""
    return {
        name: {"median": percentile(values, 50), "p90": percentile(values, 90), "worst": milliseconds(max(values))}
        for name, values in (
            ("speech_stopped", [turn.stopped for turn in turns if turn.stopped is not None]),
            ("transcript", [turn.transcribed for turn in turns if turn.transcribed is not None]),
            ("first_audio", [turn.sounded for turn in turns if turn.sounded is not None]),
        )
        if values
    }


async def first_turn(server: Server) -> dict:
    """Memory before and after the first turn; the turn also warms everything up that is measured next."""
    await asyncio.sleep(2)
    idle = server.memory()
    async with talking(server, microphone=True) as talk:
        turn = await talk.ask(*measured(QUESTIONS[0]))
        if not turn.is_answered:
            raise Failure(f"no answer to the first question: {turn.status} {turn.code or ''}")
        after = server.memory()
    return {"voice": server.voice, "idle": idle, "after_first_turn": after,
            "first_turn_first_audio_ms": milliseconds(turn.sounded or 0)}


async def growth(server: Server, minutes: float) -> dict:
    """One conversation of the given length; resident memory every second."""
    samples: list[tuple[float, float]] = []
    started = time.monotonic()

    async def watch() -> None:
        while True:
            samples.append((time.monotonic() - started, server.memory()["resident"]))
            await asyncio.sleep(1)

    watcher = asyncio.create_task(watch())
    order = random.Random(1)
    answered = asked = 0
    try:
        async with talking(server, microphone=True) as talk:
            while time.monotonic() - started < minutes * 60:
                # Some sentences are no commands: they are reflected, which are longer answers.
                sentence = order.choice([command for command, _ in COMMANDS] + list(SENTENCES[:10]))
                turn = await talk.ask(*measured(sentence))
                asked, answered = asked + 1, answered + turn.is_answered
    finally:
        watcher.cancel()
    duration = samples[-1][0]
    half = [sample for sample in samples if sample[0] >= duration / 2]
    return {
        "minutes": round(duration / 60, 2), "turns": asked, "answered": answered,
        "first": samples[0][1], "middle": half[0][1], "last": samples[-1][1],
        "largest": max(resident for _, resident in samples),
        "slope_second_half_per_minute": slope(half) * 60,
        "samples": [[round(at, 1), round(resident, 2)] for at, resident in samples],
    }


async def capacity(server: Server, sessions: int, rounds: int) -> dict:
    """Sessions that all ask at the same moment."""
    turns: list[Turn] = []

    async def one(start: asyncio.Barrier) -> None:
        async with talking(server, microphone=True) as talk:
            for _ in range(rounds):
                await start.wait()
                turns.append(await talk.ask(*measured(QUESTIONS[0])))

    measured(QUESTIONS[0])
    start = asyncio.Barrier(sessions)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(sessions):
                group.create_task(one(start))
    except ExceptionGroup as failures:
        # The others failed because of the first.
        raise failures.exceptions[0] from None
    answered = [turn for turn in turns if turn.is_answered]
    refused = sum(turn.is_refused for turn in turns)
    return {"sessions": sessions, "turns": len(turns), "answered": len(answered), "refused": refused,
            "otherwise": len(turns) - len(answered) - refused, **stages(answered)}


# MARK: Numbers


def milliseconds(seconds: float) -> int:
    return round(seconds * 1_000)


def percentile(values: list[float], share: int) -> int:
    """The smallest value that at least this share of the values does not exceed; the median as usual."""
    if share == 50:
        return milliseconds(statistics.median(values))
    ordered = sorted(values)
    return milliseconds(ordered[max(0, -(-len(ordered) * share // 100) - 1)])


def slope(samples: list[tuple[float, float]]) -> float:
    """Least squares, per second."""
    if len(samples) < 2:
        return 0.0
    return statistics.linear_regression([at for at, _ in samples], [value for _, value in samples]).slope


# MARK: The run


def machine() -> dict:
    model = next(
        (line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")), platform.machine())
    return {"cores": len(os.sched_getaffinity(0)), "model": model, "load_before": os.getloadavg()[0]}


def binary() -> pathlib.Path:
    path = pathlib.Path(os.environ.get("PARLEY_BINARY") or ROOT / ".build-release" / "release" / "parley").resolve()
    if not os.access(path, os.X_OK):
        raise Failure(f"{path} is not there: make build")
    return path


async def run(arguments: argparse.Namespace, folder: pathlib.Path) -> dict:
    quick = arguments.quick
    minutes = arguments.minutes if arguments.minutes is not None else (0.5 if quick else 10)
    path = binary()
    report = {
        "command": " ".join(["make engine-bench"] if len(sys.argv) == 1 else ["scripts/engine-quality.sh", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "version": subprocess.run([path, "version"], capture_output=True, text=True, check=True).stdout.strip(),
        "build": "release" if "release" in path.parts else "debug or unknown",
        "quick": quick, "machine": machine(), "memory": [], "commands": [], "latency": [], "capacity": [],
    }
    report["optimised"] = report["build"] == "release"

    def step(text: str) -> None:
        print(f"… {text}", file=sys.stderr, flush=True)

    for voice in ("espeak", "piper"):
        step(f"{voice}: memory and first turn")
        async with serving(path, folder / voice, voice) as server:
            async with talking(server, microphone=False) as talk:
                engine = talk.session["engine"]
            wanted = {"vad": "silero", "stt": "whisper tiny.en", "llm": "rules", "tts": voice}
            if any(not engine[stage].startswith(label) for stage, label in wanted.items()) or "degraded" in engine:
                raise Failure(f"the engine is not complete (make setup): {json.dumps(engine)}")
            report.setdefault("engine", {})[voice] = engine
            report["memory"].append(await first_turn(server))
            if voice == "espeak":
                step("words")
                report["words"] = await word_error_rate(server, 5 if quick else len(SENTENCES))
            step(f"{voice}: commands")
            report["commands"] += await commands(server, 2 if quick else len(COMMANDS))
            step(f"{voice}: latency")
            report["latency"].append(await latency(server, 4 if quick else 24))
            if voice == "espeak":
                for sessions in (1, 4) if quick else (1, 2, 4, 8):
                    step(f"{sessions} sessions at once")
                    report["capacity"].append(await capacity(server, sessions, 1 if quick else 3))
            report["memory"][-1]["largest"] = server.memory()["peak"]
    step(f"a conversation of {minutes:g} minutes")
    async with serving(path, folder / "growth", "espeak") as server:
        report["growth"] = await growth(server, minutes)
    report["machine"]["load_after"] = os.getloadavg()[0]
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two minutes, to see that it works; writes no document")
    parser.add_argument("--minutes", type=float, help="of the conversation whose memory is watched (10; quick: 0.5)")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / ".build" / "bench" / "engine-latest.json")
    arguments = parser.parse_args()
    # What was started is ended by the `finally` of its owner.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory() as folder:
            report = asyncio.run(run(arguments, pathlib.Path(folder)))
    except Failure as failure:
        print(f"engine-quality: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(tables(report))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"Figures: {arguments.output}")
    if not report["quick"] and report["optimised"] and arguments.minutes is None:
        write_into(document(), tables(report))
        print(f"Tables: {document()}")
    else:
        print("docs/local-engine.md is left as it is: only a complete run of a release build is written there.")
    wrong = [command for command in report["commands"] if not command["ok"]]
    for command in wrong:
        print(f"engine-quality: wrong answer: {json.dumps(command)}", file=sys.stderr)
    unanswered = report["growth"]["turns"] - report["growth"]["answered"]
    if unanswered:
        print(f"engine-quality: {unanswered} turns of the conversation were not answered", file=sys.stderr)
    return 1 if wrong or unanswered else 0


if __name__ == "__main__":
    sys.exit(main())
