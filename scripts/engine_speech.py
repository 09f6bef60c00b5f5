"""What the benchmark of the voice engine says and how it compares words: sentences, synthetic voices, word errors."""

import array
import functools
import math
import operator
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import typing
import wave

RATE = 24_000
BYTES_PER_SECOND = RATE * 2

# Chosen once, before anything was measured, and never by the result.
SENTENCES = (
    "What time is it in New York right now?",
    "Set a timer for fifteen minutes.",
    "Please turn off the lights in the living room.",
    "What is the weather going to be like tomorrow?",
    "Remind me to call my mother at six in the evening.",
    "How many days are left until the end of the year?",
    "Play some quiet music in the kitchen.",
    "Add milk, eggs and bread to my shopping list.",
    "What is twenty seven plus forty four?",
    "Send a message to David that I will be late.",
    "Wake me up at half past seven tomorrow morning.",
    "How long does it take to drive to the airport?",
    "Could you tell me a story about a small dragon?",
    "Find a good restaurant near the railway station.",
    "Read me the first paragraph of the letter again.",
    "What is the capital of Australia?",
    "Book a table for four people on Friday night.",
    "Translate good morning into French for me.",
    "Is there anything on my calendar for next Tuesday?",
    "Stop the music and close the garage door.",
)


class Voice(typing.NamedTuple):
    """A synthetic speaker: a name, and the command that writes a WAV file of a sentence."""

    name: str
    command: tuple[str, ...]

    def wav(self, sentence: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "sentence.wav"
            command = [part.format(path=path, sentence=sentence) for part in self.command]
            subprocess.run(command, check=True, capture_output=True)
            return path.read_bytes()


ESPEAK = Voice("espeak-ng en-us", ("espeak-ng", "-v", "en-us", "-w", "{path}", "{sentence}"))
FLITE = Voice("flite slt", ("flite", "-voice", "slt", "-t", "{sentence}", "-o", "{path}"))
# Only where there is no flite: the same synthesizer with another throat.
SECOND_ESPEAK = Voice("espeak-ng en-us+f3", ("espeak-ng", "-v", "en-us+f3", "-w", "{path}", "{sentence}"))


def voices() -> tuple[Voice, Voice]:
    return ESPEAK, FLITE if shutil.which("flite") else SECOND_ESPEAK


@functools.cache
def spoken(sentence: str, voice: Voice) -> bytes:
    """PCM16 mono at 24 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "sentence.wav"
        path.write_bytes(voice.wav(sentence))
        with wave.open(str(path), "rb") as recording:
            if recording.getsampwidth() != 2 or recording.getnchannels() != 1:
                raise ValueError(f"{voice.name} does not write PCM16 mono")
            rate, data = recording.getframerate(), recording.readframes(recording.getnframes())
    return written(resampled(samples_of(data), rate))


def resampled(samples: array.array, rate: int) -> array.array:
    """To 24 kHz, by a windowed sinc of 32 taps: what is measured is the engine's ear and not a poor resampler."""
    if rate == RATE:
        return samples
    common = math.gcd(rate, RATE)
    up, down = RATE // common, rate // common
    half = 16
    cutoff = min(1.0, RATE / rate)
    phases = []
    for phase in range(up):
        taps = []
        for tap in range(1 - half, half + 1):
            distance = tap - phase / up
            sinc = 1.0 if distance == 0 else math.sin(math.pi * cutoff * distance) / (math.pi * cutoff * distance)
            taps.append(cutoff * sinc * (0.5 + 0.5 * math.cos(math.pi * distance / half)) if abs(distance) < half else 0)
        total = sum(taps)
        phases.append([weight / total for weight in taps])
    padded = [0] * half + list(samples) + [0] * (half + 1)
    result = array.array("h")
    for index in range(len(samples) * up // down):
        whole, phase = divmod(index * down, up)
        near = padded[whole + 1 : whole + 1 + 2 * half]
        value = sum(map(operator.mul, phases[phase], near))
        result.append(max(-32_768, min(32_767, round(value))))
    return result


def samples_of(audio: bytes) -> array.array:
    samples = array.array("h")
    samples.frombytes(audio)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def written(samples: array.array) -> bytes:
    if sys.byteorder == "big":
        samples = array.array("h", samples)
        samples.byteswap()
    return samples.tobytes()


def silence(seconds: float) -> bytes:
    return bytes(2 * round(RATE * seconds))


def end_of_speech(audio: bytes) -> float:
    """Seconds from the beginning to the end of the last 10 ms that are louder than a hundredth of the loudest."""
    samples, step = samples_of(audio), RATE // 100
    powers = [sum(s * s for s in samples[at : at + step]) for at in range(0, len(samples), step)]
    floor = max(powers) / 10_000
    last = max(index for index, power in enumerate(powers) if power > floor)
    return (last + 1) * step / RATE


# MARK: Words

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()


def number_words(number: int) -> list[str]:
    if number < 20:
        return [ONES[number]]
    if number < 100:
        return [TENS[number // 10]] + ([ONES[number % 10]] if number % 10 else [])
    for size, name in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number_words(number % size) if number % size else []
            return number_words(number // size) + [name] + rest
    raise AssertionError(number)


def clock_words(match: re.Match) -> str:
    hour, minute = int(match[1]), int(match[2])
    middle = [] if minute == 0 else (["oh"] if minute < 10 else []) + number_words(minute)
    return f" {' '.join(number_words(hour) + middle)} "


def digits_words(match: re.Match) -> str:
    digits = match[0].replace(",", "")
    if len(digits) > 9 or (digits[0] == "0" and len(digits) > 1):
        return f" {' '.join(ONES[int(digit)] for digit in digits)} "
    return f" {' '.join(number_words(int(digits)))} "


def words(text: str) -> list[str]:
    """Lower case, without punctuation, numbers in words: what word errors are counted in."""
    text = text.lower().replace("’", "'")
    text = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", text)
    text = re.sub(r"(?<=\d)%", " percent ", text)
    text = re.sub(r"(?<=\d) ?[x×] ?(?=\d)", " times ", text)
    text = re.sub(r"(?<=\d) ?\+ ?(?=\d)", " plus ", text)
    text = re.sub(r"\b(\d{1,2}):(\d{2})\b", clock_words, text)
    text = re.sub(r"(?<=\d)\.(?=\d)", " point ", text)
    text = re.sub(r"\d{1,3}(?:,\d{3})+|\d+", digits_words, text)
    return re.findall(r"[a-z]+(?:'[a-z]+)*", text)


def word_errors(said: str, heard: str) -> tuple[int, int]:
    """Insertions, deletions and substitutions, and the words that were said."""
    left, right = words(said), words(heard)
    row = list(range(len(right) + 1))
    for i, word in enumerate(left, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1], len(left)


def has(text: str, *alternatives: str) -> bool:
    """Whether one of the alternatives, each some words in a row, is in the text. A number is not found inside another."""
    long_number = r"\d[\d,]*\d"
    numbers = {number.replace(",", "") for number in re.findall(long_number, text)}
    joined = f" {' '.join(words(re.sub(long_number, ' ', text)))} "
    return any(
        alternative in numbers or f" {' '.join(words(alternative))} " in joined for alternative in alternatives
    )
