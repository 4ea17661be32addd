"""What is measured of the builder and of indexes, step by step; a run goes on with the first step that is not done.

python -m benchmarks.indexing.steps [STEP ...] [--out var/bench-index] [--data DIR] [--list]

Each step is a command of its own, whose output goes to OUT/STEP.txt once it is done; without that file it is repeated.
300 kills are six steps of 50, each with a seed of its own. `table` needs --data: see `benchmarks/index_table/run.py`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_KILLS = 50


def steps_of(out: Path, data: Path | None) -> Mapping[str, Sequence[str]]:
    """The arguments of Python for each step, the short ones first."""
    kept = str(out / "indexes")
    steps: dict[str, Sequence[str]] = {
        "rate-small": ("-m", "benchmarks.indexing.rate", "--bundle", "small"),
        "rate-default": ("-m", "benchmarks.indexing.rate", "--bundle", "default"),
        **{
            f"kills-{seed}": ("-m", "benchmarks.indexing.kills", "--kills", str(_KILLS), "--seed", str(seed))
            for seed in range(6)
        },
        "uploads": ("-m", "benchmarks.online_changes.run", "--json"),
        "start": ("benchmarks/index_start.py", "--work", kept),
        "start-2m": ("benchmarks/index_start.py", "--work", kept, "--counts", "2000000"),
        "update": ("-m", "benchmarks.indexing.update"),
        "memory": ("-m", "benchmarks.indexing.memory"),
    }
    if data is not None:
        table = ("--data", str(data), "--work", str(out / "table"), "--json")
        steps["table"] = ("-m", "benchmarks.index_table.run", *table)
    return steps


def run(name: str, arguments: Sequence[str], out: Path) -> None:
    """One step, unless its output is there. Raises SystemExit where it fails."""
    done, running = out / f"{name}.txt", out / f".{name}.running"
    if done.exists():
        print(f"== {name}: done before, {done}", flush=True)
        return
    print(f"== {name}: python {' '.join(arguments)}", flush=True)
    with running.open("w") as file:
        code = subprocess.run([sys.executable, *arguments], cwd=_ROOT, stdout=file, check=False).returncode
    print(running.read_text(), end="", flush=True)
    if code:
        raise SystemExit(f"{name} failed with exit status {code}; what it printed is in {running}")
    running.rename(done)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="STEP", help="these alone; by default all")
    parser.add_argument("--out", type=Path, default=_ROOT / "var" / "bench-index")
    parser.add_argument("--data", type=Path, help="photos and sketches of the step `table`")
    parser.add_argument("--list", action="store_true", help="say which steps there are, and which are done")
    options = parser.parse_args()
    out, steps = options.out.resolve(), steps_of(options.out.resolve(), options.data)
    if unknown := set(options.steps) - steps.keys():
        parser.error(f"no step {', '.join(sorted(unknown))}; there are {', '.join(steps)}")
    out.mkdir(parents=True, exist_ok=True)
    for name, arguments in steps.items():
        if options.list:
            print(f"{name}: {'done' if (out / f'{name}.txt').exists() else 'left'}")
        elif not options.steps or name in options.steps:
            run(name, arguments, out)


if __name__ == "__main__":
    main()
