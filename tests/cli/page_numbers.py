"""Every number of index.html's data against leaderboard.csv, runs.csv and what can be recomputed from them.

usage: page_numbers.py DIR"""
import csv
import json
import math
import re
import statistics
import sys
from html.parser import HTMLParser

folder = sys.argv[1]
page = open(folder + "/index.html", encoding="utf-8").read()


class Data(HTMLParser):
    """The text of the script element "data", and every tag and attribute of the page."""

    def __init__(self):
        super().__init__()
        self.inside, self.text, self.tags = False, "", []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag == "script" and dict(attrs).get("id") == "data"

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.text += data


parser = Data()
parser.feed(page)
data = json.loads(parser.text)
checked = 0


def read(name):
    return list(csv.DictReader(open(folder + "/" + name, newline="", encoding="utf-8")))


def same(found, cell, what):
    """Exactly: both are the shortest form of one double."""
    global checked
    checked += 1
    want = None if cell == "" else float(cell)
    assert found == want, (what, found, cell)


def near(found, want, what):
    global checked
    checked += 1
    assert (found is None) == (want is None), (what, found, want)
    assert want is None or math.isclose(found, want, rel_tol=1e-9, abs_tol=1e-12), (what, found, want)


columns = [c["name"] for c in data["columns"]]
runs, board = read("runs.csv"), read("leaderboard.csv")
assert len(runs) == len(data["runs"]) and len(board) == len(data["board"])

for run, row in zip(data["runs"], runs):
    where = "run " + row["run"]
    assert data["scenarios"][run["s"]] == row["scenario"] and data["methods"][run["m"]]["label"] == row["method"]
    assert (run["status"], run["reason"], run["parts"], run["division"]) == (row["status"], row["reason"], row["failed_parts"], row["division"]), where
    for found, key in zip(run["seeds"] + [run["request"], run["run"]], ["seed_model", "seed_forget", "seed_unlearn", "request", "run"]):
        same(found, row[key], (where, key))
    for found, key in zip(run["v"], columns):
        same(found, row[key], (where, key))
    for found, key in zip(run["c"], data["counts"]):
        same(found, row[key], (where, key))
    ids = lambda i: "" if i < 0 else data["ids"][i]
    assert ids(run["ids"][0]) == row["model_id"] and ids(run["ids"][1]) == row["original_id"], where
    assert ";".join(ids(i) for i in run["ids"][2]) == row["oracle_ids"], where
    notes = zip(run["notes"][::2], run["notes"][1::2])
    assert "; ".join(columns[c] + ": " + data["texts"][t] for c, t in notes) == row["notes"], where

endings = ["", "_sd", "_ci_low", "_ci_high", "_gap", "_gap_signed", "_gap_z"]
for entry, row in zip(data["board"], board):
    where = (row["scenario"], row["method"])
    assert (data["scenarios"][entry["s"]], data["methods"][entry["m"]]["label"]) == where
    assert (entry["flags"], entry["notes"], entry["division"], entry["plugin"]) == (row["flags"], row["notes"], row["division"], row["plugin"]), where
    for key, name in [("planned", "n_planned"), ("used", "n_used"), ("gap", "gap"), ("worst", "gap_worst"), ("z", "gap_z"),
                      ("sd", "gap_sd"), ("low", "gap_ci_low"), ("high", "gap_ci_high")]:
        same(entry[key], row[name], (where, name))
    same(entry["rank"] or None, row["rank"], (where, "rank"))
    for cell, column in zip(entry["cells"], columns):
        for found, ending in zip(cell, endings):
            same(found, row[column + ending], (where, column + ending))

# The board's means, deviations and gaps once more, from the runs of the page alone.
by_id = {r["model_id"]: r for r in runs if r["model_id"]}
terms = [c["name"] for c in data["columns"] if c["gap"]]
unit = {c["name"]: c["unit"] for c in data["columns"]}
for entry in data["board"]:
    where = (data["scenarios"][entry["s"]], data["methods"][entry["m"]]["label"])
    rows = [r for r in data["runs"] if r["s"] == entry["s"] and r["m"] == entry["m"]]
    assert len(rows) == entry["planned"], where
    for i, column in enumerate(columns):
        values = [r["v"][i] for r in rows if r["v"][i] is not None]
        near(entry["cells"][i][0], statistics.fmean(values) if values else None, (where, column))
        near(entry["cells"][i][1], statistics.stdev(values) if len(values) > 1 else None, (where, column, "sd"))
    gaps = []
    for r in rows:
        parts = []
        for term in terms:
            own = r["v"][columns.index(term)]
            oracles = [float(by_id[data["ids"][i]][term]) for i in r["ids"][2] if by_id[data["ids"][i]][term]]
            if own is not None and oracles:
                parts.append(abs(own - statistics.fmean(oracles)) * (1 if unit[term] == "percent" else 100))
        if r["status"] == "ok" and len(parts) == len(terms):
            gaps.append(statistics.fmean(parts))
    near(entry["gap"], statistics.fmean(gaps) if gaps else None, (where, "gap"))
    assert entry["used"] == len(gaps), where

# Self-contained: nothing is loaded from anywhere but the report's own folder, and no foreign text became markup.
for tag, attrs in parser.tags:
    for name, value in attrs.items():
        assert not name.startswith("on"), (tag, attrs)
        if name in ("src", "href", "xlink:href", "action", "data", "srcset"):
            assert re.match(r"(#|data:,$|[A-Za-z0-9_.-]+(/[A-Za-z0-9_.+-]+)?$)", value), (tag, name, value)
assert sum(tag == "script" for tag, _ in parser.tags) == 2
assert len(page.encode()) < 3 << 20, len(page)
assert checked > 500, checked
print(checked, "numbers traced,", len(page.encode()) // 1024, "KiB")
