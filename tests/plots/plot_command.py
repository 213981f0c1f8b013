#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""vgicsim plot from outside: plot_command.py VGICSIM MOCK SCHEMA RECORDING."""
import html.parser
import json
import math
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from json_schema import conforms  # noqa: E402

TOOL, MOCK, SCHEMA, RECORDING = (os.path.abspath(path) for path in sys.argv[1:5])
FIGURES = ["exits", "occupancy", "raise-to-lr", "raise-to-ack", "raise-to-deactivate", "timeline"]


def mock(path, *args):
    with open(path, "w", encoding="utf-8") as out:
        subprocess.run([sys.executable, MOCK, *args], stdout=out, check=True)
    return path


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def text(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as f:
        return f.read()


class Page(html.parser.HTMLParser):
    """Collects what a page refers to and the identifiers in it."""

    def __init__(self):
        super().__init__()
        self.ids, self.outside, self.inside, self.tags = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "data"):
                (self.inside if value.startswith("#") else self.outside).append(value)


class PlotCommand(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix="vgicsim-plot-")
        cls.burst = mock(cls.top + "/burst.json", "burst", "--repeats", "60", "--livelock", "1",
                         "--starved", "2")
        cls.old = mock(cls.top + "/old.json", "mixed", "--repeats", "150", "--kernel", "6.12.57",
                       "--policy", "linux-6.12", "--livelock", "1,2", "--lrs", "1,2,4,6,8")
        cls.new = mock(cls.top + "/new.json", "mixed", "--repeats", "150", "--livelock", "1",
                       "--lrs", "1,2,4,6,8")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.top)

    def setUp(self):
        self.dir = tempfile.mkdtemp(dir=self.top)
        self.out = self.dir + "/report"

    def plot(self, *args, env=None):
        return subprocess.run([TOOL, "plot", *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=env, cwd=self.dir,
                              check=False)

    def draws(self, *args):
        formats = [] if "--format" in args else ["--format", "svg"]
        done = self.plot(*formats, *args, "-o", self.out)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(os.listdir(self.dir), ["report"])
        return done.stdout

    def refuses(self, code, what, *args, env=None):
        done = self.plot(*args, env=env)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(what, done.stderr)

    def whole_page(self):
        source = text(self.out, "report.html")
        page = Page()
        page.feed(source)
        page.close()
        self.assertEqual(page.outside, [])
        self.assertEqual(len(page.ids), len(set(page.ids)))
        for link in page.inside:
            self.assertIn(link[1:], page.ids)
        self.assertNotIn("@import", source)
        self.assertNotRegex(source.replace("http://www.w3.org/", ""), r"https?://")
        for used in re.findall(r"url\((.*?)\)", source):
            self.assertIn(used.strip("'\"")[1:], page.ids)
        return source, page

    def test_schema(self):
        schema = load(SCHEMA)
        for path in (self.burst, self.old, self.new):
            self.assertIsNone(conforms(load(path), schema, schema))

    def replayed(self):
        path = self.dir + "/replayed.json"
        subprocess.run([TOOL, "replay", "-q", "--lrs", "1-6", "-o", path, RECORDING], check=True)
        return path

    def test_schema_of_a_replay(self):
        schema = load(SCHEMA)
        path = self.replayed()
        result = load(path)
        self.assertIsNone(conforms(result, schema, schema))
        cell = result["cells"][3]
        self.assertFalse(result["recorded"]["latency"]["raise_to_lr"]["estimated"])
        self.assertFalse(cell["latency"]["raise_to_lr"]["estimated"])
        self.assertEqual(cell["latency"]["raise_to_lr"]["uncertainty_ns"], 0)
        self.assertTrue(cell["latency"]["raise_to_ack"]["estimated"])
        self.assertGreater(cell["latency"]["raise_to_ack"]["uncertainty_ns"], 0)

    def test_intervals_of_a_replay(self):
        """What the result says of a percentile is what plot says, and by the same rule."""
        path = self.replayed()
        done = self.plot("--format", "svg", "--json", path, "-o", self.out)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        summary = json.loads(done.stdout)["results"][0]
        known = unknown = 0
        for cell, out in zip(load(path)["cells"], summary["cells"]):
            if cell["outcome"] == "livelock":
                continue
            for kind, lat in cell["latency"].items():
                ranked = [v for v, count in lat["hist"] for _ in range(count)]
                for nines, name in enumerate(["p50", "p90", "p99", "p99.9", "p99.99"]):
                    p = lat["percentiles"][name]
                    self.assertEqual(out["latency"][kind]["quantiles"][name], p)
                    beyond = 0.5 if nines == 0 else 10.0 ** -nines
                    if len(ranked) * beyond < 9.9999:
                        self.assertIsNone(p)
                        unknown += 1
                        continue
                    rank = math.ceil(len(ranked) * (1 - beyond) - 1e-6)
                    self.assertEqual(p["ns"], min(ranked[rank - 1], lat["max_ns"]))
                    self.assertTrue(p["low_ns"] <= p["ns"] <= p["high_ns"])
                    known += 1
        self.assertGreater(known, 40)
        self.assertGreater(unknown, 20)
        self.assertIn("n too small", text(self.out, "report.html"))
        self.assertIn("estimated, in runs of", text(self.out, "report.html"))

    def test_report(self):
        self.assertEqual(self.draws("--format", "svg,png", self.burst), self.out + "/report.html\n")
        names = {f + e for f in FIGURES for e in (".svg", ".png")}
        self.assertEqual(set(os.listdir(self.out)), names | {"data", "report.html"})
        for figure in FIGURES:
            xml.etree.ElementTree.parse("%s/%s.svg" % (self.out, figure))
            with open("%s/%s.png" % (self.out, figure), "rb") as png:
                head = png.read(24)
            self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
            width, height = struct.unpack(">II", head[16:])
            self.assertEqual(width, 2400)
            self.assertGreater(height, 600)
        source, page = self.whole_page()
        self.assertEqual(page.tags.count("svg"), len(FIGURES))
        self.assertEqual(page.tags.count("figcaption"), len(FIGURES))
        self.assertIn("<b>1 LR:</b> live-locked", source)
        self.assertIn("INTID 61 on vCPU 0", source)
        result = load(self.burst)
        for word in (result["input"]["hash"], result["input"]["kernel"],
                     result["config"]["policy"], "vgicsim 0.1.0"):
            self.assertIn(word, source)

    def test_live_lock_has_no_numbers(self):
        summary = json.loads(self.draws("--json", self.burst))
        locked = load(self.burst)["cells"][0]
        self.assertEqual(locked["outcome"], "livelock")
        self.assertEqual(summary["results"][0]["cells"][0], {"nr_lr": 1, "outcome": "livelock"})
        for name in os.listdir(self.out + "/data"):
            for number in (locked["exits"]["total"], locked["guest_time_ns"]):
                self.assertNotRegex(text(self.out, "data", name), r"\b%d\b" % number)
        self.assertNotIn("{:,}".format(locked["exits"]["total"]), text(self.out, "report.html"))
        self.assertIn("live-lock", text(self.out, "exits.svg"))

    def test_quantiles(self):
        """Computed a second time, from the samples in rank order."""
        summary = json.loads(self.draws("--json", self.burst))["results"][0]
        shown = 0
        for cell, out in zip(load(self.burst)["cells"][1:], summary["cells"][1:]):
            for kind, lat in cell["latency"].items():
                ranked = [v for v, count in lat["hist"] for _ in range(count)]
                self.assertEqual(out["latency"][kind]["n"], len(ranked))
                for nines, name in enumerate(["p50", "p90", "p99", "p99.9", "p99.99"]):
                    beyond = 0.5 if nines == 0 else 10.0 ** -nines
                    q = out["latency"][kind]["quantiles"][name]
                    if len(ranked) * beyond < 9.9999:
                        self.assertIsNone(q)
                        continue
                    rank = math.ceil(len(ranked) * (1 - beyond) - 1e-6)
                    self.assertEqual(q["ns"], min(ranked[rank - 1], lat["max_ns"]))
                    self.assertLessEqual(q["low_ns"], q["ns"])
                    self.assertGreaterEqual(q["high_ns"], q["ns"])
                    shown += 1
        self.assertGreater(shown, 100)

    def test_exits_data(self):
        """Every stack ends at the sum of its reasons."""
        self.draws(self.new)
        tops = {}
        for block in text(self.out, "data", "exits.dat").split("\n\n\n"):
            if not re.match(r"# exit_\d", block.strip()):
                continue
            for line in block.strip().splitlines()[1:]:
                x, *_, high = line.split()
                tops[x] = max(tops.get(x, 0), int(high))
        cells = load(self.new)["cells"]
        expected = {str(i + 1): c["exits"]["total"] for i, c in enumerate(cells)
                    if c["outcome"] != "livelock"}
        tops.pop("-0.8")
        self.assertEqual(tops, expected)
        totals = text(self.out, "data", "exits.dat").split("# mi_totals\n")[1].split("\n\n\n")[0]
        least = {line.split()[0]: line.split()[-1] for line in totals.strip().splitlines()}
        least.pop("-0.8")
        self.assertEqual(least, {str(i + 1): str(c["bound"]["mi"]) for i, c in enumerate(cells)
                                 if c["outcome"] != "livelock"})
        self.assertIn("fewest possible", text(self.out, "exits.svg"))

    def test_formats(self):
        self.draws("--format", "png", self.burst)
        self.assertEqual([n for n in os.listdir(self.out) if n.endswith(".svg")], [])
        _, page = self.whole_page()
        self.assertEqual(page.tags.count("svg"), len(FIGURES))
        self.draws("--format", "svg", self.burst, "-q")
        # The PNG files are those of the report before: plot removes nothing.
        self.assertIn("exits.svg", os.listdir(self.out))

    def test_without_locale(self):
        bare = {"PATH": os.environ["PATH"]}
        done = self.plot("--format", "svg", self.burst, "-o", self.out, env=bare)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        bare["LC_ALL"] = "C"
        done = self.plot("--format", "svg", self.burst, "-o", self.out, env=bare)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_several(self):
        self.draws("--format", "svg,png", self.old, self.new, self.burst)
        names = os.listdir(self.out)
        for stem in ("old", "new", "burst"):
            self.assertIn(stem + "-exits.svg", names)
        self.assertIn("compare.png", names)
        source, _ = self.whole_page()
        self.assertIn("2 results about the same guest; different policies", source)
        self.assertIn("Results about others are left out.", source)
        self.assertNotIn(">burst</tspan>", text(self.out, "compare.svg"))

    def test_same_name_twice(self):
        os.mkdir(self.top + "/other")
        copy = shutil.copy(self.new, self.top + "/other/new.json")
        self.draws("--format", "svg", self.new, copy)
        names = os.listdir(self.out)
        self.assertIn("new-exits.svg", names)
        self.assertIn("new-2-exits.svg", names)

    def test_replaces_and_leaves_alone(self):
        self.draws(self.burst)
        before = text(self.out, "exits.svg")
        with open(self.out + "/mine.txt", "w", encoding="utf-8") as mine:
            mine.write("mine")
        self.draws(self.new)
        self.assertNotEqual(text(self.out, "exits.svg"), before)
        self.assertEqual(text(self.out, "mine.txt"), "mine")

    def test_same_input_same_output(self):
        self.draws(self.new)
        first = {n: text(self.out, n) for n in os.listdir(self.out) if n.endswith((".svg", "ml"))}
        self.draws(self.new)
        for name, source in first.items():
            self.assertEqual(text(self.out, name), source, name)

    def test_scripts_run_again(self):
        self.draws("--format", "svg", self.new)
        os.unlink(self.out + "/timeline.svg")
        subprocess.run(["gnuplot", "data/timeline.gp"], cwd=self.out, check=True)
        self.assertIn("LR 3", text(self.out, "timeline.svg"))

    def test_window(self):
        line = load(self.new)["cells"][2]["timeline"]
        t0 = line["t0_ns"] + 1000
        self.draws("-w", "%dns,%dns" % (t0, t0 + 20000), self.new)
        self.assertIn("END = 20\n", text(self.out, "data", "timeline.gp"))
        self.refuses(2, "outside its time line", "-w", "0ns,1ns", self.new, "-o", self.out)
        for bad in ("1ms", "2ms,1ms", "1ms,1ms", "a,b", ",", "1ms,"):
            self.refuses(2, "--window", "-w", bad, self.new, "-o", self.out)

    def test_nothing_to_draw(self):
        empty = mock(self.top + "/dry.json", "dry", "--lrs", "2,4")
        self.draws(empty)
        source, _ = self.whole_page()
        self.assertIn("no interrupt went this way", source)
        locked = mock(self.top + "/locked.json", "burst", "--repeats", "2", "--lrs", "1",
                      "--livelock", "1", "--recorded", "4")
        self.draws(locked)
        source, _ = self.whole_page()
        self.assertIn("live-locked", source)

    def test_foreign_words(self):
        evil = load(self.new)
        words = "'; system('touch evil'); \"`touch evil`\" <script>x</script> %s {/Symbol a}_b"
        evil["input"].update(guest=words, kernel=words, file=words)
        evil["config"].update(policy=words, estimator=words)
        evil["cells"][1].update(detail=words, outcome="starved")
        path = self.top + "/e'v$(touch evil)`touch evil`<b>.json"
        with open(path, "w", encoding="utf-8") as f:
            json.dump(evil, f)
        self.draws(path, self.new)
        self.assertNotIn("evil", os.listdir(self.dir) + os.listdir(self.out))
        source, page = self.whole_page()
        self.assertNotIn("script", page.tags)
        self.assertIn("&lt;script&gt;", source)

    def test_bad_input(self):
        plain = self.dir + "/plain.json"
        for content, what in (("hello", "not a result"), ("{}", "not a result"), ("", "not a result"),
                              ('{"format":"vgicsim-result","version":9}', "version 9"),
                              (text(self.new)[:5000], "damaged result")):
            with open(plain, "w", encoding="utf-8") as f:
                f.write(content)
            self.refuses(3, what, plain, "-o", self.out)
        self.refuses(3, "No such file", self.dir + "/none.json", "-o", self.out)
        self.refuses(3, "Is a directory", self.dir, "-o", self.out)
        self.refuses(3, "not a result", self.new, plain.replace("plain", "none2") and TOOL,
                     "-o", self.out)
        self.refuses(2, "-o DIR", self.new)
        for bad in ("gif", "svg,", "", "svg;png"):
            self.assertEqual(self.plot("--format", bad, self.new, "-o", self.out).returncode, 2)
        self.assertFalse(os.path.exists(self.out))

    def test_bad_directory(self):
        with open(self.dir + "/file", "w", encoding="utf-8"):
            pass
        self.refuses(5, "Not a directory", self.new, "-o", self.dir + "/file")
        self.refuses(5, "Not a directory", self.new, "-o", self.dir + "/file/report")
        self.refuses(5, "No such file", self.new, "-o", self.dir + "/none/report")
        self.refuses(5, "cannot write", self.new, "-o", "/proc/vgicsim-report")
        self.assertEqual(os.listdir(self.dir), ["file"])

    def fake_gnuplot(self, script):
        os.mkdir(self.dir + "/bin")
        path = self.dir + "/bin/gnuplot"
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n" + script)
        os.chmod(path, 0o755)
        return dict(os.environ, PATH=self.dir + "/bin:/usr/bin:/bin")

    def test_gnuplot_missing(self):
        env = dict(os.environ, PATH=self.dir)
        self.refuses(4, "gnuplot-nox", self.new, "-o", self.out, env=env)
        self.assertEqual(os.listdir(self.dir), [])

    def test_gnuplot_old(self):
        env = self.fake_gnuplot("echo gnuplot 4.6 patchlevel 3\n")
        self.refuses(4, "5.4", self.new, "-o", self.out, env=env)

    def test_gnuplot_fails(self):
        env = self.fake_gnuplot('[ "$1" = --version ] && exec echo gnuplot 5.4 patchlevel 4\n'
                                "echo cannot see it >&2\nexit 3\n")
        self.refuses(70, "cannot see it", self.new, "-o", self.out, env=env)
        self.assertEqual(os.listdir(self.dir), ["bin"])

    def test_interrupted(self):
        env = self.fake_gnuplot('[ "$1" = --version ] && exec echo gnuplot 5.4 patchlevel 4\n'
                                "exec sleep 60\n")
        for number in (signal.SIGTERM, signal.SIGINT):
            with subprocess.Popen([TOOL, "plot", self.new, "-o", self.out], env=env) as run:
                while not any(n.startswith(".vgicsim-plot") for n in os.listdir(self.dir)):
                    self.assertIsNone(run.poll())
                    time.sleep(0.01)
                time.sleep(0.1)
                begun = time.monotonic()
                run.send_signal(number)
                self.assertEqual(run.wait(), 130)
                self.assertLess(time.monotonic() - begun, 20)
            self.assertEqual(os.listdir(self.dir), ["bin"])


if __name__ == "__main__":
    if not shutil.which("gnuplot"):
        print("skipped: gnuplot is not installed")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    unittest.main(argv=sys.argv[:1])
