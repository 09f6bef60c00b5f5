"""Every HTTP endpoint with the wrong method, type, size, key or JSON: the right status, one error shape, and nothing
changes."""

import itertools
import json
import re
import socket
import typing

import pytest

from asking import ADMIN_KEY, PAGE_KEY, SERVER_KEY, Answer, ask, locked_gateway, mint

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
KIB = 1024


class Endpoint(typing.NamedTuple):
    method: str
    target: str
    key: str
    methods: tuple[str, ...]  # that the path has
    most: int | None = None  # bytes of its body; None has none
    known: tuple[tuple[object, str | None], ...] = ()  # bodies that are wrong, and what of them

    @property
    def is_admins(self) -> bool:
        return self.key == ADMIN_KEY


NUMBERS = [-1, 1e300, 10**60, 1.5, "1", True, [], {}]
TOKEN_METHODS = ("POST", "OPTIONS")
SECRET_BODIES = tuple(
    [({"expires_after": {"anchor": "created_at", "seconds": number}}, "expires_after.seconds") for number in NUMBERS]
    + [
        ({"expires_after": 7}, "expires_after"),
        ({"expires_after": {"anchor": "now"}}, "expires_after.anchor"),
        ({"session": []}, "session"),
        ({"session": {"type": "video"}}, "session.type"),
        ({"session": {"type": "realtime", "model": 7}}, "session.model"),
        ({"session": {"type": "realtime", "instructions": []}}, "session.instructions"),
        ({"session": {"type": "realtime", "audio": {"output": {"speed": -1}}}}, "session.audio.output.speed"),
        ({"provider": "nobody"}, "provider"),
        ({"provider": 7}, "provider"),
        ({"app": "nobody"}, "app"),
        ({"route": "/nowhere"}, "route"),
        ({"origins": "https://app.example"}, "origins"),
        ({"origins": ["app.example"]}, "origins[0]"),
        ({"origins": []}, "origins"),
        ({"max_sessions": 0}, "max_sessions"),
        ({"limits": {"maxMinutesPerSession": -1}}, "limits.maxMinutesPerSession"),
        ({"limits": {"maxWords": 1}}, "limits.maxWords"),
    ]
)
BETA_BODIES = (
    ({"client_secret": {"expires_after": {"seconds": 9}}}, "client_secret.expires_after.seconds"),
    ({"client_secret": "x"}, "client_secret"),
    ({"input_audio_format": "mp3"}, "input_audio_format"),
    ({"turn_detection": {"type": "psychic"}}, "turn_detection.type"),
    ({"temperature": "warm"}, "temperature"),
)
VOWEL_BODIES = (
    ({}, "appId"), ({"appId": ""}, "appId"), ({"appId": 7}, "appId"), ({"appId": "nobody"}, "app"),
    ({"appId": "default", "provider": "nobody"}, "provider"), ({"appId": "default", "origin": "null"}, "origin"),
    ({"appId": "default", "config": []}, "config"),
    ({"appId": "default", "config": {"voiceConfig": {"stt": {"apiKey": "a"}}}}, "config.voiceConfig.stt"),
    ({"appId": "default", "config": {"voiceConfig": {"speakingRate": 0}}}, "config.voiceConfig.speakingRate"),
    ({"appId": "default", "maxCallDurationMs": -1}, "maxCallDurationMs"),
)  # fmt: skip
KEY_BODIES = (
    ({}, "name"), ({"name": ""}, "name"), ({"name": "a b"}, "name"), ({"name": "a" * 65}, "name"),
    ({"name": "a", "prefix": "ek_"}, "prefix"), ({"name": "a", "expires_in": -1}, "expires_in"),
    ({"name": "a", "expires_in": 10**30}, "expires_in"), ({"name": "a", "expires_at": 1}, "expires_at"),
    ({"name": "a", "app": "nobody"}, "app"), ({"name": "a", "limits": {"maxSessions": -1}}, "limits.maxSessions"),
    ({"name": "a", "limits": {"maxSessions": 1e300}}, "limits.maxSessions"),
    ({"name": "a", "origins": ["*."]}, "origins"),
    ({"name": "a", "providers": "gemini"}, "providers"), ({"name": "a", "models": [7]}, "models"),
    ({"name": "a", "metadata": "x"}, "metadata"), ({"name": "a", "metadata": {"x": "y" * 5000}}, "metadata"),
    ({"name": "a", "colour": 1}, "colour"), ({"name": "server"}, None),
)  # fmt: skip
APP_BODIES = (
    ({}, "name"), ({"name": "a/b"}, "name"), ({"name": "a", "limits": []}, "limits"),
    ({"name": "a", "limits": {"maxMinutesPerDay": 0}}, "limits.maxMinutesPerDay"),
    ({"name": "a", "dialect": "klingon"}, "dialect"), ({"name": "a", "key": "x"}, "key"),
)  # fmt: skip
USAGE_BODIES = (
    ([], None), ([7], "[0]"), ({}, "modality"), ({"modality": "voice_realtime"}, "modality"),
    ({"modality": "text", "seconds": -1}, "seconds"),
    ({"modality": "text", "tokens": {"input": 10**30}}, "tokens.input"),
    ({"modality": "text", "timestamp": "soon"}, "timestamp"), ({"modality": "text", "id": "a\0b"}, "id"),
    ({"modality": "text", "metadata": {"a": "\0"}}, "metadata"), ({"modality": "text", "cost": 1}, "cost"),
    ([{"modality": "text"}] * 1001, None),
)  # fmt: skip

