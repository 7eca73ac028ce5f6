"""Do two models really differ? Paired tests on the same queries of two tests; or the mean over splits.

    python tools/compare.py log/without_actions/results.json log/joint/results.json
    python tools/compare.py log/without_actions log/joint --by-person --resamples 100000
    python tools/compare.py --mean log/prid2011/split-*

For every protocol that both were tested under: rank-1, mAP and mINP of B minus A in percentage points, the
95 % bootstrap interval of the difference, and the two-sided p-value of a sign-flip permutation test.
Queries of one person are alike; ``--by-person`` resamples people instead of queries, which is the more
careful test. Neither says what other training runs would give: that takes more seeds.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from reidar_plugin.metrics.intervals import PairedTest, paired_test
from reidar_plugin.report.results import Results, read_results
from reidar_plugin.report.tables import paired_table, splits_table

FIGURES = ("rank-1", "mAP", "mINP")


def compare(
    a: Results, b: Results, resamples: int = 10_000, seed: int = 0, by_person: bool = False
) -> dict[str, PairedTest]:
    """Paired tests of all protocols that both were tested under, by protocol and figure."""
    tests: dict[str, PairedTest] = {}
    for key, index_a, index_b in _same_tests(a, b):
        groups = a.per_query[f"{index_a}/pid"] if by_person else None
        for figure in FIGURES:
            pair = a.per_query[f"{index_a}/{figure}"], b.per_query[f"{index_b}/{figure}"]
            title = f"{_titles([key])} {figure}"
            tests[title] = paired_test(*pair, resamples=resamples, seed=seed, groups=groups)
    return tests


def _same_tests(a: Results, b: Results) -> list[tuple[tuple[str, bool], int, int]]:
    """Tests under the protocols that both have, by index in each; it is an error if queries or gallery differ."""
    ours, theirs = _by_protocol(a), _by_protocol(b)
    shared = [(title, ours[title], theirs[title]) for title in ours if title in theirs]
    if not shared:
        raise ValueError(f"no protocol in common: {_titles(ours)} against {_titles(theirs)}; test both alike")
    for _, index_a, index_b in shared:
        if a.retrieval[index_a]["fingerprint"] != b.retrieval[index_b]["fingerprint"]:
            raise ValueError(
                f"{a.retrieval[index_a]['protocol']}: the two tests had other queries or another gallery "
                f"({_size(a.retrieval[index_a])} against {_size(b.retrieval[index_b])}); test both on the same data"
            )
    return shared


def _by_protocol(results: Results) -> dict[tuple[str, bool], int]:
    """Index of each test by its protocol and whether it is re-ranked."""
    return {(test["protocol"], test["reranked"]): index for index, test in enumerate(results.retrieval)}


def _titles(tests: Iterable[tuple[str, bool]]) -> str:
    return ", ".join(title + (" (re-ranked)" if reranked else "") for title, reranked in tests) or "none"


def _size(test: dict[str, Any]) -> str:
    counts = test["counts"]
    return f"{counts['queries']:,} x {counts['gallery']:,}, fingerprint {test['fingerprint']}"


def main(argv: Sequence[str] | None = None) -> int:
    """Read two results, print the tests."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "results", nargs="+", help="results.json files or their folders: A, then B to be judged"
    )
    parser.add_argument(
        "--mean", action="store_true", help="print the mean of tests of different splits instead"
    )
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--by-person", action="store_true", help="resample people with all of their queries")
    args = parser.parse_args(argv)
    try:
        results = [read_results(path) for path in args.results]
        print(splits_table(results) if args.mean else _paired(args, results))
    except (ValueError, OSError) as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 1
    return 0


def _paired(args: argparse.Namespace, results: Sequence[Results]) -> str:
    """The table of paired tests between lines that say what was compared and how."""
    if len(results) != 2:
        raise ValueError(f"a paired test needs two results, got {len(results)}; --mean takes more")
    a, b = results
    tests = compare(a, b, resamples=args.resamples, seed=args.seed, by_person=args.by_person)
    sides = [
        f"{side}: {path} ({one.name})" for side, path, one in zip("AB", args.results, results, strict=True)
    ]
    unit = "people" if args.by_person else "queries"
    foot = f"Percentage points; 95 % bootstrap intervals over {unit}; p of a two-sided sign-flip test."
    return "\n".join([*sides, "", paired_table(tests, "A", "B"), "", foot])


if __name__ == "__main__":
    sys.exit(main())
