"""index.html in a real browser, by the WebDriver protocol (W3C) on 127.0.0.1.

usage: page_browser.py DIR [PICTURES]     PICTURES: a folder for screenshots and the print"""
import base64
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

folder = os.path.abspath(sys.argv[1])
pictures = sys.argv[2] if len(sys.argv) > 2 else None
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ENTER, ESCAPE, TAB, SPACE = "\ue007", "\ue00c", "\ue004", " "


class Browser:
    def __init__(self, scratch):
        self.driver = subprocess.Popen(["chromedriver", "--port=0", "--allowed-ips=127.0.0.1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                self.base = "http://127.0.0.1:" + found[1]
                break
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                            "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND",
                            "--window-size=1280,900", "--user-data-dir=" + scratch]}
        capabilities = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = ""
        self.session = "/session/" + self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})["sessionId"]

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.base + self.session + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        try:
            return json.load(urllib.request.urlopen(request, timeout=60))["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(path + ": " + error.read().decode()[:600])

    def stop(self):
        try:
            if self.session:
                self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(20)

    def open(self):
        self.call("POST", "/url", {"url": "file://" + folder + "/index.html"})

    def run(self, script, *args):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(args)})

    def find(self, css):
        return self.call("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        self.call("POST", "/element/" + self.find(css) + "/click", {})

    def type(self, css, text):
        self.call("POST", "/element/" + self.find(css) + "/value", {"text": text})

    def keys(self, *keys):
        actions = [a for k in keys for a in ({"type": "keyDown", "value": k}, {"type": "keyUp", "value": k})]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def devtools(self, command, **params):
        self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def picture(self, name, whole=False):
        if pictures:
            if whole:
                height = self.run("return document.documentElement.scrollHeight")
                width = self.run("return innerWidth")
                self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=min(height, 6000), deviceScaleFactor=1, mobile=False)
            png = base64.b64decode(self.call("GET", "/screenshot"))
            open(os.path.join(pictures, name + ".png"), "wb").write(png)
            if whole:
                self.devtools("Emulation.clearDeviceMetricsOverride")


checks = 0


def check(what, ok, detail=None):
    global checks
    checks += 1
    assert ok, (what, detail)


COLUMN = """return [...document.querySelectorAll('#blocks > section')[0].querySelectorAll('tbody tr:not(.reference)')].map(
    r => { const v = r.children[arguments[0]].querySelector('[data-value]'); return v ? Number(v.dataset.value) : null; })"""
NAMES = """return [...document.querySelectorAll('#blocks tbody tr:not(.reference) .open')].map(b => b.textContent)"""


def sorting(b):
    gaps = b.run(COLUMN, 2)
    defined = [g for g in gaps if g is not None]
    check("ranked by gap at first", defined == sorted(defined), gaps)
    b.click("#blocks thead th:nth-child(5) button")
    up = b.run(COLUMN, 4)
    first = [v for v in up if v is not None]
    state = b.run("return document.querySelector('#blocks thead th:nth-child(5)').getAttribute('aria-sort')")
    b.click("#blocks thead th:nth-child(5) button")
    down = b.run(COLUMN, 4)
    second = [v for v in down if v is not None]
    check("sorted one way", first in (sorted(first), sorted(first, reverse=True)) and len(set(first)) > 1, first)
    check("and the other way", second == first[::-1] or sorted(second) == sorted(first) and second != first, second)
    check("said to screen readers", state in ("ascending", "descending"), state)
    check("undefined values stay last", all(v is None for v in up[len(first):]) and all(v is None for v in down[len(second):]), down)
    check("references stay on top", b.run("return document.querySelectorAll('#blocks tbody tr')[0].className.includes('reference')"))
    check("the focus stays on the header", b.run("return document.activeElement.closest('th') === document.querySelector('#blocks thead th:nth-child(5)')"))
    b.keys(ENTER)
    check("the keyboard sorts", b.run(COLUMN, 4) == up)
    b.click("#blocks thead th:nth-child(1) button")


def filtering(b):
    everyone = b.run(NAMES)
    b.type("#filter", "amun")
    some = b.run(NAMES)
    check("the filter keeps what fits", some and len(some) < len(everyone) and all("amun" in n.lower() for n in some), some)
    check("and says how many", str(len(some)) + " row" in b.run("return document.getElementById('status').textContent"))
    b.type("#filter", " nothing like it")
    check("an empty table says so", "No method fits" in b.run("return document.getElementById('blocks').textContent"))
    b.run("const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('input'))")
    check("without a filter all are back", b.run(NAMES) == everyone)
    b.run("const s = document.getElementById('scenario'); s.value = '1'; s.dispatchEvent(new Event('change'))")
    check("one scenario", b.run("return document.querySelectorAll('#blocks > section').length") == 1)
    shown = b.run("return [...document.querySelectorAll('#pictures figure')].filter(f => !f.hidden).map(f => f.dataset.scenario)")
    chosen = b.run("return data.scenarios[1]")
    check("its figures alone", shown and all(s in ("", chosen) for s in shown), shown)
    b.run("const s = document.getElementById('scenario'); s.value = '-1'; s.dispatchEvent(new Event('change'))")


