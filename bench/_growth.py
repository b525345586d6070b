"""How the cost grows with the number of files: the exponent that fits best, and a plot of all curves as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Curve = Sequence[tuple[int, float]]
"""The number of files, and the seconds."""

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 420, 60, 50, 20
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")


def exponent(curve: Curve, start: float) -> float:
    """Return the exponent of the time minus `start` from 100 files, by least squares of the logarithms."""
    points = [(math.log(count), math.log(max(seconds - start, 1e-3))) for count, seconds in curve if count >= 100]
    middle_x, middle_y = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    covariance = math.fsum((x - middle_x) * (y - middle_y) for x, y in points)
    return covariance / math.fsum((x - middle_x) ** 2 for x, _ in points)


def plot(curves: Mapping[str, Curve]) -> str:
    """Return the curves, with logarithmic axes, as SVG."""
    counts = [count for curve in curves.values() for count, _ in curve]
    times = [seconds for curve in curves.values() for _, seconds in curve]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    last = max(2, math.ceil(math.log10(max(counts))))

    def place(count: float, seconds: float) -> tuple[float, float]:
        x = _LEFT + (math.log10(count) - 1) / (last - 1) * (_WIDTH - _LEFT - 150)
        y = _HEIGHT - _BOTTOM - (math.log10(seconds) - low) / (high - low) * (_HEIGHT - _BOTTOM - _TOP)
        return x, y

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
    ]
    for power in range(1, last + 1):
        x, y = place(10**power, 10**low)
        lines.append(f'<text x="{x:.0f}" y="{y + 18:.0f}" text-anchor="middle">{10**power:,}</text>')
    for power in range(low, high + 1):
        x, y = place(10, 10**power)
        end, _ = place(10**last, 10**power)
        lines.append(f'<line x1="{x:.0f}" y1="{y:.0f}" x2="{end:.0f}" y2="{y:.0f}" stroke="#dddddd"/>')
        lines.append(f'<text x="{x - 8:.0f}" y="{y + 4:.0f}" text-anchor="end">{10.0**power:g} s</text>')
    for color, (name, curve) in zip(_COLORS, curves.items(), strict=False):
        points = [place(count, seconds) for count, seconds in curve]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        x, y = points[-1]
        lines.append(f'<text x="{x + 8:.0f}" y="{y + 4:.0f}" fill="{color}">{name}</text>')
    lines.append(f'<text x="{_WIDTH / 2 - 60:.0f}" y="{_HEIGHT - 10}" text-anchor="middle">files or packages</text>')
    return "\n".join([*lines, "</svg>", ""])
