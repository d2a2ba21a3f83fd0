"""A network written as a file that others open: ONNX, TorchScript, or safetensors and its code."""

import importlib.util
import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from safetensors.torch import save
from torch.export import Dim, export

from study import Mistake
from study.model.whole import Whole, coloured
from study.storage import atomic
from study.storage.places import first_line

INPUT, OUTPUT = "faces", "probabilities"
BATCH = 256
LEAST = 18  # opset with an antialiased resize
SHAPES = ({0: Dim("batch"), 1: Dim("height"), 2: Dim("width")},)
LOADER = '''"""{title}. Needs torch alone:

    from {stem} import load
    probabilities = load("{file}")(faces)  # faces: uint8 (B, H, W, 3); probabilities: (B, K)
"""

import json

import torch
from torch import device, inf  # the network's code below names them

KINDS = {{"F64": torch.float64, "F32": torch.float32, "F16": torch.float16,
         "BF16": torch.bfloat16, "I64": torch.int64, "I32": torch.int32, "I16": torch.int16,
         "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}}


def load(path):
    """The network as a function, with the weights of a safetensors file."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    start = 8 + int.from_bytes(content[:8], "little")
    weights = {{}}
    for name, about in json.loads(content[8:start]).items():
        if name != "__metadata__":
            begin, end = (start + at for at in about["data_offsets"])
            part = torch.frombuffer(content[begin:end], dtype=KINDS[about["dtype"]])
            weights[name] = part.reshape(about["shape"])
    return torch.no_grad()(lambda faces: forward(weights, faces))


'''


def write_onnx(model: Whole, path: Path, opset: int, about: dict[str, str]) -> None:
    """One ONNX file, weights within. Mistake if the exporter writes another opset than asked."""
    example = torch.zeros(2, 60, 56, 3, dtype=torch.uint8)
    content = io.BytesIO()
    instead = f"--opset {LEAST}, or " * (opset > LEAST) + "--format torchscript"
    with writing(f"ONNX of opset {opset}", instead):
        made = torch.onnx.export(
            model,
            (example,),
            dynamo=True,
            dynamic_shapes=SHAPES,
            opset_version=opset,
            input_names=[INPUT],
            output_names=[OUTPUT],
            verbose=False,
        )
    assert made is not None
    proto = made.model_proto  # weights within: by itself the exporter puts them in a second file
    written = {one.domain: one.version for one in proto.opset_import}
    if written.get("") != opset:
        why = "give a smaller one, as 18"
        if opset < LEAST:
            why = f"the antialiased resize of photographs is in ONNX from {LEAST} on"
        raise Mistake(f"opset {opset} was asked for, but torch wrote {written.get('')}: {why}")
    for key, value in about.items():
        proto.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(proto, full_check=True)
    content.write(proto.SerializeToString())
    atomic.replace(path, lambda file: file.write(content.getbuffer()))


def write_int8(source: Path, path: Path, faces: np.ndarray, about: dict[str, str]) -> None:
    """The ONNX file `source` with its convolutions and products in 8 bits, their ranges taken from
    grey faces (N, H, W) of train; what is done before the network stays as it is."""
    with quiet():
        quantize_static(
            source,
            path,
            Faces(faces),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Gemm"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    proto = onnx.load(path)
    del proto.metadata_props[:]
    for key, value in about.items():
        proto.metadata_props.add(key=key, value=value)
    content = proto.SerializeToString()
    atomic.replace(path, lambda file: file.write(content))


class Faces(CalibrationDataReader):
    """Train images for the ranges of activations, 32 at a time."""

    def __init__(self, faces: np.ndarray) -> None:
        self.parts = iter(np.array_split(faces, max(1, len(faces) // 32)))

    def get_next(self) -> dict[str, np.ndarray] | None:
        part = next(self.parts, None)
        return None if part is None else {INPUT: coloured(part)}


def write_torchscript(model: Whole, path: Path) -> None:
    """A TorchScript file: torch.jit.load(path)(faces)."""
    example = torch.zeros(2, 60, 56, 3, dtype=torch.uint8)
    content = io.BytesIO()
    with writing("TorchScript", "--format onnx"), torch.no_grad():
        traced = torch.jit.trace(model, example)
        torch.jit.save(traced, content)
    atomic.replace(path, lambda file: file.write(content.getbuffer()))


def write_safetensors(model: Whole, path: Path, about: dict[str, str]) -> Path:
    """Weights as safetensors, and beside them the network's code and a loader that needs torch
    alone; the loader's path."""
    example = torch.zeros(2, 60, 56, 3, dtype=torch.uint8)
    with writing("safetensors and code", "--format torchscript"), torch.no_grad():
        program = export(model, (example,), dynamic_shapes=SHAPES)
    found: dict[str, Any] = {**program.state_dict, **program.constants}
    # Each its own copy: safetensors refuses one weight that a network has under two names.
    kept = torch.contiguous_format
    weights = {name: one.detach().clone(memory_format=kept) for name, one in found.items()}
    content = save(weights, {key: str(value) for key, value in about.items()})
    atomic.replace(path, lambda file: file.write(content))
    beside = path.with_suffix(".py")
    title = f"{about['model']} of {about['study']}, from uint8 faces to probabilities"
    text = LOADER.format(title=title, stem=path.stem, file=path.name) + code(program)
    atomic.replace(beside, lambda file: file.write(text.encode()))
    return beside


def code(program: Any) -> str:
    """An exported program as one function of its weights and its input, by name."""
    signature = program.graph_signature
    named = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    named |= getattr(signature, "inputs_to_lifted_tensor_constants", {})
    source = re.sub(
        r"^.* = torch\.ops\.aten\._assert.*\n", "", program.graph_module.code, flags=re.MULTILINE
    )
    head, _, body = source.partition(":\n")
    names = re.findall(r"[( ](\w+)(?=[,)])", head.partition("(")[2].join("( "))
    lines = [f"    {name} = weights[{named[name]!r}]" for name in names if name in named]
    (given,) = [name for name in names if name not in named and name != "self"]
    body = re.sub(r"^    return \((\w+),\)$", r"    return \1", body, flags=re.MULTILINE)
    return f"def forward(weights, {given}):\n" + "\n".join(lines) + "\n" + body.rstrip() + "\n"


def asked(path: Path, kind: str, faces: np.ndarray, threads: int = 1) -> np.ndarray:
    """What a file answers to grey faces (N, H, W): float32 (N, K); by onnxruntime, or torch."""
    parts = [coloured(part) for part in np.split(faces, range(BATCH, len(faces), BATCH))]
    if kind == "onnx":
        run = session(path, threads)
        return np.concatenate([run.run(None, {INPUT: part})[0] for part in parts])
    if kind == "torchscript":
        with quiet():
            model = torch.jit.load(path)
    else:
        spec = importlib.util.spec_from_file_location(path.stem, path.with_suffix(".py"))
        assert spec and spec.loader
        beside = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(beside)  # what was written a moment ago
        model = beside.load(str(path))
    with torch.no_grad():
        return np.concatenate([model(torch.from_numpy(part)).numpy() for part in parts])


def session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """An ONNX file, opened to run on so many cores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@contextmanager
def writing(kind: str, instead: str) -> Iterator[None]:
    """Quietly; Mistake for whatever torch raises: no error says whether operator or opset is to
    blame, so what may do better is named."""
    with quiet():
        try:
            yield
        except Exception as error:
            raise Mistake(
                f"torch can't write this network as {kind} ({first_line(error)}): try {instead}"
            ) from None


@contextmanager
def quiet() -> Iterator[None]:
    """Without what exporters log and warn of; what matters is checked and said here."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
