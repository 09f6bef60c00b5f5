"""Runs programs in JavaScript with Debian's packages."""

import os
import pathlib
import subprocess

MODULES = "/usr/share/nodejs"  # where Debian's node looks by itself
PROGRAM_SECONDS = 60
ENVIRONMENT = {**os.environ, "NODE_PATH": MODULES}


def run_node(program: pathlib.Path, *arguments: str) -> str:
    """What a program prints; it must end by itself, and well."""
    run = subprocess.run(
        ["node", str(program), *arguments],
        capture_output=True, text=True, timeout=PROGRAM_SECONDS, env=ENVIRONMENT,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout


def wscat(url: str, *arguments: str, say: str) -> list[str]:
    """The lines that Debian's wscat prints within a second after it has said something."""
    process = subprocess.Popen(
        ["timeout", str(PROGRAM_SECONDS), "wscat", "-c", url, *arguments, "-x", say, "-w", "1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    # It would leave at once if its input ended.
    with process:
        printed = process.stdout.read()
    assert process.returncode == 0
    return printed.splitlines()
