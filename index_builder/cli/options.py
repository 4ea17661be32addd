"""The options of `inkseek index`, each with the sentence that --help shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from index_builder.artifact import MilvusServer, MilvusUriInvalid
from index_builder.build import StoreChoice
from index_builder.build.request import Engine
from index_builder.stores.plan import KindChoice
from models.bundle import bundle_path

_MILVUS_S = 60.0  # of one call, while a build measures its recall: nobody waits for its answer

IndexDir: TypeAlias = Annotated[Path, typer.Option("--index", help="The index directory (--out of `build`).")]
Version: TypeAlias = Annotated[str | None, typer.Option(help="A version by name; by default the published one.")]
RollbackTo: TypeAlias = Annotated[
    str | None, typer.Option(help="A version by name; by default the one before the published version.")
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
BundleOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        parser=bundle_path,
        metavar="BUNDLE",
        help="A bundle's name or directory; `default` when omitted.",
    ),
]

Photos: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="LOCATION",
        help="A folder of photos, a manifest (.csv, .tsv, .parquet, .jsonl) with a column photo_path, or tars "
        "('shards/*.tar'); or the s3://, gs:// or az:// URL of one of these.",
    ),
]
UpdatedPhotos: TypeAlias = Annotated[
    str | None,
    typer.Option("--photos", metavar="LOCATION", help="Where the photos are now; by default where they were."),
]
Resume: TypeAlias = Annotated[
    bool, typer.Option("--resume", help="Take over what an interrupted build of the same photos has finished.")
]
EngineOption: TypeAlias = Annotated[
    Engine,
    typer.Option("--engine", help="What embeds the photos: this machine, or the Ray cluster at RAY_ADDRESS."),
]
Exclude: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="Leave out what matches, in the form of .gitignore; repeat it for several. A file .inkseekignore in the "
        "gallery does the same.",
    ),
]
FollowLinks: TypeAlias = Annotated[
    bool, typer.Option("--follow-links", help="Follow links to folders, and out of the gallery.")
]


def share(text: str) -> float:
    """A percentage such as "20%" or "0.5 %" -> its share in [0, 1]. Raises typer.BadParameter."""
    number, percent, rest = text.partition("%")
    try:
        value = float(number) / 100
    except ValueError:
        value = -1.0
    if not percent or rest.strip() or not 0.0 <= value <= 1.0:
        raise typer.BadParameter(f"{text!r} is not a percentage from 0% to 100%, such as 20%")
    return value


MaxDeleted: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="PERCENTAGE",
        help="Publish nothing where more of the published photos are gone or unreadable (exit code 3).",
    ),
]
Out: TypeAlias = Annotated[
    Path, typer.Option(help="The index directory; it is created where missing, else gets a new version.")
]
Kind: TypeAlias = Annotated[
    KindChoice,
    typer.Option(
        help="The kind of index; auto chooses by the number of photos, --search-megabytes and --target-recall."
    ),
]
TargetRecall: TypeAlias = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, help="Recall@10 on sketches that the search is tuned for; 1 means an exact search."),
]
SearchMegabytes: TypeAlias = Annotated[
    float | None, typer.Option(min=1, help="Memory that the search may take, in MiB; auto chooses a kind that fits.")
]
Store: TypeAlias = Annotated[
    StoreChoice | None,
    typer.Option(
        help="Where vectors are searched: files or milvus; by default where the published version's are, else files."
    ),
]
MilvusUri: TypeAlias = Annotated[
    str | None,
    typer.Option(
        envvar="INKSEEK_MILVUS_URI", metavar="URI", help="Where Milvus answers, such as http://localhost:19530."
    ),
]
MilvusToken: TypeAlias = Annotated[
    str | None,
    typer.Option(
        envvar="INKSEEK_MILVUS_TOKEN",
        metavar="TOKEN",
        help="Its API key, or user:password; better in the variable, since others see the arguments of a process.",
        show_envvar=True,
    ),
]


def milvus_server(uri: str | None, token: str | None) -> MilvusServer | None:
    """The Milvus of those options; None where no address is given. Raises typer.BadParameter."""
    try:
        return MilvusServer(uri, token or "", _MILVUS_S) if uri else None
    except MilvusUriInvalid as error:
        raise typer.BadParameter(str(error), param_hint="--milvus-uri") from error


Sketches: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="Sketches to measure recall with: a folder, or a CSV with a column sketch_path. Without them, drawings "
        "are made from photos."
    ),
]
MinRecall: TypeAlias = Annotated[
    float | None, typer.Option(min=0.0, max=1.0, help="Do not publish below this recall@10 (exit code 3).")
]
Keep: TypeAlias = Annotated[
    int, typer.Option(min=1, help="Versions to keep besides the one published until now; older ones are removed.")
]
MaxMegapixels: TypeAlias = Annotated[float, typer.Option(min=0.01, help="Larger photos are skipped.")]
MaxMegabytes: TypeAlias = Annotated[float, typer.Option(min=0.01, help="Larger files are skipped.")]
DecodeMegabytes: TypeAlias = Annotated[
    float, typer.Option(min=16, help="Memory of all photos decoded at once; one that needs more is skipped.")
]
Workers: TypeAlias = Annotated[int | None, typer.Option(min=1, help="Threads; by default one per CPU.")]
Batch: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="Photos encoded at a time; by default the device's best.")
]
Changes: TypeAlias = Annotated[Path, typer.Option(help="The folder that a service handed its changes over in.")]
ProgressLines: TypeAlias = Annotated[
    bool, typer.Option("--progress-lines", help="Progress as JSON lines on stderr, for programs.")
]
EndWithInput: TypeAlias = Annotated[
    bool, typer.Option("--end-with-input", help="End when standard input is closed, for programs that may be killed.")
]
RequireGpu: TypeAlias = Annotated[bool, typer.Option("--require-gpu", help="Fail rather than encode on the CPU.")]

PhotoCount: TypeAlias = Annotated[int, typer.Option("--photos", min=1, help="How many photos.")]
Cpus: TypeAlias = Annotated[int, typer.Option(min=1, help="CPUs of one machine.")]
MemoryGigabytes: TypeAlias = Annotated[float, typer.Option(min=1, help="Memory of one machine, in GiB.")]
WithinHours: TypeAlias = Annotated[float, typer.Option(min=0.1, help="Hours that a build from nothing may take.")]
CpuMs: TypeAlias = Annotated[
    float | None,
    typer.Option(min=0.01, help="CPU milliseconds per photo, where they were measured; by default the bundle's."),
]
