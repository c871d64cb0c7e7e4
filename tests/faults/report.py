"""The report: what was done, what came of it, and a picture of the acknowledgements."""

import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Final

import matplotlib as mpl

mpl.use("Agg")  # no display

from matplotlib import pyplot as plt

from bench.plot import OURS_COLOUR
from bench.report import grid

from .kills import Figures
from .outages import Outage

HEAD: Final = """\
# What is left when processes die: {commit}

xmppd {commit}, Python {python}. Written by `make faults`, seed {seed}. What is done, and what each figure means, is said
in [docs/faults.md](../../docs/faults.md). Server, databases and clients share {cores} cores, perhaps with others: times
tell what to expect, and are no measure of anything.

## The server is killed under load

{kills}

All of the second table has to be 0.

{faults}

![acknowledged messages over time; each red line is a kill]({picture})

## Its database comes to harm

{outages}

Longest answer: how long any sender waited until its message was acknowledged or refused. The others are a pair of
accounts on the shard that nothing is done to: median and longest time of a message, before the harm and during it.
"""
DASH: Final = "-"


def write(folder: Path, commit: str, seed: int, cores: int, runs: Sequence[Figures], outages: Sequence[Outage]) -> Path:
    """Write the report and its picture; return the report's file."""
    stem = f"faults-{commit}"
    draw(folder / f"{stem}.png", runs)
    file = folder / f"{stem}.md"
    file.write_text(text(commit, seed, cores, runs, outages, f"{stem}.png"))
    return file


def text(commit: str, seed: int, cores: int, runs: Sequence[Figures], outages: Sequence[Outage], picture: str) -> str:
    """Return the report."""
    return HEAD.format(
        commit=commit,
        python=platform.python_version(),
        seed=seed,
        cores=cores,
        kills=kills_table(runs),
        faults=faults_table(
            [(run.engine, run.findings) for run in runs] + [(out.what, out.findings) for out in outages]
        ),
        picture=picture,
        outages=outages_table(outages),
    )


def kills_table(runs: Sequence[Figures]) -> str:
    """Return what was done and how long it took."""
    headings = ["database", "kills", "sent", "acknowledged", "stored, not acknowledged", "came again by the same id"]
    headings += ["s until ready: median", "longest", "s until the next acknowledgement: median", "longest"]
    rows = []
    for run in runs:
        assert run.findings is not None, "it has ended"
        counts = (len(run.kills), run.ledger.counts["sent"], run.findings.acknowledged, run.findings.unasked)
        cells = [run.engine, *map(str, counts), str(run.findings.repeated)]
        rows.append([*cells, *_times(run.ready), *_times(run.recovered)])
    return grid(headings, rows)


def faults_table(found: Sequence[tuple[str, object]]) -> str:
    """Return what must not be."""
    rows, headings = [], ["run"]
    for what, findings in found:
        each = dict(list(asdict(findings).items())[3:])  # type: ignore[call-overload]
        headings = ["run", *each]
        rows.append([what, *map(str, each.values())])
    return grid(headings, rows)


def outages_table(outages: Sequence[Outage]) -> str:
    """Return what came of each."""
    headings = [
        "harm",
        "acknowledged",
        "refused",
        "refused, but stored",
        "longest answer, s",
        "s until it stored again",
    ]
    rows = []
    for outage in outages:
        assert outage.findings is not None, "it has ended"
        counts = (outage.findings.acknowledged, outage.refused, outage.findings.unasked)
        times = (f"{outage.longest:.1f}", f"{outage.recovered:.2f}")
        rows.append([outage.what, *map(str, counts), *times, outage.latencies or DASH])
    return grid([*headings, "others' messages, ms"], rows)


def draw(file: Path, runs: Sequence[Figures]) -> None:
    """Draw how many messages were acknowledged over time, and when the server was killed."""
    figure, grid = plt.subplots(len(runs), 1, figsize=(11, 2.2 * len(runs)), squeeze=False, layout="constrained")
    for axes, run in zip(grid.flat, runs, strict=True):
        times = [time - run.begun for time in run.ledger.times]
        for kill in run.kills:
            axes.axvline(kill - run.begun, color="#b22222", linewidth=0.6)
        axes.step(times, range(1, len(times) + 1), where="post", color=OURS_COLOUR, linewidth=1.2)
        axes.set_title(f"{run.engine}: acknowledged messages over seconds; red: kills", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _times(seconds: Sequence[float]) -> list[str]:
    return [f"{median(seconds):.2f}", f"{max(seconds):.2f}"] if seconds else [DASH, DASH]
