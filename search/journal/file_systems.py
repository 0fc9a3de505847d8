"""What the file system can do that a path lies on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")

# Memory that two machines map from one of these is not shared between them.
# fmt: off
_NETWORK: Final = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs", "gfs2", "glusterfs", "gpfs", "lustre",
    "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb2", "smb3", "smbfs",
})
# fmt: on


def file_system(path: Path, *, mounts: Path = _MOUNTS) -> str:
    """Type of the file system that a path is on, such as `ext4` or `nfs4`; "" where none says so.

    Args:
        path: A file or folder; it need not exist.
        mounts: The system's list of what is mounted.
    """
    try:
        mounted = dict(_mounted(mounts.read_text(errors="surrogateescape")))
    except OSError:
        return ""
    place = path.resolve()
    return next((mounted[each] for each in (place, *place.parents) if each in mounted), "")


def is_network(kind: str) -> bool:
    """Whether a type of file system is reached over a network, or may be: one in a process is."""
    return kind in _NETWORK or kind == "fuse" or kind.startswith("fuse.")


def _mounted(table: str) -> Iterator[tuple[Path, str]]:
    """Places and types of what is mounted; where something hides something else, it comes later."""
    for line in table.splitlines():
        place, _, source = line.partition(" - ")
        fields = place.split()
        if len(fields) > 4 and source:
            yield Path(_unescaped(fields[4])), source.split()[0]


def _unescaped(field: str) -> str:
    """A path as the table writes it: blanks and backslashes by their octal numbers."""
    for code in ("040", "011", "012", "134"):
        field = field.replace(f"\\{code}", chr(int(code, 8)))
    return field
