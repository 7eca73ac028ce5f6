"""Ways to break bytes and lines."""

import copy
import io
import random
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

__all__ = [
    "NASTY_NUMBERS",
    "NASTY_WORDS",
    "break_array",
    "break_arrays",
    "break_bytes",
    "break_lines",
    "break_table",
    "break_values",
]

NASTY_WORDS = (
    *(
        "",
        " ",
        "\t",
        "\x00",
        "\ufeff",
        "\u202e",
        "é",
        "𝔘",
        "a" * 5000,
        "null",
        "~",
        "NaN",
        "inf",
        "-inf",
        "1e999",
    ),
    *(
        "0x10",
        "1_000",
        "-0",
        "00",
        "../x",
        "/etc/passwd",
        "'",
        '"',
        ",",
        "|",
        "||",
        "#",
        "none",
        "true",
        "[]",
        "{}",
    ),
)
NASTY_NUMBERS = (
    *(-1, 0, 1, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, -(2**63), 10**30),
    *(0.5, -0.0, 1e-320, 1e308, float("nan"), float("inf"), float("-inf")),
)


def break_bytes(data: bytes, chance: random.Random, most: int = 4) -> bytes:
    """The bytes after one to ``most`` changes."""
    for _ in range(chance.randint(1, most)):
        data = chance.choice(_OF_BYTES)(data, chance)
    return data


def break_lines(lines: Sequence[str], chance: random.Random, separator: str = ",", most: int = 3) -> str:
    """The lines as a text, after one to ``most`` changes."""
    found = list(lines)
    for _ in range(chance.randint(1, most)):
        at = chance.randrange(len(found)) if found else 0
        found[at : at + 1] = chance.choice(_OF_LINES)(found[at] if found else "", separator, chance)
    return chance.choice(("\n", "\n", "\n", "\r\n", "\r")).join(found) + chance.choice(("\n", "", "\n\n"))


def break_table(lines: Sequence[str], chance: random.Random) -> bytes:
    """A file of these lines, after changes of lines, and one in four times of bytes too."""
    data = break_lines(lines, chance).encode("utf-8", "surrogatepass")
    return break_bytes(data, chance, 2) if chance.random() < 0.25 else data


def break_values(told: Any, chance: random.Random) -> Any:
    """Nested lists and maps, as JSON has them, with one value somewhere in them changed, gone, or under another name."""
    told = copy.deepcopy(told)
    places = [(told, key) for key in _keys(told)]
    for holder, key in places:
        places += [(holder[key], inner) for inner in _keys(holder[key])]
    holder, key = chance.choice(places)
    kind = chance.random()
    if kind < 0.1:
        del holder[key]
    elif kind < 0.2 and isinstance(holder, dict):
        holder[chance.choice(NASTY_WORDS)] = holder.pop(key)
    else:
        deep: Any = []
        for _ in range(chance.choice((1, 400))):
            deep = [deep]
        holder[key] = chance.choice((*NASTY_NUMBERS, *NASTY_WORDS, None, True, [], {}, [[1]], {"a": 1}, deep))
    return told


def break_array(data: bytes, chance: random.Random) -> bytes:
    """An ``.npy`` whose header promises more numbers than there are, or what are none."""
    length = int.from_bytes(data[8:10], "little")
    huge = (2**31, 2**40, 2**62, 2**64, -1, -(2**62))
    shape = (chance.choice(huge), *chance.choices((*huge, 0, 1, 4), k=chance.randint(0, 3)))
    kind = chance.choice(("<f8", ">f4", "<i8", "|u1", "|V0", "<U0", "|O", "|S2147483647"))
    header = f"{{'descr': {kind!r}, 'fortran_order': {chance.random() < 0.5}, 'shape': {shape}, }}\n".encode()
    return data[:8] + len(header).to_bytes(2, "little") + header + data[10 + length :]


def break_arrays(data: bytes, chance: random.Random) -> bytes:
    """An ``.npz`` with such an array among the others."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        broken = chance.choice(old.namelist())
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, break_array(part, chance) if name == broken else part)
    return buffer.getvalue()


def _keys(value: Any) -> list[Any]:
    return (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )


def _place(data: bytes, chance: random.Random) -> int:
    return chance.randrange(len(data)) if data else 0


def _flip(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return data
    at = _place(data, chance)
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: _place(data, chance)]


def _zero(data: bytes, chance: random.Random) -> bytes:
    at, length = _place(data, chance), chance.choice((1, 4, 64, 512))
    return data[:at] + bytes(len(data[at : at + length])) + data[at + length :]


def _number(data: bytes, chance: random.Random) -> bytes:
    at, size = _place(data, chance), chance.choice((1, 2, 4, 8))
    value = chance.choice((0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), 2 ** (8 * size - 1) - 1))
    return data[:at] + value.to_bytes(size, chance.choice(("little", "big"))) + data[at + size :]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    at, length = _place(data, chance), chance.choice((1, 16, 256, 4096))
    return data[: at + length] + data[at:]


def _drop(data: bytes, chance: random.Random) -> bytes:
    at, length = _place(data, chance), chance.choice((1, 16, 256))
    return data[:at] + data[at + length :]


def _append(data: bytes, chance: random.Random) -> bytes:
    return data + chance.randbytes(chance.choice((1, 100, 5000)))


def _deep(data: bytes, chance: random.Random) -> bytes:
    at = _place(data, chance)
    return data[:at] + chance.choice((b"[", b'{"a":', b"- ", b"(")) * 5_000 + data[at:]


_OF_BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_flip, _flip, _flip, _cut, _zero, _number, _number),
    *(_repeat, _drop, _append, _deep),
)


def _field(line: str, separator: str, chance: random.Random) -> list[str]:
    fields = line.split(separator)
    fields[chance.randrange(len(fields))] = chance.choice((*NASTY_WORDS, *map(str, NASTY_NUMBERS)))
    return [separator.join(fields)]


def _one_more(line: str, separator: str, chance: random.Random) -> list[str]:
    return [line + separator + chance.choice(NASTY_WORDS)]


def _one_less(line: str, separator: str, chance: random.Random) -> list[str]:
    return [line.rpartition(separator)[0]]


def _twice(line: str, separator: str, chance: random.Random) -> list[str]:
    return [line, line]


def _gone(line: str, separator: str, chance: random.Random) -> list[str]:
    return []


def _letter(line: str, separator: str, chance: random.Random) -> list[str]:
    at = chance.randint(0, len(line))
    return [line[:at] + chance.choice(("", *NASTY_WORDS)) + line[at + chance.randint(0, 1) :]]


_OF_LINES: tuple[Callable[[str, str, random.Random], list[str]], ...] = (
    *(_field, _field, _field, _one_more, _one_less),
    *(_twice, _gone, _letter, _letter),
)
