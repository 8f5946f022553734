"""report_tables.py REPORT: every number of the tables from runs.csv again."""
import csv
import math
import re
import sys
from statistics import mean, stdev

out = sys.argv[1]


def read(name):
    return list(csv.DictReader(open(f"{out}/{name}", newline="")))


def close(a, b):
    return a == b or (a != "" and b != "" and math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-9))


runs = read("runs.csv")
ok = [r for r in runs if r["status"] == "ok"]
oracles = {(r["scenario"], r["model_id"]): r for r in ok if r["method"] == "retrain"}
terms = ["forget_acc", "retain_acc", "test_acc", "rmia.auc_forget_test"]


def signed(r, c):
    ids = [i for i in r["oracle_ids"].split(";") if i]
    return float(r[c]) - mean(float(oracles[r["scenario"], i][c]) for i in ids)


def points(c):
    return 1 if c.endswith("_acc") else 100


checked = 0
for scenario in dict.fromkeys(r["scenario"] for r in runs):
    tex = open(f"{out}/tables/paper-{scenario}.tex").read()
    for line in read(f"tables/paper-{scenario}.csv"):
        mine = [r for r in ok if (r["scenario"], r["method"]) == (scenario, line["method"])]
        for c in [k[:-4] for k in line if k.endswith("_gap") and k != "_gap"]:
            values = [float(r[c]) for r in mine if r[c] != ""]
            if not values:
                assert line[c] == "", (line["method"], c)
                continue
            assert close(line[c], mean(values)), (line["method"], c, line[c], mean(values))
            gap = mean(abs(signed(r, c)) for r in mine if r[c] != "")
            assert close(line[c + "_gap"], gap), (line["method"], c, line[c + "_gap"], gap)
            if len(values) > 1:
                assert close(line[c + "_sd"], stdev(values)), (line["method"], c)
            digits = 2 if points(c) == 1 else 3
            printed = f"{{{float(line[c]):.{digits}f}}}}}{{{float(line[c + '_gap']):.{digits}f}}}"
            assert printed in tex, (line["method"], c, printed)
            checked += 2
        used = [r for r in mine if all(r[c] != "" for c in terms)]
        assert int(line["n_used"]) == len(used)
        if used:
            gap = mean(mean(abs(signed(r, c)) * points(c) for c in terms) for r in used)
            assert close(line["gap"], gap), (line["method"], line["gap"], gap)
            assert f"{{{gap:.2f}}}" in tex
            checked += 1
    assert "undefined" not in tex and "nan" not in tex
costs = {r["run"]: r for r in read("costs.csv")}
for line in read("tables/cost.csv"):
    mine = [r for r in ok if (r["scenario"], r["method"]) == (line["scenario"], line["method"])]
    for c, of in [("wall_s", costs), ("cpu_s", costs), ("forward", None), ("optimizer_steps", None)]:
        values = [float((of[r["run"]] if of else r)[c]) for r in mine]
        assert close(line[c], mean(values)) if values else line[c] == "", (line, c)
        checked += 1
for line in read("tables/runs.csv"):
    mine = [r for r in runs if (r["scenario"], r["method"]) == (line["scenario"], line["method"])]
    assert int(line["planned"]) == len(mine)
    assert int(line["failed"]) == sum(r["status"] != "ok" for r in mine)
    checked += 2
methods = open(f"{out}/tables/methods.md").read()
for word in sys.argv[2:]:
    assert word in methods, word
    checked += 1
# what LaTeX would choke on is escaped everywhere
for name in ["methods", "runs", "environment"]:
    text = re.sub(r"(?<!\\)%.*|\\cite\{[^}]*\}|\\lethecite\{[^}]*\}", "", open(f"{out}/tables/{name}.tex").read())
    assert not re.search(r"(?<!\\)[_#]", text.split("\\toprule")[-1]), name
print(checked, "numbers")
assert checked > 80
