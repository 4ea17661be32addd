"""Memory of listing a gallery, as a build does, at two sizes and from each kind of source. Goal: within 10 %.

python benchmarks/source_listing.py [--counts 10000,200000] [--kinds folder,csv,jsonl,parquet,tar,s3]

Each listing runs in a process of its own, whose largest resident set is read when it ends. It goes through the whole
listing, sorts it by id and looks at every stamp; no photo is decoded. The files are empty, and S3 is a stub that
makes up its pages. What a build keeps for each photo (a row number and two stamps, 24 bytes) is in the figures.
"""

from __future__ import annotations

import argparse
import http.server
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_PAGE = 1_000


def name_of(number: int) -> str:
    return f"c{number // 1_000:04d}/photo-{number:08d}.jpg"


class _Pages(http.server.BaseHTTPRequestHandler):
    """ListObjectsV2 of a bucket that holds as many objects as its name says."""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        count = int(urlsplit(self.path).path.strip("/").removeprefix("photos-"))
        start = int(query.get("continuation-token", ["0"])[0])
        end = min(start + _PAGE, count)
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{end}</NextContinuationToken>"
        entries = "".join(
            f"<Contents><Key>{name_of(number)}</Key><Size>1</Size><ETag>&quot;{number:032x}&quot;</ETag>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for number in range(start, end)
        )
        body = f"<ListBucketResult>{entries}{more if end < count else ''}</ListBucketResult>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def written(kind: str, count: int, folder: Path) -> str:
    """A gallery of that kind; returns its location."""
    if kind == "s3":
        return f"s3://photos-{count}"
    root = folder / f"{kind}-{count}"
    root.mkdir()
    names = [name_of(number) for number in range(count)]
    if kind == "tar":
        with tarfile.open(root / "a.tar", "w") as tar:
            for name in names:
                tar.addfile(tarfile.TarInfo(name), io.BytesIO())
        return str(root / "a.tar")
    for name in names:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()
    if kind == "csv":
        (root / "m.csv").write_text("photo_path,price,artist\n" + "".join(f"{n},{len(n)},somebody\n" for n in names))
    elif kind == "jsonl":
        rows = (json.dumps({"photo_path": name, "price": 1, "artist": "somebody"}) for name in names)
        (root / "m.jsonl").write_text("\n".join(rows))
    elif kind == "parquet":
        import pyarrow
        import pyarrow.parquet

        table = pyarrow.table({"photo_path": names, "price": list(range(count))})
        pyarrow.parquet.write_table(table, root / "m.parquet", row_group_size=10_000)
    return str(root if kind == "folder" else root / f"m.{kind}")


def list_once(location: str) -> None:
    """What a build does before it embeds; prints its largest resident set."""
    from index_builder.build.listing import listed_photos
    from index_builder.report import Report
    from index_builder.segments.stamps import stamps_of
    from index_builder.sources.choice import open_source

    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        source, scratch = open_source(location), Path(folder)
        with Report(scratch / "report.jsonl") as report, listed_photos(source, report, scratch) as photos:
            stamps = stamps_of(source, photos, scratch / "stamps.npy")
            listed = sum(1 for _ in photos)
    seconds = time.perf_counter() - started
    # Not getrusage: what that reports begins with the memory of the process that started this one.
    status = Path("/proc/self/status").read_text()
    peak_mib = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"photos": listed, "stamps": len(stamps), "peak_mib": round(peak_mib, 1), "s": round(seconds, 1)}))


def measured(kind: str, count: int, folder: Path, endpoint: str) -> dict[str, float]:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, __file__, "--list", written(kind, count, folder)]
    ended = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(ended.stdout)
    if result["photos"] != count:
        raise SystemExit(f"{kind}: {result['photos']} photos were listed, {count} are there")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="10000,200000")
    parser.add_argument("--kinds", default="folder,csv,jsonl,parquet,tar,s3")
    parser.add_argument("--list", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list:
        list_once(options.list)
        return
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds.split(","):
            results = [measured(kind, int(count), Path(folder), endpoint) for count in options.counts.split(",")]
            ratio = results[-1]["peak_mib"] / results[0]["peak_mib"]
            failed |= ratio > 1.1
            print(json.dumps({"kind": kind, "ratio": round(ratio, 3), "runs": results}), flush=True)
    server.shutdown()
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
