"""The files of deploy/: each is run as far as a machine without containers, clusters and systemd can.

The proxies really serve, the start script and the configurations really start the program, the alert rules are tried by
Prometheus' own tool. An image is not built here and a cluster not asked: those files are linted, and their facts read.
"""

import asyncio
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml
from openai import AsyncOpenAI

from asking import ask
from client_turns import SPEECH
from conversation import Conversation, assert_legal, audio_of, of_type
from processes import BINARY, ROOT, STANDIN_KEY, Gateway, Process, free_port, is_healthy, provider
from providers import GEMINI_MODEL, OPENAI_MODEL
from tls_front import DEPLOY, TLSFront

TOOLS = pathlib.Path(sys.executable).parent
SECRETS = {
    "PARLEY_APP_KEY": "app-key-of-the-tests-0123456789",
    "ENGINE_API_KEY": "operators-key-of-the-tests-0123456789",
    "JWT_SECRET": "a-secret-of-the-tests-of-at-least-32-bytes",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
}
FRONTS = ["nginx/parley.conf", "nginx/parley-edge.conf", "haproxy/haproxy.cfg"]
# The documentation of a self-hosted engine, word for word (R113).
LOCATION = """location /v1/realtime {
    proxy_pass http://localhost:8787/v1/realtime;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_read_timeout 86400;
    proxy_send_timeout 86400;
}"""


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def run(*arguments, **options) -> str:
    """What a tool prints; it must be content."""
    tool = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, timeout=60, **options)
    assert tool.returncode == 0, f"{arguments}\n{tool.stdout}{tool.stderr}"
    return tool.stdout + tool.stderr


# --- Reverse proxies


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, standin):
    """A server as it stands behind a proxy: with keys, and with the proxy's word for the client's address."""
    folder = tmp_path_factory.mktemp("guarded")
    routes = {
        "default": "gemini",
        "providers": {
            "gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL),
            "openai": provider("openai", standin.ports["openai"], OPENAI_MODEL),
        },
        "access": {"keys": [{"name": "app", "key": "env:PARLEY_APP_KEY"}], "proxies": ["127.0.0.1", "::1"]},
    }
    running = Gateway(folder, routes, SECRETS)
    running.await_ready()
    yield running
    assert running.stop() == 0


@contextlib.contextmanager
def behind(site: str, folder: pathlib.Path, authority, server, changes: dict[str, str] | None = None):
    running = TLSFront(folder / "proxy", authority, server.port, site, changes)
    try:
        running.await_ready()
        yield running
    finally:
        # HAProxy ends by the signal itself.
        assert running.stop() in (0, -signal.SIGTERM)


@pytest.fixture(scope="module", params=FRONTS)
def front(request, tmp_path_factory, authority, guarded):
    with behind(request.param, tmp_path_factory.mktemp("front"), authority, guarded) as running:
        yield running


def test_R113_nginx_has_the_very_location_block():
    lines = text_of("nginx/parley.conf").splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip().startswith("location"))
    block = [line.removeprefix("    ") for line in lines[start : start + len(LOCATION.splitlines())]]
    assert block == LOCATION.splitlines()
    # The other way to say so is as patient, and TLS is what clients see.
    assert re.findall(r"proxy_(?:read|send)_timeout (\d+);", text_of("nginx/parley-edge.conf")) == ["86400", "86400"]
    assert "listen 443 ssl;" in text_of("nginx/parley.conf")


@pytest.mark.parametrize("provider", ["gemini", "openai"])
async def test_R006_R053_R113_the_official_client_types_and_speaks_through_each_proxy(front, provider):
    client = AsyncOpenAI(base_url=f"{front.https}/v1", api_key=SECRETS["PARLEY_APP_KEY"])
    async with client, client.realtime.connect(extra_query={"provider": provider}) as connection:
        talk = Conversation(connection)
        assert (await talk.next())["type"] == "session.created"
        await connection.session.update(session={"type": "realtime", "instructions": "Answer in one sentence."})
        await talk.until("session.updated")
        events = await talk.text_turn()
        assert_legal(events)
        assert audio_of(events)
        await talk.append(SPEECH)
        events = await talk.until("response.done")
        assert_legal(events)
        assert of_type(events, "input_audio_buffer.speech_started") and audio_of(events)


