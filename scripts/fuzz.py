#!/usr/bin/env python3
"""Runs the fuzz targets, keeps what they learn and prints a table of it. Started by scripts/fuzz.sh, which has the settings.

What a target learns stays in Fuzz/.build/corpora/TARGET, reduced to what reaches something of its own; a small selection
of it goes to Fuzz/Corpus/TARGET, which the tests replay. A failure is written to Fuzz/.build/failures/TARGET.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
FUZZ = ROOT / "Fuzz"
WORK = pathlib.Path(os.environ.get("FUZZ_WORK") or FUZZ / ".build")
DOCUMENT = ROOT / "docs" / "fuzzing.md"
MARKERS = ("<!-- table: written by scripts/fuzz.py -->", "<!-- end of the table -->")

BINARY = os.environ["FUZZ_BINARY"]
SECONDS = int(os.environ.get("FUZZ_SECONDS") or 600)
JOBS = int(os.environ.get("FUZZ_JOBS") or 2)

# Of the selection for the tests, beside the inputs that were written by hand.
KEPT_INPUTS = 40
KEPT_INPUT_BYTES = 1024
# An input that takes longer is a failure. The machine may be busy.
TIMEOUT = 60


def targets() -> list[str]:
    """The names, as the binary tells them when it is asked for one that there is not."""
    # It ends with a trap, and leaves a file where it runs.
    told = subprocess.run([BINARY], cwd=WORK, env=environment("?"), capture_output=True, text=True, check=False).stderr
    found = re.search(r"not one of: (.*)", told)
    if not found:
        sys.exit(f"fuzz: {BINARY} names no targets: {told}")
    return found[1].split()


def environment(target: str) -> dict[str, str]:
    # The backtrace of a trap takes half a minute; libFuzzer prints one anyway. A process has nothing to leak to.
    return os.environ | {"FUZZ_TARGET": target, "SWIFT_BACKTRACE": "enable=no", "ASAN_OPTIONS": "detect_leaks=0"}


def fuzzer(target: str, *arguments: str, seconds: float | None = None) -> str:
    """Runs the binary; what it printed."""
    process = subprocess.run(
        [BINARY, "-detect_leaks=0", *arguments], env=environment(target), capture_output=True, timeout=seconds, check=False
    )
    return process.stderr.decode(errors="replace")


def merged(target: str, kind: str, *sources: pathlib.Path) -> pathlib.Path:
    """The inputs of the sources that are needed to reach all that they reach, in a new folder."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{target}-"))
    fuzzer(target, f"-{kind}=1", "-timeout=60", str(folder), *(str(source) for source in sources if source.is_dir()))
    return folder


def keep(target: str, corpus: pathlib.Path) -> None:
    """Reduces the corpus, and renews the selection of it that the tests replay."""
    seeds = FUZZ / "Corpus" / target
    reduced = merged(target, "merge", seeds, corpus)
    shutil.rmtree(corpus)
    shutil.move(reduced, corpus)
    for old in seeds.glob("found-*"):
        old.unlink()
    cover = merged(target, "set_cover_merge", seeds, corpus)
    written = {path.read_bytes() for path in seeds.iterdir()}
    before = len(written)
    small = {path.name: content for path in cover.iterdir() if len(content := path.read_bytes()) <= KEPT_INPUT_BYTES}
    # The longer ones reach the most.
    for name in sorted(small, key=lambda name: (-len(small[name]), name)):
        if small[name] not in written and len(written) - before < KEPT_INPUTS:
            written.add(small[name])
            (seeds / f"found-{name[:16]}").write_bytes(small[name])
    shutil.rmtree(cover)


def run(target: str) -> dict[str, object]:
    corpus = WORK / "corpora" / target
    failures = WORK / "failures" / target
    for folder in (corpus, failures):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(failures.iterdir())
    started = time.monotonic()
    log = fuzzer(
        target,
        f"-max_total_time={SECONDS}",
        "-print_final_stats=1",
        "-rss_limit_mb=4096",
        "-malloc_limit_mb=1024",
        "-max_len=8192",
        f"-timeout={TIMEOUT}",
        f"-artifact_prefix={failures}/",
        str(corpus),
        str(FUZZ / "Corpus" / target),
    )
    seconds = time.monotonic() - started
    (WORK / f"{target}.log").write_text(log)
    new = sorted(path.name for path in set(failures.iterdir()) - before)
    keep(target, corpus)
    executed = re.findall(r"^stat::number_of_executed_units:\s+(\d+)|^#(\d+)\s", log, re.MULTILINE)
    reached = re.findall(r"cov: (\d+) ft: (\d+)", log)
    if not executed or not reached:
        sys.exit(f"fuzz: {target} has not run:\n{log[-2000:]}")
    sizes = [path.stat().st_size for path in corpus.iterdir()]
    return {
        "target": target,
        "executions": max(int(one or other) for one, other in executed),
        "seconds": round(seconds),
        "edges": int(reached[-1][0]),
        "features": int(reached[-1][1]),
        "corpus": f"{len(sizes)} ({round(sum(sizes) / 1024)} KiB)",
        "failures": new,
    }


def table(rows: list[dict[str, object]]) -> str:
    lines = [
        "| target | executions | seconds | edges | features | corpus | crashes |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        lines.append(
            f"| `{row['target']}` | {row['executions']:,} | {row['seconds']} | {row['edges']:,} | {row['features']:,} "
            f"| {row['corpus']} | {len(row['failures'])} |"
        )
    return "\n".join(lines)


def write(text: str) -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    start, end = (document.index(marker) for marker in MARKERS)
    command = f"`FUZZ_SECONDS={SECONDS} FUZZ_JOBS={JOBS} make fuzz`"
    body = f"{MARKERS[0]}\n{command} on {time.strftime('%Y-%m-%d')}:\n\n{text}\n"
    DOCUMENT.write_text(document[:start] + body + document[end:], encoding="utf-8")


def main() -> int:
    every = targets()
    chosen = os.environ.get("FUZZ_TARGETS", "").split() or every
    unknown = set(chosen) - set(every)
    if unknown:
        sys.exit(f"fuzz: no such target: {' '.join(sorted(unknown))}; there are {' '.join(every)}")
    rows = []
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for row in pool.map(run, chosen):
            rows.append(row)
            print(f"fuzz: {row['target']}: {row['executions']:,} executions, {len(row['failures'])} crashes", flush=True)
    print(table(rows))
    if chosen == every:
        write(table(rows))
    failures = [f"{row['target']}/{name}" for row in rows for name in row["failures"]]
    for name in failures:
        print(f"fuzz: {WORK}/failures/{name}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
