"""From samples to the READMEs and the picture; nothing is measured here."""

import os
import xml.etree.ElementTree

import pytest

from pylib.servers import REPO

import compare
import plot
import report
import rows

MACHINE = {"cpu": "A & B", "cpus": 2, "kernel": "Linux 6", "java": "17", "zookeeper": "3.8.0",
           "sync": "0.13", "commit": "0000000"}


def results(samples):
    return {"time": "2026-01-02T03:04:05Z", "alternations": 5, "machine": MACHINE,
            "samples": samples}


def find(key):
    return next(row for row in rows.ROWS if row.key == key)


def judged(key, samples):
    return report.judge(report.Figures(samples), find(key))[1]


def test_a_figure_is_the_median_or_the_worst_where_a_row_says_so():
    worst = "ensemble: leader killed to next write, worst (ms)"
    figures = report.Figures({
        "get 16x16 (op/s)": {"paddock": [30, 10, 20]}, worst: {"paddock": [30, 10, 20]},
    })
    assert figures.of(find("get 16x16 (op/s)"), "paddock") == 20
    assert figures.of(find(worst), "paddock") == 30
    assert figures.of(find("get 16x16 (op/s)"), "java") is None


def test_a_goal_is_reached_at_its_value_and_not_below():
    for java, paddock, reached in ((10, 60, True), (10, 59, False)):
        assert judged("get 16x16 (op/s)",
                      {"get 16x16 (op/s)": {"java": [java], "paddock": [paddock]}}) is reached
    for java, paddock, reached in ((100, 10, True), (100, 11, False)):
        assert judged("create 16x64 p99 (us)",
                      {"create 16x64 p99 (us)": {"java": [java], "paddock": [paddock]}}) is reached
    for paddock, reached in ((29, True), (30, False)):
        assert judged("start, empty (ms)", {"start, empty (ms)": {"paddock": [paddock]}}) is reached
    while_, without = "set p99 while snapshot (us)", "set p99 without snapshot (us)"
    for paddock, reached in ((12, True), (13, False)):
        assert judged(while_, {while_: {"paddock": [paddock]},
                               without: {"paddock": [10]}}) is reached


def test_busy_polling_is_compared_with_the_row_without_it():
    samples = {"get 1x1 (op/s)": {"java": [10], "paddock": [19], "null": [20]},
               "get 1x1, busy polling (op/s)": {"paddock": [30]}}
    figures, row = report.Figures(samples), find("get 1x1, busy polling (op/s)")
    assert figures.factor(row) == 3
    assert report.judge(figures, row)[1] is True


def test_a_figure_that_nobody_took_is_no_verdict():
    assert judged("get 16x16 (op/s)", {"get 16x16 (op/s)": {"paddock": [60]}}) is None


def test_where_paddock_is_worse_the_table_says_so():
    row = find("CPU per set (us)")
    assert report.comparison(row, 2.0, "en") == "2.0 times less"
    assert report.comparison(row, 0.5, "en") == "2.0 times more"
    assert report.comparison(row, 0.5, "zh") == "2.0 倍"
    assert report.comparison(row, 2.0, "zh") == "1/2.0"
    assert report.comparison(find("set 1x1 (op/s)"), 0.5, "en") == "2.0 times slower"
    assert report.comparison(find("set 1x1 (op/s)"), 0.5, "zh") == "1/2.0"


@pytest.mark.parametrize("value, key, text", [
    (1991430.4, "get 16x16 (op/s)", "1,991,430/s"),
    (0.489, "CPU per get (us)", "0.49 µs"),
    (99600, "create 16x64 p99 (us)", "99.6 ms"),
    (5151, "start, 1M znodes (ms)", "5,151 ms"),
    (1760, "memory, 1M znodes (MB)", "1,760 MB"),
])
def test_a_quantity_has_its_unit_and_three_digits(value, key, text):
    assert report.quantity(value, key) == text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_readme_gets_one_line_for_each_row_that_was_measured(language):
    block = report.readme_block(results({
        "get 16x16 (op/s)": {"java": [10], "paddock": [160]},
        "set 16x16 p99 (us)": {"java": [4000], "paddock": [1000]},
        "set p99 while snapshot (us)": {"java": [1], "paddock": [1]},  # not for READMEs
        "get 1x1 (op/s)": {"java": [10]},  # not measured for Paddock
    }), language)
    body = [line for line in block.splitlines() if line.startswith("| ")][2:]
    assert len(body) == 2
    assert "| 10/s | 160/s | 16 " in body[0]
    assert "| 4 ms | 1 ms | " in body[1]


def test_only_what_stands_between_the_markers_changes():
    text = "before\n%s\nold\n%s\nafter\n" % (report.BEGIN, report.END)
    new = report.with_block(text, "new\n")
    assert new == "before\n%s\n\nnew\n\n%s\nafter\n" % (report.BEGIN, report.END)
    assert report.with_block(new, "new\n") == new
    with pytest.raises(ValueError):
        report.with_block("a README without markers", "new\n")


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_both_readmes_have_the_markers(name):
    with open(os.path.join(REPO, name), encoding="utf-8") as file:
        report.with_block(file.read(), "new\n")


def svg_of(samples):
    return xml.etree.ElementTree.fromstring(plot.picture(results(samples)))


def bars(svg):
    return [r for r in svg.findall(".//{*}rect") if r.get("class") in ("better", "worse")]


def test_the_picture_has_a_bar_for_each_row_with_both_figures():
    both = {row.key: {"java": [8], "paddock": [32 if row.better == "more" else 2]}
            for row in rows.ROWS if row.plot}
    svg = svg_of(both)
    assert len(bars(svg)) == len(both)
    words = ["".join(t.itertext()) for t in svg.findall(".//{*}text")]
    for row in rows.ROWS:
        assert not row.plot or row.plot in words
    assert words.count("4.0x") == len(both)


def test_twice_the_factor_is_the_same_length_further():
    def width(factor):
        svg = svg_of({"get 16x16 (op/s)": {"java": [1], "paddock": [factor]},
                      "set 16x16 (op/s)": {"java": [1], "paddock": [100]}})
        return float(bars(svg)[0].get("width"))

    assert width(4) - width(2) == pytest.approx(width(8) - width(4), abs=0.2)
    assert width(2) == pytest.approx(width(4) - width(2), abs=0.2)


def test_what_is_worse_points_to_the_other_side():
    svg = svg_of({"get 16x16 (op/s)": {"java": [1], "paddock": [4]},
                  "set 16x16 (op/s)": {"java": [4], "paddock": [1]}})
    better, worse = bars(svg)
    assert (better.get("class"), worse.get("class")) == ("better", "worse")
    end = float(worse.get("x")) + float(worse.get("width"))
    assert end == pytest.approx(float(better.get("x")), abs=0.2)
    assert float(worse.get("x")) >= plot.BAR_BEGIN


@pytest.mark.skipif(not os.path.exists(compare.RESULTS), reason="no whole run was kept yet")
def test_readmes_and_picture_say_what_the_results_say():
    for name, text in compare.written(compare.load_results(compare.RESULTS)).items():
        with open(os.path.join(REPO, name), encoding="utf-8") as file:
            assert file.read() == text, "%s: run bench/compare.py --readme" % name
