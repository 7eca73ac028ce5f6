"""Search in a gallery beside exact search in memory (torch, numpy, faiss), in turn in one run.

    python tools/benchmark.py gallery --folder /tmp/gallery
    python tools/benchmark.py gallery --folder /tmp/gallery --rows 1000000 --queries 20
    python tools/benchmark.py gallery --folder /tmp/gallery --milvus     # with pymilvus and milvus-lite installed

Features are made up: 20 of each person around a centre of its own. Recall is that of the ten nearest in float64.
Memory is what the process holds more at most while it adds and searches.
"""

import argparse
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tabulate import tabulate

from reidar_plugin.inference.gallery import GalleryModel, GalleryRow, Where, open_gallery

__all__ = ["add_arguments", "run"]

NEAREST = 10
FILES = {"gallery": "gallery", "milvus lite": "milvus.db"}  # pymilvus knows a folder of its own by the ending
ACTIONS = ("walking", "riding")
FILTER = Where(cameras=("c1",), spans=((1000.0, 1e9),), actions={"riding": 0.5})
IN_MILVUS = 'camera == "c1" and start < 1e9 and end >= 1000 and riding >= 0.5'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument("--folder", type=Path, required=True, help="where galleries are made anew")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--batch", type=int, default=1000, help="rows of an add")
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--milvus", action="store_true", help="Milvus Lite as well")


def run(args: argparse.Namespace) -> None:
    """Measure and print."""
    features, queries = made_up(args)
    forget_peak()
    before = memory("VmRSS")
    sides: dict[str, tuple[Callable[..., list[int]], Callable[..., list[int]] | None]] = {}
    adds = {}
    for name, make in (("gallery", gallery_side), *([("milvus lite", milvus_side)] if args.milvus else [])):
        shutil.rmtree(args.folder / FILES[name], ignore_errors=True)
        seconds, search, filtered = make(args.folder / FILES[name], features, args.batch)
        sides[name], adds[name] = (search, filtered), len(features) / seconds
    held = memory() - before
    for name, search in in_memory(features):
        sides[name] = (search, None)
    report(args, features, queries, sides)
    for name, rate in adds.items():
        print(f"{name}: {rate:,.0f} rows added a second")
        size = sum(path.stat().st_size for path in (args.folder / FILES[name]).rglob("*") if path.is_file())
        print(f"{name}: {size / len(features):,.0f} bytes a row on the disk")
    print(f"memory while adding, beyond the features: {held / 2**20:,.0f} MB")
    print(f"memory while searching, at most: {(memory() - before) / 2**20:,.0f} MB, all sides together")