ENDPOINTS = [
    Endpoint("POST", "/v1/realtime/client_secrets", SERVER_KEY, TOKEN_METHODS, 64 * KIB, SECRET_BODIES),
    Endpoint("POST", "/v1/realtime/sessions", SERVER_KEY, TOKEN_METHODS, 64 * KIB, BETA_BODIES),
    Endpoint("POST", "/v1/realtime/transcription_sessions", SERVER_KEY, TOKEN_METHODS, 64 * KIB, BETA_BODIES[1:3]),
    Endpoint("POST", "/vowel/api/generateToken", PAGE_KEY, TOKEN_METHODS, 64 * KIB, VOWEL_BODIES),
    Endpoint("GET", "/api/v1/keys", ADMIN_KEY, ("GET", "HEAD", "POST")),
    Endpoint("POST", "/api/v1/keys", ADMIN_KEY, ("GET", "HEAD", "POST"), 16 * KIB, KEY_BODIES),
    Endpoint("DELETE", "/api/v1/keys/key_0123456789abcdef", ADMIN_KEY, ("DELETE",)),
    Endpoint("GET", "/api/v1/apps", ADMIN_KEY, ("GET", "HEAD", "POST")),
    Endpoint("POST", "/api/v1/apps", ADMIN_KEY, ("GET", "HEAD", "POST"), 16 * KIB, APP_BODIES),
    Endpoint("DELETE", "/api/v1/apps/nobody", ADMIN_KEY, ("DELETE",)),
    Endpoint("GET", "/api/v1/usage/summary", ADMIN_KEY, ("GET", "HEAD")),
    Endpoint("GET", "/api/v1/usage/events", ADMIN_KEY, ("GET", "HEAD", "POST")),
    Endpoint("POST", "/api/v1/usage/events", ADMIN_KEY, ("GET", "HEAD", "POST"), KIB * KIB, USAGE_BODIES),
]
WITH_BODY = [endpoint for endpoint in ENDPOINTS if endpoint.most]


def named(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.target}"


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    with locked_gateway(tmp_path_factory.mktemp("bad-http"), standin) as running:
        yield running


@pytest.fixture(autouse=True)
def unchanged(server):
    """No test of this file changes anything that is kept."""
    before = kept(server)
    yield
    assert kept(server) == before


def kept(server) -> list[bytes]:
    return [
        ask(server, "GET", target, key=ADMIN_KEY).body
        for target in ("/api/v1/keys", "/api/v1/apps", "/api/v1/usage/events")
    ]


def expect(answer: Answer, status: int, code: str | None = None, param: str | None = None) -> None:
    assert answer.status == status, answer
    error = answer.error
    assert code is None or error["code"] == code, error
    assert param is None or error["param"] == param, error


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=named)
def test_other_methods_are_405_with_those_that_there_are(server, endpoint):
    path = endpoint.target.partition("?")[0]
    for method in METHODS:
        if method in endpoint.methods:
            continue
        answer = ask(server, method, path, key=endpoint.key)
        assert answer.status == 405 and set(answer.headers["allow"].split(", ")) == set(endpoint.methods), answer
        if method == "HEAD":
            assert not answer.body
        else:
            expect(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=named)
