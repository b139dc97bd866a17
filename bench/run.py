"""Run the benchmarks: `python bench/run.py [accept|path ...]`, all when none is named.

Everything happens below one throw-away folder in --work, which must lie on a real disk: on a RAM disk
durability would cost nothing. Writes bench/results/last.json, not kept in git.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from accept import accept
from client import LoadFailed
from figures import BenchFailed, Row, table
from growth import growth
from latency import latency
from path import path
from peers.postfix import PeerMissing
from search import search

_BENCHES: dict[str, Callable[..., list[Row]]] = {
    "accept": accept,
    "path": path,
    "growth": growth,
    "latency": latency,
    "search": search,
}
_RESULTS = Path(__file__).parent / "results" / "last.json"


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the benchmarks and print figure, baseline and ratio.")
    parser.add_argument("bench", nargs="*", help=f"any of {', '.join(_BENCHES)}; all when none is named")
    parser.add_argument("--runs", type=int, default=3, help="turns of every side; the median counts")
    parser.add_argument("--only", default="", help="only sides whose name contains this")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp"), help="a folder on a real disk")
    options = parser.parse_args()
    if unknown := set(options.bench) - set(_BENCHES):
        parser.error(f"no bench {', '.join(sorted(unknown))}; there are {', '.join(_BENCHES)}")
    started = _machine()
    results, failures = _measure(
        options.bench or list(_BENCHES), options.work, runs=options.runs, only=options.only
    )
    _RESULTS.parent.mkdir(exist_ok=True)
    rows = {name: [asdict(row) for row in rows] for name, rows in results.items()}
    document = {"machine": started, "benches": rows, "failures": failures}
    _RESULTS.write_text(json.dumps(document, indent=2) + "\n")
    return 1 if failures else 0


def _measure(
    names: list[str], work: Path, *, runs: int, only: str
) -> tuple[dict[str, list[Row]], dict[str, str]]:
    results: dict[str, list[Row]] = {}
    failures: dict[str, str] = {}
    for name in names:
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-", dir=work) as folder:
            Path(folder).chmod(0o755)  # Postfix's own user passes through it
            try:
                results[name] = _BENCHES[name](Path(folder), runs=runs, only=only)
                print(f"{name}\n{table(results[name])}\n")
            except (BenchFailed, LoadFailed, PeerMissing) as error:
                failures[name] = str(error)
                print(f"{name}: {error}", file=sys.stderr)
    return results, failures


def _machine() -> dict[str, object]:
    """What the figures depend on; a load above half the cores means that somebody else was at work."""
    load = os.getloadavg()[0]
    if load > (os.cpu_count() or 1) / 2:
        print(f"note: the machine is busy (load {load:.1f}); trust the ratios only", file=sys.stderr)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": load,
        "python": platform.python_version(),
        "system": platform.platform(),
    }


if __name__ == "__main__":
    sys.exit(main())
