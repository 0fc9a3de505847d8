"""Functions of a script or a notebook as bytes that other processes can load, and what they are."""

from evaluators.pickling.contents import UnknownContentError, content_of
from evaluators.pickling.origins import Origin, is_users_file, origin_of, shown_file
from evaluators.pickling.pickler import dumps

__all__ = [
    "Origin",
    "UnknownContentError",
    "content_of",
    "dumps",
    "is_users_file",
    "origin_of",
    "shown_file",
]