async def test_R113_a_refusal_reaches_the_client_as_it_is(front):
    async with AsyncOpenAI(base_url=f"{front.https}/v1", api_key="wrong") as client:
        with pytest.raises(Exception, match="401"):
            async with client.realtime.connect():
                pass


@pytest.mark.parametrize("site", FRONTS[1:])
async def test_R115_a_proxy_that_is_named_says_where_clients_are_and_clients_do_not(tmp_path, authority, guarded, site):
    key = SECRETS["PARLEY_APP_KEY"]
    lies = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "ftp", "X-Forwarded-Host": "evil.example"}
    with behind(site, tmp_path, authority, guarded) as front:
        headers = [part for name, value in lies.items() for part in ("--header", f"{name}: {value}")]
        minted = await asyncio.to_thread(
            run, "curl", "--silent", "--fail", "--cacert", authority.certificate, "--header", f"api-key: {key}", *headers,
            "--json", '{"appId": "default", "provider": "gemini"}', f"{front.https}/vowel/api/generateToken",
        )  # fmt: skip
        assert json.loads(minted)["wsUrl"] == f"{front.wss}/v1/realtime"
        begun = guarded.log.count("session began")
        async with AsyncOpenAI(base_url=f"{front.https}/v1", api_key=key, default_headers=lies) as client:
            async with client.realtime.connect(extra_headers=lies) as connection:
                assert json.loads(await connection.recv_bytes())["type"] == "session.created"
    lines = [line for line in guarded.log.splitlines() if "session began" in line][begun:]
    assert lines and all("client=127.0.0.1 " in f"{line} " for line in lines), lines
    assert "203.0.113.9" not in guarded.log


@pytest.mark.parametrize("site", FRONTS[1:])
async def test_a_connection_that_was_used_for_http_opens_a_websocket_too(tmp_path, authority, guarded, site):
    """Parley wants a fresh connection for a WebSocket, so neither proxy may give it a used one."""
    key = SECRETS["PARLEY_APP_KEY"]
    with behind(site, tmp_path, authority, guarded) as front:
        for _ in range(3):
            models = await asyncio.to_thread(
                run, "curl", "--silent", "--fail", "--cacert", authority.certificate, "--header", f"api-key: {key}",
                f"{front.https}/v1/models", f"{front.https}/v1/models",
            )  # fmt: skip
            assert models.count('"object":"list"') == 2
            async with AsyncOpenAI(base_url=f"{front.https}/v1", api_key=key) as client:
                async with client.realtime.connect() as connection:
                    assert json.loads(await connection.recv_bytes())["type"] == "session.created"


@pytest.mark.parametrize("site", FRONTS[1:])
def test_keys_in_the_address_are_in_no_log_of_a_proxy(tmp_path, authority, guarded, site):
    key = SECRETS["PARLEY_APP_KEY"]
    with behind(site, tmp_path, authority, guarded) as front:
        run("curl", "--silent", "--cacert", authority.certificate, f"{front.https}/v1/models?token={key}")
    written = "".join(file.read_text(errors="replace") for file in (tmp_path / "proxy").glob("*.log"))
    assert "/v1/models" in written and key not in written


SECOND = {
    "nginx/parley-edge.conf": ("server 127.0.0.1:8787 max_fails=0;", "{0} server 127.0.0.1:{1} max_fails=0;"),
    "haproxy/haproxy.cfg": ("server parley1 127.0.0.1:8787", "{0}\n    server parley2 127.0.0.1:{1} check port {1}"),
}


@pytest.mark.parametrize("site", SECOND)
async def test_R287_while_one_of_two_replicas_drains_no_client_is_refused(tmp_path, authority, standin, site):
    openai = provider("openai", standin.ports["openai"], OPENAI_MODEL)
    access = {"keys": [{"name": "app", "key": "env:PARLEY_APP_KEY"}], "admin": "env:ENGINE_API_KEY"}
    replicas = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        routes = {"default": "openai", "providers": {"openai": openai}, "access": access}
        replicas.append(Gateway(tmp_path / name, routes, SECRETS))
    for replica in replicas:
        replica.await_ready()
    first, second = replicas
    line, both = SECOND[site]
    try:
        with behind(site, tmp_path, authority, first, {line: both.format(line, second.port)}) as front:
            client = AsyncOpenAI(base_url=f"{front.https}/v1", api_key=SECRETS["PARLEY_APP_KEY"])

            async def call() -> None:
                async with client.realtime.connect() as connection:
                    talk = Conversation(connection)
                    assert (await talk.next())["type"] == "session.created"
                    assert_legal(await talk.text_turn())

            await asyncio.gather(*(call() for _ in range(4)))
            assert ask(first, "POST", "/drain", {"graceSeconds": 5}, key=SECRETS["ENGINE_API_KEY"]).json["draining"]
            # The first ones come before any health check has told the proxy.
            for _ in range(6):
                await call()
            assert ask(first, "GET", "/drain", key=SECRETS["ENGINE_API_KEY"]).json["sessions"] == 0
            assert ask(first, "GET", "/health").status == 503 and ask(second, "GET", "/health").status == 200
    finally:
        assert [replica.stop() for replica in replicas] == [0, 0]


# --- The image, compose, and what they start


def test_the_containerfile_is_linted():
    assert run(TOOLS / "hadolint", DEPLOY / "container" / "Containerfile") == ""


def test_the_image_is_of_stages_runs_without_privileges_and_copies_what_exists():
    text = text_of("container/Containerfile")
    stages = re.findall(r"^FROM (\S+)(?: AS (\w+))?$", text, re.MULTILINE)
    assert len(stages) > 2 and stages[-1] == ("base", "") and dict(stages)["debian:bookworm-slim"] == "base"
    last = text.rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE) and "VOLUME /app/data" in last
    for sources in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in sources.split()[:-1]:
            assert (ROOT / source).exists(), source
    # What is needed when it runs: as scripts/setup.sh says, by the names of the packages without their headers.
    setup = (ROOT / "scripts" / "setup.sh").read_text(encoding="utf-8")
    for library in re.findall(r"^\s+want (lib[\w-]+)", setup, re.MULTILINE):
        assert f" {library}" in text, library
    assert set(re.findall(r"lib(?:sqlite3|pq)-?\d", text)) == {"libsqlite3-0", "libpq5"}


def test_R108_the_compose_file_says_what_the_documentation_does():
    compose = yaml.safe_load(text_of("container/compose.yaml"))
    engine = compose["services"]["engine"]
    assert engine["restart"] == "unless-stopped"
    assert engine["volumes"][0] == "engine-data:/app/data" and compose["volumes"]["engine-data"] == {"name": "engine-data"}
    assert engine["healthcheck"]["test"][-1] == "http://127.0.0.1:8787/health" and engine["healthcheck"]["test"][1] == "curl"
    assert engine["ports"] == ["127.0.0.1:8787:8787"]
    assert engine["read_only"] is True and engine["cap_drop"] == ["ALL"] and engine["user"] == "10001:10001"
    built = (DEPLOY / "container" / engine["build"]["context"]).resolve()
    assert built == ROOT and (built / engine["build"]["dockerfile"]).is_file()
    # The grace that Docker gives is longer than the one that calls are given.
    assert int(engine["stop_grace_period"].removesuffix("s")) > 30
    ignored = (ROOT / ".gitignore").read_text() + text_of("container/Containerfile.dockerignore")
    assert "/deploy/container/.env" in ignored and "**/.env" in ignored


def names_of_secrets(text: str) -> set[str]:
    return set(re.findall(r'"env:(\w+)"', text))


@pytest.mark.parametrize("name", ["routes.json", "container/routes.json"])
def test_the_example_of_the_environment_names_every_secret(name):
    example = set(re.findall(r"^#?(\w+)=$", text_of("environment.example"), re.MULTILINE))
    assert names_of_secrets(text_of(name)) <= example


def shipped_routes() -> dict[str, str]:
    manifest = yaml.safe_load(text_of("kubernetes/configmap.yaml"))
    return {
        "routes.json": text_of("routes.json"),
        "container/routes.json": text_of("container/routes.json"),
        "kubernetes/configmap.yaml": manifest["data"]["routes.json"],
    }


@pytest.mark.parametrize("name", ["routes.json", "container/routes.json", "kubernetes/configmap.yaml"])
def test_each_configuration_serves_and_refuses_to_without_its_secrets(tmp_path, name):
    routes, file = json.loads(shipped_routes()[name]), tmp_path / "routes.json"
    ports = {}
    for address in routes["listen"]:
        address["port"] = ports.setdefault(address["port"], free_port())
    file.write_text(json.dumps(routes))
    bare = {key: value for key, value in os.environ.items() if key not in SECRETS}
    check = subprocess.run([str(BINARY), "check", str(file)], capture_output=True, text=True, env=bare, timeout=30)
    missing = names_of_secrets(shipped_routes()[name]) - {"OPENAI_API_KEY", "GEMINI_API_KEY"}
    assert check.returncode == 1 and all(f"{secret} is not set" in check.stderr for secret in missing), check.stderr
    # Without any provider that can be used, and without a voice engine, it is up and not ready.
    keys = {"OPENAI_API_KEY": "a-key", "GEMINI_API_KEY": "a-key"}
    environment = {**SECRETS, **keys, "PARLEY_DATA": str(tmp_path / "data")}
    (tmp_path / "data").mkdir()
    server = Process(["serve", "--config", str(file)], tmp_path / "serve.log", environment)
    try:
        for port in ports.values():
            server.await_ready(lambda: is_healthy(port))
    finally:
        assert server.stop() == 0


def test_the_start_of_a_container_links_the_engines_parts_and_hands_over(tmp_path):
    data, parts, programs = tmp_path / "data", tmp_path / "parts", tmp_path / "bin"
    for folder in (data, parts / "lib", parts / "models", programs):
        folder.mkdir(parents=True)
    (parts / "models" / "weights").write_text("new")
    (data / "lib").mkdir()  # the volume has its own
    (data / "models").symlink_to(tmp_path / "gone")  # of an older image
    (programs / "parley").write_text('#!/bin/sh\necho "$@"\n')
    (programs / "parley").chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}", "PARLEY_DATA": str(data), "PARLEY_ENGINE_PARTS": str(parts)
    }  # fmt: skip
    said = run(DEPLOY / "container" / "start.sh", "serve", "--config", "a b", env=environment)
    assert said == "serve --config a b\n"
    assert not (data / "lib").is_symlink() and (data / "config").is_dir()
    assert (data / "models").resolve() == parts / "models" and (data / "models" / "weights").read_text() == "new"


def test_R108_a_crash_and_a_fatal_fault_end_the_process_with_a_failure_and_it_is_back_soon(tmp_path, standin):
    routes = {"default": "gemini", "providers": {"gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL)}}
    # As the unit and the image have it.
    environment = {"SWIFT_BACKTRACE": "enable=no", "STANDIN_KEY": STANDIN_KEY}
    assert "SWIFT_BACKTRACE=enable=no" in text_of("systemd/parley.service")
    assert "ENV SWIFT_BACKTRACE=enable=no" in text_of("container/Containerfile")
    serve = ["serve", "--config", str(tmp_path / "routes.json")]
    server = Gateway(tmp_path, routes, environment)
    server.await_ready()
    os.kill(server.pid, signal.SIGSEGV)
    server.await_end(10)
    assert server.stop() == -signal.SIGSEGV, "whoever supervises it has to see a failure"
    # As its supervisor does: again, with the same files and the same port.
    started = time.monotonic()
    again = Process(serve, tmp_path / "again.log", environment)
    try:
        again.await_ready(lambda: is_healthy(server.port))
        assert time.monotonic() - started < 10
        # A fault that nobody but the operator can mend: one line, and a failure.
        second = subprocess.run(
            [str(BINARY), *serve], capture_output=True, text=True, timeout=20, env={**os.environ, **environment}
        )
        assert second.returncode == 1 and str(server.port) in second.stderr, second.stderr
    finally:
        assert again.stop() == 0


# --- systemd


def unit_here(tmp_path: pathlib.Path) -> pathlib.Path:
    """The unit with the program where it is on this machine."""
    file = tmp_path / "parley.service"
    file.write_text(text_of("systemd/parley.service").replace("/usr/bin/parley", str(BINARY)))
    return file


def test_the_unit_is_sound(tmp_path):
    assert "parley.service" not in run("systemd-analyze", "verify", unit_here(tmp_path))


def test_the_unit_is_hardened(tmp_path):
    said = run("systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unit_here(tmp_path))
    exposure = re.search(r"exposure level for parley\.service: ([\d.]+)", said)
    assert exposure and float(exposure[1]) <= 1.5, said


def test_R108_the_unit_is_started_again_and_given_time_to_drain():
    unit = dict(re.findall(r"^(\w+)=(.*)$", text_of("systemd/parley.service"), re.MULTILINE))
    assert unit["Restart"] == "always" and unit["StartLimitIntervalSec"] == "0"
    assert unit["ExecReload"].startswith("/bin/kill -HUP") and int(unit["TimeoutStopSec"]) > 30


# --- Kubernetes


def manifests() -> dict[str, dict]:
    found = {}
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            found[f"{document['kind']}/{document['metadata']['name']}"] = document
    return found


def test_the_manifests_are_valid():
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    assert len(files) > 4
    said = run(TOOLS / "kubernetes-validate", "--strict", *files)
    assert said.count("passed for resource") == len(manifests()), said


def test_R287_the_manifests_drain_and_are_never_all_disrupted():
    found = manifests()
    deployment = found["Deployment/parley"]["spec"]
    pod = deployment["template"]["spec"]
    (engine,) = pod["containers"]
    assert deployment["replicas"] > 1 and deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    waits = int(engine["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > waits + 30
    assert found["PodDisruptionBudget/parley"]["spec"]["maxUnavailable"] == 1
    assert engine["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert engine["livenessProbe"]["httpGet"]["path"] == "/health/live"
    secure = engine["securityContext"]
    assert secure["readOnlyRootFilesystem"] and not secure["allowPrivilegeEscalation"] and pod["securityContext"]["runAsNonRoot"]
    # Everything refers to what there is.
    labels = deployment["template"]["metadata"]["labels"].items()
    for name in ("Service/parley", "Service/parley-operator"):
        assert found[name]["spec"]["selector"].items() <= labels
    assert found["PodDisruptionBudget/parley"]["spec"]["selector"]["matchLabels"].items() <= labels
    ports = {port["name"]: port["containerPort"] for port in engine["ports"]}
    listen = json.loads(found["ConfigMap/parley"]["data"]["routes.json"])["listen"]
    assert [address["port"] for address in listen] == list(ports.values())


# --- What is watched


def test_R120_the_alert_rules_are_sound_and_fire_when_they_should():
    folder = DEPLOY / "prometheus"
    run("promtool", "check", "rules", folder / "parley.rules.yml")
    run("promtool", "check", "config", folder / "prometheus.yml")
    run("promtool", "test", "rules", "parley.rules.test.yml", cwd=folder)


def rules() -> list[dict]:
    return [rule for group in yaml.safe_load(text_of("prometheus/parley.rules.yml"))["groups"] for rule in group["rules"]]


def test_every_alert_is_tried_on_a_calm_day_and_on_the_worst():
    calm, worst = yaml.safe_load(text_of("prometheus/parley.rules.test.yml"))["tests"]
    names = [rule["alert"] for rule in rules()]
    assert [case["alertname"] for case in calm["alert_rule_test"]] == names and len(names) > 20
    assert [case["alertname"] for case in worst["alert_rule_test"] if case["exp_alerts"]] == names


def test_every_alert_has_a_section_that_says_what_to_do():
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### (Parley\w+)$", page, re.MULTILINE)
    assert sections == [rule["alert"] for rule in rules()]
    for rule in rules():
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"


def expressions() -> list[str]:
    """All that the rules and the dashboard ask Prometheus."""
    board = json.loads(text_of("grafana/parley.json"))
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    assert len(asked) > 30
    return [rule["expr"] for rule in rules()] + asked + [note["expr"] for note in board["annotations"]["list"]]


def test_every_metric_that_is_watched_exists():
    listed = set(re.findall(r"\b(?:parley|process)_\w+", run(BINARY, "reference", "metrics")))
    watched = {name for text in expressions() for name in re.findall(r"\b(?:parley|process)_\w+", text)}
    assert {name.removesuffix("_bucket") for name in watched} <= listed


def test_the_dashboard_asks_what_prometheus_understands(tmp_path):
    asked = [re.sub(r"\$__rate_interval|\$__interval", "5m", text).replace("$instance", ".*").replace("$provider", ".*") for text in expressions()]
    file = tmp_path / "asked.yml"
    groups = [{"name": "asked", "rules": [{"record": f"asked:{n}", "expr": text} for n, text in enumerate(asked)]}]
    file.write_text(yaml.safe_dump({"groups": groups}))
    run("promtool", "check", "rules", file)
    board = json.loads(text_of("grafana/parley.json"))
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(panel["description"] for panel in board["panels"] if panel["type"] != "row")
