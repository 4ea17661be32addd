"""The words of each photo in photos.sqlite: a full-text table (SQLite FTS5), written once the rows are complete.

It holds no text but where words are, cut by `words`: FTS5's own rules of letters and accents change with its release.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from index_builder.artifact.filters.words import Phrase, WordFilter

WORD_TABLE = "photo_words"
ROWS_WITH_WORDS = f"SELECT rowid FROM {WORD_TABLE} WHERE {WORD_TABLE} MATCH ? ORDER BY rowid"


def has_full_text(database: sqlite3.Connection) -> bool:
    """Whether this SQLite was built with FTS5. Without it, files are written without the table and read row by row."""
    return bool(database.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchall())


def write_words(database: sqlite3.Connection, words_by_row: Iterable[tuple[int, tuple[str, ...]]]) -> None:
    """Make the table of (row, words of the photo), rows ascending; nothing where SQLite has no FTS5."""
    if not has_full_text(database):
        return
    # "ascii" parts words at spaces and takes every other letter as it is: they are plain already.
    database.execute(f"CREATE VIRTUAL TABLE {WORD_TABLE} USING fts5(words, content='', columnsize=0, tokenize='ascii')")
    rows = ((row, " ".join(words)) for row, words in words_by_row)
    database.executemany(f"INSERT INTO {WORD_TABLE} (rowid, words) VALUES (?, ?)", rows)
    database.execute(f"INSERT INTO {WORD_TABLE} ({WORD_TABLE}) VALUES ('optimize')")


def match_expression(words: WordFilter) -> str:
    """The filter in FTS5's language. Words are letters and digits, so nothing in them can be an operator."""
    return " AND ".join(map(_phrase, words.phrases))


def _phrase(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"{" *" if phrase.is_prefix else ""}'
