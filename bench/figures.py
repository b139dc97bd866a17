"""Figures of a benchmark: measured in turns, compared by their medians, shown as a table.

The sides of a comparison take turns within one run, so that whatever else the machine does hits them alike.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Measure = Callable[[Path], float]


class BenchFailed(Exception):
    """A side did not do the work that is measured; its figure would mean nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ratio` is figure / baseline; `met` is None where there is no goal."""

    figure: str
    unit: str
    value: float | None
    baseline: str
    baseline_value: float
    ratio: float | None
    goal: str
    met: bool | None
    values: list[float]
    baseline_values: list[float]


def in_turns(sides: Mapping[str, Measure], work: Path, *, runs: int, only: str) -> dict[str, list[float]]:
    """Measure every side `runs` times, in turns, each time in an empty folder of its own.

    Every run begins with another side, because disks are often faster at first.
    `only` leaves out the sides whose name does not contain it.
    """
    wanted = {name: measure for name, measure in sides.items() if only in name}
    if not wanted:
        raise BenchFailed(f"no side is called {only!r}; there are {', '.join(sides)}")
    values: dict[str, list[float]] = {name: [] for name in wanted}
    for run in range(runs):
        for name in _rotated(list(wanted), run):
            folder = work / f"{run}-{name.replace(' ', '-')}"
            folder.mkdir(mode=0o755)
            values[name].append(wanted[name](folder))
            print(f"  run {run + 1} of {runs}: {name} {values[name][-1]:.1f}", file=sys.stderr)
            shutil.rmtree(folder)
    return values


def _rotated(names: list[str], by: int) -> list[str]:
    first = by % len(names)
    return names[first:] + names[:first]


def compared(
    figure: str, values: Mapping[str, list[float]], *, unit: str, at_least: Mapping[str, float]
) -> list[Row]:
    """`figure` against every other side; `at_least` has the wanted ratio for those sides that have a goal."""
    return [
        _row(figure, values.get(figure, []), name, values[name], unit, at_least.get(name))
        for name in values
        if name != figure
    ]


def table(rows: list[Row]) -> str:
    """The rows as text, one line each, columns aligned."""
    head = ("figure", "median", "baseline", "median", "ratio", "goal", "")
    lines = [head] + [
        (
            row.figure,
            "-" if row.value is None else f"{row.value:.1f} {row.unit}",
            row.baseline,
            f"{row.baseline_value:.1f} {row.unit}",
            "-" if row.ratio is None else f"{row.ratio:.2f}",
            row.goal or "-",
            {True: "met", False: "missed", None: ""}[row.met],
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _row(
    figure: str, ours: list[float], name: str, theirs: list[float], unit: str, at_least: float | None
) -> Row:
    value = statistics.median(ours) if ours else None
    baseline = statistics.median(theirs)
    ratio = None if value is None else value / baseline
    return Row(
        figure=figure,
        unit=unit,
        value=value,
        baseline=name,
        baseline_value=baseline,
        ratio=ratio,
        goal="" if at_least is None else f">= {at_least:g}",
        met=None if ratio is None or at_least is None else ratio >= at_least,
        values=ours,
        baseline_values=theirs,
    )
