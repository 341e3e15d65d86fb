#!/usr/bin/env python3
"""Whoever cites a rule cites a text of this repository.

    dev/check_citations.py

Two checks over every file that git knows:

  - docs/protocol.md, "A", "B" and "C" names sections that the page has;
  - no comment points at a text elsewhere: a numbered section or statement.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TITLE = r'"([A-Z][^"\n]*)"'
CITATION = re.compile(r"docs/protocol\.md,\s+" + TITLE + r"((?:(?:,| and| or)\s+" + TITLE + ")*)")
ELSEWHERE = (
    (re.compile(r"\b(?:sections?|reference,?) \d+\.\d"), "a numbered section"),
    (re.compile(r"\btest_t\d{2,3}_"), "a numbered statement"),
)
EXEMPT = ("dev/check_citations.py",)


def sections():
    with open(os.path.join(ROOT, "docs/protocol.md"), encoding="utf-8") as page:
        return set(re.findall(r"^## (.*)$", page.read(), re.MULTILINE))


def joined(text):
    """A comment's or docstring's lines as one: citations may be broken over two."""
    return re.sub(r"\n[ \t]*(?:\*|//|#)? *", " ", text)


def main():
    known, problems = sections(), []
    out = subprocess.run(["git", "ls-files", ":!test/golden"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in out.stdout.splitlines():
        path = os.path.join(ROOT, name)
        if name.startswith(EXEMPT) or not name.endswith((".c", ".h", ".py", ".md", ".sh")):
            continue
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for citation in CITATION.finditer(joined(text)):
            for title in re.findall(TITLE, citation.group(0)):
                if title not in known:
                    problems.append("%s: docs/protocol.md has no section %r" % (name, title))
        for pattern, what in ELSEWHERE:
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                problems.append("%s:%d: cites %s: %s" % (name, line, what, match.group(0)))
    print("\n".join(problems) if problems else "check_citations: fine")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
