"""A PostgreSQL of the tests' own: the server of the Debian package, on a socket in a folder of its own."""

import contextlib
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

# In the address only: the server trusts whoever reaches its socket. It must be in no log.
PASSWORD = "the-databases-own-password"
USER = "parley"
READY_WITHIN_SECONDS = 30
# Small and quick; what a crash of the machine would lose is of no interest here.
SETTINGS = ["listen_addresses=", "fsync=off", "max_connections=200", "default_transaction_isolation=serializable"]


def binaries() -> pathlib.Path:
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    assert found, "PostgreSQL is not installed: run scripts/setup.sh test"
    return found[-1].parent


def children(pid: int) -> list[int]:
    """The processes that one has started."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            # The name of the program may hold anything but its own end.
            if int(entry.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.parts[2]))
    return found


class Postgres:
    def __init__(self):
        self._binaries = binaries()
        # The folders of pytest are closed to other users, and the server refuses to be root.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="parley-postgres-", dir="/tmp"))
        self._as = []
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
            self._as = ["runuser", "-u", "postgres", "--"]
        self._data = self.folder / "data"
        self._names = (f"ledger{number}" for number in itertools.count())
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()

    def _run(self, program: str, *arguments: object) -> str:
        command = [*self._as, str(self._binaries / program), *map(str, arguments)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/tmp")
        assert run.returncode == 0, run.stderr
        return run.stdout

    def start(self) -> None:
        options = " ".join(f"-c {setting}" for setting in SETTINGS)
        self._run(
            "pg_ctl", "start", "-D", self._data, "-w", "-t", READY_WITHIN_SECONDS, "-s", "-l", self.folder / "log",
            "-o", f"-k {self.folder} {options}",
        )  # fmt: skip

    def stop(self) -> None:
        """At once, as after a crash: no connection is told."""
        self._run("pg_ctl", "stop", "-D", self._data, "-m", "immediate", "-w", "-s")

    def _signal(self, number: int) -> None:
        postmaster = int((self._data / "postmaster.pid").read_text().split()[0])
        for pid in [postmaster, *children(postmaster)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def pause(self) -> None:
        """It hangs: connections stay, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def remove(self) -> None:
        with contextlib.suppress(AssertionError, FileNotFoundError):
            self.resume()
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self) -> str:
        """The name of a new one."""
        name = next(self._names)
        self.psql("postgres", f"CREATE DATABASE {name}")
        return name

    def url(self, database: str) -> str:
        return f"postgresql://{USER}:{PASSWORD}@/{database}?host={self.folder}"

    def psql(self, database: str, statement: str) -> list[list[str]]:
        """The rows of an answer, as texts."""
        said = self._run("psql", "-h", self.folder, "-U", USER, "-d", database, "-AtqX", "-F", "\t", "-c", statement)
        return [line.split("\t") for line in said.splitlines()]

    def dump(self, database: str) -> str:
        return self._run("pg_dump", "-h", self.folder, "-U", USER, "-d", database)


@contextlib.contextmanager
def postgres():
    server = Postgres()
    try:
        yield server
    finally:
        server.remove()


def await_true(is_true, what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
