"""What the tests of deploy/ share: the files' texts, tools that have to be content, secrets for what refers to some."""

import pathlib
import subprocess
import sys

from tls_front import DEPLOY

TOOLS = pathlib.Path(sys.executable).parent
SECRETS = {
    "PARLEY_APP_KEY": "app-key-of-the-tests-0123456789",
    "ENGINE_API_KEY": "operators-key-of-the-tests-0123456789",
    "JWT_SECRET": "a-secret-of-the-tests-of-at-least-32-bytes",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
}


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def run(*arguments, **options) -> str:
    """What a tool prints; it must be content."""
    tool = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, timeout=60, **options)
    assert tool.returncode == 0, f"{arguments}\n{tool.stdout}{tool.stderr}"
    return tool.stdout + tool.stderr
