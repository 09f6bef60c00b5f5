"""Ephemeral tokens made by hand: right ones, and such as nobody should make. Without a JWT library, which would refuse."""

import base64
import hashlib
import hmac
import json
import secrets
import time

SECRET = "jwt-secret-of-the-tests-0123456789abcdef"
HEADER = {"alg": "HS256", "typ": "JWT"}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value) -> str:
    """A part of a token: JSON, or bytes as they are."""
    return encoded(value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode())


def signature(signed: str, secret: str | bytes = SECRET, digest: str = "sha256") -> bytes:
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(key, signed.encode(), getattr(hashlib, digest)).digest()


def kid(secret: str = SECRET) -> str:
    """The name that a secret without one has in every replica."""
    return hashlib.sha256(b"parley kid" + secret.encode()).hexdigest()[:8]


def claims(**changes) -> dict:
    """Claims that hold now; a change to None takes one out."""
    now = int(time.time())
    usual = {
        "iss": "parley", "aud": "parley", "jti": secrets.token_urlsafe(16), "iat": now, "nbf": now, "exp": now + 300,
        "app": "default", "purpose": "realtime",
    }  # fmt: skip
    return {key: value for key, value in {**usual, **changes}.items() if value is not None}


def token(body: dict | None = None, header: dict | None = None, secret: str | bytes = SECRET, digest: str = "sha256") -> str:
    signed = f"{part(header or HEADER)}.{part(body or claims())}"
    return f"ek_{signed}.{encoded(signature(signed, secret, digest))}"


def unsigned(header: dict, body: dict | None = None) -> str:
    return f"ek_{part(header)}.{part(body or claims())}."


def forged(listener: str) -> dict[str, str]:
    """Tokens that open nothing, by what is wrong with them; `listener` is an address that nobody may ask."""
    good = token()
    head, body, sign = good.removeprefix("ek_").split(".")
    header = {**HEADER, "kid": kid()}

    def with_header(**fields) -> str:
        return token(header={**header, **fields})

    twice = b'{"alg":"none","alg":"HS256","typ":"JWT"}'
    ended = claims(exp=int(time.time()) - 1)
    others = {
        **{f"alg {name!r}, a valid HMAC": with_header(alg=name) for name in ("none", "None", "NONE", "", "RS256", "EdDSA")},
        **{f"alg {name!r}, no signature": unsigned({**header, "alg": name}) for name in ("none", "None", "NONE", "")},
        "HS384 with the secret": token(header={**header, "alg": "HS384"}, digest="sha384"),
        "HS512 with the secret": token(header={**header, "alg": "HS512"}, digest="sha512"),
        "another secret": token(secret="another-secret-of-0123456789abcdef"),
        "an empty secret": token(secret=b""),
        "an unknown kid": with_header(kid="unknown"),
        "a kid with a path": token(header={**HEADER, "kid": "../../dev/null"}, secret=b""),
        "a kid of 4 KB": with_header(kid="k" * 4_096),
        "a kid that is a number": with_header(kid=7),
        "an embedded key": with_header(jwk={"kty": "oct", "k": encoded(b"x" * 32)}),
        "the address of keys": with_header(jku=f"{listener}/jwks.json"),
        "the address of a certificate": with_header(x5u=f"{listener}/cert.pem"),
        "a certificate": with_header(x5c=["MIIB"]),
        "crit": with_header(crit=["exp"]),
        "b64": with_header(b64=False),
        "another typ": with_header(typ="at+jwt"),
        "alg twice": f"ek_{part(twice)}.{body}.{encoded(signature(f'{part(twice)}.{body}'))}",
        "the signature of another token": f"ek_{head}.{part(claims(exp=int(time.time()) + 600))}.{sign}",
        "no signature": f"ek_{head}.{body}.",
        "two parts": f"ek_{head}.{body}",
        "four parts": f"{good}.{sign}",
        "padded": f"{good}=",
        "a signature one byte short": f"ek_{head}.{body}.{encoded(signature(f'{head}.{body}')[:-1])}",
        "cut": good[: len(good) // 2],
        "expired": token(ended),
        "not valid yet": token(claims(nbf=int(time.time()) + 3_600)),
        "from a clock an hour ahead": token(
            claims(iat=int(time.time()) + 3_600, nbf=int(time.time()) + 3_600, exp=int(time.time()) + 3_900)
        ),
        "from a clock an hour behind": token(
            claims(iat=int(time.time()) - 3_600, nbf=int(time.time()) - 3_600, exp=int(time.time()) - 3_300)
        ),
        "a life of two days": token(claims(exp=int(time.time()) + 172_800)),
        "another issuer": token(claims(iss="somebody")),
        "another audience": token(claims(aud="somebody")),
        "no expiry": token(claims(exp=None)),
        "no jti": token(claims(jti=None)),
        "a pin of the wrong kind": token(claims(provider=["gemini"])),
        "a pin that is null": token({**claims(), "model": None}),
    }
    return others
