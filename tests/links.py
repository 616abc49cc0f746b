#!/usr/bin/python3
"""Checks that every relative link and every path in back quotes in the Markdown files leads
somewhere."""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
QUOTED_PATH = re.compile(
    r"`((?:engine|signaling|codecs|examples|tests|bench|docs|cmake|scripts)/[\w./-]+)`")


def targets(document):
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.S | re.M)
    for target in LINK.findall(text):
        if "://" not in target and not target.startswith("mailto:"):
            yield target, document.parent / target
    for target in QUOTED_PATH.findall(text):
        yield target, TOP / target


def main():
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=TOP, capture_output=True, text=True,
                            check=True)
    documents = [TOP / name for name in listed.stdout.split() if (TOP / name).exists()]
    dead = [f"{document.relative_to(TOP)}: {target} does not exist"
            for document in documents for target, path in targets(document) if not path.exists()]
    print("\n".join(dead) if dead else f"{len(documents)} documents, no dead link.")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
