"""Which calls in a pickle are refused before torch makes them."""

import collections
import io
import pickle
import random
import struct
import warnings
import zipfile
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from reidar_plugin.io.torch_pickle import HostileCallError, check_calls


def optimiser() -> dict[str, Any]:
    layer = nn.Linear(2, 2)
    optimiser = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    return optimiser.state_dict()


def quantised() -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is going to drop them
        return torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.qint8)


PLAIN = {
    "weights": nn.BatchNorm2d(2).state_dict(),
    "optimiser": optimiser(),
    "parameter": nn.Parameter(torch.zeros(2)),
    "half": torch.zeros(2).half(),
    "random numbers": (random.getstate(), torch.get_rng_state()),
    "numpy": (np.float32(1), np.float64(1), np.int64(1), np.bool_(True)),
    "values": (None, True, 2**100, 1.5, 1j, "a", b"a", [1], (1, (2, 3)), {(1, 2): 3}, {1, 2}),
    "collections": (collections.OrderedDict(a=1), collections.Counter("aab")),
    "keys": {(1, (2, ("a", 3))): 4},
    "bytes that change": bytearray(b"abc"),
    "other tensors": (torch.zeros(2, dtype=torch.uint16), torch.zeros(2).to_sparse(), torch.strided),
    "small tensors": quantised(),
    "torch": (torch.Size([1, 2]), torch.device("cpu"), torch.float32),
}


@pytest.mark.parametrize("value", PLAIN.values(), ids=PLAIN)
def test_what_torch_saves_passes(value: Any) -> None:
    new, old = io.BytesIO(), io.BytesIO()
    torch.save({"value": value}, new)
    torch.save({"value": value}, old, _use_new_zipfile_serialization=False)
    with zipfile.ZipFile(new) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
        check_calls(io.BytesIO(archive.read(name)))
    old.seek(0)
    check_calls(old, pickles=5)


def named(name: str) -> bytes:
    return b"c" + name.replace(" ", "\n").encode() + b"\n"


def word(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


HUGE = b"\x8a\x05\x00\x00\x00\x00\x01"
HOSTILE = {
    "builtins.bytearray": named("builtins bytearray") + HUGE + b"\x85R",
    "torch.Tensor": named("torch Tensor") + HUGE + b"\x85R",  # of what was in memory
    "torch.nn.parameter.Parameter": named("torch.nn.parameter Parameter")
    + HUGE
    + b"\x85\x81",  # made, not called
    "_codecs.encode": named("_codecs encode") + word("aaa") + word("punycode") + b"\x86R",
    "numpy.dtype": named("numpy dtype") + word("V2000000000") + b"\x85R",
    "torch._tensor._rebuild_from_type_v2": named("torch._tensor _rebuild_from_type_v2")
    + (b"(" + named("builtins bytearray") + b"NNtR"),
    "what it has made itself": named("collections OrderedDict") + b")R)R",
    "posix.mkdir": named("posix mkdir") + word("a") + b"\x85R",
    "os.system": b"(" + word("a") + b"ios\nsystem\n",
    "an extension of pickle": b"\x82\x01",
    "pairs of pairs as a key  ": b"}((" + b"K\x01" * 200 + b"tK\x01u",
    "pairs of pairs as a key": b"}(" + b"K\x01" + b"2\x86" * 40 + b"K\x01u",
    "pairs of pairs as a key ": named("builtins set") + b"](" + b"K\x01" + b"2\x86" * 40 + b"e\x85R",
}


@pytest.mark.parametrize(("name", "body"), HOSTILE.items(), ids=HOSTILE)
def test_a_call_that_no_tensor_needs(name: str, body: bytes) -> None:
    with pytest.raises(HostileCallError) as caught:
        check_calls(io.BytesIO(b"\x80\x02" + body + b"."))
    assert str(caught.value) == name.strip()


def test_a_text_of_python_2() -> None:
    """Torch takes it for UTF-8, and Python for ASCII."""
    check_calls(io.BytesIO(b"\x80\x02U\x02\xc3\xa9."))


def test_memos_take_no_room_of_their_own() -> None:
    """The faster reader of Python makes room for all up to the number."""
    check_calls(io.BytesIO(b"\x80\x02]r\xff\xff\xff\x7f."))


def test_no_pickle() -> None:
    with pytest.raises(pickle.UnpicklingError):
        check_calls(io.BytesIO(b"h\xff."))
    with pytest.raises(EOFError):
        check_calls(io.BytesIO(b"]."), pickles=2)
