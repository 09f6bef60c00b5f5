"""One server and two stand-ins for all tests: a quick one, and one whose answers are paced so that they can be interrupted."""

import asyncio
import importlib.metadata
import importlib.util
import inspect
import os
import pathlib
import socket

import pytest

from edge import Edge
from processes import BINARY, CONTACT, Gateway, StandIn, provider
from providers import GEMINI_MODEL, OPENAI_MODEL, entries
from spoken import LocalEngine
from tls_front import Authority, TLSFront

SLOW_ANSWER_INTERVAL_MS = 120
TEST_SECONDS = 30
# The last two are of Azure's clients.
PATHS = ["/v1/realtime", "/api/v1/inference/realtime", "/openai/v1/realtime", "/openai/realtime"]

# The client libraries are in environments of their own, where scripts/client.sh names the files to run.
IS_OF_CLIENTS = bool(importlib.util.find_spec("pipecat")) or importlib.metadata.version("openai").startswith("1.")
collect_ignore_glob = [] if IS_OF_CLIENTS else ["test_client_*.py"]


def pytest_configure(config):
    config.addinivalue_line("markers", f"deadline(seconds): how long an async test may take, if not {TEST_SECONDS} s")
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not built: run `make test`, or `swift build --product parley`", returncode=2)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Runs `async def` tests, each with a deadline."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    marker = pyfuncitem.get_closest_marker("deadline")
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**arguments), marker.args[0] if marker else TEST_SECONDS))
    return True


def pytest_collection_modifyitems(items):
    """The frames of all other tests are judged at the end."""
    items.sort(key=lambda item: "test_upstream_" in item.nodeid)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> pathlib.Path:
    return tmp_path_factory.mktemp("parley")


@pytest.fixture(scope="session")
def standin(folder):
    running = StandIn(folder, "quick")
    running.await_ready()
    yield running
    assert running.stop() == 0, "a stand-in must end cleanly when asked to"


@pytest.fixture(scope="session")
def slow_standin(folder):
    # It also thinks aloud, which no client may see, and pings, which Parley has to answer.
    options = ["--answer-interval-ms", str(SLOW_ANSWER_INTERVAL_MS), "--shows-thoughts", "--ping-ms", "200"]
    running = StandIn(folder, "slow", options)
    running.await_ready()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def silent_port():
    """An upstream that accepts connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


@pytest.fixture(scope="session")
def gateway(folder, standin, slow_standin, silent_port):
    routes = {
        "default": "gemini",
        "contact": CONTACT,
        "providers": {
            **entries(standin, slow_standin),
            "gemini-silent": provider("gemini-live", silent_port, GEMINI_MODEL),
            "openai-silent": provider("openai", silent_port, OPENAI_MODEL),
            "keyless": provider("openai", standin.ports["openai"], OPENAI_MODEL, key="env:ABSENT_KEY"),
        },
        "routes": [{"path": path} for path in PATHS],
    }
    running = Gateway(folder, routes)
    running.await_ready()
    yield running
    assert running.stop() == 0, "the server must end cleanly when asked to"


@pytest.fixture(scope="session")
def engine(folder, standin):
    """A server whose default is the voice engine of its own process; a stand-in is its other provider."""
    running = LocalEngine(folder / "engine", {"gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL)})
    running.await_ready()
    yield running
    assert running.stop() == 0, "the server must end cleanly when asked to"


@pytest.fixture(scope="module")
def edge(tmp_path_factory, standin):
    """A server of the module's own, with a session beside everything that its tests do."""
    running = Edge(tmp_path_factory.mktemp("edge"), standin)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def authority(folder):
    """The authority of the TLS fronts, which every client of this process trusts as it trusts its system's."""
    made = Authority(folder)
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(made.certificate)
    yield made
    if before is None:
        del os.environ["SSL_CERT_FILE"]
    else:
        os.environ["SSL_CERT_FILE"] = before


def front(folder, authority, server, name):
    running = TLSFront(folder / name, authority, server.port)
    running.await_ready()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def secure_gateway(folder, authority, gateway):
    yield from front(folder, authority, gateway, "front")


@pytest.fixture(scope="session")
def secure_engine(folder, authority, engine):
    yield from front(folder, authority, engine, "engine-front")
