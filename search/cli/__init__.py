"""The command `actsearch`: the only part of the program that prints."""

from search.cli.app import main

__all__ = ["main"]
