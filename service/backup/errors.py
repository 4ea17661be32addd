"""What can be wrong with a backup, or with where it is to be restored.

ServiceError
└── BackupError
    ├── ArchiveUnreadable        there is no file, or it is no archive of ours
    ├── ArchiveCutShort          it ends before all is there that it lists
    ├── ArchiveCorrupt           a byte of it is not as it was written, or its parts contradict each other
    ├── ArchiveUnsafe            a member that would lie outside of where it is restored
    ├── ArchiveSchemaUnsupported a later release wrote it
    ├── ArchiveExists            a file lies where the archive would be written
    ├── BackupUnsupported        what an archive cannot hold: vectors in a Milvus
    ├── PartMissing              a part that is not there, or not in the archive
    ├── TargetNotEmpty           something is where it would be restored, and nobody said to replace it
    └── BackupUnwritable         a full disk, or one that may not be written
"""

from __future__ import annotations

from service.errors import ServiceError


class BackupError(ServiceError):
    """A backup cannot be made, or cannot be used."""


class ArchiveUnreadable(BackupError):
    """There is no file, or it is no archive of ours."""


class ArchiveCutShort(BackupError):
    """The archive ends before all is there that it lists."""


class ArchiveCorrupt(BackupError):
    """A byte of the archive is not as it was written, or its parts contradict each other."""


class ArchiveUnsafe(BackupError):
    """A member that is no plain file, or whose name leads out of where it would be restored."""


class ArchiveSchemaUnsupported(BackupError):
    """The archive has a schema version that this release does not read."""


class ArchiveExists(BackupError):
    """A file lies where the archive would be written."""


class BackupUnsupported(BackupError):
    """What an archive cannot hold."""


class PartMissing(BackupError):
    """A part, or a gallery, that is not there to be backed up, or not in the archive."""


class TargetNotEmpty(BackupError):
    """Something is where a part would be restored, and nobody said to replace it."""


class BackupUnwritable(BackupError):
    """A full disk, or one that may not be written."""
