"""Damage as it happens to files, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

Mutation = Callable[[bytearray, random.Random], None]

_NESTED: Final = b"[" * 3_000
_HUGE: Final = (b"1" * 400, b"9" * 5_000, b"1e999", b"-1e308", b"nan", b"-inf", b"0x" + b"f" * 99)
_STRANGE: Final = (b"\x00", b"\xff\xfe", b"\xed\xa0\x80", "\N{SNOWMAN}".encode(), b'"', b"]", b"=")
_VALUES: Final = (
    b"3",
    b"0.75",
    b"12",
    b"[]",
    b"{}",
    b"true",
    b'""',
    b"-1",
    b"0",
    b"1979-05-27",
    b'"../../etc"',
)


def _flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 1, 8))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut_short(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _leave_out(data: bytearray, chance: random.Random) -> None:
    first = chance.randrange(len(data))
    del data[first : first + chance.choice((1, 10, 100, 4096))]


def _repeat(data: bytearray, chance: random.Random) -> None:
    first = chance.randrange(len(data))
    data[first:first] = data[first : first + chance.choice((1, 10, 100, 4096))]


def _blank(data: bytearray, chance: random.Random) -> None:
    first = chance.randrange(len(data))
    length = min(chance.choice((1, 16, 512, 4096)), len(data) - first)
    data[first : first + length] = bytes(length)


def _insert(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data) + 1)
    data[place:place] = chance.choice((*_HUGE, *_STRANGE, _NESTED))


def _replace_value(data: bytearray, chance: random.Random) -> None:
    """Another value behind an equals sign: of another type, too large, too deep."""
    signs = [place for place, byte in enumerate(data) if byte == ord("=")]
    if not signs:
        return _flip(data, chance)
    first = chance.choice(signs) + 1
    end = data.find(b"\n", first)
    data[first : end if end >= 0 else len(data)] = chance.choice((*_HUGE, *_VALUES, _NESTED))
    return None


BINARY: Final[tuple[Mutation, ...]] = (_flip, _cut_short, _leave_out, _repeat, _blank)
TEXT: Final[tuple[Mutation, ...]] = (*BINARY, _insert, _replace_value, _replace_value)


def mutated(data: bytes, seed: int, kinds: tuple[Mutation, ...]) -> bytes:
    """The data with one or two kinds of damage; the same for the same seed."""
    chance = random.Random(seed)
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 1, 2))):
        if damaged:
            chance.choice(kinds)(damaged, chance)
    return bytes(damaged)
