"""Cost of a bundle's sketch encoder in each precision relative to float32, onnxruntime, one thread.

python benchmarks/encoder_variants.py [--bundle BUNDLE] [--also BUNDLE ...] [--rounds 20]

Variants are made on the spot from the first bundle, with ranges from noise: speed does not depend on them, accuracy
does, so it is measured where variants are made (`inkseek bundle quantize`). --also: further bundles as they are. Where
the package openvino is installed, it runs the same files for comparison: float32, its bfloat16 mode, int8.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
from typing import Any

import numpy as np

from models.bundle import Bundle, Encoder, Runtime, bundle_path
from models.bundle.encoder import INPUT_NAME
from models.export.precision.float16 import to_float16
from models.export.precision.int8 import to_int8
from models.studies.trade_off.encoder_cost import Encode, TimedEncoder, cpu_milliseconds

_BATCHES = (1, 8)


def variants(bundle: Bundle) -> dict[str, bytes]:
    plain = (bundle.path / bundle.manifest.sketch.file).read_bytes()
    size = bundle.sketch.preprocess.size_px
    noise = np.random.default_rng(0).standard_normal((8, 3, size, size), dtype=np.float32)
    return {
        "float32": plain,
        "int8": to_int8(plain, noise),
        "int8, stem in float32": to_int8(plain, noise, float_stem=True),
        # A CPU has no half-precision convolution: this shows what the file costs where it does not belong.
        "float16": to_float16(plain, noise),
    }


def opened(onnx: bytes, bundle: Bundle) -> Encode:
    session = Runtime(device="cpu", threads=1).session(onnx)
    return Encoder(session, bundle.sketch.preprocess, bundle.embedding_dim).encode


def with_openvino(onnx: bytes, precision: str) -> Encode:
    openvino = importlib.import_module("openvino")  # not one of ours
    settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision}
    core: Any = openvino.Core()
    compiled = core.compile_model(core.read_model(onnx, b""), "CPU", settings)
    request = compiled.create_infer_request()
    return lambda images: request.infer({INPUT_NAME: images})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=bundle_path)
    parser.add_argument("--also", type=bundle_path, nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    bundle = Bundle.load(given.bundle, Runtime(device="cpu", threads=1))
    size = bundle.sketch.preprocess.size_px
    files = variants(bundle)
    encoders = {name: TimedEncoder(opened(onnx, bundle), size) for name, onnx in files.items()}
    sizes = {name: len(onnx) for name, onnx in files.items()}
    if importlib.util.find_spec("openvino"):
        for name, file, precision in (("f32", "float32", "f32"), ("bf16", "float32", "bf16"), ("int8", "int8", "f32")):
            encoders[f"openvino {name}"] = TimedEncoder(with_openvino(files[file], precision), size)
            sizes[f"openvino {name}"] = sizes[file]
    for path in given.also:
        other = Bundle.load(path, Runtime(device="cpu", threads=1))
        encoders[other.bundle_id] = TimedEncoder(other.sketch.encode, other.sketch.preprocess.size_px)
        sizes[other.bundle_id] = other.manifest.files[other.manifest.sketch.file].bytes
    for batch in _BATCHES:
        spent = cpu_milliseconds(encoders, batch=batch, rounds=given.rounds)
        for name, milliseconds in spent.items():
            row = {
                "benchmark": "encoder_variants",
                "bundle": bundle.bundle_id,
                "variant": name,
                "batch": batch,
                "cpu_ms_per_image": round(milliseconds, 2),
                "ratio": round(milliseconds / spent["float32"], 3),
                "bytes": sizes[name],
            }
            print(json.dumps(row))


if __name__ == "__main__":
    main()
