#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""vgicsim report from outside, and its page in a browser without a screen.

usage: report_command.py VGICSIM RECORDINGS STARVING.vgr HOSTILE.vgr BARE.vgr GICV2.vgr [no-browser]
(The last four as tests/support/make_recording writes them.)
"""
import glob
import html.parser
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

TOOL, RECORDINGS, STARVING, HOSTILE, BARE, GICV2 = (os.path.abspath(path) for path in sys.argv[1:7])
WANTED = "no-browser" not in sys.argv[7:]
BROWSER = WANTED and (shutil.which("chromium-headless-shell") or shutil.which("chromium"))
EXAMPLE = os.path.join(RECORDINGS, "7.2-burst.vgr")

# Looks at a page from outside, for the page itself lets no script run.
LOOK = """<!DOCTYPE html><iframe id="page" style="border:0;height:900px"></iframe><pre id="seen"></pre>
<script>
const frame = document.getElementById('page');
frame.onload = () => {
	const d = frame.contentDocument, all = s => [...d.querySelectorAll(s)], seen = {};
	seen.widths = {};
	for (const w of [1300, 650, 390, 320]) {
		frame.style.width = w + 'px';
		seen.widths[w] = d.documentElement.scrollWidth;
	}
	seen.paper = getComputedStyle(d.body).backgroundColor;
	seen.ink = getComputedStyle(d.body).color;
	seen.title = d.title;
	seen.lang = d.documentElement.lang;
	seen.headings = all('h1,h2,h3').map(e => +e.tagName[1]);
	seen.tags = [...new Set(all('*').map(e => e.localName))];
	seen.bare = all('table').filter(t => !t.caption && !t.closest('details')).length;
	seen.dumb = all('svg').filter(e => e.getAttribute('role') != 'img' ||
		!e.getAttribute('aria-label')).length;
	seen.pictures = all('figure svg').length;
	seen.events = all('*').filter(e => [...e.attributes].some(a => /^on/i.test(a.name))).length;
	seen.unlabelled = all('th').filter(e => !e.textContent.trim() &&
		e.getAttribute('aria-hidden') != 'true').length;
	seen.text = Object.fromEntries(all('[id]').filter(e => !/svg/i.test(e.namespaceURI)
		&& !e.querySelector('svg')).map(e => [e.id, e.textContent.replace(/\\s+/g, ' ')]));
	document.getElementById('seen').textContent = JSON.stringify(seen);
};
frame.src = 'PAGE';
</script>
"""


class Seen(html.parser.HTMLParser):
    """The text of <pre id=seen>."""

    def __init__(self):
        super().__init__()
        self.inside, self.text = False, ""

    def handle_starttag(self, tag, attrs):
        self.inside = ("id", "seen") in attrs

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        self.text += data if self.inside else ""


class Nesting(html.parser.HTMLParser):
    """What is opened and not closed in order, and identifiers that are there twice."""

    VOID = {"meta", "br", "path", "circle", "use", "stop", "rect", "polygon", "line"}

    def __init__(self):
        super().__init__()
        self.open, self.bad, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.bad.append("%s at line %d" % (tag, self.getpos()[0]))


def read(path, mode="r"):
    with open(path, mode, encoding=None if "b" in mode else "utf-8") as f:
        return f.read()


def number(text):
    return int(text.replace(",", ""))


def picture(path):
    """Width, height and the set of colours (of every 7th pixel of every 5th line) of a PNG."""
    data = read(path, "rb")
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert depth == 8 and kind in (2, 6)
    size = 3 if kind == 2 else 4
    at, packed = 8, b""
    while at < len(data):
        length = struct.unpack(">I", data[at:at + 4])[0]
        if data[at + 4:at + 8] == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += length + 12
    raw, stride, before, colours = zlib.decompress(packed), width * size, None, set()
    for y in range(height):
        mode, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        before = before or bytearray(stride)
        if mode == 2:
            line = bytearray((a + b) & 255 for a, b in zip(line, before))
        elif mode:
            for i in range(stride):
                left = line[i - size] if i >= size else 0
                up, corner = before[i], before[i - size] if i >= size else 0
                if mode == 1:
                    guess = left
                elif mode == 3:
                    guess = (left + up) // 2
                else:
                    guess = min((abs(up - corner), 0, left), (abs(left - corner), 1, up),
                                (abs(left + up - 2 * corner), 2, corner))[2]
                line[i] = (line[i] + guess) & 255
        before = line
        if y % 5 == 0:
            colours |= {bytes(line[x:x + 3]) for x in range(0, stride, 7 * size)}
    return width, height, colours


class ReportCommand(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix="vgicsim-report-")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.top)

    def setUp(self):
        self.dir = tempfile.mkdtemp(dir=self.top)
        self.out = self.dir + "/report"

    def tool(self, *args, status=0, env=None, cwd=None):
        done = subprocess.run([TOOL, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env=env, cwd=cwd or self.dir, timeout=200, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def page(self, recording, *args, where=None):
        self.out = where or tempfile.mkdtemp(dir=self.dir) + "/report"
        self.tool("report", "-q", recording, "-o", self.out, *args)
        return read(self.out + "/report.html")

    def usual(self, recording):
        """The page of one of the recordings that several tests look at."""
        where = "%s/of-%s" % (self.top, os.path.basename(recording))
        if not os.path.exists(where):
            return self.page(recording, where=where)
        self.out = where
        return read(self.out + "/report.html")

    def says(self, text, *wanted):
        for part in wanted:
            self.assertTrue(part in text, "not on the page: " + part)

    def silent(self, text, *unwanted):
        for part in unwanted:
            self.assertFalse(part in text, "on the page: " + part)

    # ---- in a browser ----

    def browse(self, *args):
        if not BROWSER:
            self.skipTest("chromium-headless-shell is not installed, or not wanted")
        return subprocess.run([BROWSER, "--no-sandbox", "--headless", "--disable-gpu",
                               "--user-data-dir=" + self.dir + "/browser", *args],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              timeout=120, check=True).stdout

    def look(self, *args):
        with open(self.dir + "/look.html", "w", encoding="utf-8") as f:
            f.write(LOOK.replace("PAGE", "file://" + self.out + "/report.html"))
        parser = Seen()
        parser.feed(self.browse("--allow-file-access-from-files", "--virtual-time-budget=5000",
                                *args, "--dump-dom", "file://" + self.dir + "/look.html"))
        return json.loads(parser.text)

    def requests(self, page):
        """What a browser asks the network for."""
        log = self.dir + "/net.json"
        self.browse("--log-net-log=" + log, "--virtual-time-budget=3000", "--dump-dom",
                    "file://" + page)
        return {event["params"]["url"] for event in json.loads(read(log))["events"]
                if "url" in event.get("params", {})}

    def holds_together(self, seen):
        for width, taken in seen["widths"].items():
            self.assertLessEqual(taken, int(width), "wider than the window")
        self.assertEqual(seen["lang"], "en")
        self.assertEqual(seen["headings"][0], 1)
        self.assertEqual(seen["headings"].count(1), 1)
        for before, after in zip(seen["headings"], seen["headings"][1:]):
            self.assertLessEqual(after, before + 1, "a heading is left out")
        for what in ("bare", "dumb", "events", "unlabelled"):
            self.assertEqual(seen[what], 0, what)
        self.assertFalse({"script", "img", "iframe", "object", "link", "form"} & set(seen["tags"]))

    def test_page_says_what_the_commands_say(self):
        self.usual(EXAMPLE)
        info = json.loads(self.tool("info", "--json", EXAMPLE).stdout)
        verify = json.loads(self.tool("verify", "--json", EXAMPLE).stdout)
        replay = json.loads(self.tool("replay", "--json", EXAMPLE).stdout)
        seen = self.look("--blink-settings=preferredColorScheme=1")
        text, vcpus = seen["text"], info["vcpus"]
        self.holds_together(seen)
        self.assertEqual(seen["paper"], "rgb(255, 255, 255)")
        self.assertEqual(number(text["exits-total"]), sum(v["exits"] for v in vcpus))
        self.assertEqual(number(text["exits-mi"]), sum(v["mi"] for v in vcpus))
        self.assertEqual(number(text["mi-total"]), sum(v["mi"] for v in vcpus))
        self.assertGreater(number(text["mi-total"]), 0)
        for source in vcpus[0]["mi_by_source"]:
            self.assertEqual(number(text["mi-" + source]),
                             sum(v["mi_by_source"][source] for v in vcpus))
        for n in range(info["header"]["nr_lr"] + 1):
            self.assertEqual(number(text["used-%d" % n]),
                             sum(v["flushes_by_lrs"][n] for v in vcpus))
        self.assertEqual(number(text["overflowing"]), sum(v["overflowing_entries"] for v in vcpus))
        self.assertEqual(number(text["raise-to-lr-n"]), info["raise_to_lr"]["n"])
        self.assertEqual(number(text["records"]), info["totals"]["records"])
        self.assertEqual(number(text["lost"]), info["totals"]["lost"])
        for key in ("pairs", "checked_flushes", "checked_syncs", "mismatches", "undecided_records",
                    "overflowing", "replayed"):
            self.assertEqual(number(text["verify-" + key]), verify[key])
        self.assertEqual(text["verify-policy"], verify["policy"])
        same = next(c for c in replay["cells"] if c["nr_lr"] == info["header"]["nr_lr"])
        for key, of in (("exits", lambda c: c["exits"]["total"]), ("mi", lambda c: c["mi"]["total"]),
                        ("dir", lambda c: c["dir_traps"]), ("interrupts", lambda c: c["interrupts"]),
                        ("eoicount", lambda c: c["eoicount_deactivations"])):
            self.assertEqual(number(text["recorded-" + key]), of(replay["recorded"]))
            self.assertEqual(number(text["replayed-" + key]), of(same))
        least = int(text["enough"])
        exits = {c["nr_lr"]: c["exits"]["total"] for c in replay["cells"]}
        self.assertLessEqual(exits[least], 1.01 * exits[16])
        self.assertGreater(exits[least - 1], 1.01 * exits[16])
        self.assertIn("whole and lost nothing", text["notes"])
        start = time.gmtime(info["header"]["start_realtime"] // 10**9)
        self.assertIn(time.strftime("%Y-%m-%d %H:%M:%S UTC", start), text["ran"])
        self.assertGreaterEqual(seen["pictures"], 5)

    def test_dark_and_narrow(self):
        self.usual(EXAMPLE)
        seen = self.look("--blink-settings=preferredColorScheme=0")
        self.holds_together(seen)
        self.assertEqual(seen["paper"], "rgb(22, 25, 29)")
        self.assertEqual(seen["ink"], "rgb(230, 232, 235)")
        file = "file://" + self.out + "/report.html"
        for name, scheme, paper in (("light", 1, b"\xff\xff\xff"), ("dark", 0, b"\x16\x19\x1d")):
            shot = "%s/%s.png" % (self.dir, name)
            self.browse("--blink-settings=preferredColorScheme=%d" % scheme, "--hide-scrollbars",
                        "--window-size=390,400", "--screenshot=" + shot, file)
            width, height, colours = picture(shot)
            self.assertEqual((width, height), (390, 400))
            self.assertIn(paper, colours)
            self.assertGreater(len(colours), 8, "there is nothing on it")

    def test_prints(self):
        self.usual(EXAMPLE)
        pdf = self.dir + "/page.pdf"
        self.browse("--no-pdf-header-footer", "--print-to-pdf=" + pdf,
                    "file://" + self.out + "/report.html")
        pages = len(re.findall(rb"/Type\s*/Page\b", read(pdf, "rb")))
        self.assertGreater(pages, 5)
        self.assertLess(pages, 25)

    def test_asks_for_nothing(self):
        text = self.usual(HOSTILE)
        self.assertEqual(self.requests(self.out + "/report.html"), set())
        # The browser would have told.
        with open(self.dir + "/other.html", "w", encoding="utf-8") as f:
            f.write('<img src="http://x.test/">')
        self.assertEqual(self.requests(self.dir + "/other.html"), {"http://x.test/"})
        self.says(text, "Content-Security-Policy\" content=\"default-src 'none'")

    # ---- without one ----

    def test_refers_to_itself_only(self):
        for recording in (EXAMPLE, HOSTILE, STARVING):
            text = self.usual(recording)
            for value in re.findall(r"""<[^>]*\s(?:src|href|xlink:href|data|action)\s*=\s*["']?([^"'> ]*)""",
                                    text):
                self.assertTrue(value.startswith("#"), value)
            self.silent(text, "@import")
            self.assertEqual(re.findall(r"url\((?!#)", text.replace("{url(#x)", "")), [])

    def test_text_is_text(self):
        text = self.usual(HOSTILE)
        self.assertEqual(re.findall("(?i)<(?:script|img|s|b>tool|b>other|i)[ >]", text), [])
        head = text.split("<body>")[0]
        self.assertEqual((head.count("</title>"), head.count("</style>")), (1, 1))
        seen = self.look()
        self.holds_together(seen)
        self.assertEqual(seen["title"], "Interrupts of <img src=http://x.test/ onerror=alert(1)> ' \" "
                                        "`id` $(id) &amp; #{url(#x)")
        self.assertIn("</code></pre><script src='//x.test/'></script>", seen["text"]["repeat"])
        self.assertIn("<s>stop</s>", seen["text"]["ran"])
        self.assertIn("5 records were lost", seen["text"]["notes"])
        self.assertIn("at least 12 times", seen["text"]["short"])

    def test_name_of_the_file_is_text(self):
        name = "a <b>'c' $(id).vgr"
        shutil.copy(STARVING, self.dir + "/" + name)
        text = self.page(name)
        self.says(text, "vgicsim verify 'a &lt;b&gt;'\\''c'\\'' $(id).vgr'")
        self.silent(text, "<b>'c'")

    def test_starved(self):
        text = self.usual(STARVING)
        self.says(text, "<b>4 interrupts starved:</b>")
        self.silent(text, "cannot be believed", "VMs in the recording")
        self.says(text, "INTIDs 36 to 39 on vCPU 0")
        self.silent(text, "note good\" id=\"notes\"")

    def test_without_list_registers(self):
        done = self.tool("report", BARE, "-o", self.out)
        self.assertIn("left out: verify: nothing to verify", done.stderr)
        text = read(self.out + "/report.html")
        for said in ("<b>Not verified:</b>", "<b>No prediction:</b>", "<b>No list registers:</b>",
                     "<b>Not recorded:</b> <code>kvm_vgic_flush_hwstate&lt;i&gt;</code>",
                     "cannot be told from other ones", "does not show when interrupts entered"):
            self.says(text, said)
        for absent in ('id="mi-total"', 'id="used-0"', 'id="tile-mi"', 'id="tile-overflowing"',
                       'id="verify-pairs"', 'id="prediction"', 'id="exits-mi"', "SPI 32 of"):
            self.silent(text, absent)
        self.says(text, 'id="exits-total">12<')
        # Nor zeros for what nothing was attached to.
        row = re.search(r'<tr><th scope="row">0:0</th>(.*?)</tr>', text).group(1)
        self.assertEqual(re.findall(r"<td>(.*?)</td>", row), ["6"] + ["–"] * 11)
        report = json.loads(self.tool("report", "--json", BARE).stdout)
        self.assertIsNone(report["verify"])
        self.assertIsNone(report["replay"])
        self.assertEqual([m["part"] for m in report["missing"]], ["verify", "replay"])

    def test_mismatches(self):
        """Of its two runs no policy makes sense, and no replay comes to an end."""
        text = self.page(GICV2)
        verify = json.loads(self.tool("verify", "--json", GICV2, status=1).stdout)
        first = verify["mismatch_list"][0]
        self.assertGreater(verify["mismatches"], 0)
        self.says(text, "<b>The kernel did not do what the algorithm says:</b> %d mismatches in %d records"
                  % (verify["mismatches"], verify["mismatched_records"]),
                  '<dl id="first-mismatch">\n<dt>record</dt><dd>%d</dd>' % first["record"],
                  "<dt>kernel</dt><dd>%s</dd>" % first["kernel"], "<b>Warning:</b> the release says",
                  "<b>The prediction cannot be believed:</b>", "came to its end, and its replay live-locked")
        self.silent(text, 'note good" id="notes"')

    def test_several_vms(self):
        self.says(self.usual(HOSTILE), "<b>There are 2 VMs in the recording.</b>", "of VM 0 alone")
        # The first one was never seen again.
        self.silent(self.page(RECORDINGS + "/findings/7.2-lost-dir.vgr"), "VMs in the recording")

    def test_made_of_a_trace(self):
        trace = os.path.join(RECORDINGS, "..", "..", "tests", "golden", "traces", "7.3-kvm.dat")
        done = subprocess.run([TOOL, "import", "-o", self.dir + "/kvm.vgr", trace], check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode in (2, 4):
            self.skipTest("built without what reads traces")
        info = json.loads(self.tool("info", "--json", "kvm.vgr").stdout)
        text = self.page("kvm.vgr")
        self.says(text, "<b>Not verified:</b>", "<b>No prediction:</b> for the same reason",
                  "made of <code>trace.dat</code>", info["header"]["missing"],
                  'id="exits-total">%d<' % info["unknown_vcpus"]["exits"])
        self.silent(text, 'id="exits-mi"', 'id="mi-total"', 'id="verify-pairs"')

    def test_cut(self):
        with open(self.dir + "/cut.vgr", "wb") as f:
            f.write(read(RECORDINGS + "/7.2-sgi.vgr", "rb")[:60000])
        done = self.tool("report", "cut.vgr", "-o", self.out)
        self.assertEqual(done.stderr.count("the end of the file is missing"), 1)
        text = read(self.out + "/report.html")
        self.says(text, "<b>The recording has no end:</b>")
        self.says(text, "How much was lost in all is not known")
        self.silent(text, "whole and lost nothing")

    def test_json(self):
        report = json.loads(self.tool("report", "--json", "-n", "3", EXAMPLE).stdout)
        for name in ("info", "verify", "replay"):
            self.assertEqual(report[name], json.loads(self.tool(name, "--json", EXAMPLE).stdout))
        self.assertEqual(report["explain"],
                         json.loads(self.tool("explain", "--json", "-n", "3", EXAMPLE).stdout))
        self.assertEqual(report["name"], "7.2-burst.vgr")
        self.assertEqual(report["missing"], [])
        printed = self.tool("explain", "-n", "3", EXAMPLE).stdout
        for wait in report["explain"]["waits"]:
            self.assertIn("\n" + wait["text"] + "\n", printed)
            for stretch in wait["stretches"]:
                self.assertIn(": %s\n" % stretch["text"], printed)

    def test_same_bytes(self):
        pages = set()
        for name, threads in (("one", "1"), ("two", "2")):
            folder = self.dir + "/" + name
            os.mkdir(folder)
            shutil.copy(STARVING, folder + "/x.vgr")
            pages.add(self.page(folder + "/x.vgr" if name == "one" else "two/x.vgr", "-T", threads))
        self.assertEqual(len(pages), 1)

    def test_is_well_formed(self):
        for recording in (EXAMPLE, STARVING, HOSTILE):
            parser = Nesting()
            parser.feed(self.usual(recording))
            self.assertEqual(parser.bad[:3] + parser.open, [])
            self.assertEqual(len(parser.ids), len(set(parser.ids)), "an identifier is there twice")

    def test_rows_are_whole(self):
        """Every row of every table has as many cells as its head."""
        for recording in (EXAMPLE, STARVING):
            for table in re.findall(r"<table>.*?</table>", self.usual(recording), re.S):
                widths = {sum(int(n or 1) for n in re.findall(r"<t[hd]\b(?:[^>]*colspan=\"(\d+)\")?", row))
                          for row in re.findall(r"<tr[ >].*?</tr>", table, re.S)}
                self.assertEqual(len(widths), 1, table[:300])

    def test_waits(self):
        for n in (1, 3):
            self.assertEqual(self.page(STARVING, "-n", str(n)).count("<details"), n + 1)

    def test_errors(self):
        def refuses(status, says, *args, env=None):
            done = self.tool("report", *args, status=status, env=env)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn(says, done.stderr)
            self.assertEqual(done.stdout, "")

        refuses(2, "-o DIR", EXAMPLE)
        refuses(3, "No such file", "none.vgr", "-o", self.out)
        refuses(3, "not a vgicsim recording", os.path.abspath(__file__), "-o", self.out)
        damaged = bytearray(read(EXAMPLE, "rb"))
        damaged[len(damaged) // 2] ^= 1
        with open(self.dir + "/damaged.vgr", "wb") as f:
            f.write(damaged)
        refuses(3, "damaged", "damaged.vgr", "-o", self.out)
        refuses(5, "No such file", STARVING, "-o", self.dir + "/none/report")
        empty = dict(os.environ, PATH=self.dir)
        refuses(4, "gnuplot-nox", STARVING, "-o", self.out, env=empty)
        self.assertFalse(os.path.exists(self.out))
        self.tool("report", "--json", STARVING, env=empty)

    def test_every_kind_of_recording(self):
        for path in sorted(glob.glob(RECORDINGS + "/*-gic2-vhe/migrate.vgr"))[:1] + \
                sorted(glob.glob(RECORDINGS + "/findings/*.vgr"))[:2]:
            self.says(self.page(path), "</html>")


if __name__ == "__main__":
    if not shutil.which("gnuplot") or (WANTED and not BROWSER and os.environ.get("CI") == "true"):
        print("skipped: gnuplot or chromium-headless-shell is not installed")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    unittest.main(argv=sys.argv[:1])
