"""What opening a data set can reject.

DatasetError
├── DatasetNotFound    there is no such folder
├── FormatUnknown      none of the known layouts is there, or not the one that was requested
├── FormatAmbiguous    more than one layout is there
├── LayoutIncomplete   the layout is there, a required part of it is missing
├── ColumnMissing      a table lacks a required column
├── SplitMissing       no sketch has the split that was requested
├── PickleRejected     a pickle that holds anything but plain number arrays
└── DatasetFlawed      strict reading found flaws
"""

from models.errors import InkseekError


class DatasetError(InkseekError):
    """The folder cannot be read as a data set."""


class DatasetNotFound(DatasetError):
    """There is no such folder."""


class FormatUnknown(DatasetError):
    """None of the known layouts is there, or not the requested one. The message lists what each layout requires."""


class FormatAmbiguous(DatasetError):
    """More than one layout is there and the caller named none."""


class LayoutIncomplete(DatasetError):
    """The layout is there, but a required part of it is missing."""


class ColumnMissing(DatasetError):
    """A table lacks a required column. The message names the table, the column and the columns it has."""


class SplitMissing(DatasetError):
    """No sketch, or neither sketch nor photo, has the requested split. The message lists the splits that exist."""


class PickleRejected(DatasetError):
    """A pickle holds anything but plain number arrays in a dictionary; nothing in it was executed."""


class DatasetFlawed(DatasetError):
    """Strict reading found flaws. The message counts them by kind and quotes the first."""