def made_up(args: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Features and queries near some of them."""
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((args.rows // 20 + 1, args.width), np.float32)
    features = generator.standard_normal((args.rows, args.width), np.float32) * np.float32(0.5)
    for start in range(0, args.rows, 10_000):
        part = features[start : start + 10_000]
        part += centres[generator.integers(len(centres), size=len(part))]
    near = features[generator.integers(args.rows, size=args.queries)]
    return features, near + generator.standard_normal(near.shape, np.float32) * np.float32(0.3)


def gallery_side(
    folder: Path, features: np.ndarray, batch: int
) -> tuple[float, Callable[..., list[int]], Callable[..., list[int]]]:
    """Seconds of adding, a search, and a search with a filter."""
    gallery = open_gallery(
        folder, GalleryModel("benchmark", features.shape[1], "euclidean", ACTIONS), write=True
    )
    began = time.perf_counter()
    for start in range(0, len(features), batch):
        numbers = range(start, min(start + batch, len(features)))
        rows = [
            GalleryRow(
                str(i),
                f"c{i % 4}",
                i,
                i + 5,
                i,
                i + 50,
                "a.mp4",
                None,
                {"walking": 0.5, "riding": i % 100 / 100},
            )
            for i in numbers
        ]
        gallery.add(rows, features[start : start + batch])
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    gallery.compact()
    print(f"gallery: compacted in {time.perf_counter() - began:.1f} s")

    def search(query: np.ndarray, where: Where | None = None) -> list[int]:
        return [int(match.row.id) for match in gallery.search(query, NEAREST, where)]

    return seconds, search, lambda query: search(query, FILTER)


def milvus_side(
    folder: Path, features: np.ndarray, batch: int
) -> tuple[float, Callable[..., list[int]], Callable[..., list[int]]]:
    """The same of Milvus Lite with a flat index."""
    from pymilvus import DataType, MilvusClient

    client = MilvusClient(str(folder))
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=256)
    schema.add_field("camera", DataType.VARCHAR, max_length=64)
    for name, kind in (("start", DataType.DOUBLE), ("end", DataType.DOUBLE), ("riding", DataType.FLOAT)):
        schema.add_field(name, kind)
    schema.add_field("feature", DataType.FLOAT_VECTOR, dim=features.shape[1])
    index = client.prepare_index_params()
    index.add_index("feature", index_type="FLAT", metric_type="L2")
    client.drop_collection("tracklets")
    client.create_collection("tracklets", schema=schema, index_params=index)
    began = time.perf_counter()
    for start in range(0, len(features), batch):
        numbers = range(start, min(start + batch, len(features)))
        rows = [
            {
                "id": str(i),
                "camera": f"c{i % 4}",
                "start": i,
                "end": i + 5.0,
                "riding": i % 100 / 100,
                "feature": features[i],
            }
            for i in numbers
        ]
        client.insert("tracklets", rows)
    seconds = time.perf_counter() - began
    client.flush("tracklets")
    client.load_collection("tracklets")

    def search(query: np.ndarray, condition: str = "") -> list[int]:
        found = client.search(
            "tracklets", [query], filter=condition, limit=NEAREST, output_fields=["camera", "start"]
        )
        return [int(hit["id"]) for hit in found[0]]

    return seconds, search, lambda query: search(query, IN_MILVUS)


def in_memory(features: np.ndarray) -> Iterator[tuple[str, Callable[[np.ndarray], list[int]]]]:
    """Exact search by name."""
    norms = np.square(features).sum(axis=1)
    tensor, offsets = torch.from_numpy(features), torch.from_numpy(norms)

    def by_torch(query: np.ndarray) -> list[int]:
        distances = torch.addmv(offsets, tensor, torch.from_numpy(query), alpha=-2)
        return distances.topk(NEAREST, largest=False).indices.tolist()

    def by_numpy(query: np.ndarray) -> list[int]:
        distances = norms - 2 * (features @ query)
        best = np.argpartition(distances, NEAREST)[:NEAREST]
        return best[np.argsort(distances[best])].tolist()

    yield "torch", by_torch
    yield "numpy", by_numpy
    try:
        import faiss
    except ImportError:
        print("faiss is not installed")
        return
    index = faiss.IndexFlatL2(features.shape[1])
    index.add(features)
    yield "faiss, flat", lambda query: index.search(query[None], NEAREST)[1][0].tolist()


def report(
    args: argparse.Namespace, features: np.ndarray, queries: np.ndarray, sides: dict[str, Any]
) -> None:
    """Time and recall of each side, one after another for each query."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    filtered: dict[str, list[float]] = {name: [] for name in sides}
    found = dict.fromkeys(sides, 0)
    for query in queries:
        truth = set(exact(features, query))
        for name, (search, with_filter) in sides.items():
            began = time.perf_counter()
            found[name] += len(truth & set(search(query)))
            times[name].append(time.perf_counter() - began)
            if with_filter is not None:
                began = time.perf_counter()
                with_filter(query)
                filtered[name].append(time.perf_counter() - began)
    base = statistics.median(times["torch"])
    rows = [
        (
            name,
            f"{1e3 * statistics.median(times[name]):.1f}",
            f"{statistics.median(times[name]) / base:.2f}",
            f"{1e3 * statistics.median(filtered[name]):.1f}" if filtered[name] else "",
            f"{found[name] / (NEAREST * len(queries)):.4f}",
        )
        for name in sides
    ]
    header = ("", "ms a query", "of torch", "ms with a filter", f"recall@{NEAREST}")
    print(f"\n{len(features):,} rows of {args.width}, {len(queries)} queries, medians\n")
    print(tabulate(rows, headers=header, tablefmt="github", disable_numparse=True), end="\n\n")


def exact(features: np.ndarray, query: np.ndarray) -> list[int]:
    """The nearest in float64, in blocks."""
    distances = np.empty(len(features))
    for start in range(0, len(features), 10_000):
        part = features[start : start + 10_000].astype(np.float64)
        distances[start : start + len(part)] = np.square(part - query).sum(axis=1)
    return np.argsort(distances, kind="stable")[:NEAREST].tolist()


def memory(what: str = "VmHWM") -> int:
    """The most that this process has held since :func:`forget_peak`, in bytes; ``VmRSS`` is what it holds now."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[what].split()[0]) * 1024


def forget_peak() -> None:
    """Linux can forget the most that a process has held."""
    Path("/proc/self/clear_refs").write_text("5")
