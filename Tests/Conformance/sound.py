"""PCM16 mono audio: speech from espeak-ng, resampling, chunks, and the measurement of a tone. 24 kHz unless said."""

import array
import math
import pathlib
import subprocess
import sys
import wave

RATE = 24_000
CHUNK_MILLISECONDS = 20
CHUNK_BYTES = RATE * 2 * CHUNK_MILLISECONDS // 1000


def spoken(sentence: str, folder: pathlib.Path, voice: str = "en") -> bytes:
    """A sentence spoken by espeak-ng, as PCM16 at 24 kHz."""
    path = folder / "sentence.wav"
    subprocess.run(["espeak-ng", "-v", voice, "-w", str(path), sentence], check=True, capture_output=True)
    with wave.open(str(path), "rb") as recording:
        assert recording.getsampwidth() == 2 and recording.getnchannels() == 1
        samples = _samples(recording.readframes(recording.getnframes()))
        return resampled(samples, recording.getframerate())


def resampled(samples: array.array, rate: int) -> bytes:
    """Linear interpolation to 24 kHz: good enough for speech that is compared with itself."""
    count = len(samples) * RATE // rate
    result = array.array("h")
    for index in range(count):
        position = index * rate / RATE
        left = int(position)
        right = min(left + 1, len(samples) - 1)
        share = position - left
        result.append(round(samples[left] * (1 - share) + samples[right] * share))
    return _bytes(result)


def tone(hertz: float, milliseconds: int, level: float = 0.5) -> bytes:
    count = RATE * milliseconds // 1000
    return _bytes(
        array.array("h", (round(32_767 * level * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(count)))
    )


def silence(milliseconds: int) -> bytes:
    return bytes(RATE * 2 * milliseconds // 1000)


def chunks(audio: bytes, size: int = CHUNK_BYTES) -> list[bytes]:
    return [audio[start : start + size] for start in range(0, len(audio), size)]


def strength(audio: bytes, hertz: float, rate: int = RATE) -> float:
    """The share of the signal's power at one frequency, 0 to 1 (Goertzel's algorithm)."""
    samples = _samples(audio)
    power = sum(sample * sample for sample in samples)
    if power == 0:
        return 0.0
    factor = 2 * math.cos(2 * math.pi * hertz / rate)
    last, before = 0.0, 0.0
    for sample in samples:
        last, before = sample + factor * last - before, last
    magnitude = last * last + before * before - factor * last * before
    return 2 * magnitude / (len(samples) * power)


def pitch(audio: bytes, rate: int = RATE) -> float:
    """The frequency of a pure tone in hertz, from its upward zero crossings."""
    samples = _samples(audio)
    crossings = [n for n in range(1, len(samples)) if samples[n - 1] < 0 <= samples[n]]
    assert len(crossings) > 2, "this is not a tone"
    return (len(crossings) - 1) * rate / (crossings[-1] - crossings[0])


def _samples(audio: bytes) -> array.array:
    samples = array.array("h")
    samples.frombytes(audio)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _bytes(samples: array.array) -> bytes:
    if sys.byteorder == "big":
        samples = array.array("h", samples)
        samples.byteswap()
    return samples.tobytes()
