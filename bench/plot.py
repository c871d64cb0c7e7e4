"""The picture of a benchmark: one small bar chart for each figure."""

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # no display

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from .plan import OURSELVES
from .summary import Line, peers_of, three_digits

OURS_COLOUR, PEER_COLOURS = "#1f6f8b", ("#b0b8bf", "#d9a066", "#8f9bb3", "#c2b280")
ACROSS = 4


def colour(server: str, servers: Sequence[str]) -> str:
    """Return a server's colour: ours stands out."""
    if server in OURSELVES:
        return OURS_COLOUR
    return PEER_COLOURS[peers_of(servers).index(server) % len(PEER_COLOURS)]


def draw(axes: Axes, line: Line, servers: Sequence[str]) -> None:
    """Draw one figure: a bar for each server, the rounds as dots, the goal as a dashed line."""
    for place, server in enumerate(servers):
        value = line.values.get(server)
        if value is None:
            continue
        axes.barh(place, value.median, color=colour(server, servers))
        axes.plot(value.all, [place] * len(value.all), ".", color="black", markersize=3)
        axes.annotate(
            three_digits(value.median), (value.median, place), (3, -3), textcoords="offset points", fontsize=7
        )
    if line.goal:
        axes.axvline(line.goal, linestyle="--", linewidth=1, color="#b22222")
    axes.set_yticks(range(len(servers)), servers, fontsize=7)
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.set_xlim(left=0)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_title(f"{line.figure.title} [{line.figure.unit}]", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def plot(path: Path, title: str, lines: Sequence[Line], servers: Sequence[str]) -> None:
    """Write the picture; less is better everywhere."""
    down = max(1, math.ceil(len(lines) / ACROSS))
    height = 0.6 + down * (0.7 + 0.27 * len(servers))
    figure, grid = plt.subplots(down, ACROSS, figsize=(13, height), squeeze=False, layout="constrained")
    places = list(grid.flat)
    for axes, line in zip(places, lines, strict=False):
        draw(axes, line, servers)
    for axes in places[len(lines) :]:
        axes.set_visible(False)
    figure.suptitle(f"{title}: cost per unit, less is better; dashed: the goal", fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def bars(path: Path, title: str, shares: Sequence[tuple[str, float]]) -> None:
    """Write a horizontal bar chart of shares in per cent, the largest on top."""
    figure, axes = plt.subplots(figsize=(9, 0.8 + 0.24 * max(1, len(shares))), layout="constrained")
    axes.barh([name for name, _ in shares], [share for _, share in shares], color=OURS_COLOUR)
    for place, (_, share) in enumerate(shares):
        axes.annotate(f"{share:.1f} %", (share, place), (3, -3), textcoords="offset points", fontsize=7)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.tick_params(labelsize=7)
    axes.set_title(title, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
