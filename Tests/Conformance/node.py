"""Runs programs in JavaScript with Debian's packages."""

import os
import pathlib
import subprocess

MODULES = "/usr/share/nodejs"  # where Debian's node looks by itself
PROGRAM_SECONDS = 60


def run_node(program: pathlib.Path, *arguments: str) -> str:
    """What a program prints; it must end by itself, and well."""
    run = subprocess.run(
        ["node", str(program), *arguments],
        capture_output=True, text=True, timeout=PROGRAM_SECONDS, env={**os.environ, "NODE_PATH": MODULES},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout
