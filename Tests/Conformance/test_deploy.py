"""The files of deploy/: each is run as far as a machine without containers, clusters and systemd can.

The start script and the configurations really start the program. An image is not built here and a cluster not asked: those
files are linted, and their facts read. Proxies, alert rules and the dashboard are in test_deploy_proxies.py and
test_deploy_watching.py.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest
import yaml

from deploying import SECRETS, TOOLS, run, text_of
from processes import BINARY, ROOT, STANDIN_KEY, Gateway, Process, free_port, is_healthy, provider
from providers import GEMINI_MODEL
from tls_front import DEPLOY

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
    assert int(engine["stop_grace_period"].removesuffix("s")) >= 30 + 15
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
    assert unit["ExecReload"].startswith("/bin/kill -HUP") and int(unit["TimeoutStopSec"]) >= 30 + 15


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
    assert pod["terminationGracePeriodSeconds"] >= waits + 30 + 15
    assert found["PodDisruptionBudget/parley"]["spec"]["maxUnavailable"] == 1
    assert engine["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert engine["livenessProbe"]["httpGet"]["path"] == "/health/live"
    secure = engine["securityContext"]
    assert secure["readOnlyRootFilesystem"] and not secure["allowPrivilegeEscalation"]
    assert pod["securityContext"]["runAsNonRoot"]
    # Everything refers to what there is.
    labels = deployment["template"]["metadata"]["labels"].items()
    for name in ("Service/parley", "Service/parley-operator"):
        assert found[name]["spec"]["selector"].items() <= labels
    assert found["PodDisruptionBudget/parley"]["spec"]["selector"]["matchLabels"].items() <= labels
    ports = {port["name"]: port["containerPort"] for port in engine["ports"]}
    listen = json.loads(found["ConfigMap/parley"]["data"]["routes.json"])["listen"]
    assert [address["port"] for address in listen] == list(ports.values())
