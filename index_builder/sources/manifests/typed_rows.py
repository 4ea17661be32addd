"""Rows with typed metadata: a first pass finds the types of the columns, a second one reads the values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from index_builder.artifact.manifest import MetadataField
from index_builder.artifact.photos.record import MetadataValue
from index_builder.report import Note, Skipped
from index_builder.sources.manifests.cells import ColumnType
from index_builder.sources.manifests.columns import RESERVED, checked_count, text_of
from index_builder.sources.manifests.rows import ManifestRows

_SHOWN = 60  # characters of a cell in the report


@dataclass(frozen=True, slots=True)
class TypedRow:
    """A row: the reserved columns that it has as stripped text, and the values of all others in their order."""

    name: str
    reserved: dict[str, str]
    metadata: tuple[MetadataValue, ...]


@dataclass(frozen=True)
class TypedRows:
    """The rows of a manifest and what its columns are. No row is kept: there may be millions."""

    source: ManifestRows
    columns: dict[str, ColumnType]
    remarks: tuple[Note, ...]

    @classmethod
    def of(cls, source: ManifestRows, name: str) -> TypedRows:
        """Go through all rows once. Raises GalleryInvalid."""
        typers = {column: source.typer() for column in source.names}
        for row in source.rows():
            if isinstance(row, Skipped):
                continue
            for column, cell in row.cells.items():
                if column not in typers:
                    checked_count(name, len(typers) + 1)
                    typers[column] = source.typer()
                typers[column].add(row.name, cell)
        found = {column: typer.column() for column, typer in typers.items() if column not in RESERVED}
        remarks = tuple(_remarks(found, name))
        columns = {column: column_type for column, column_type in found.items() if column_type is not None}
        return cls(source, columns, (*source.remarks, *remarks))

    @property
    def fields(self) -> tuple[MetadataField, ...]:
        """The columns beyond the reserved ones, in their order."""
        return tuple(MetadataField(name=name, type=column.type) for name, column in self.columns.items())

    def rows(self) -> Iterator[TypedRow | Skipped | Note]:
        """Each row after notes on its odd cells, which are taken as unknown. Raises GalleryInvalid."""
        for row in self.source.rows():
            if isinstance(row, Skipped):
                yield row
                continue
            values: list[MetadataValue] = []
            for name, column in self.columns.items():
                cell = row.cells.get(name)
                try:
                    values.append(column.read(cell))
                except ValueError:
                    values.append(None)
                    shown = text_of(cell)[:_SHOWN]
                    detail = f"{name} is of type {column.type}, but this cell is {shown!r}: taken as unknown"
                    yield Note("odd_cell", row.name, detail, None)
            reserved = {name: text_of(row.cells[name]).strip() for name in RESERVED if name in row.cells}
            yield TypedRow(row.name, reserved, tuple(values))


def _remarks(columns: dict[str, ColumnType | None], name: str) -> Iterator[Note]:
    for column, column_type in columns.items():
        if column_type is None:
            detail = "its values cannot be compared with a filter's"
            yield Note("column_ignored", f"{name}, column {column}", detail, None)
        elif column_type.hindered is not None:
            row, cell = column_type.hindered
            detail = f"the whole column {column} is text, since this cell is {cell[:_SHOWN]!r}"
            yield Note("column_as_text", row, detail, None)
