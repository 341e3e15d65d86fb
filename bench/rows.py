"""The rows: what each figure is called, what is to be reached, and where it is shown.

A row's key is its name in results and on the command line; its unit stands in brackets.
"""

import collections

# What is to be reached. kind:
#   times     Paddock is better than Java by this factor at least
#   under     Paddock's figure is under this
#   of-null   Paddock makes this part of what the do-nothing server makes, at least
#   of-row    Paddock's figure is at most this multiple of its own figure in another row
Goal = collections.namedtuple("Goal", "kind value row", defaults=(None,))

# better: whether "more" or "less" is better. word: how the comparison is phrased (report.WORDS).
# against: the row whose figures of Java and of the do-nothing server are used, if not this one.
# null: the goal, as a part of the do-nothing server's figure. worst: the greatest sample counts,
# not the median. readme, readme_zh: the text in the tables of the READMEs; plot: the text in the
# picture, and its group.
Row = collections.namedtuple(
    "Row", "key better goal word against null worst readme readme_zh plot group"
)


def row(key, better, goal=None, word="fast", against=None, null=None, worst=False, readme=None,
        plot=None, group=None):
    english, chinese = readme or (None, None)
    return Row(key, better, goal, word, against, null, worst, english, chinese, plot, group)


def times(value):
    return Goal("times", value)


def under(value):
    return Goal("under", value)


def of_null(value):
    return Goal("of-null", value)


THROUGHPUT, LATENCY = "Requests per second", "Latency"
CPU, MEMORY, START = "CPU time", "Memory", "Start"
PROGRAMS = "C library and shell"
ENSEMBLE = "Three servers"

