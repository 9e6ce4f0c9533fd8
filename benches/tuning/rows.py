#!/usr/bin/env python3
"""Training rows for a code model, made of a repository, in the layout in which tandem asks.

In: a git repository. Out: JSON lines of {"prompt", "completion", "file", "line"} on standard output; the loss
belongs on the completion. The prompt ends with the line begun as far as somebody might have typed, and a few lines
above it stand in the middle too, as in tandem's own prompts (src/prompt.rs): a model that has seen only
holes which begin at the cursor learns less for them.

Files that git does not know, binary and very long ones are left out. The same rows come each time.
Take away what is scored afterwards: --but FOLDER leaves a folder out, so that `tandem eval FOLDER` asks
about code that the model has not seen.
"""

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

# As in tandem, bytes there and characters here: what of the file is seen before and after the anchor.
PREFIX, SUFFIX, LINES_ABOVE = 2400, 800, 3
LONGEST_FILE, LONGEST_LINE = 512 * 1024, 400
# Lines of the hole at most; two of three holes are the rest of one line.
BLOCK = 6


def files(root, but):
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z"], check=True, capture_output=True
    ).stdout
    for name in sorted(filter(None, listed.decode(errors="surrogateescape").split("\0"))):
        path = root / name
        if any(path.is_relative_to(folder) for folder in but) or path.is_symlink():
            continue
        try:
            raw = path.read_bytes()
            if len(raw) <= LONGEST_FILE and b"\0" not in raw:
                yield name, raw.decode().replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError):
            continue


def row(name, text, dice):
    lines = text.splitlines(keepends=True)
    wanted = [n for n, line in enumerate(lines) if 8 <= len(line.strip()) <= LONGEST_LINE]
    if len(lines) < 8 or not wanted:
        return None
    at = dice.choice(wanted)
    code = lines[at].rstrip("\n")
    indent = len(code) - len(code.lstrip())
    cursor = dice.randrange(indent, len(code))
    last = at if dice.random() < 2 / 3 else min(at + dice.randrange(1, BLOCK), len(lines) - 1)
    anchor = max(at - LINES_ABOVE, 0)
    before = "".join(lines[:anchor])
    if len(before) > PREFIX:
        before = before[-PREFIX:]
        before = before[before.find("\n") + 1 :]
    hidden = (code[cursor:] + "\n" + "".join(lines[at + 1 : last + 1])).rstrip("\n")
    after = "\n" + "".join(lines[last + 1 :])
    if len(after) > SUFFIX:
        after = after[: after.rfind("\n", 0, SUFFIX) + 1]
    middle = "".join(lines[anchor:at]) + code[:cursor]
    prompt = f"<|fim_prefix|>{before}<|fim_suffix|>{after}<|fim_middle|>{middle}"
    if any(mark in before + after + middle + hidden for mark in ("<|fim_", "<|endoftext|>")):
        return None
    return {"prompt": prompt, "completion": hidden + "<|endoftext|>", "file": name, "line": at + 1}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--but", type=Path, action="append", default=[], help="a folder to leave out")
    parser.add_argument("--rows", type=int, default=20_000)
    arguments = parser.parse_args()
    root = arguments.repository.resolve()
    if not root.is_dir():
        parser.error(f"{root} is no folder")
    try:
        known = list(files(root, [folder.resolve() for folder in arguments.but]))
    except (OSError, subprocess.CalledProcessError) as problem:
        parser.error(f"git cannot list the files of {root}: {problem}")
    if not known:
        parser.error(f"no file of text is left in {root}")
    dice = random.Random(2026)
    # A long file has more to teach.
    weights = [len(text) for _, text in known]
    made = 0
    for name, text in dice.choices(known, weights, k=arguments.rows * 2):
        found = row(name, text, dice)
        if found and made < arguments.rows:
            print(json.dumps(found))
            made += 1
    print(f"{made} rows of {len(known)} files", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.exit(1)
