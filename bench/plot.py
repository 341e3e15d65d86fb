"""The picture of the comparison, as SVG: how many times better, one bar per row, on a log scale.

It brings its own ground and both sets of colours, so it can be read on a light page and on a dark one.
"""

import math
from xml.sax.saxutils import escape

import report

WIDTH, LABEL_END, BAR_BEGIN, BAR_END = 860, 300, 312, 640
ROW_HEIGHT, BAR_HEIGHT, GROUP_GAP = 24, 14, 34
TOP, BOTTOM = 96, 44
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

STYLE = """
    .ground { fill: #ffffff; stroke: #d0d7de; }
    text { font: 13px -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", Arial, sans-serif;
           fill: #1f2328; }
    .title { font-size: 17px; font-weight: 600; }
    .group { font-weight: 600; }
    .quiet { fill: #59636e; font-size: 12px; }
    .factor { font-weight: 600; }
    .grid { stroke: #d8dee4; }
    .one { stroke: #59636e; }
    .better { fill: #0969da; }
    .worse { fill: #bc4c00; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117; stroke: #3d444d; }
      text { fill: #f0f6fc; }
      .quiet { fill: #9198a1; }
      .grid { stroke: #2a313c; }
      .one { stroke: #9198a1; }
      .better { fill: #4493f8; }
      .worse { fill: #db6d28; }
    }
"""


class Scale:
    """From a factor to a place; the axis begins at 1, or below where something is worse."""

    def __init__(self, factors):
        least, most = min([1, *factors]), max([2, *factors])
        self.low = math.log(min(1, least * 0.95))
        self.high = math.log(next((t for t in TICKS if t >= most), most))

    def x(self, factor):
        part = (math.log(factor) - self.low) / (self.high - self.low)
        return BAR_BEGIN + part * (BAR_END - BAR_BEGIN)

    def ticks(self):
        return [t for t in TICKS if self.low <= math.log(t) <= self.high + 1e-9]


def text(x, y, words, kind="", anchor="start"):
    return '<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">%s</text>' % (
        x, y, kind, anchor, escape(words))


def line(x, y1, y2, kind):
    return '<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" class="%s"/>' % (x, x, y1, y2, kind)


def bar(scale, y, row, factor, figures):
    one, end = scale.x(1), scale.x(factor)
    java, paddock = (report.quantity(figures.of(row, k), row.key) for k in ("java", "paddock"))
    return [
        text(LABEL_END, y + BAR_HEIGHT - 2, row.plot, anchor="end"),
        '<rect x="%.1f" y="%.1f" width="%.1f" height="%d" rx="2" class="%s"/>' % (
            min(one, end), y, max(1.5, abs(end - one)), BAR_HEIGHT,
            "better" if factor >= 1 else "worse"),
        text(max(one, end) + 7, y + BAR_HEIGHT - 2, report.factor_text(factor) + "x", "factor"),
        text(WIDTH - 16, y + BAR_HEIGHT - 2, "%s → %s" % (java, paddock), "quiet", "end"),
    ]


def picture(results):
    """The SVG of these results."""
    figures = report.Figures(results["samples"])
    shown = [(r, figures.factor(r)) for r in figures.shown(lambda r: r.plot)]
    shown = [(row, factor) for row, factor in shown if factor]
    scale = Scale([factor for _, factor in shown])
    parts, y, group = [], TOP, None
    for group in dict.fromkeys(row.group for row, _ in shown):
        parts.append(text(16, y + BAR_HEIGHT - 2, group, "group"))
        y += ROW_HEIGHT
        for row, factor in shown:
            if row.group == group:
                parts += bar(scale, y, row, factor, figures)
                y += ROW_HEIGHT
        y += GROUP_GAP - ROW_HEIGHT
    bottom = y - GROUP_GAP + ROW_HEIGHT
    grid = []
    for tick in scale.ticks():
        grid.append(line(scale.x(tick), TOP - 8, bottom, "one" if tick == 1 else "grid"))
        words = "same" if tick == 1 else "%dx" % tick
        grid.append(text(scale.x(tick), TOP - 14, words, "quiet", "middle"))
    machine = results["machine"]
    method = "Median of %s runs on one machine (%s, %s cores), %s." % (
        results["alternations"], machine["cpu"], machine["cpus"], results["time"][:10])
    height = bottom + BOTTOM
    head = [
        text(16, 32, "How many times better Paddock is", "title"),
        text(16, 52, "ZooKeeper %s in Java and Paddock under the same load; logarithmic scale" %
             machine["zookeeper"], "quiet"),
        text(WIDTH - 16, TOP - 14, "ZooKeeper → Paddock", "quiet", "end"),
        text(16, height - 16, method, "quiet"),
    ]
    return "\n".join([
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" '
        'role="img">' % (WIDTH, height, WIDTH, height),
        "<title>How many times better Paddock is than ZooKeeper in Java</title>",
        "<style>%s</style>" % STYLE,
        '<rect x="0.5" y="0.5" width="%d" height="%.0f" rx="8" class="ground"/>' % (
            WIDTH - 1, height - 1),
        *grid, *head, *parts, "</svg>", ""])
