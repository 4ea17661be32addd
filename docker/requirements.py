"""Print what the package needs to run with the named extras, as the lines of a pip requirements file.

Reads pyproject.toml alone, so that an image can install the dependencies in a layer of their own that stays cached
while the source changes: python requirements.py pyproject.toml parquet cpu > requirements.txt
"""

import sys
import tomllib
from pathlib import Path


def requirements(pyproject: Path, extras: list[str]) -> list[str]:
    """The base dependencies, then each extra's; KeyError for an extra that the project does not define.

    An extra whose versions clash with constraints.txt (the GPU runtimes) brings a constraints file of its own,
    constraints-EXTRA.txt beside this script.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
        constraints = Path(__file__).with_name(f"constraints-{extra}.txt")
        if constraints.exists():
            lines.append(f"--constraint {constraints}")
    return lines


if __name__ == "__main__":
    print("\n".join(requirements(Path(sys.argv[1]), sys.argv[2:])))
