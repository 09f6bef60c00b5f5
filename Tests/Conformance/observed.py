"""What a client library tells its user, in order, and waits for it that end."""

import asyncio
import typing

WAIT_SECONDS = 10.0


class Observed:
    """A record that grows while a library runs. A fault in it ends every wait."""

    def __init__(self, is_fault: typing.Callable[[typing.Any], bool]):
        self.entries: list = []
        self._is_fault = is_fault
        self._grew = asyncio.Event()

    def add(self, entry) -> None:
        self.entries.append(entry)
        self._grew.set()

    @property
    def mark(self) -> int:
        """The position behind the last entry, to wait only for what comes later."""
        return len(self.entries)

    def behind(self, entry) -> int:
        """The position behind an entry."""
        return next(index for index, other in enumerate(self.entries) if other is entry) + 1

    async def until(self, holds: typing.Callable[[typing.Any], bool], what: str, after: int = 0):
        """The first entry behind a position that fulfils a condition."""
        index = after
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while True:
                    for entry in self.entries[index:]:
                        assert not self._is_fault(entry), f"while waiting for {what}: {entry}"
                        if holds(entry):
                            return entry
                    index = len(self.entries)
                    self._grew.clear()
                    await self._grew.wait()
        except TimeoutError:
            raise AssertionError(f"no {what}; last came {[str(entry)[:200] for entry in self.entries[-5:]]}") from None

    def assert_no_fault(self) -> None:
        faults = [entry for entry in self.entries if self._is_fault(entry)]
        assert not faults, faults
