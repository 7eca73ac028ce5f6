"""Do two models really differ? Paired tests on the same queries of two tests; or the mean over splits.

    python tools/compare.py log/without_actions/results.json log/joint/results.json
    python tools/compare.py log/without_actions log/joint --by-person --resamples 100000
    python tools/compare.py log/joint              tests with actions (reidar.test.action_weight) against those without
    python tools/compare.py --mean log/prid2011/split-*

For every protocol that both were tested under: rank-1, mAP and mINP of B minus A in percentage points, the
95 % bootstrap interval of the difference, and the two-sided p-value of a sign-flip permutation test.
Queries of one person are alike; ``--by-person`` resamples people instead of queries, which is the more
careful test. Neither says what other training runs would give: that takes more seeds.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reidar_plugin.errors import InputError
from reidar_plugin.launch.guard import guard

if TYPE_CHECKING:
    from reidar_plugin.metrics.intervals import PairedTest
    from reidar_plugin.report.results import Results

FIGURES = ("rank-1", "mAP", "mINP")


def compare(
    a: "Results", b: "Results", resamples: int = 10_000, seed: int = 0, by_person: bool = False
) -> "dict[str, PairedTest]":
    """Paired tests of all protocols that both were tested under, by protocol and figure."""
    from reidar_plugin.metrics.intervals import paired_test

    tests: dict[str, PairedTest] = {}
    for title, index_a, index_b in _same_tests(a, b):
        groups = a.per_query[f"{index_a}/pid"] if by_person else None
        for figure in FIGURES:
            pair = a.per_query[f"{index_a}/{figure}"], b.per_query[f"{index_b}/{figure}"]
            tests[f"{title} {figure}"] = paired_test(*pair, resamples=resamples, seed=seed, groups=groups)
    return tests


def of_actions(results: "Results") -> "tuple[Results, Results]":
    """The tests of one run without and with actions in their distances, as two results that can be compared."""
    acting = [bool(test.get("action_weight")) for test in results.retrieval]
    if not any(acting):
        raise InputError(
            "one result is compared with itself where reidar.test.action_weight was set, and it was not; name two"
        )
    return _only(results, [not acts for acts in acting]), _only(results, acting)


def _only(results: "Results", kept: Sequence[bool]) -> "Results":
    """Some of the tests of a run, not re-ranked, under the names of their protocols alone."""
    indices = [
        i
        for i, (test, keep) in enumerate(zip(results.retrieval, kept, strict=True))
        if keep and not test["reranked"]
    ]
    tests = tuple({**results.retrieval[index], "action_weight": 0.0} for index in indices)
    per_query = {
        f"{place}/{name}": results.per_query[f"{index}/{name}"]
        for place, index in enumerate(indices)
        for name in ("pid", *FIGURES)
    }
    return replace(results, retrieval=tests, per_query=per_query)


def _same_tests(a: "Results", b: "Results") -> list[tuple[str, int, int]]:
    """Tests under the protocols that both have, by index in each; it is an error if queries or gallery differ."""
    ours, theirs = _by_protocol(a), _by_protocol(b)
    shared = [(title, ours[title], theirs[title]) for title in ours if title in theirs]
    if not shared:
        raise InputError(
            f"no protocol in common: {', '.join(ours) or 'none'} against {', '.join(theirs) or 'none'}; test both alike"
        )
    for _, index_a, index_b in shared:
        if a.retrieval[index_a]["fingerprint"] != b.retrieval[index_b]["fingerprint"]:
            raise InputError(
                f"{a.retrieval[index_a]['protocol']}: the two tests had other queries or another gallery "
                f"({_size(a.retrieval[index_a])} against {_size(b.retrieval[index_b])}); test both on the same data"
            )
    return shared


def _by_protocol(results: "Results") -> dict[str, int]:
    """Index of each test by its protocol and what was done to its distances."""
    from reidar_plugin.report.tables import protocol_title

    return {protocol_title(test): index for index, test in enumerate(results.retrieval)}


def _size(test: dict[str, Any]) -> str:
    counts = test["counts"]
    return f"{counts['queries']:,} x {counts['gallery']:,}, fingerprint {test['fingerprint']}"


def main(argv: Sequence[str] | None = None) -> None:
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
    from reidar_plugin.report.results import read_results
    from reidar_plugin.report.tables import splits_table

    results = [read_results(path) for path in args.results]
    print(splits_table(results) if args.mean else _paired(args, results))


def _paired(args: argparse.Namespace, results: "Sequence[Results]") -> str:
    """The table of paired tests between lines that say what was compared and how."""
    from reidar_plugin.report.tables import paired_table

    if len(results) > 2:
        raise InputError(f"a paired test needs one or two results, got {len(results)}; --mean takes more")
    a, b = results if len(results) == 2 else of_actions(results[0])
    tests = compare(a, b, resamples=args.resamples, seed=args.seed, by_person=args.by_person)
    names = [f"{path} ({one.name})" for path, one in zip(args.results, results, strict=True)]
    if len(names) == 1:
        names = [f"{names[0]}, who they are alone", f"{names[0]}, and what they do"]
    sides = [f"{side}: {name}" for side, name in zip("AB", names, strict=True)]
    unit = "people" if args.by_person else "queries"
    foot = f"Percentage points; 95 % bootstrap intervals over {unit}; p of a two-sided sign-flip test."
    return "\n".join([*sides, "", paired_table(tests, "A", "B"), "", foot])


if __name__ == "__main__":
    sys.exit(guard(main))
