"""From the samples to what people read: the table on the terminal and those of the READMEs.

Nothing here measures. A figure is the median of its samples, or the greatest where a row says so.
"""

import statistics

import rows

BEGIN = "<!-- begin of what bench/compare.py --readme writes -->"
END = "<!-- end of what bench/compare.py --readme writes -->"


class Figures:
    """The figures of a set of samples."""

    def __init__(self, samples):
        self.samples = samples

    def of(self, row, kind):
        """None where it was not measured. Java and the do-nothing server may stand in another row."""
        key = row.against if row.against and kind in ("java", "null") else row.key
        values = self.samples.get(key, {}).get(kind)
        if not values:
            return None
        return max(values) if row.worst else statistics.median(values)

    def factor(self, row):
        """How many times better Paddock is than Java; under 1: it is worse."""
        java, paddock = self.of(row, "java"), self.of(row, "paddock")
        if not java or not paddock:
            return None
        return paddock / java if row.better == "more" else java / paddock

    def null_part(self, row):
        """Paddock's part of what the do-nothing server makes."""
        null, paddock = self.of(row, "null"), self.of(row, "paddock")
        return paddock / null if null and paddock else None

    def shown(self, which):
        """The rows that have one of these texts and were measured."""
        return [r for r in rows.ROWS if which(r) and self.of(r, "paddock") is not None]


def number(value):
    if value is None:
        return "-"
    if value >= 1000:
        return "{:,.0f}".format(value)
    return "%.3g" % value if value >= 1 else "%.2f" % value


def factor_text(factor):
    return "%.0f" % factor if factor >= 10 else "%.1f" % factor


# --- the table on the terminal -------------------------------------------------------------------


def judge(figures, row):
    """(what is to be reached, whether it was: True, False, or None where nothing says so)"""
    paddock, goal = figures.of(row, "paddock"), row.goal
    if goal is None or paddock is None:
        return "", None
    if goal.kind == "under":
        return "under %s" % number(goal.value), paddock < goal.value
    if goal.kind == "times":
        factor = figures.factor(row)
        return "%g times" % goal.value, None if factor is None else factor >= goal.value
    if goal.kind == "of-null":
        part = figures.null_part(row)
        return "%.2f of nothing" % goal.value, None if part is None else part >= goal.value
    other = next(r for r in rows.ROWS if r.key == goal.row)
    own = figures.of(other, "paddock")
    return "%.1f of without" % goal.value, None if own is None else paddock <= goal.value * own


def yes_or_no(reached):
    return {True: "yes", False: "NO", None: ""}[reached]


def table_lines(samples):
    figures = Figures(samples)
    lines = [("workload", "Java", "Paddock", "better by", "to reach", "reached")]
    for row in rows.ROWS:
        if row.key not in samples:
            continue
        factor = figures.factor(row)
        goal, reached = judge(figures, row)
        lines.append((row.key, number(figures.of(row, "java")), number(figures.of(row, "paddock")),
                      factor_text(factor) if factor else "-", goal, yes_or_no(reached)))
        mixed = figures.of(row, "mixed")
        if mixed is not None:
            java = figures.of(row, "java")
            lines.append(("  mixed with Java", "", number(mixed), "", "no worse than Java",
                          yes_or_no(mixed <= java if java else None)))
        if row.null is not None and figures.of(row, "null") is not None:
            part = figures.null_part(row)
            lines.append(("  of the server that does nothing", number(figures.of(row, "null")), "",
                          "%.2f" % part if part else "-", "%.2f" % row.null,
                          yes_or_no(part >= row.null if part else None)))
    return lines


def print_table(samples):
    lines = table_lines(samples)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        print("  ".join(cells).rstrip())


# --- the READMEs ---------------------------------------------------------------------------------