ROWS = [
    row("get 16x16 (op/s)", "more", times(6), null=0.5,
        readme=("get, 16 sessions x 16 outstanding requests", "读，16 会话 x 16 个未完成请求"),
        plot="get, 16 sessions x 16 requests", group=THROUGHPUT),
    row("get 1x1 (op/s)", "more", null=0.9,
        readme=("get, one session, one at a time", "单会话逐个读"),
        plot="get, one session, one at a time", group=THROUGHPUT),
    row("get 1x1, busy polling (op/s)", "more", of_null(1.0), against="get 1x1 (op/s)",
        readme=("the same with `paddock.busyPollMicros=100`",
                "同上，`paddock.busyPollMicros=100`")),
    row("set 16x16 (op/s)", "more", times(4),
        readme=("set, 16 x 16", "写，16 x 16"),
        plot="set, 16 x 16", group=THROUGHPUT),
    row("set 16x16 p50 (us)", "less", word="short",
        readme=("set, 16 x 16: p50 latency", "写，16 x 16：p50 延迟")),
    row("set 16x16 p99 (us)", "less", word="short",
        readme=("set, 16 x 16: p99 latency", "写，16 x 16：p99 延迟"),
        plot="set, 16 x 16: p99", group=LATENCY),
    row("set 1x1 (op/s)", "more", times(2),
        readme=("set, one session, one at a time", "单会话逐个写"),
        plot="set, one session, one at a time", group=THROUGHPUT),
    row("create 16x64 (op/s)", "more", times(5),
        readme=("create, 16 x 64", "创建，16 x 64"),
        plot="create, 16 x 64", group=THROUGHPUT),
    row("create 16x64 p50 (us)", "less", word="short",
        readme=("create, 16 x 64: p50 latency", "创建，16 x 64：p50 延迟")),
    row("create 16x64 p99 (us)", "less", times(10), word="short",
        readme=("create, 16 x 64: p99 latency", "创建，16 x 64：p99 延迟"),
        plot="create, 16 x 64: p99", group=LATENCY),
    row("mix 90/10 100x32 (op/s)", "more", times(6),
        readme=("90 % get and 10 % set, 100 x 32", "读写 9:1，100 x 32"),
        plot="90 % get and 10 % set, 100 x 32", group=THROUGHPUT),
    row("mix 90/10 100x32 p50 (us)", "less", word="short",
        readme=("90 % get and 10 % set, 100 x 32: p50 latency", "读写 9:1，100 x 32：p50 延迟")),
    row("mix 90/10 100x32 p99 (us)", "less", times(4), word="short",
        readme=("90 % get and 10 % set, 100 x 32: p99 latency", "读写 9:1，100 x 32：p99 延迟"),
        plot="90 % get and 10 % set, 100 x 32: p99", group=LATENCY),
    row("CPU per get (us)", "less", times(8), word="little",
        readme=("CPU time per get", "每次读的 CPU 时间"), plot="per get", group=CPU),
    row("CPU per set (us)", "less", times(6), word="little",
        readme=("CPU time per set", "每次写的 CPU 时间"), plot="per set", group=CPU),
    row("5,000 watchers (ms)", "less", times(5), word="fast",
        readme=("one change delivered to 5,000 watchers", "将一次修改通知到 5,000 个 watcher"),
        plot="one change delivered to 5,000 watchers", group=LATENCY),
    row("memory, 1M znodes (MB)", "less", under(260), word="small",
        readme=("memory with 1,000,000 znodes of 100 bytes", "1,000,000 个 100 字节 znode 的内存"),
        plot="1,000,000 znodes of 100 bytes", group=MEMORY),
    row("idle memory (MB)", "less", under(10), word="small",
        readme=("memory when idle", "空闲内存"), plot="idle", group=MEMORY),
    row("memory per idle session (KB)", "less", under(4), word="small",
        readme=("memory per idle session", "每个空闲会话的内存"),
        plot="one idle session", group=MEMORY),
    row("start, empty (ms)", "less", under(30), word="fast",
        readme=("start with an empty directory", "空目录启动"),
        plot="with an empty directory", group=START),
    row("start, 1M znodes (ms)", "less", times(10), word="fast",
        readme=("start with a snapshot of 1,000,000 znodes", "从含 1,000,000 个 znode 的快照启动"),
        plot="from a snapshot of 1,000,000 znodes", group=START),
    row("start, 1M znodes in the log (ms)", "less", under(400), word="fast",
        readme=("start with a log of 1,000,000 creates", "从含 1,000,000 次创建的日志启动"),
        plot="from a log of 1,000,000 creates", group=START),
    row("set p99 without snapshot (us)", "less", word="short"),
    row("set p99 while snapshot (us)", "less", Goal("of-row", 1.2, "set p99 without snapshot (us)"),
        word="short"),
    row("longest turn while snapshot (us)", "less", under(5000), worst=True,
        readme=("longest turn of the event loop while a snapshot of 1,000,000 znodes is written",
                "写 1,000,000 个 znode 的快照期间，事件循环最长的一轮")),
    row("processor time of the longest turn while snapshot (us)", "less", under(5000), worst=True,
        readme=("most processor time of one turn meanwhile", "同一期间单轮占用处理器最长的时间")),
    row("p99.9 of turns while snapshot (us)", "less", under(1000),
        readme=("p99.9 of the turns meanwhile", "同一期间各轮的 p99.9")),
    row("program, stripped (MB)", "less", under(3),
        readme=("size of the program", "程序大小")),
    row("C library: get, 64 in flight (op/s)", "more", times(2),
        readme=("C library: get, one session x 64 outstanding requests", "C 库：读，单会话 x 64 个未完成请求"),
        plot="get, one session x 64 requests", group=PROGRAMS),
    row("C library: CPU per get (us)", "less", times(2), word="little",
        readme=("C library: CPU time of the program per get", "C 库：程序每次读的 CPU 时间"),
        plot="CPU time of the program per get", group=PROGRAMS),
    row("zkCli.sh ls / (ms)", "less", times(20), word="fast",
        readme=("`zkCli.sh ls /`, from start to end", "`zkCli.sh ls /`，从启动到结束"),
        plot="zkCli.sh ls /", group=PROGRAMS),
    row("ensemble: get 48x32 (op/s)", "more", times(6),
        readme=("three servers: get, 48 x 32, spread over all", "三台：读，48 x 32，分布于三台"),
        plot="get, 48 x 32", group=ENSEMBLE),
    row("ensemble: set 48x32 (op/s)", "more", times(4),
        readme=("three servers: set, 48 x 32", "三台：写，48 x 32"),
        plot="set, 48 x 32", group=ENSEMBLE),
    row("ensemble: set 48x32 p50 (us)", "less", word="short",
        readme=("three servers: set, 48 x 32: p50 latency", "三台：写，48 x 32：p50 延迟")),
    row("ensemble: set 48x32 p99 (us)", "less", times(3), word="short",
        readme=("three servers: set, 48 x 32: p99 latency", "三台：写，48 x 32：p99 延迟"),
        plot="set, 48 x 32: p99 latency", group=ENSEMBLE),
    row("ensemble: mix 90/10 48x32 (op/s)", "more", times(8),
        readme=("three servers: 90 % get and 10 % set, 48 x 32", "三台：读写 9:1，48 x 32"),
        plot="90 % get and 10 % set, 48 x 32", group=ENSEMBLE),
    row("ensemble: set 1x1 (op/s)", "more", times(2),
        readme=("three servers: set at a follower, one at a time", "三台：在 follower 上逐个写"),
        plot="set at a follower, one at a time", group=ENSEMBLE),
    row("ensemble: CPU of all three per set (us)", "less", times(6), word="little",
        readme=("three servers: CPU time of all three per set", "三台：每次写三台的 CPU 时间之和"),
        plot="CPU time of all three per set", group=ENSEMBLE),
    row("ensemble: leader killed to next write (ms)", "less", times(6), word="short",
        readme=("three servers: leader killed to next acknowledged write, median",
                "三台：杀死 leader 到下一次写成功，中位数"),
        plot="leader killed to next write", group=ENSEMBLE),
    row("ensemble: leader killed to next write, worst (ms)", "less", under(250), word="short",
        worst=True,
        readme=("three servers: leader killed to next acknowledged write, worst of 20",
                "三台：杀死 leader 到下一次写成功，20 次中最慢")),
    row("ensemble: a follower 100,000 behind (ms)", "less", times(5), word="short",
        readme=("three servers: a follower that is 100,000 transactions behind catches up",
                "三台：落后 100,000 个事务的 follower 追上"),
        plot="a follower 100,000 behind catches up", group=ENSEMBLE),
    row("ensemble: an empty follower takes 1M znodes (ms)", "less", times(5), word="short",
        readme=("three servers: an empty follower receives 1,000,000 znodes",
                "三台：空的 follower 接收 1,000,000 个 znode"),
        plot="an empty follower receives 1,000,000 znodes", group=ENSEMBLE),
]


def unit(key):
    return key[key.rindex("(") + 1 : -1]
