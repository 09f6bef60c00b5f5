#!/usr/bin/env python3
"""Repacks Whisper weights from CTranslate2's model.bin into the ggml file that whisper.cpp reads.

Usage: whisper_weights.py MODEL_BIN TOKENIZER_JSON OUTPUT

No arithmetic is done on the weights except between 16-bit and 32-bit floats, and nothing beyond the standard library
is needed. The output appears whole or not at all. A file that cannot be repacked is refused with a sentence that names
it, and the exit status is 1.
"""

import json
import math
import os
import pathlib
import struct
import sys
import tempfile
import typing

GGML_MAGIC = 0x67676D6C
# whisper.cpp makes up all tokens after these, which it takes to be the special ones.
TEXT_TOKENS = 50_257
HEAD_SIZE = 64
SAMPLE_RATE = 16_000
FFT_SIZE = 400
F32, F16 = 0, 1

# CTranslate2's numbers of the element types, and their sizes in bytes.
CT2_SIZES = {0: 4, 1: 1, 2: 2, 3: 4, 4: 2}
CT2_F32, CT2_F16 = 0, 4


class Refused(Exception):
    """The input is not what it should be."""


class Variable(typing.NamedTuple):
    """A tensor of the input: its shape, CTranslate2's number of its element type, its little-endian bytes."""

    shape: "tuple[int, ...]"
    kind: int
    data: memoryview


class Tensor(typing.NamedTuple):
    """A tensor of the output: its shape in the input's order, and whether its elements are 32 bits wide."""

    name: str
    shape: "tuple[int, ...]"
    is_wide: bool
    source: Variable


class Reader:
    """A forward cursor over a file's bytes that refuses to read past the end."""

    def __init__(self, name: str, content: bytes):
        self.name = name
        self.content = memoryview(content)
        self.offset = 0

    def take(self, count: int, what: str) -> memoryview:
        if count > len(self.content) - self.offset:
            raise Refused(f"{self.name} is truncated: {what} at byte {self.offset} needs {count} bytes")
        self.offset += count
        return self.content[self.offset - count : self.offset]

    def number(self, code: str, what: str) -> int:
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code), what))[0]

    def string(self, what: str) -> str:
        # The length counts the NUL at the end.
        text = bytes(self.take(self.number("H", what), what))
        try:
            return text.rstrip(b"\0").decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(f"{self.name}: {what} is not text") from None


def read_variables(path: pathlib.Path) -> "dict[str, Variable]":
    """All variables of a CTranslate2 Whisper model, aliases included."""
    reader = Reader(path.name, path.read_bytes())
    version = reader.number("I", "the format's version")
    if version != 6:
        raise Refused(f"{path.name} is not a CTranslate2 model of format 6 (it says {version})")
    spec = reader.string("the model's kind")
    if spec != "WhisperSpec":
        raise Refused(f"{path.name} is not a Whisper model (it says {spec!r})")
    reader.number("I", "the model's revision")

    variables: "dict[str, Variable]" = {}
    for _ in range(reader.number("I", "the number of variables")):
        name = reader.string("a variable's name")
        rank = reader.number("B", name)
        shape = tuple(reader.number("I", name) for _ in range(rank))
        kind = reader.number("B", name)
        length = reader.number("I", name)
        if kind not in CT2_SIZES or length != math.prod(shape) * CT2_SIZES[kind]:
            raise Refused(f"{path.name}: {name} has type {kind}, shape {shape} and {length} bytes, which do not agree")
        variables[name] = Variable(shape, kind, reader.take(length, name))
    for _ in range(reader.number("I", "the number of aliases")):
        alias, existing = reader.string("an alias"), reader.string("an alias")
        if existing not in variables:
            raise Refused(f"{path.name}: {alias} stands for {existing}, which is not there")
        variables[alias] = variables[existing]
    if reader.offset != len(reader.content):
        raise Refused(f"{path.name} has {len(reader.content) - reader.offset} bytes after its end")
    return variables