# By a row's word: what Paddock is where it is better, and where it is worse.
WORDS = {
    "fast": ("{} times as fast", "{} times slower"),
    "short": ("{} times shorter", "{} times longer"),
    "little": ("{} times less", "{} times more"),
    "small": ("{} times smaller", "{} times larger"),
}
HEADS = {
    "en": "| | ZooKeeper | Paddock | Paddock is |",
    "zh": "| | ZooKeeper | Paddock | Paddock 为其 |",
}
METHOD = {
    "en": "One machine ({cpu}, {cpus} cores, {kernel}) runs servers and load generator; ZooKeeper "
          "{zookeeper} on Java {java} and Paddock take turns; every write is synced (one sync: "
          "{sync} ms); {runs} (`make bench`, {date}). "
          "An empty cell was not measured. [What each row means, and what it does not show]"
          "(bench/README.md).",
    "zh": "一台机器（{cpu}，{cpus} 核，{kernel}）同时运行服务器与压测工具；ZooKeeper {zookeeper}（Java {java}）与 Paddock "
          "轮流运行；每次写入都落盘（一次 sync 为 {sync} 毫秒）；{runs}（`make bench`，{date}）。"
          "空格表示没有测量。"
          "[每一行的含义，以及它不能说明什么](bench/README.md)（英文）。",
}


def runs_text(count, language):
    if language == "zh":
        return "每个数字来自一轮测量" if count == 1 else "每个数字是 %d 轮的中位数" % count
    return "each figure is from one run" if count == 1 else "each figure is the median of %d runs" % count


PICTURE = {
    "en": "![How many times better than ZooKeeper in Java, per workload](docs/performance.svg)",
    "zh": "![各项负载下相对 Java 版 ZooKeeper 的倍数](docs/performance.svg)",
}
CEILING = {
    "en": "For comparison: a server that only reads each request and answers a constant, and sleeps in "
          "between, makes {} times as many single gets as ZooKeeper on this machine. The rest of the "
          "time is spent in the kernel and in the client.",
    "zh": "作为参照：一个只读取请求、返回常量、空闲时休眠的服务器，在这台机器上单会话逐个读的吞吐量是 ZooKeeper 的 {} 倍；"
          "其余时间都花在内核和客户端上。",
}


def quantity(value, key):
    """A figure with its unit, as people write it."""
    if value is None:
        return ""
    unit = rows.unit(key)
    if unit == "op/s":
        return "{:,.0f}/s".format(value)
    if unit == "us" and value >= 1000:
        return "%s ms" % number(value / 1000)
    if unit == "us":
        return "%s µs" % number(value)
    return "%s %s" % (number(value), unit)


def comparison(row, factor, language):
    if factor is None:
        return ""
    is_better, text = factor >= 1, factor_text(max(factor, 1 / factor))
    if language == "en":
        return WORDS[row.word][0 if is_better else 1].format(text)
    return "%s 倍" % text if is_better == (row.better == "more") else "1/%s" % text


def readme_block(results, language):
    """What stands between the markers."""
    figures = Figures(results["samples"])
    method = METHOD[language].format(**results["machine"], runs=runs_text(results["alternations"], language),
                                     date=results["time"][:10])
    lines = [method, "", PICTURE[language], "", HEADS[language], "| --- | ---: | ---: | ---: |"]
    for row in figures.shown(lambda r: r.readme):
        text = row.readme if language == "en" else row.readme_zh
        cells = [text, quantity(figures.of(row, "java"), row.key),
                 quantity(figures.of(row, "paddock"), row.key),
                 comparison(row, figures.factor(row), language)]
        lines.append("| %s |" % " | ".join(cells))
    single = next(r for r in rows.ROWS if r.key == "get 1x1 (op/s)")
    java, null = figures.of(single, "java"), figures.of(single, "null")
    if java and null:
        lines += ["", CEILING[language].format(factor_text(null / java))]
    return "\n".join(lines) + "\n"


def with_block(text, block):
    """The README with the block between its markers; ValueError where it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("no markers %s and %s" % (BEGIN, END))
    return before + BEGIN + "\n\n" + block + "\n" + END + after
