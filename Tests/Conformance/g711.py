"""G.711 by formula: what a telephone sends and hears, against PCM16 at 24 kHz."""

import array
import math

from sound import RATE, resampled

TELEPHONE_RATE = 8_000
BIAS = 0x84


def _mu_law_byte(sample: int) -> int:
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32_635) + BIAS
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> exponent + 3) & 0x0F) & 0xFF


def _mu_law_sample(byte: int) -> int:
    byte = ~byte & 0xFF
    magnitude = ((byte & 0x0F) << 3 | BIAS) << (byte >> 4 & 7)
    return BIAS - magnitude if byte & 0x80 else magnitude - BIAS


def _a_law_byte(sample: int) -> int:
    sign, magnitude = (0, -sample - 1) if sample < 0 else (0x80, sample)
    magnitude >>= 3
    exponent = max(0, magnitude.bit_length() - 5)
    code = exponent << 4 | (magnitude >> max(1, exponent)) & 0x0F
    return (sign | code) ^ 0x55


def _a_law_sample(byte: int) -> int:
    byte ^= 0x55
    exponent, mantissa = byte >> 4 & 7, byte & 0x0F
    magnitude = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return magnitude if byte & 0x80 else -magnitude


CODECS = {"audio/pcmu": (_mu_law_byte, _mu_law_sample), "audio/pcma": (_a_law_byte, _a_law_sample)}


def _low_pass(reach: int = 24) -> list[float]:
    """A windowed sinc that lets pass what 8 kHz can carry."""
    cutoff = 0.9 * TELEPHONE_RATE / RATE
    taps = []
    for n in range(-reach, reach + 1):
        sinc = 1.0 if n == 0 else math.sin(math.pi * cutoff * n) / (math.pi * cutoff * n)
        taps.append(sinc * (0.54 + 0.46 * math.cos(math.pi * n / reach)))
    total = sum(taps)
    return [tap / total for tap in taps]


def encoded(audio: bytes, kind: str) -> bytes:
    """PCM16 at 24 kHz as G.711."""
    taps = _low_pass()
    reach = len(taps) // 2
    samples = array.array("h", bytes(2 * reach) + audio + bytes(2 * reach))
    to_byte = CODECS[kind][0]
    result = bytearray()
    for start in range(0, len(samples) - 2 * reach, RATE // TELEPHONE_RATE):
        value = sum(tap * sample for tap, sample in zip(taps, samples[start : start + len(taps)]))
        result.append(to_byte(max(-32_768, min(32_767, round(value)))))
    return bytes(result)


def decoded(audio: bytes, kind: str) -> bytes:
    to_sample = CODECS[kind][1]
    return resampled(array.array("h", (to_sample(byte) for byte in audio)), TELEPHONE_RATE)
