"""The Gemini stand-in's field tables beside Google's own types: a stand-in that agrees with our mistakes proves nothing."""

import json
import pathlib
import subprocess
import sys

from processes import BINARY

SCRIPT = pathlib.Path(__file__).with_name("check_standin_fields.py")


def tables() -> dict:
    run = subprocess.run([str(BINARY), "standin", "--dump-fields"], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def compare(dump: dict) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(SCRIPT)], input=json.dumps(dump), capture_output=True, text=True)


def test_the_standin_knows_no_field_that_google_does_not():
    run = compare(tables())
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_planted_field_is_found():
    dump = tables()
    dump["gemini"]["client"]["Blob"]["colour"] = "string"
    run = compare(dump)
    assert run.returncode == 1
    assert "colour" in run.stdout
