"""Texts that are no JSON and no YAML give one kind of error."""

import json

import pytest

from reidar_plugin.io.plain_text import PlainTextError, parse_json, parse_yaml


def test_plain_values() -> None:
    assert parse_json(b'{"a": [1, null]}') == {"a": [1, None]}
    assert parse_yaml("a: [1, ~]") == {"a": [1, None]}
    assert parse_yaml("a: &a {b: 1}\nc: {<<: *a, d: *a}") == {"a": {"b": 1}, "c": {"b": 1, "d": {"b": 1}}}
    assert parse_yaml("") is None
    assert parse_yaml(json.dumps(["😀", "𠮷"])) == ["😀", "𠮷"]  # in two halves each
    assert parse_yaml("[0x10, -9223372036854775807, 1_000, 1:30, 1e-3, .inf, 2.5, yes, ü]") == [
        *(16, 1 - 2**63, 1000, 90, "1e-3", float("inf"), 2.5, True, "ü"),
    ]
    assert len(parse_yaml(f"[{'1,' * 99_990}]")) == 99_990


@pytest.mark.parametrize("text", [b"{", b"\xff", b"[" * 10**5], ids=["half", "no UTF-8", "deep"])
def test_no_json(text: bytes) -> None:
    with pytest.raises(PlainTextError):
        parse_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "!!python/object:os.system x",
        "[" * 5000,
        "2026-02-31",
        "\n".join(["a0: &a0 {}", *(f"a{n}: &a{n} {{<<: [{f'*a{n - 1},' * 3}]}}" for n in range(1, 30))]),
        "&a [*a]",
        " " * (2**20 + 1),
        f"[{'1,' * 100_000}]",
        *(
            '!!int ""',
            '!!int "-"',
            '!!float ""',
            "!!bool maybe",
            "!!timestamp x",
            "!!set {a: 1}x",
            "{[a]: 1}",
        ),
        *(r'"\UFFFFFFFF"', r'"\ud800"', r'"a\0b"', r'{"\0": 1}'),
        *(f"0x{'f' * 5000}", f"1{':00' * 400}.5", f"1{':00' * 10**5}", str(2**63), f"[{'9' * 50}]"),
    ],
    ids=lambda text: text[:12],
)
def test_no_yaml(text: str) -> None:
    with pytest.raises(PlainTextError) as caught:
        parse_yaml(text)
    assert "\n" not in str(caught.value)
