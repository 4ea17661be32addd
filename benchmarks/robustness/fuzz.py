"""Does the service ever answer what its OpenAPI document does not say, or refuse what it allows?

    make fuzz        or: python -m benchmarks.robustness.fuzz --examples 100 --seed 7

Schemathesis makes requests of the document, fitting and not fitting, for every route, those of galleries and adapters
too, without keys and with one. Each answer is checked: statuses, headers and bodies as documented, `Allow` right, no
failure of the server. The bar: no finding.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from benchmarks.robustness.service_process import ROOT, build_gallery, running
from service.access.key_file import add_key
from service.access.keys import make_key
from service.access.principal import ALL_ACCESS

_CONFIG = Path(__file__).with_name("schemathesis.toml")


def main() -> int:
    """Run Schemathesis against a service without keys, then with a key; its exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=30, help="generated requests per operation, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bundle", default="small")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    arguments = parser.parse_args()
    status = 0
    with tempfile.TemporaryDirectory(prefix="inkseek-fuzz-") as scratch:
        index = build_gallery(Path(scratch), arguments.bundle)
        for name, keyed in (("open", False), ("with a key", True)):
            folder = Path(scratch) / name.replace(" ", "-")
            (folder / "online").mkdir(parents=True)
            headers = []
            if keyed:
                new = make_key("fuzz", tuple(sorted(ALL_ACCESS)))
                add_key(folder / "online" / "keys.json", new.key)
                headers = ["--header", f"X-API-Key: {new.token}"]
            with running(index, arguments.bundle, folder) as service:
                print(f"== {name}", flush=True)
                # Made once and then kept: Schemathesis would not wait for it on a machine that is busy.
                httpx.get(f"{service.url}/openapi.json", timeout=120).raise_for_status()
                command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIG), "run"]
                command += [f"{service.url}/openapi.json", "--seed", str(arguments.seed), "--phases", arguments.phases]
                command += ["--max-examples", str(arguments.examples), *headers]
                status |= subprocess.run(command, cwd=ROOT, check=False).returncode
    return status


if __name__ == "__main__":
    raise SystemExit(main())