def token_bytes(path: pathlib.Path, count: int) -> "list[bytes]":
    """The bytes of the first `count` tokens of a tokenizer.json, undoing GPT-2's map from bytes to printable characters."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    byte_of = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in set(printable))
    byte_of.update((chr(0x100 + place), byte) for place, byte in enumerate(others))
    try:
        vocabulary = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
        text_of = {number: text for text, number in vocabulary.items()}
        return [bytes(byte_of[character] for character in text_of[number]) for number in range(count)]
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Refused(f"{path.name} does not hold the {count} tokens of this model ({fault!r})") from None


def mel_filters(bands: int) -> bytes:
    """Triangular filters over the bins of a 400-point transform at 16 kHz, on Slaney's mel scale, each of equal area."""
    bins = FFT_SIZE // 2 + 1
    step = math.log(6.4) / 27

    def hertz(mel: float) -> float:
        return mel * 200 / 3 if mel < 15 else 1000 * math.exp(step * (mel - 15))

    highest = 15 + math.log(SAMPLE_RATE / 2 / 1000) / step
    edges = [hertz(highest * place / (bands + 1)) for place in range(bands + 2)]
    rows = []
    for low, middle, high in zip(edges, edges[1:], edges[2:]):
        for place in range(bins):
            frequency = place * SAMPLE_RATE / FFT_SIZE
            height = min((frequency - low) / (middle - low), (high - frequency) / (high - middle))
            rows.append(max(0.0, height) * 2 / (high - low))
    return struct.pack(f"<{len(rows)}f", *rows)


