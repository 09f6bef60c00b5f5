"""Starts and stops the real binary: `parley standin` and `parley serve` on free ports, with a routes.json of the tests."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("PARLEY_BINARY", ROOT / ".build" / "debug" / "parley"))

# What the operator of the test server asks refused users to do; R172 looks for it.
CONTACT = "Ask the voice desk: voice-desk@example.com"
STANDIN_KEY = "stand-in-key-0123456789"
READY_WITHIN_SECONDS = 30.0
# What `parley standin` plays.
SERVICES = ("gemini", "openai", "azure", "xai", "inworld", "vowel")


_given: set[int] = set()


def free_port() -> int:
    """A port that was free a moment ago, and that nobody was given before: the system may choose one twice."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


class Process:
    """A running program, parley unless another is named, whose output goes to a file."""

    def __init__(
        self,
        arguments: list[str],
        log: pathlib.Path,
        environment: dict[str, str] | None = None,
        program: pathlib.Path = BINARY,
    ):
        self.log = log
        self._file = log.open("wb")
        self._process = subprocess.Popen(
            [str(program), *arguments],
            stdout=self._file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def await_ready(self, is_ready) -> None:
        """Polls until `is_ready()` holds; fails with the process's own output if it ends or the deadline passes."""
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not is_ready():
            code = self._process.poll()
            if code is not None or time.monotonic() > deadline:
                what = f"ended with exit code {code}" if code is not None else "did not become ready"
                raise AssertionError(f"{self._process.args} {what}:\n{self.log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.02)

    def await_end(self, seconds: float) -> None:
        """Waits until it has ended by itself."""
        self._process.wait(seconds)

    def stop(self) -> int:
        """Asks it to end, and returns its exit code."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._file.close()
        return self._process.returncode


def accepts_connections(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def is_healthy(port: int) -> bool:
    with contextlib.suppress(urllib.error.URLError, OSError):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
            return answer.status == 200
    return False


class StandIn:
    """One `parley standin`: a service of each kind, and the record of what they received and sent."""

    def __init__(self, folder: pathlib.Path, name: str, options: list[str] | None = None):
        self.ports = {service: free_port() for service in SERVICES}
        self.record = folder / f"{name}.jsonl"
        listening = [text for service in SERVICES for text in (f"--{service}-port", str(self.ports[service]))]
        self._process = Process(
            ["standin", *listening, "--record", str(self.record), *(options or [])], folder / f"{name}.log"
        )

    def await_ready(self) -> None:
        for port in self.ports.values():
            self._process.await_ready(lambda: accepts_connections(port))

    def stop(self) -> int:
        return self._process.stop()


class Gateway:
    """One `parley serve` with a routes.json of the tests and an environment of its own."""

    # Of those that have a runtime file elsewhere there is none.
    _runtime: tempfile.TemporaryDirectory | None = None

    def __init__(
        self,
        folder: pathlib.Path,
        routes: dict,
        environment: dict[str, str] | None = None,
        arguments: list[str] | None = None,
    ):
        self.port = free_port()
        # Nothing is written beside the tests' own folders unless a test asks for it.
        routes = {"listen": [{"host": "127.0.0.1", "port": self.port}], "ledger": "none", **routes}
        # It is watched: another server's file is not written over.
        file = folder / "routes.json"
        if file.exists():
            file = folder / f"routes-{self.port}.json"
        file.write_text(json.dumps(routes, indent=2))
        self.file = file
        # What is put over HTTP does not reach the developer's own file.
        self._runtime = tempfile.TemporaryDirectory(prefix="parley-runtime-")
        runtime = {"RUNTIME_CONFIG_PATH": f"{self._runtime.name}/runtime.yaml"}
        environment = {"STANDIN_KEY": STANDIN_KEY, **runtime, **(environment or {})}
        os.environ.pop("ABSENT_KEY", None)
        self._process = Process(
            ["serve", "--config", str(file), *(arguments or [])], folder / "serve.log", environment
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def await_ready(self) -> None:
        self._process.await_ready(lambda: is_healthy(self.port))

    def await_end(self, seconds: float) -> None:
        self._process.await_end(seconds)

    def stop(self) -> int:
        code = self._process.stop()
        if self._runtime:
            self._runtime.cleanup()
        return code

    @property
    def log(self) -> str:
        return self._process.log.read_text(errors="replace")

    def await_log(self, text: str) -> str:
        """The log, once it holds that: lines are written a moment after what they tell of."""
        deadline = time.monotonic() + 10
        while text not in self.log:
            assert time.monotonic() < deadline, self.log[-2_000:]
            time.sleep(0.01)
        return self.log


def provider(kind: str, port: int, model: str | None, key: str = "env:STANDIN_KEY", **fields) -> dict:
    """An entry of routes.json for a stand-in; each kind knows the path of its service."""
    entry = {"kind": kind, "url": f"ws://127.0.0.1:{port}{'/v1/realtime' if kind == 'openai' else ''}", "key": key}
    return {**entry, **({"model": model} if model else {}), **fields}
