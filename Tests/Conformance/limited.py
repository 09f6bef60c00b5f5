"""A gateway whose sessions may last half a minute, and are warned after their first second."""

import contextlib
import pathlib

from processes import Gateway, StandIn, provider
from providers import KINDS

KIND = KINDS["openai"]
# Of a session's beginning, by when it has been warned.
WARNED_WITHIN_SECONDS = 1.5


@contextlib.contextmanager
def limited_gateway(folder: pathlib.Path, standin: StandIn):
    entry = provider(KIND.kind, standin.ports[KIND.service], KIND.model, maxMinutesPerSession=0.5)
    routes = {"default": "openai", "providers": {"openai": entry}, "limits": {"limitWarningSeconds": 29}}
    running = Gateway(folder, routes)
    running.await_ready()
    try:
        yield running
    finally:
        assert running.stop() == 0, "the server must end cleanly when asked to"
