# SPDX-License-Identifier: GPL-2.0-only
"""Pages whose commands are run: what findings and guides have in common. TAP."""
import os
import re
import subprocess

count = bad = 0


def tell(good, what, detail=""):
    global count, bad
    count += 1
    bad += not good
    print("%s %d - %s" % ("ok" if good else "not ok", count, what))
    for line in detail.splitlines()[:12] if not good else ():
        print("# " + line)


def finish():
    print("1..%d" % count)
    return bad != 0


def squeeze(text):
    return [" ".join(line.split()) for line in text.splitlines()]


def shell(script, folder):
    """Exit status and what was printed."""
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=dict(os.environ, LC_ALL="C"),
                          text=True, timeout=300, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def matches(quoted, line):
    pieces = [re.escape(" ".join(piece.split())) for piece in quoted.split("...")]
    return re.fullmatch(" ?.*? ?".join(pieces), line) is not None


def commands(block):
    """Of a block ```console: each command with the lines that are quoted of it."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip() and not found:
            tell(False, "a block begins with a command", block)
        elif line.strip():
            found[-1][1].append(line.strip())
    return found


def quotes(block, run):
    """Runs them: a quoted line must come out, and after the one before it. How many there were."""
    total = 0
    for command, wanted in commands(block):
        printed = squeeze(run(command))
        at, missing = 0, None
        for quoted in wanted:
            hit = next((k for k in range(at, len(printed)) if matches(quoted, printed[k])), None)
            if hit is None:
                missing = quoted
                break
            at = hit + 1
        total += len(wanted)
        if not wanted:
            tell(False, "%s: nothing of its output is quoted" % command)
        else:
            tell(missing is None, command, "not printed: %s\nprinted:\n%s" %
                 (missing, "\n".join(printed[:8])))
    return total