def division(b):
    for name in ("with-retain", "forget-only"):
        b.click('#division [data-division="' + name + '"]')
        labels = b.run(NAMES)
        want = b.run("return data.board.filter(e => e.class === 0 && e.division === arguments[0]).map(e => data.methods[e.m].name)", name)
        check("division " + name, sorted(labels) == sorted(want) and labels, labels)
        check("its button is pressed", b.run("return document.querySelectorAll('#division [aria-pressed=true]').length") == 1)
    check("an empty division is disabled", b.run("return document.querySelector('[data-division=imported]').disabled"))
    b.click('#division [data-division="all"]')


def drill_down(b):
    b.run("document.querySelector('#blocks tbody tr:not(.reference) .open').focus()")
    name = b.run("return document.activeElement.textContent")
    b.keys(ENTER)
    check("a method opens", b.run("return document.getElementById('method').open"))
    check("its own", b.run("return document.getElementById('method-title').textContent") == name)
    counts = b.run("""const m = data.methods.findIndex(x => x.name === arguments[0]);
        return [document.querySelectorAll('#method-body [data-run]').length, data.runs.filter(r => r.m === m).length,
                Object.keys(entriesOf(m)[0].params).length,
                document.querySelectorAll('#method-body table:not(.runs) tbody tr').length]""", name)
    check("no wider than its window", b.run("const d = document.getElementById('method'); return d.scrollWidth <= d.clientWidth"))
    check("all its runs", counts[0] == counts[1] > 0, counts)
    check("all its parameters", counts[2] == counts[3] > 0, counts)
    b.picture("method")
    b.keys(TAB)
    check("the focus stays in the dialog", b.run("return document.getElementById('method').contains(document.activeElement)"))
    b.keys(ESCAPE)
    check("escape closes it", not b.run("return document.getElementById('method').open"))
    check("the focus goes back", b.run("return document.activeElement.textContent") == name)
    failed = b.run("return data.runs.find(r => r.status !== 'ok').m")
    b.run("showMethod(arguments[0], 0)", failed)
    check("why a run failed", b.run("return document.getElementById('method-body').textContent.includes(data.runs.find(r => r.status !== 'ok').reason)"))
    link = b.run("const a = document.querySelector('#method-body a[href^=logs]'); return a && a.getAttribute('href')")
    check("its log is linked and there", link and os.path.exists(os.path.join(folder, link)), link)
    b.click("#method-close")


def keyboard(b):
    b.open()
    seen = []
    for _ in range(60):
        b.keys(TAB)
        seen.append(b.run("const a = document.activeElement; return a.id || a.dataset.division || a.tagName + ' ' + a.textContent.slice(0, 20)"))
    for want in ("filter", "scenario", "cells", "all"):
        check("tab reaches " + want, want in seen, seen)
    check("tab reaches the headers", any(s.startswith("BUTTON Method") for s in seen), seen)
    visible = b.run("""document.getElementById('cells').focus(); const s = getComputedStyle(document.getElementById('cells'));
        return document.getElementById('cells').matches(':focus-visible') && s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2""")
    check("the focus is visible", visible)


def columns(b):
    before = b.run("return document.querySelectorAll('#blocks table')[0].querySelectorAll('thead th').length")
    b.click("#columns summary")
    box = b.run("return data.columns.findIndex((c, i) => !c.shown)")
    b.click("#columns input[value='" + str(box) + "']")
    check("a column more", b.run("return document.querySelectorAll('#blocks table')[0].querySelectorAll('thead th').length") == before + 1)
    b.click("#columns input[value='" + str(box) + "']")
    b.click("#columns summary")
    b.run("const s = document.getElementById('cells'); s.value = 'gap'; s.dispatchEvent(new Event('change'))")
    check("differences have signs", b.run("return [...document.querySelectorAll('#blocks tbody td span[data-value]')].some(s => /^[+\u2212]/.test(s.textContent))"))
    b.run("const s = document.getElementById('cells'); s.value = 'ci'; s.dispatchEvent(new Event('change'))")


def rounding(b):
    """What is shown is the data's number, rounded."""
    wrong = b.run("""return [...document.querySelectorAll('#blocks [data-value]')].filter(n => n.dataset.value !== 'null').filter(n => {
        const shown = Number(n.textContent.replace('\u2212', '-').replace('\u00b1', '')), exact = Number(n.dataset.value);
        return !(Math.abs(shown - exact) <= 0.0051 * Math.max(1, Math.abs(exact))); }).map(n => n.textContent + ' is not ' + n.dataset.value)""")
    check("rounded, not changed", wrong == [], wrong)
    check("many", b.run("return document.querySelectorAll('#blocks [data-value]').length") > 20)


