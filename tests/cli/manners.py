#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""manners.py VGICSIM SOURCE PAGES RECORDINGS STARVING: what every command owes its user: --help that fits a terminal,
exit statuses, a man page that says the same, colours and progress on a terminal only. Speaks TAP. PAGES: the folder
of the built man pages; it need not be there."""
import os
import pty
import re
import select
import subprocess
import sys
import tempfile

tool, source, pages, recordings, starving = sys.argv[1:]
count = 0


def result(name, wrong):
    """wrong: what is, or nothing."""
    global count
    count += 1
    print(f"{'not ok' if wrong else 'ok'} {count} - {name}")
    for line in str(wrong or "").splitlines()[:20]:
        print("# " + line)
    sys.stdout.flush()


def skip(name, why):
    global count
    count += 1
    print(f"ok {count} - {name} # SKIP {why}")


def call(*args, stdout=subprocess.PIPE, **more):
    return subprocess.run([tool, *args], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                          encoding="utf-8", errors="replace", check=False, timeout=120, **more)


def fails(got, status):
    """A failure as it should be: that status, one line that begins with the name."""
    if got.returncode != status:
        return f"status {got.returncode}, not {status}: {got.stderr}"
    if got.stdout or got.stderr.count("\n") != 1 or not got.stderr.startswith("vgicsim"):
        return f"not one line on standard error: {got.stdout}{got.stderr}"
    return None


def on_terminal(args, **environment):
    """What a terminal gets: on standard output, and on standard error."""
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    env.update({"TERM": "xterm"}, **environment)
    pairs = [pty.openpty(), pty.openpty()]
    process = subprocess.Popen([tool, *args], stdin=subprocess.DEVNULL, stdout=pairs[0][1], stderr=pairs[1][1], env=env)
    texts = {pairs[0][0]: b"", pairs[1][0]: b""}
    for pair in pairs:
        os.close(pair[1])
    left = set(texts)
    while left:
        for fd in select.select(list(left), [], [], 120)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                data = b""
            if not data:
                left.discard(fd)
            texts[fd] += data
    process.wait()
    for pair in pairs:
        os.close(pair[0])
    return tuple(t.decode("utf-8", "replace") for t in texts.values())


def page_of(name, folder="cli"):
    with open(os.path.join(source, folder, name), encoding="utf-8") as f:
        return f.read()


def sections(text):
    parts = re.split(r"^# (.+)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


# What the front door says.
helped = call("help").stdout
commands = [m for m in re.findall(r"^  ([a-z]+) ", helped.split("commands:")[1], re.M) if m != "help"]
result("there are commands", None if len(commands) > 15 else commands)
wide = [line for line in helped.splitlines() if len(line) > 80]
result("help: at most 80 columns", "\n".join(wide))
summaries = re.findall(r"^  [a-z]+ +(.*)$", helped, re.M)
result("help: each summary is a sentence without a full stop",
       "\n".join(s for s in summaries if not s[0].isupper() or s.endswith(".")))
main_page = sections(page_of("vgicsim.1.scd"))
result("vgicsim(1) lists each command, and names its page",
       "\n".join(c for c in commands if not re.search(rf"^\*{c}\*", main_page["COMMANDS"], re.M) or
                 f"*vgicsim-{c}*(1)" not in main_page["COMMANDS"]))
with open(os.path.join(source, "cli/exit.h"), encoding="utf-8") as f:
    codes = set(re.findall(r"^\tEXIT_[A-Z]+ =\s*(\d+)", f.read(), re.M))
result("vgicsim(1) tells every exit status",
       codes ^ set(re.findall(r"\*(\d+)\*$", main_page["EXIT STATUS"], re.M)) or None)
with open(os.path.join(source, "README.md"), encoding="utf-8") as f:
    readme = f.read()
result("README names each command", "\n".join(c for c in commands if not re.search(rf"vgicsim[ -]{c}\b", readme)))

for command in commands:
    asked = call(command, "--help")
    text = asked.stdout
    result(f"{command}: --help", asked.stderr or asked.returncode or not text.startswith(f"usage: vgicsim {command}"))
    result(f"{command}: -h and help {command} say the same",
           [a for a in (["help", command], [command, "-h"]) if call(*a).stdout != text])
    head, _, shown = text.partition("\nexamples:\n")
    wide = [line for line in head.splitlines() if len(line) > 80]
    result(f"{command}: --help has at most 80 columns", "\n".join(wide))
    options = set(re.findall(r"^(?:  -.,|     ) --([a-z0-9-]+)", head, re.M))
    shown = [line.strip() for line in shown.splitlines() if line.strip() and line.startswith("  ")]
    wrong = "" if shown else "no examples"
    for line in shown:
        # Of this command, up to a comment or the next one.
        for words in re.findall(rf"vgicsim {command}\b((?:'[^']*'|[^#|&;'])*)", line):
            words = re.sub(r"'[^']*'", "", words).split(" -- ")[0]
            wrong += "".join(f"no option --{o}: {line}\n" for o in re.findall(r"(?<!\S)--([a-z0-9-]+)", words)
                             if o not in options)
    if shown and not any(f"vgicsim {command}" in line for line in shown):
        wrong = "no example of it"
    result(f"{command}: examples, with options that there are", wrong)
    result(f"{command}: an unknown option is a usage error", fails(call(command, "--no-such-option"), 2))
    usage = re.match(r"usage: vgicsim \S+ ?(.*)", text).group(1)
    if re.search(r"(^|\s)(FILE|RECORDING|OLD|RESULT|A)\b", re.sub(r"\[[^]]*\]", "", usage)):
        result(f"{command}: nothing named is a usage error", fails(call(command), 2))
    with open("/dev/full", "w", encoding="utf-8") as full:
        result(f"{command}: help that cannot be written", None if call(command, "--help", stdout=full).returncode == 5 else "not 5")

    path = f"vgicsim-{command}.1.scd"
    if not os.path.exists(os.path.join(source, "cli", path)):
        result(f"{command}: a man page", "none")
        continue
    page = sections(page_of(path))
    missing = {"NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "EXAMPLES", "SEE ALSO"} - set(page)
    if options - {"help"}:
        missing |= {"OPTIONS"} - set(page)
    result(f"{command}: a man page with all that belongs to one", ", ".join(sorted(missing)))
    if missing:
        continue
    told = set(re.findall(r"\*--([a-z0-9-]+)\*", page.get("OPTIONS", ""))) - {"help"}
    everywhere = set(re.findall(r"--([a-z0-9-]+)\b", "".join(page.values())))
    result(f"{command}: its options and those of --help are the same",
           "\n".join([f"not in --help: {o}" for o in sorted(told - options)] +
                     [f"not in the man page: {o}" for o in sorted(options - everywhere - {"help"})]))
    said = set(re.findall(r"(?:^|[\s*,])(\d+)(?=[\s:*,])", re.sub(r"\([1-8]\)", "", page["EXIT STATUS"])))
    result(f"{command}: EXIT STATUS says what is success", None if "0" in said else page["EXIT STATUS"])

# Pages that are named are there.
known = {f"{m.group(1)}({m.group(2)})" for folder in ("cli", "trace", "workloads/guests")
         for m in (re.match(r"(vgic[a-z-]+)\.(\d)\.scd$", n) for n in os.listdir(os.path.join(source, folder))) if m}
named = set()
for folder in ("cli", "trace", "workloads/guests"):
    for name in os.listdir(os.path.join(source, folder)):
        if name.endswith(".scd"):
            named |= {f"{n}({s})" for n, s in re.findall(r"\*(vgic[a-z-]*)\*\((\d)\)", page_of(name, folder))}
result("every page that is named is there", ", ".join(sorted(named - known)))

built = sorted(os.listdir(pages)) if os.path.isdir(pages) else []
built = [name for name in built if re.search(r"\.[157]$", name)]
if built:
    bad = ""
    for name in built:
        got = subprocess.run(["man", "--warnings", "-P", "cat", "-E", "UTF-8", "-l", os.path.join(pages, name)],
                             env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"},
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if got.returncode or got.stderr:
            bad += f"{name}: {got.stderr}"
    result("the man pages are shown without a warning", bad)
    result("each is there", ", ".join(sorted(known - {re.sub(r"\.(\d)$", r"(\1)", n) for n in built})) or None)
else:
    skip("the man pages are shown without a warning", "built without man pages")
    skip("each is there", "built without man pages")

# A terminal gets colours unless it does not want them; nobody else gets any.
scenario = os.path.join(source, "workloads/scenarios/slow-mi.vgs")
for name, args in (("info", ["info", starving]), ("run", ["run", scenario])):
    out = on_terminal(args)[0]
    result(f"{name}: colours on a terminal", None if "\033[3" in out else out)
    for variable in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        out = on_terminal(args, **variable)[0]
        result(f"{name}: none with {variable}", out if "\033[" in out else None)
    result(f"{name}: an empty NO_COLOR is none", None if "\033[3" in on_terminal(args, NO_COLOR="")[0] else "none")
    result(f"{name}: none in a pipe", "colours" if "\033[" in call(*args).stdout else None)

# A command that takes long says how far it is, and leaves no trace of it.
with tempfile.TemporaryDirectory() as folder:
    output = os.path.join(folder, "result.json")
    long = ["replay", "-q", "--lrs", "1-16", "-o", output, os.path.join(recordings, "7.2-mixed.vgr")]
    err = on_terminal(long)[1]
    result("progress on a terminal, and how long it takes", None if re.search(
        r"\d+ of 16 replays: \d+ %, \d+:\d\d left", err) else err)
    result("and it is wiped away", None if err.endswith("\r\033[K") else repr(err[-80:]))
    result("none elsewhere", call(*long).stderr)
print(f"1..{count}")
