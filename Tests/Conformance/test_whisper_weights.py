"""Whisper's weights are repacked exactly, or refused by name with nothing left behind."""

import json
import math
import pathlib
import struct
import subprocess
import sys

import pytest

from processes import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import engine_parts  # noqa: E402
import whisper_weights  # noqa: E402

STATE, FFN, AUDIO_CONTEXT, TEXT_CONTEXT, BANDS = 64, 8, 6, 5, 80
# "!" and "a" stand for themselves, U+0120 for the blank, U+0100 and U+0101 for bytes 0 and 1, U+0143 for the soft hyphen.
TOKENS = ["!", "a", "\u0120a", "\u0100\u0101", "\u0143", "é", "<|endoftext|>"]
TOKEN_BYTES = [b"!", b"a", b" a", b"\x00\x01", b"\xad", b"\xe9", b"<|endoftext|>"]


# --- A small model in CTranslate2's form.


class Synthetic:
    """Variables whose values tell where they came from: each element differs from its neighbours."""

    def __init__(self):
        self.variables: dict[str, tuple[tuple[int, ...], int, bytes]] = {}
        self.values: dict[str, list[float]] = {}
        for side in ("encoder", "decoder"):
            self._side(side)
        self.variables["encoder/num_heads"] = ((), 2, struct.pack("<h", 1))
        self.variables["decoder/pre_norm"] = ((), 1, b"\x01")

    def add(self, name: str, *shape: int, kind: int = 4) -> None:
        seed = len(self.variables)
        count = math.prod(shape)
        # Halves below 1024 are exact in 16 bits.
        values = [((seed * 131 + place * 7) % 2047 - 1023) / 2 for place in range(count)]
        self.values[name] = values
        self.variables[name] = (shape, kind, struct.pack(f"<{count}{'e' if kind == 4 else 'f'}", *values))

    def _linear(self, name: str, rows: int, columns: int) -> None:
        self.add(f"{name}/weight", rows, columns)
        self.add(f"{name}/bias", rows)

    def _norm(self, name: str) -> None:
        self.add(f"{name}/gamma", STATE)
        self.add(f"{name}/beta", STATE)

    def _side(self, side: str) -> None:
        self.add(f"{side}/position_encodings/encodings", AUDIO_CONTEXT if side == "encoder" else TEXT_CONTEXT, STATE)
        if side == "encoder":
            for name, inputs in (("conv1", BANDS), ("conv2", STATE)):
                self.add(f"encoder/{name}/weight", STATE, inputs, 3)
                self.add(f"encoder/{name}/bias", STATE)
        else:
            self.add("decoder/embeddings/weight", len(TOKENS), STATE)
        layer = f"{side}/layer_0"
        self._linear(f"{layer}/self_attention/linear_0", 3 * STATE, STATE)
        self._linear(f"{layer}/self_attention/linear_1", STATE, STATE)
        self._norm(f"{layer}/self_attention/layer_norm")
        if side == "decoder":
            self._linear(f"{layer}/attention/linear_0", STATE, STATE)
            self._linear(f"{layer}/attention/linear_1", 2 * STATE, STATE)
            self._linear(f"{layer}/attention/linear_2", STATE, STATE)
            self._norm(f"{layer}/attention/layer_norm")
        self._linear(f"{layer}/ffn/linear_0", FFN, STATE)
        self._linear(f"{layer}/ffn/linear_1", STATE, FFN)
        self._norm(f"{layer}/ffn/layer_norm")
        self._norm(f"{side}/layer_norm")

    def encoded(self) -> bytes:
        def string(text: str) -> bytes:
            return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

        parts = [struct.pack("<I", 6), string("WhisperSpec"), struct.pack("<II", 3, len(self.variables))]
        for name, (shape, kind, data) in self.variables.items():
            parts.append(string(name) + struct.pack(f"<B{len(shape)}I", len(shape), *shape))
            parts.append(struct.pack("<BI", kind, len(data)) + data)
        parts.append(struct.pack("<I", 1) + string("decoder/projection/weight") + string("decoder/embeddings/weight"))
        return b"".join(parts)

    def write(self, folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
        model, tokenizer = folder / "model.bin", folder / "tokenizer.json"
        model.write_bytes(self.encoded())
        vocabulary = {text: number for number, text in enumerate(TOKENS)}
        tokenizer.write_text(json.dumps({"model": {"vocab": vocabulary}}), encoding="utf-8")
        return model, tokenizer


class Ggml:
    """What a ggml file says, read independently of what wrote it."""

    def __init__(self, content: bytes):
        self.magic, *self.header = struct.unpack_from("<12i", content)
        bands, bins = struct.unpack_from("<2i", content, 48)
        self.filters = [struct.unpack_from(f"<{bins}f", content, 56 + 4 * bins * row) for row in range(bands)]
        offset = 56 + 4 * bins * bands
        (count,) = struct.unpack_from("<i", content, offset)
        offset += 4
        self.tokens = []
        for _ in range(count):
            (length,) = struct.unpack_from("<i", content, offset)
            self.tokens.append(content[offset + 4 : offset + 4 + length])
            offset += 4 + length
        self.tensors: dict[str, tuple[tuple[int, ...], int, list[float]]] = {}
        while offset < len(content):
            rank, length, kind = struct.unpack_from("<3i", content, offset)
            shape = struct.unpack_from(f"<{rank}i", content, offset + 12)
            offset += 12 + 4 * rank
            name = content[offset : offset + length].decode()
            offset += length
            code = {0: "f", 1: "e"}[kind]
            elements = struct.unpack_from(f"<{math.prod(shape)}{code}", content, offset)
            offset += struct.calcsize(code) * len(elements)
            assert name not in self.tensors
            self.tensors[name] = (shape, kind, list(elements))


@pytest.fixture(scope="module")
def synthetic() -> Synthetic:
    return Synthetic()


@pytest.fixture(scope="module")
def repacked(synthetic, tmp_path_factory) -> Ggml:
    folder = tmp_path_factory.mktemp("weights")
    output = folder / "ggml.bin"
    whisper_weights.repack(*synthetic.write(folder), output)
    return Ggml(output.read_bytes())


def test_the_header_of_repacked_weights(repacked):
    assert repacked.magic == 0x67676D6C
    sizes = [len(TOKENS), AUDIO_CONTEXT, STATE, 1, 1, TEXT_CONTEXT, STATE, 1, 1, BANDS]
    assert repacked.header == [*sizes, 1]


def test_tokens_are_bytes_again(repacked):
    assert repacked.tokens == TOKEN_BYTES


def test_mel_filters_are_triangles_of_equal_area(repacked):
    assert len(repacked.filters) == BANDS and {len(row) for row in repacked.filters} == {201}
    # Values of the table that every Whisper implementation carries.
    assert repacked.filters[0][1] == pytest.approx(0.024862595, abs=1e-8)
    assert repacked.filters[1][1] == pytest.approx(0.001990821, abs=1e-8)
    for row in repacked.filters:
        above = [place for place, height in enumerate(row) if height > 0]
        assert above == list(range(above[0], above[-1] + 1)), "a filter is one triangle"
    # The widest filters have enough bins for their sum to show the area: one over the width of a bin, 40 Hz.
    assert sum(repacked.filters[-1]) == pytest.approx(1 / 40, rel=0.02)
    assert max(place for place, height in enumerate(repacked.filters[-1]) if height > 0) == 199


def test_stacked_matrices_are_taken_apart(repacked, synthetic):
    for side in ("encoder", "decoder"):
        whole = synthetic.values[f"{side}/layer_0/self_attention/linear_0/weight"]
        third = len(whole) // 3
        for place, part in enumerate(("query", "key", "value")):
            shape, _, values = repacked.tensors[f"{side}.blocks.0.attn.{part}.weight"]
            assert shape == (STATE, STATE) and values == whole[place * third : (place + 1) * third]
        biases = synthetic.values[f"{side}/layer_0/self_attention/linear_0/bias"]
        assert repacked.tensors[f"{side}.blocks.0.attn.query.bias"][2] == biases[:STATE]
        assert repacked.tensors[f"{side}.blocks.0.attn.value.bias"][2] == biases[2 * STATE :]
    crossed = synthetic.values["decoder/layer_0/attention/linear_1/weight"]
    assert repacked.tensors["decoder.blocks.0.cross_attn.key.weight"][2] == crossed[: STATE * STATE]
    assert repacked.tensors["decoder.blocks.0.cross_attn.value.weight"][2] == crossed[STATE * STATE :]
    cross_bias = synthetic.values["decoder/layer_0/attention/linear_1/bias"]
    assert repacked.tensors["decoder.blocks.0.cross_attn.value.bias"][2] == cross_bias[STATE:]
    assert not [name for name in repacked.tensors if name.endswith("key.bias")], "keys have no bias"


def test_axes_are_reversed(repacked):
    shapes = {name: tensor[0] for name, tensor in repacked.tensors.items()}
    assert shapes["encoder.conv1.weight"] == (3, BANDS, STATE)
    assert shapes["encoder.conv1.bias"] == shapes["encoder.conv2.bias"] == (1, STATE)
    assert shapes["encoder.blocks.0.mlp.0.weight"] == (STATE, FFN)
    assert shapes["encoder.blocks.0.mlp.2.weight"] == (FFN, STATE)
    assert shapes["encoder.positional_embedding"] == (STATE, AUDIO_CONTEXT)
    assert shapes["decoder.token_embedding.weight"] == (STATE, len(TOKENS))


def test_matrices_have_16_bits_and_all_else_32(repacked):
    wide = {"encoder.conv1.bias", "encoder.conv2.bias", "encoder.positional_embedding", "decoder.positional_embedding"}
    for name, (shape, kind, _) in repacked.tensors.items():
        assert kind == (0 if len(shape) == 1 or name in wide else 1), name


def test_every_tensor_has_its_name_and_its_values(repacked, synthetic):
    def linear(source, target):
        return {f"{source}/weight": f"{target}.weight", f"{source}/bias": f"{target}.bias"}

    def norm(source, target):
        return {f"{source}/gamma": f"{target}.weight", f"{source}/beta": f"{target}.bias"}

    names = {
        "encoder/position_encodings/encodings": "encoder.positional_embedding",
        "decoder/position_encodings/encodings": "decoder.positional_embedding",
        "decoder/embeddings/weight": "decoder.token_embedding.weight",
        **linear("encoder/conv1", "encoder.conv1"),
        **linear("encoder/conv2", "encoder.conv2"),
        **norm("encoder/layer_norm", "encoder.ln_post"),
        **norm("decoder/layer_norm", "decoder.ln"),
        **linear("decoder/layer_0/attention/linear_0", "decoder.blocks.0.cross_attn.query"),
        **linear("decoder/layer_0/attention/linear_2", "decoder.blocks.0.cross_attn.out"),
        **norm("decoder/layer_0/attention/layer_norm", "decoder.blocks.0.cross_attn_ln"),
    }
    for side in ("encoder", "decoder"):
        source, target = f"{side}/layer_0", f"{side}.blocks.0"
        names |= linear(f"{source}/self_attention/linear_1", f"{target}.attn.out")
        names |= norm(f"{source}/self_attention/layer_norm", f"{target}.attn_ln")
        names |= linear(f"{source}/ffn/linear_0", f"{target}.mlp.0") | linear(f"{source}/ffn/linear_1", f"{target}.mlp.2")
        names |= norm(f"{source}/ffn/layer_norm", f"{target}.mlp_ln")
    for source, target in names.items():
        assert repacked.tensors[target][2] == synthetic.values[source], target
    stacked = {name for name in repacked.tensors if name.split(".")[-2] in ("query", "key", "value")}
    assert set(repacked.tensors) == set(names.values()) | stacked
    assert len(stacked - set(names.values())) == 5 + 5 + 3


def test_weights_of_32_bits_are_narrowed(tmp_path):
    wide = Synthetic()
    wide.add("decoder/embeddings/weight", len(TOKENS), STATE, kind=0)
    output = tmp_path / "ggml.bin"
    whisper_weights.repack(*wide.write(tmp_path), output)
    _, kind, values = Ggml(output.read_bytes()).tensors["decoder.token_embedding.weight"]
    assert kind == 1 and values == wide.values["decoder/embeddings/weight"]


def refusal(folder: pathlib.Path) -> str:
    """The sentence with which the command refuses what is in the folder, leaving nothing behind."""
    before = sorted(folder.iterdir())
    script = ROOT / "scripts" / "whisper_weights.py"
    arguments = [folder / "model.bin", folder / "tokenizer.json", folder / "ggml.bin"]
    run = subprocess.run([sys.executable, str(script), *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 1 and "Traceback" not in run.stderr, run.stderr
    assert sorted(folder.iterdir()) == before, "nothing is left of a refused file"
    return run.stderr


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.9999])
def test_truncated_weights_are_refused_by_name(synthetic, tmp_path, share):
    model, _ = synthetic.write(tmp_path)
    content = model.read_bytes()
    model.write_bytes(content[: int(len(content) * share)])
    assert "model.bin is truncated" in refusal(tmp_path)


def test_weights_of_another_kind_are_refused_by_name(synthetic, tmp_path):
    model, tokenizer = synthetic.write(tmp_path)
    content = model.read_bytes()
    model.write_bytes(content + b"\0")
    assert "model.bin has 1 bytes after its end" in refusal(tmp_path)
    model.write_bytes(content.replace(b"WhisperSpec", b"Transformer"))
    assert "not a Whisper model" in refusal(tmp_path)
    model.write_bytes(struct.pack("<I", 5) + content[4:])
    assert "format 6" in refusal(tmp_path)
    model.write_bytes(content.replace(b"encoder/conv2/bias", b"encoder/conv9/bias"))
    assert "has no encoder/conv2/bias" in refusal(tmp_path)
    quantised = Synthetic()
    quantised.variables["encoder/conv1/weight"] = ((STATE, BANDS, 3), 1, bytes(STATE * BANDS * 3))
    model.write_bytes(quantised.encoded())
    assert "encoder/conv1/weight has type 1" in refusal(tmp_path)
    model.write_bytes(content)
    tokenizer.write_text('{"model": {"vocab": {"a": 0}}}', encoding="utf-8")
    assert "tokenizer.json does not hold the 7 tokens" in refusal(tmp_path)


# --- With the real parts.

INSTALLED = engine_parts.data_folder() / "models" / "ggml-tiny.en.bin"


@pytest.mark.skipif(not INSTALLED.exists(), reason="Whisper's weights are not installed: run make setup")
def test_the_installed_weights_are_those_of_the_official_file():
    content = INSTALLED.read_bytes()
    assert len(content) == 77_704_715, "the size of the file that whisper.cpp's authors publish"
    magic, *header = struct.unpack_from("<12i", content)
    assert (magic, header) == (0x67676D6C, [51864, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1])
    (tokens,) = struct.unpack_from("<i", content, 56 + 4 * 80 * 201)
    assert tokens == 50_257
