"""Makes a static site of an index: its photos are searched in the browser, without a service, and without a network.

    python examples/offline/build_site.py --index var/demo-index --out var/offline
    python -m http.server --directory var/offline 8080

The site has the vectors of some hundred photos in float16, their thumbnails, the sketch encoder, ONNX Runtime for the
web, and the client's own modules. It needs no build step of JavaScript and no particular server.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from index_builder.artifact import GalleryIndex
from models.bundle import Bundle, Runtime
from service.http.schemas.encoder import describe_encoder

HERE = Path(__file__).resolve().parent
CLIENT = HERE.parents[1] / "clients" / "typescript"
RUNTIME = CLIENT / "node_modules" / "onnxruntime-web" / "dist"
PAGE = ("index.html", "style.css", "page.js", "board.js", "worker.js")
SERVICE_WORKER = "service_worker.js"
_PHOTOS = 400
_UNUSED = shutil.ignore_patterns("*.ts", "entry.js", "search.js")  # of the client: what speaks to a service


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--index", type=Path, required=True, help="index directory")
    parser.add_argument("--out", type=Path, required=True, help="folder of the site; what is there is replaced")
    parser.add_argument("--bundle", help="the index's bundle, by name or directory; the default one when not given")
    parser.add_argument("--photos", type=int, default=_PHOTOS, help="at most so many, evenly chosen")
    parser.add_argument(
        "--runtime", type=Path, default=RUNTIME, help="folder `dist` of the npm package onnxruntime-web"
    )
    options = parser.parse_args()
    bundle = Bundle.load(options.bundle, Runtime(device="cpu"))
    sizes = build_site(options.index, options.out, bundle, photos=options.photos, runtime=options.runtime)
    for name, size in sizes.items():
        print(f"{size / 1e6:6.2f} MB  {name}")


def build_site(
    index_dir: Path, out: Path, bundle: Bundle, *, photos: int = _PHOTOS, runtime: Path = RUNTIME
) -> dict[str, int]:
    """Write the site of an index that `bundle` made -> bytes that a browser fetches, by what they are.

    Raises FileNotFoundError where onnxruntime-web is not installed (`make test` installs it), IndexArtifactError.
    """
    if not (runtime / "ort-wasm-simd-threaded.wasm").exists():
        raise FileNotFoundError(f"no onnxruntime-web in {runtime}: `npm ci --prefix clients/typescript` installs it")
    shutil.rmtree(out, ignore_errors=True)
    (out / "client" / "calls").mkdir(parents=True)
    index = GalleryIndex.load(index_dir, bundle_id=bundle.bundle_id)
    try:
        _write_gallery(out, index, bundle, photos)
    finally:
        index.close()
    # Packed, since few static servers compress; the page unpacks them.
    _pack(bundle.path / bundle.manifest.sketch.file, out / "encoder.onnx.packed")
    _pack(runtime / "ort-wasm-simd-threaded.wasm", out / "runtime.wasm.packed")
    shutil.copy(runtime / "ort.wasm.bundle.min.mjs", out / "runtime.js")
    shutil.copytree(CLIENT / "src" / "local", out / "client" / "local", ignore=_UNUSED)
    shutil.copy(CLIENT / "src" / "calls" / "half.js", out / "client" / "calls")
    for name in PAGE:
        shutil.copy(HERE / name, out)
    return _write_service_worker(out)


def _write_gallery(out: Path, index: GalleryIndex, bundle: Bundle, photos: int) -> None:
    rows = np.unique(np.linspace(0, index.count - 1, min(photos, index.count)).astype(np.int64))
    records = index.photos(rows.tolist())
    thumbnails = [index.thumbnail(record.photo_id).jpeg for record in records]
    (out / "vectors.bin").write_bytes(np.asarray(index.vectors_of(rows)).astype("<f2").tobytes())
    (out / "thumbnails.bin").write_bytes(b"".join(thumbnails))
    helps = any(record.category in index.manifest.one_way_categories for record in records)
    gallery: dict[str, Any] = {
        "encoder": describe_encoder(bundle, mirrored_helps=helps, alone=index.manifest.alone).model_dump(mode="json"),
        "photos": [
            {"photo_id": record.photo_id, "category": record.category, "bytes": len(thumbnail)}
            for record, thumbnail in zip(records, thumbnails, strict=True)
        ],
    }
    (out / "gallery.json").write_text(json.dumps(gallery), encoding="utf-8")


def _pack(source: Path, target: Path) -> None:
    # Without a date, so that the same content is the same file.
    target.write_bytes(gzip.compress(source.read_bytes(), mtime=0))


def _write_service_worker(out: Path) -> dict[str, int]:
    """The service worker keeps every file of the site, under a version made of their contents."""
    files = sorted(path for path in out.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(out).as_posix().encode() + path.read_bytes())
    names = ["./", *(path.relative_to(out).as_posix() for path in files)]
    head = f'const VERSION = "{digest.hexdigest()[:16]}";\nconst FILES = {json.dumps(names)};\n'
    body = (HERE / SERVICE_WORKER).read_text(encoding="utf-8")
    (out / SERVICE_WORKER).write_text(head + body.partition("// Below here\n")[2], encoding="utf-8")
    return _sizes(out)


def _sizes(out: Path) -> dict[str, int]:
    parts = {
        "vectors": ["vectors.bin"],
        "thumbnails": ["thumbnails.bin"],
        "encoder": ["encoder.onnx.packed"],
        "ONNX Runtime": ["runtime.wasm.packed", "runtime.js"],
    }
    sizes = {name: sum((out / file).stat().st_size for file in files) for name, files in parts.items()}
    everything = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return {**sizes, "page, scripts, names": everything - sum(sizes.values()), "together": everything}


if __name__ == "__main__":
    main()
