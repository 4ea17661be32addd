"""Adapters as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Column, Table

from service.store.records import AdapterRecord


def adapter_table(adapters: Sequence[AdapterRecord]) -> Table:
    """One row an adapter, with its leave-one-out figures; a dry run's has no id."""
    id_column = Column("adapter", no_wrap=True, min_width=20)  # to be copied from
    table = Table("for", "version", id_column, "state", "k", "1 / rank before", "after", "fitted")
    for adapter in adapters:
        scope, name = adapter.target
        table.add_row(
            escape(name if scope == "category" else f"profile {name}"),
            str(adapter.version or ""),
            adapter.adapter_id,
            adapter.state,
            str(adapter.k),
            f"{adapter.leave_one_out['before']['mrr']:.3f}",
            f"{adapter.leave_one_out['after']['mrr']:.3f}",
            adapter.created_at,
        )
    return table