class Model:
    """The tensors of one model under the names that whisper.cpp looks for, in a fixed order."""

    def __init__(self, name: str, variables: "dict[str, Variable]"):
        self.name = name
        self.variables = variables
        self.tensors: "list[Tensor]" = []
        for side in ("encoder", "decoder"):
            self._side(side)

    def variable(self, name: str, rank: int) -> Variable:
        found = self.variables.get(name)
        if found is None:
            raise Refused(f"{self.name} has no {name}")
        if len(found.shape) != rank or found.kind not in (CT2_F32, CT2_F16):
            raise Refused(f"{self.name}: {name} has type {found.kind} and shape {found.shape}; floats of rank {rank} are read")
        return found

    def layers(self, side: str) -> int:
        count = 0
        while f"{side}/layer_{count}/self_attention/linear_0/weight" in self.variables:
            count += 1
        return count

    def _add(self, name: str, source: Variable, shape: "tuple[int, ...] | None" = None, is_wide: bool = False) -> None:
        shape = source.shape if shape is None else shape
        self.tensors.append(Tensor(name, shape, is_wide or len(shape) == 1, source))

    def _linear(self, source: str, target: str) -> None:
        self._add(f"{target}.weight", self.variable(f"{source}/weight", 2))
        self._add(f"{target}.bias", self.variable(f"{source}/bias", 1))

    def _norm(self, source: str, target: str) -> None:
        self._add(f"{target}.weight", self.variable(f"{source}/gamma", 1))
        self._add(f"{target}.bias", self.variable(f"{source}/beta", 1))

    def _stacked(self, source: str, targets: "list[str]") -> None:
        """Takes apart matrices that lie one after the other on the first axis."""
        for part, rank in (("weight", 2), ("bias", 1)):
            whole = self.variable(f"{source}/{part}", rank)
            if whole.shape[0] % len(targets) != 0:
                raise Refused(f"{self.name}: {source}/{part} has shape {whole.shape}, which is not {len(targets)} matrices")
            shape = (whole.shape[0] // len(targets), *whole.shape[1:])
            length = len(whole.data) // len(targets)
            for place, target in enumerate(targets):
                # Whisper's keys have no bias; what is stored in its place is zero.
                if not (part == "bias" and target.endswith(".key")):
                    piece = whole.data[place * length : (place + 1) * length]
                    self._add(f"{target}.{part}", Variable(shape, whole.kind, piece))

    def _convolution(self, name: str) -> None:
        self._add(f"encoder.{name}.weight", self.variable(f"encoder/{name}/weight", 3))
        bias = self.variable(f"encoder/{name}/bias", 1)
        self._add(f"encoder.{name}.bias", bias, (bias.shape[0], 1), is_wide=True)

    def _side(self, side: str) -> None:
        positions = self.variable(f"{side}/position_encodings/encodings", 2)
        self._add(f"{side}.positional_embedding", positions, is_wide=True)
        if side == "encoder":
            self._convolution("conv1")
            self._convolution("conv2")
        else:
            self._add("decoder.token_embedding.weight", self.variable("decoder/embeddings/weight", 2))
        for layer in range(self.layers(side)):
            source, target = f"{side}/layer_{layer}", f"{side}.blocks.{layer}"
            own = [f"{target}.attn.{part}" for part in ("query", "key", "value")]
            self._stacked(f"{source}/self_attention/linear_0", own)
            self._linear(f"{source}/self_attention/linear_1", f"{target}.attn.out")
            self._norm(f"{source}/self_attention/layer_norm", f"{target}.attn_ln")
            if side == "decoder":
                self._linear(f"{source}/attention/linear_0", f"{target}.cross_attn.query")
                cross = [f"{target}.cross_attn.{part}" for part in ("key", "value")]
                self._stacked(f"{source}/attention/linear_1", cross)
                self._linear(f"{source}/attention/linear_2", f"{target}.cross_attn.out")
                self._norm(f"{source}/attention/layer_norm", f"{target}.cross_attn_ln")
            self._linear(f"{source}/ffn/linear_0", f"{target}.mlp.0")
            self._linear(f"{source}/ffn/linear_1", f"{target}.mlp.2")
            self._norm(f"{source}/ffn/layer_norm", f"{target}.mlp_ln")
        self._norm(f"{side}/layer_norm", "encoder.ln_post" if side == "encoder" else "decoder.ln")

    def header(self) -> "list[int]":
        vocabulary, text_state = self.variable("decoder/embeddings/weight", 2).shape
        audio_context, audio_state = self.variable("encoder/position_encodings/encodings", 2).shape
        text_context = self.variable("decoder/position_encodings/encodings", 2).shape[0]
        bands = self.variable("encoder/conv1/weight", 3).shape[1]
        audio_layers, text_layers = self.layers("encoder"), self.layers("decoder")
        if audio_state % HEAD_SIZE or text_state % HEAD_SIZE or not (audio_layers and text_layers):
            raise Refused(f"{self.name} does not have the layers of a Whisper model")
        return [
            *(vocabulary, audio_context, audio_state, audio_state // HEAD_SIZE, audio_layers),
            *(text_context, text_state, text_state // HEAD_SIZE, text_layers, bands, F16),
        ]


def elements(tensor: Tensor) -> "bytes | memoryview":
    """A tensor's data in the width that the output wants."""
    kind, data = tensor.source.kind, tensor.source.data
    if kind == (CT2_F32 if tensor.is_wide else CT2_F16):
        return data
    count = math.prod(tensor.shape)
    read, write = ("<%de", "<%df") if kind == CT2_F16 else ("<%df", "<%de")
    try:
        return struct.pack(write % count, *struct.unpack(read % count, data))
    except OverflowError:
        raise Refused(f"{tensor.name} has a value that does not fit 16 bits") from None


def repack(model_path: pathlib.Path, tokenizer_path: pathlib.Path, output: pathlib.Path) -> None:
    """Writes the ggml file. Raises Refused or OSError, and then leaves no file."""
    model = Model(model_path.name, read_variables(model_path))
    header = model.header()
    vocabulary, bands = header[0], header[9]
    tokens = token_bytes(tokenizer_path, min(vocabulary, TEXT_TOKENS))

    handle, partial = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(struct.pack("<i11i", GGML_MAGIC, *header))
            file.write(struct.pack("<2i", bands, FFT_SIZE // 2 + 1))
            file.write(mel_filters(bands))
            file.write(struct.pack("<i", len(tokens)))
            for token in tokens:
                file.write(struct.pack("<i", len(token)) + token)
            for tensor in model.tensors:
                name = tensor.name.encode()
                file.write(struct.pack("<3i", len(tensor.shape), len(name), F32 if tensor.is_wide else F16))
                # ggml counts the axes from the one whose elements are neighbours.
                file.write(struct.pack(f"<{len(tensor.shape)}i", *reversed(tensor.shape)))
                file.write(name)
                file.write(elements(tensor))
        os.chmod(partial, 0o644)
        os.replace(partial, output)
    except BaseException:
        os.unlink(partial)
        raise


def main() -> int:
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 64
    try:
        repack(*(pathlib.Path(argument) for argument in sys.argv[1:]))
    except (Refused, OSError) as fault:
        print(f"whisper_weights: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
