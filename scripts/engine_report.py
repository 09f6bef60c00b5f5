"""The tables of the benchmark of the voice engine, and their place in the document."""

import pathlib

BEGIN = "<!-- engine-bench:begin -->"
END = "<!-- engine-bench:end -->"

# What the engine is to reach.
MOST_WORD_ERRORS = 0.06
FIRST_AUDIO_MS = {"espeak": 1_000, "piper": 1_300}
BASE_MB = 150
# Half of ten minutes at this rate is a megabyte: what the allocator's own hesitation comes to.
MB_PER_MINUTE = 0.2


def document() -> pathlib.Path:
    return pathlib.Path(__file__).resolve().parents[1] / "docs" / "local-engine.md"


def write_into(path: pathlib.Path, text: str) -> None:
    """Replaces what stands between the markers."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"engine-quality: {path} has no place for the tables ({BEGIN} … {END})")
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def verdict(is_met: bool) -> str:
    return "met" if is_met else "**missed**"


def table(head: str, rows: list[list[object]]) -> list[str]:
    columns = head.split(" | ")
    lines = [f"| {head} |", "|" + "---|" * len(columns)]
    return [*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows), ""]


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def megabytes(value: float) -> str:
    return f"{value:.0f} MB"


def tables(report: dict) -> str:
    machine = report["machine"]
    lines = [
        f"Command: `{report['command']}`.",
        "",
        f"{report['date']}, {report['version']} ({report['build']}), {machine['cores']} cores ({machine['model']}), load "
        f"average {machine['load_before']:.2f} before and {machine['load_after']:.2f} after (the run's own load included).",
    ]
    if report["quick"] or not report["optimised"]:
        lines += ["", "**A quick run, or no release build: it shows that the benchmark works, and nothing else.**"]
    lines += ["", *targets(report), *words(report["words"]), *commands(report["commands"]), *latencies(report["latency"]),
              *memories(report), *capacities(report["capacity"])]
    return "\n".join(lines).rstrip()


def targets(report: dict) -> list[str]:
    heard, growth = report["words"], report["growth"]
    after = next(entry for entry in report["memory"] if entry["voice"] == "espeak")["after_first_turn"]["resident"]
    slope = growth["slope_second_half_per_minute"]
    rows = [
        ["word error rate, both voices", percent(heard["rate"]), f"at most {MOST_WORD_ERRORS:.0%}".replace("%", " %"),
         verdict(heard["rate"] <= MOST_WORD_ERRORS)],
    ]
    for voice in dict.fromkeys(command["answered_by"] for command in report["commands"]):
        right = [command["ok"] for command in report["commands"] if command["answered_by"] == voice]
        rows.append([f"spoken commands whose answer, by {voice}, is heard right", f"{sum(right)} of {len(right)}", "all",
                     verdict(all(right))])
    for entry in report["latency"]:
        median, most = entry["first_audio"]["median"], FIRST_AUDIO_MS[entry["voice"]]
        rows.append([f"end of speech to first audio, {entry['voice']}, median", f"{median:,} ms",
                     f"at most {most:,} ms on two free cores", verdict(median <= most)])
    rows += [
        ["resident memory after the first turn, espeak", megabytes(after), f"at most {BASE_MB} MB", verdict(after <= BASE_MB)],
        [f"growth over a conversation of {growth['minutes']:g} minutes, second half", f"{slope:+.2f} MB a minute",
         f"at most {MB_PER_MINUTE:g}", verdict(slope <= MB_PER_MINUTE)],
    ]
    return table("what | measured | target | verdict", rows)


def words(heard: dict) -> list[str]:
    rows = [
        [name, heard["sentences"], voice["words"], voice["errors"], percent(voice["rate"])]
        for name, voice in heard["voices"].items()
    ]
    rows.append(["total", heard["sentences"] * len(rows), heard["words"], heard["errors"], percent(heard["rate"])])
    return [f"Words, recognised in {heard['through']}:", "",
            *table("voice | sentences | words | errors | word error rate", rows)]


def commands(results: list[dict]) -> list[str]:
    rows = []
    for answerer, asker in dict.fromkeys((result["answered_by"], result["asked_by"]) for result in results):
        these = [result for result in results if (result["answered_by"], result["asked_by"]) == (answerer, asker)]
        rows.append([asker, answerer, len(these), sum(result["answer_ok"] for result in these),
                     sum(result["ok"] for result in these)])
    return ["Spoken commands:", "",
            *table("asked by | answered by | commands | answered rightly | and the answer heard rightly", rows)]


def latencies(entries: list[dict]) -> list[str]:
    rows = []
    for entry in entries:
        for key, name in (("speech_stopped", "`speech_stopped`"), ("transcript", "transcript"),
                          ("first_audio", "first audio")):
            times = entry[key]
            rows.append([entry["voice"], entry["turns"], name, f"{times['median']:,}", f"{times['p90']:,}",
                         f"{times['worst']:,}"])
    lag = max(entry["worst_microphone_lag_ms"] for entry in entries)
    return ["From the true end of speech, ms, one session:", "",
            *table("voice | turns | until | median | p90 | worst", rows),
            f"The client's microphone was at most {lag:,} ms late.", ""]


def memories(report: dict) -> list[str]:
    rows = [
        [entry["voice"], *(megabytes(value) for value in (
            entry["idle"]["resident"], entry["after_first_turn"]["resident"], entry["after_first_turn"]["anonymous"],
            entry["largest"]))]
        for entry in report["memory"]
    ]
    growth = report["growth"]
    return [
        "Memory of the process (`VmRSS`, 10^6 bytes):", "",
        *table("voice | idle | after the first turn | of it no file | largest in this run", rows),
        f"The conversation of {growth['minutes']:g} minutes had {growth['turns']} turns ({growth['answered']} answered): "
        f"{growth['first']:.1f} MB at the start, {growth['middle']:.1f} in the middle, {growth['last']:.1f} at the end, "
        f"{growth['largest']:.1f} at most.", "",
    ]


def capacities(entries: list[dict]) -> list[str]:
    rows = []
    for entry in entries:
        first = entry.get("first_audio")
        rows.append([entry["sessions"], entry["turns"], entry["answered"], entry["refused"], entry["otherwise"],
                     *(f"{first[key]:,}" if first else "–" for key in ("median", "worst"))])
    return ["Sessions that ask at the same moment (espeak; end of speech to first audio of those that were answered, ms):",
            "", *table("sessions | turns | answered | refused | failed otherwise | median | worst", rows)]
