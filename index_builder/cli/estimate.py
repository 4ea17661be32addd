"""`inkseek index estimate`: memory, disk, hours and machines for a number of photos."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from index_builder.cli import options as opt
from index_builder.sizing import DEFAULT_MACHINE, Estimate, Machine, estimate
from models.bundle import read_manifest
from models.console import fail, print_json, stdout
from models.errors import InkseekError

_GIB = 2**30


def estimate_command(
    photos: opt.PhotoCount,
    bundle: opt.BundleOption = None,
    cpus: opt.Cpus = DEFAULT_MACHINE.cpus,
    memory_gigabytes: opt.MemoryGigabytes = DEFAULT_MACHINE.memory_bytes / _GIB,
    within_hours: opt.WithinHours = 24.0,
    cpu_ms: opt.CpuMs = None,
    as_json: opt.AsJson = False,
) -> None:
    """What a gallery of that many photos takes, from constants that were measured.

    Nothing is read but the bundle's manifest. docs/howto/scale.md has the plans
    for 20 million photos on one machine and for a billion.
    """
    try:
        manifest = read_manifest(bundle)
    except InkseekError as error:
        fail(error, as_json=as_json)
    found = estimate(
        photos,
        manifest.embedding_dim,
        manifest.name,
        Machine(cpus, int(memory_gigabytes * _GIB)),
        within_hours=within_hours,
        embedding_cpu_s=None if cpu_ms is None else cpu_ms / 1000,
    )
    if as_json:
        print_json(asdict(found))
    else:
        _print(found, cpus, memory_gigabytes)


def _print(found: Estimate, cpus: int, memory_gigabytes: float) -> None:
    table = Table("", "", title=f"{found.photos:,} photos", show_header=False, title_justify="left")
    where = "one machine" if found.engine == "local" else "Milvus"
    table.add_row("search", f"{found.kind} on {where}, {found.dim} dimensions")
    table.add_row("memory", f"{_gib(found.memory_bytes)}: {found.search_machines} x {memory_gigabytes:g} GiB")
    table.add_row(
        "disk",
        f"{_gib(found.disk_bytes)} while a version is built beside another (vectors {_gib(found.vector_bytes)}, "
        f"index {_gib(found.index_bytes)}, thumbnails and metadata {_gib(found.photo_row_bytes)})",
    )
    table.add_row(
        "build",
        f"{found.hours:,.1f} h on {found.build_machines} x {cpus} CPUs (embedding {found.embedding_cpu_hours:,.1f} CPU "
        f"hours, index {found.index_cpu_hours:,.1f})",
    )
    table.add_row("an exact search", f"{found.exact_ms:,.0f} ms on one thread")
    for limit in found.limits:
        table.add_row("[yellow]first to give way[/yellow]", limit)
    stdout().print(table)


def _gib(size: int) -> str:
    return f"{size / _GIB:,.1f} GiB"
