"""A browser without a window, driven by the DevTools protocol."""

import asyncio
import contextlib
import itertools
import json
import pathlib
import shutil
import subprocess
import tempfile
import typing
import urllib.request

from websockets.asyncio.client import ClientConnection, connect

PROGRAMS = ["chromium-headless-shell", "chromium"]
STARTED_WITHIN_SECONDS = 20
ANSWER_SECONDS = 20


class Page:
    """One page, and what its scripts evaluate to."""

    def __init__(self, socket: ClientConnection):
        self._socket = socket
        self._ids = itertools.count(1)

    async def _call(self, method: str, **parameters) -> dict:
        id = next(self._ids)
        await self._socket.send(json.dumps({"id": id, "method": method, "params": parameters}))
        while True:
            message = json.loads(await asyncio.wait_for(self._socket.recv(), ANSWER_SECONDS))
            if message.get("id") == id:
                assert "error" not in message, message
                return message["result"]

    async def visit(self, url: str) -> None:
        """Returns when the page is loaded."""
        await self._call("Page.enable")
        await self._call("Page.navigate", url=url)
        for _ in range(200):
            if await self.run(f"document.readyState === 'complete' && location.href === {json.dumps(url)}"):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{url} was not loaded")

    async def run(self, script: str) -> typing.Any:
        """The value of an expression, or of the promise that it is; what it throws fails the test."""
        result = await self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")


class Browser:
    def __init__(self, folder: str):
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        assert program, f"none of {PROGRAMS} is installed: run scripts/setup.sh test"
        self._folder = pathlib.Path(folder)
        # The sandbox cannot be had as root; the only pages are those of the tests.
        self._process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    async def port(self) -> int:
        file = self._folder / "DevToolsActivePort"
        for _ in range(STARTED_WITHIN_SECONDS * 20):
            assert self._process.poll() is None, "the browser has ended"
            with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
                return int(file.read_text().splitlines()[0])
            await asyncio.sleep(0.05)
        raise AssertionError("the browser does not start")

    @contextlib.asynccontextmanager
    async def page(self) -> typing.AsyncIterator[Page]:
        request = urllib.request.Request(f"http://127.0.0.1:{await self.port()}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=10) as answer:
            target = json.load(answer)
        async with connect(target["webSocketDebuggerUrl"], max_size=None) as socket:
            yield Page(socket)

    def stop(self) -> None:
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def browser() -> typing.Iterator[Browser]:
    with tempfile.TemporaryDirectory(prefix="parley-browser-", ignore_cleanup_errors=True) as folder:
        running = Browser(folder)
        try:
            yield running
        finally:
            running.stop()
