"""Results as a table and as a plot."""

import math
import statistics

COLOURS = [
    "#888888", "#0b6e4f", "#c1502e", "#3b5b92", "#8a5a9e", "#b8860b", "#20808d", "#a0306a",
]
LEGEND = """
×NAME: the median of the ratios to NAME in the same round. cpu_us: the broker's CPU in µs for a
delivered message; for a published one in ack20-*, match-*, asleep, keeping up; for a connection in
storm. per_s: as many a second. p50_us, p99_us: from when a message was due to its arrival."""


def number(value):
    if value is None:
        return "–"
    for limit, unit in ((1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / (1e6 if unit == 'M' else 1e3):.3g} {unit}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def median(results, figure):
    values = [r["figures"][figure] for r in results if figure in r["figures"]]
    return statistics.median(values) if values else None


def ratio(results, first, figure):
    """The median of what it is in each round, so that a slow minute of the machine does not count."""
    pairs = [
        r["figures"][figure] / f["figures"][figure]
        for r, f in zip(results, first)
        if r["figures"].get(figure) is not None and f["figures"].get(figure)
    ]
    return statistics.median(pairs) if pairs else None


def row(scenario, figure, names, results):
    """results: by name, a list with one result a round. Ratios are to the first name."""
    first = results.get(names[0], [])
    cells = []
    for name in names:
        cell = number(median(results.get(name, []), figure))
        if name != names[0]:
            cell += f" | {number(ratio(results.get(name, []), first, figure))}"
        cells.append(cell)
    return f"| {scenario} | {figure} | " + " | ".join(cells) + " |"


def head(names):
    columns = [names[0]] + [f"{name} | ×{names[0]}" for name in names[1:]]
    return (
        "| scenario | figure | " + " | ".join(columns) + " |\n"
        "| --- | --- |" + " ---: |" * (2 * len(names) - 1)
    )


def complaint(scenario, name, result):
    faults = ", ".join(f"{count} {word}" for word, count in result["faults"].items() if count)
    return f"{scenario}, {name}: {faults}"


def plot(panels, names, path):
    """panels: title -> (what y is of, name -> {x: y}); both axes logarithmic, side by side."""
    width, height, margin = 320, 260, 48
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{len(panels) * width}" '
        f'height="{height + 30}" font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for at, (title, (unit, lines)) in enumerate(panels.items()):
        out += panel(f"{unit}, by {title}", lines, names, at * width, width, height, margin)
    for at, name in enumerate(names):
        x = margin + at * 110
        out.append(f'<rect x="{x}" y="{height + 10}" width="14" height="4" fill="{COLOURS[at % len(COLOURS)]}"/>')
        out.append(f'<text x="{x + 20}" y="{height + 16}">{name}</text>')
    out.append("</svg>")
    path.write_text("\n".join(out) + "\n")


def panel(title, lines, names, left, width, height, margin):
    xs = sorted({x for line in lines.values() for x in line})
    ys = [y for line in lines.values() for y in line.values() if y and y > 0]
    if not ys:
        return []
    low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
    high = max(high, low + 1)
    first, last = math.log10(xs[0]), math.log10(xs[-1])

    def x_of(x):
        return left + margin + (math.log10(x) - first) / (last - first) * (width - margin - 16)

    def y_of(y):
        return height - 36 - (math.log10(y) - low) / (high - low) * (height - 70)

    out = [f'<text x="{left + margin}" y="18">broker CPU µs per {title}</text>']
    for power in range(low, high + 1):
        y = y_of(10**power)
        out.append(
            f'<path d="M{left + margin} {y:.1f}H{left + width - 16}" stroke="#ddd"/>'
            f'<text x="{left + margin - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
        )
    for x in xs:
        out.append(f'<text x="{x_of(x):.1f}" y="{height - 18}" text-anchor="middle">{number(x)}</text>')
    for at, name in enumerate(names):
        points = [(x_of(x), y_of(y)) for x, y in sorted(lines.get(name, {}).items()) if y and y > 0]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        colour = COLOURS[at % len(COLOURS)]
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    return out
