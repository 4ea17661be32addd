"""What opening a data set can refuse.

PairsError (models.data.datasets.pairs)
└── DatasetError
    ├── DatasetNotFound    there is no such folder
    ├── FormatUnknown      none of the known layouts is there, or not the one that was asked for
    ├── FormatAmbiguous    more than one layout is there
    ├── LayoutIncomplete   the layout is there, a part that cannot be done without is not
    ├── PickleRefused      a pickle that holds anything but plain number arrays
    └── DatasetFlawed      strict reading found flaws
"""

from models.data.datasets.pairs import PairsError


class DatasetError(PairsError):
    """The folder cannot be read as a data set."""


class DatasetNotFound(DatasetError):
    """There is no such folder."""


class FormatUnknown(DatasetError):
    """None of the known layouts is there, or not the one that was asked for. The message lists what was looked for."""


class FormatAmbiguous(DatasetError):
    """More than one layout is there and none was asked for."""


class LayoutIncomplete(DatasetError):
    """The layout is there, but a part of it that cannot be done without is not."""


class PickleRefused(DatasetError):
    """A pickle that holds anything but plain number arrays in a dictionary."""


class DatasetFlawed(DatasetError):
    """Strict reading found flaws."""