def test_other_keys_are_401(server, endpoint):
    wrong = ["hyb_wrong", "ek_a.b.c", "x" * 600]
    if endpoint.is_admins:
        wrong += [SERVER_KEY, PAGE_KEY, mint(server)]
    body = {} if endpoint.most else None
    expect(ask(server, endpoint.method, endpoint.target, body), 401, "missing_api_key")
    for key in wrong:
        answer = ask(server, endpoint.method, endpoint.target, body, key=key)
        expect(answer, 401)
        assert key not in answer.body.decode() and answer.headers["www-authenticate"].startswith("Bearer")
    for header in ("Basic eHg6eHg=", "Bearer", "Bearer a b", f"Bearer {endpoint.key}, Bearer {endpoint.key}"):
        expect(ask(server, endpoint.method, endpoint.target, body, headers={"Authorization": header}), 401)


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=named)
def test_other_types_and_sizes_are_415_and_413(server, endpoint):
    def send(body, kind="application/json"):
        return ask(server, endpoint.method, endpoint.target, body, key=endpoint.key, headers={"Content-Type": kind})

    for kind in ("text/xml", "text/plain; charset=utf-8", "application/x-www-form-urlencoded", "multipart/form-data"):
        expect(send("{}", kind), 415, "unsupported_media_type")
    # At the bound it is read, and is no JSON; a byte more is not read.
    expect(send(b" " * endpoint.most), 400, "invalid_json")
    expect(send(b" " * (endpoint.most + 1)), 413, "request_too_large")
    chunks = itertools.repeat(b" " * 4096, endpoint.most // 4096 + 1)
    expect(send(b"".join(chunks)), 413, "request_too_large")


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=named)
def test_what_is_no_json_or_no_order_is_400(server, endpoint):
    def send(body):
        return ask(server, endpoint.method, endpoint.target, body, key=endpoint.key)

    for text in ("{", "nope", '{"a":1,"a":2}', "{}{}", '{"a":NaN}', '{"a":01}', '{"a":"\x01"}', "[" * 100, '"\\ud800"'):
        expect(send(text), 400, "invalid_json")
    for raw in (b'{"a":"\xff"}', b"\xef\xbb\xbf{}"):
        expect(send(raw), 400, "invalid_json")
    for text in ("7", '"a"', "null", *([] if endpoint.target.endswith("events") else ["[]"])):
        expect(send(text), 400)
    for body, param in endpoint.known:
        answer = send(json.dumps(body))
        assert answer.status in (400, 404, 409), (body, answer)
        expect(answer, answer.status, param=param)


@pytest.mark.parametrize(
    "query, param",
    [
        ("summary?group_by=bad", "group_by"), ("summary?group_by=", "group_by"), ("summary?from=%zz", "from"),
        ("summary?from=2026-02-30", "from"), ("summary?from=2026-01-02&to=2026-01-01", "to"),
        ("summary?limit=1", "limit"),
        ("summary?group_by=day&group_by=app", "group_by"), ("events?limit=0", "limit"), ("events?limit=1001", "limit"),
        ("events?limit=-1", "limit"), ("events?limit=1e3", "limit"), ("events?limit=99999999999999999999", "limit"),
        ("events?cursor=garbage", "cursor"), ("events?cursor=", "cursor"), ("events?cursor=1.zz", "cursor"),
        ("events?to=tomorrow", "to"), ("events?colour=red", "colour"), ("events?token=x", "token"),
    ],
)  # fmt: skip
def test_a_query_that_is_none_is_400(server, query, param):
    expect(ask(server, "GET", f"/api/v1/usage/{query}", key=ADMIN_KEY), 400, param=param)


@pytest.mark.parametrize("target", ["/api/v1/keys/", "/api/v1/keys/a/b", "/api/v1", "/api/v1/usage", "/vowel/api"])
def test_what_there_is_not_is_404_or_405(server, target):
    answer = ask(server, "DELETE", target, key=ADMIN_KEY)
    expect(answer, 405 if target == "/api/v1/keys/" else 404)


def test_an_id_is_not_a_way_to_anything_else(server):
    for name in ("..%2f..%2fusage", "%2e%2e", "%00", "'%20or%201=1--", "%ff", "%zz", "a" * 2000):
        for collection in ("keys", "apps"):
            answer = ask(server, "DELETE", f"/api/v1/{collection}/{name}", key=ADMIN_KEY)
            # Some of them are no address at all.
            assert answer.status in (400, 404) and answer.error, answer


def test_the_next_request_of_a_connection_is_not_hurt_by_the_one_before(server):
    def request(method: str, target: str, body: bytes = b"", more: str = "") -> bytes:
        return (
            f"{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_KEY}\r\n"
            f"Content-Length: {len(body)}\r\nContent-Type: application/json\r\n{more}\r\n"
        ).encode() + body

    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(
            request("POST", "/api/v1/keys", b" " * (100 * KIB))
            + request("HEAD", "/api/v1/keys/key_0")
            + request("PUT", "/api/v1/keys", b"{}")
            + request("GET", "/health", more="Connection: close\r\n")
        )
        said = b""
        while piece := connection.recv(65_536):
            said += piece
    statuses = re.findall(rb"HTTP/1\.1 (\d+) ", said)
    assert statuses == [b"413", b"405", b"405", b"200"], said