def narrow(b):
    for width in (360, 768):
        b.devtools("Emulation.setDeviceMetricsOverride", width=width, height=740, deviceScaleFactor=1, mobile=width < 500)
        b.open()
        size = b.run("return [document.documentElement.scrollWidth, innerWidth]")
        check("no sideways scrolling of the page", size[0] <= width and size[1] <= width, size)
        if width < 500:
            b.picture("phone")
            b.run("document.getElementById('blocks').scrollIntoView({behavior: 'instant'})")
            b.picture("phone-board")
            b.run("showMethod(2, 0)")
            size = b.run("return [document.documentElement.scrollWidth, document.getElementById('method').scrollWidth]")
            check("nor of the dialog", max(size) <= width, size)
            b.picture("phone-method")
    b.devtools("Emulation.clearDeviceMetricsOverride")
    b.open()


def dark(b):
    light = b.run("return getComputedStyle(document.body).backgroundColor")
    b.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    check("dark when asked", b.run("return getComputedStyle(document.body).backgroundColor") != light)
    b.picture("dark", whole=True)
    b.devtools("Emulation.setEmulatedMedia", features=[])


def setup(b):
    b.run("for (const d of document.querySelectorAll('#setup details')) d.open = true")
    b.run("document.getElementById('setup').scrollIntoView({behavior: 'instant'})")
    b.picture("setup")
    text = b.run("return document.getElementById('setup').textContent")
    check("the suite can be read", "suite: page-test" in text and text.index("suite: page-test") < text.index("unlearn:"), text[:400])
    check("versions and numerics", "openblas" in text.lower() and "Fine-tuning" not in text.split("Environment")[1], text[-400:])
    whole = b.run("for (const m of data.methods.keys()) { showMethod(m, 0); if (/\\[object|undefined,|NaN/.test(document.body.textContent)) return data.methods[m].name; document.getElementById('method').close(); } return ''")
    check("nothing but texts in texts", whole == "", whole)


def paper(b):
    pdf = base64.b64decode(b.call("POST", "/print", {"page": {"width": 21, "height": 29.7}}))
    check("a print", pdf.startswith(b"%PDF") and len(pdf) > 20000, len(pdf))
    if pictures:
        open(os.path.join(pictures, "print.pdf"), "wb").write(pdf)


def inline(b):
    """Pictures are part of the file, but those that differ between equal runs."""
    rows = list(csv.DictReader(open(folder + "/figures/figures.csv", newline="", encoding="utf-8")))
    drawn = [r for r in rows if r["drawn"] == "yes"]
    counts = b.run("return ['figure', '.picture > svg', '.picture > img'].map(s => document.querySelectorAll('#pictures ' + s).length)")
    varies = sum(r["varies"] == "yes" for r in drawn)
    check("pictures are inline", counts == [len(drawn), len(drawn) - varies, varies] and len(drawn) > varies, counts)
    small = b.run("return [...document.querySelectorAll('.picture > svg')].filter(s => s.getBoundingClientRect().height < 60).length")
    check("and have a size", small == 0, small)
    twice = b.run("const ids = [...document.querySelectorAll('[id]')].map(e => e.id); return ids.filter((d, i) => ids.indexOf(d) !== i)")
    check("no id stands twice", twice == [], twice[:5])


def hostile(b):
    check("no foreign script ran", b.run("return document.title.endsWith('Lethe report') && !window.owned"))
    check("no foreign element", b.run("return document.querySelectorAll('img[src=x], b, i').length") == 0)
    check("foreign text is shown as it is", "<b>" in b.run("return document.getElementById('blocks').textContent"))
    other = b.run("return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('file:') && !n.startsWith('data:'))")
    check("nothing was loaded from elsewhere", other == [], other)


def contrast(b):
    """WCAG AA of the texts that are coloured, in both schemes (relative luminance as in WCAG 2.2)."""
    script = """const parse = c => c.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const lum = c => { const [r, g, b] = parse(c).map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
        const back = n => { for (; n; n = n.parentElement) { const c = getComputedStyle(n).backgroundColor; if (!/, 0\\)$|transparent/.test(c)) return c; } return getComputedStyle(document.body).backgroundColor; };
        return ['#summary', '.second', '.flag', '.open', '#division button[aria-pressed=true]', 'a', '.reference .second', '#legend p'].map(s => document.querySelector(s)).filter(Boolean)
            .map(n => { const a = lum(getComputedStyle(n).color), b = lum(back(n)); return [n.className || n.tagName, (Math.max(a, b) + .05) / (Math.min(a, b) + .05)]; })"""
    for scheme in ("light", "dark"):
        b.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        low = [r for r in b.run(script) if r[1] < 4.5]
        check("contrast, " + scheme, low == [], low)
    b.devtools("Emulation.setEmulatedMedia", features=[])


def main():
    with tempfile.TemporaryDirectory() as scratch:
        b = Browser(scratch)
        try:
            b.open()
            b.picture("light", whole=True)
            for part in (sorting, filtering, division, drill_down, columns, rounding, keyboard, inline, hostile, contrast, narrow, dark, setup, paper):
                part(b)
            log = [m for m in b.call("POST", "/se/log", {"type": "browser"}) if m["level"] in ("SEVERE", "WARNING")]
            check("no errors on the console", log == [], log)
        finally:
            b.stop()
    print(checks, "checks in the browser")


main()
