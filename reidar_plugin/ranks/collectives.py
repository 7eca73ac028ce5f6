"""What ranks exchange. A process that is alone exchanges nothing: each function then gives back what it was given.

Every rank has to call the same functions in the same order.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any

import torch
from torch import Tensor, distributed

from reidar_plugin.errors import ReidarError, summary
from reidar_plugin.ranks.job import current

__all__ = [
    "LostRankError",
    "add_up",
    "average",
    "check_same",
    "copy_from_first",
    "gather",
    "largest",
    "texts_of_all",
    "total",
    "wait_for_all",
]

BUCKET = 2**23  #: numbers that travel at once


class LostRankError(ReidarError, RuntimeError):
    """Another rank of the job is gone."""


def gather(*fields: Tensor) -> tuple[Tensor, ...]:
    r"""The rows of all ranks, in the order of the ranks: each ``(B / W, ...) -> (B, ...)``, with their gradient.

    What is made of all rows is made by every rank alike, so the gradient that comes back is the same everywhere, and
    each rank takes that of its own rows times W: the *average* of the parameters' gradients over the ranks
    (:func:`average`) is then the gradient of one rank that holds all rows,

    .. math::
        \frac{1}{W} \sum_{r=1}^{W} W \frac{\partial L}{\partial x_r} \frac{\partial x_r}{\partial \theta}
        = \frac{\partial L}{\partial \theta}

    and a parameter that L reads directly, on every rank, needs no exception. A field that L does not read gets no gradient,
    as it does in one rank. All fields travel at once, a row a clip.
    """
    return fields if current().size == 1 else _Gather.apply(*fields)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *fields: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        dtype = reduce(torch.promote_types, (field.dtype for field in fields), torch.float32)
        rows = torch.cat([field.reshape(len(field), -1).to(dtype) for field in fields], dim=1)
        parts = _gathered(rows).flatten(0, 1).split([field[0].numel() for field in fields], dim=1)
        return tuple(
            part.reshape(-1, *field.shape[1:]).to(field.dtype)
            for part, field in zip(parts, fields, strict=True)
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        job = current()
        return tuple(None if each is None else each[job.part(len(each))] * job.size for each in gradients)


def gathered(values: Tensor) -> Tensor:
    """The values of each rank without their gradient: ``(...) -> (W, ...)``."""
    return values.detach()[None] if current().size == 1 else _gathered(values.detach())


def _gathered(values: Tensor) -> Tensor:
    every = values.new_empty((current().size, *values.shape))
    with _together():
        distributed.all_gather(list(every.unbind(0)), values.contiguous())
    return every


def average(tensors: Sequence[Tensor]) -> None:
    """Replace tensors of one dtype by their mean over the ranks.

    They travel in buckets that are always cut alike, so that the same sums are made in the same order after an
    interruption.
    """
    _reduce(tensors, 1 / current().size)


def add_up(tensors: Sequence[Tensor]) -> None:
    """Replace tensors of one dtype by their sum over the ranks."""
    _reduce(tensors, 1)


def _reduce(tensors: Sequence[Tensor], factor: float) -> None:
    if current().size == 1:
        return
    for bucket in _buckets(tensors):
        flat = torch.cat([tensor.detach().reshape(-1) for tensor in bucket])
        with _together():
            distributed.all_reduce(flat)
        parts = flat.mul_(factor).split([tensor.numel() for tensor in bucket])
        for tensor, part in zip(bucket, parts, strict=True):
            tensor.detach().copy_(part.view(tensor.shape))


def _buckets(tensors: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    bucket: list[Tensor] = []
    for tensor in tensors:
        if bucket and sum(each.numel() for each in bucket) + tensor.numel() > BUCKET:
            yield bucket
            bucket = []
        bucket.append(tensor)
    if bucket:
        yield bucket


def copy_from_first(tensors: Iterable[Tensor]) -> None:
    """Replace tensors by those of the first rank."""
    if current().size == 1:
        return
    for tensor in tensors:
        sent = tensor.detach().contiguous()
        with _together():
            distributed.broadcast(sent, 0)
        if sent.data_ptr() != tensor.data_ptr():
            tensor.detach().copy_(sent)


def total(number: int) -> int:
    """The sum of a number over the ranks."""
    return _number(number, distributed.ReduceOp.SUM)


def largest(number: int) -> int:
    """The largest of the ranks' numbers."""
    return _number(number, distributed.ReduceOp.MAX)


def _number(number: int, operation: Any) -> int:
    if current().size == 1:
        return number
    value = torch.tensor(number)  # on the CPU: nothing waits for the device
    with _together():
        distributed.all_reduce(value, operation)
    return int(value)


def check_same(what: str, text: str) -> None:
    """Refuse to go on where ranks do not agree.

    Args:
        what: what they should agree on, in words.
        text: what this rank has.
    """
    texts = texts_of_all(text)
    if len(set(texts)) > 1:
        other = next(rank for rank, each in enumerate(texts) if each != texts[0])
        raise ReidarError(
            f"the ranks of this job do not agree on {what}: {texts[0]!r} at rank 0, {texts[other]!r} at rank {other}; "
            "all machines have to see the same files"
        )


def texts_of_all(text: str) -> list[str]:
    """What each rank has, in the order of the ranks."""
    texts: list[Any] = [text] * current().size
    if current().size > 1:
        with _together():
            distributed.all_gather_object(texts, text)
    return texts


def wait_for_all() -> None:
    """Go on when every rank has come here."""
    largest(0)


@contextmanager
def _together() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostRankError(
            f"the other ranks cannot be reached any more ({summary(error)}): torchrun tells below which one ended first and "
            "how; checkpoints are intact, and the same command goes on"
        ) from error
