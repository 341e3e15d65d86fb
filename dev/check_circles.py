#!/usr/bin/env python3
"""No file of src/ may need another one that needs it: A calls B calls ... calls A.

    dev/check_circles.py build/debug    asks nm which object files call which

A circle is a room without an up and a down: nobody can read, test or move one of its files alone.
Where one must stay, write it into CMakeLists.txt, with the reason behind the dash:

    # circle: src/a/x.c src/a/y.c - why
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def object_files(build):
    """Source file -> its object, for every source of src/ that is there."""
    found = {}
    for directory, _, names in os.walk(build):
        for name in names:
            path = os.path.join(directory, name)
            match = re.search(r"\.dir/(src/.*\.c)\.o$", path)
            if match and os.path.exists(os.path.join(ROOT, match.group(1))):
                found[match.group(1)] = path
    return found


def symbols(path):
    defined, wanted = set(), set()
    out = subprocess.run(["nm", "-P", path], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        name, kind = line.split()[:2]
        if kind == "U":
            wanted.add(name)
        elif kind.isupper():
            defined.add(name)
    return defined, wanted


def calls(found):
    """Source file -> the source files that it calls."""
    owner, wants = {}, {}
    for source, path in found.items():
        defined, wants[source] = symbols(path)
        owner.update((name, source) for name in defined)
    return {s: {owner[n] for n in wants[s] if owner.get(n, s) != s} for s in found}


def circles(edges):
    """The sets of more than one file that reach each other (Kosaraju)."""
    order, seen = [], set()

    def walk(start, graph, out):
        stack = [(start, iter(sorted(graph[start])))]
        seen.add(start)
        while stack:
            node, rest = stack[-1]
            following = next((n for n in rest if n not in seen), None)
            if following is None:
                out.append(stack.pop()[0])
            else:
                seen.add(following)
                stack.append((following, iter(sorted(graph[following]))))

    for node in sorted(edges):
        if node not in seen:
            walk(node, edges, order)
    back = {node: set() for node in edges}
    for node, targets in edges.items():
        for target in targets:
            back[target].add(node)
    seen = set()
    result = []
    for node in reversed(order):
        if node not in seen:
            part = []
            walk(node, back, part)
            if len(part) > 1:
                result.append(sorted(part))
    return sorted(result)


def allowed():
    with open(os.path.join(ROOT, "CMakeLists.txt")) as file:
        lines = re.findall(r"^# circle: (.*?) - .+$", file.read(), re.M)
    return [sorted(line.split()) for line in lines]


def main():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    found = object_files(os.path.join(ROOT, sys.argv[1]))
    if not found:
        sys.exit("check_circles: no object files in %s: was it built?" % sys.argv[1])
    wrong = [part for part in circles(calls(found)) if part not in allowed()]
    for part in wrong:
        print("a circle of files: %s" % " ".join(part))
    print("check_circles: %d files: %s" % (len(found), "%d wrong" % len(wrong) if wrong else "fine"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
