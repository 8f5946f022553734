#!/usr/bin/env bash
# What a report draws over epochs, requests and trials: the figures `consecutive` and `spectral`, and the tuning table.
. "$(dirname "$0")/lib.sh"
cat >"$work/c.yaml" <<'Y'
suite: courses
data: {name: synthetic, train: 160, test: 80, noise: 0.3}
model: {arch: cnn, width: 8, bn: false}
train: {epochs: 4, batch: 32, lr: 0.02, momentum: 0.9, spectral_clip: {method: none}}
seeds: {model: [1, 2], forget: [1], unlearn: [1]}
forget:
  - {consecutive: {random: 0.2, requests: 3}}
references: {retrain: 2}
tune: {trials: 2, forget: [{random: 0.1}], retrain: 2}
unlearn: [finetune, random-labels]
metrics: [accuracy]
report: {formats: [svg], figures: [consecutive, spectral], gap: [forget_acc, test_acc]}
Y
expect_exit 0 "$lethe" run "$work/c.yaml" --store "$work/s" --out "$work/o" -q

check "a line after each request, a number at each tick, no line broken by another panel's points" python3 - "$work/o" <<'PY'
import csv, glob, re, sys
out = sys.argv[1]
def rows(pattern):
    (path,) = glob.glob(f"{out}/figures/{pattern}.csv")
    texts = re.findall(r"<text[^>]*>\s*(?:<tspan[^>]*>)?([^<]*)", open(path[:-4] + ".svg", encoding="utf-8").read())
    return list(csv.DictReader(open(path, newline=""))), [t.strip() for t in texts]
def in_one_piece(points):
    order = [(p["panel"], p["line"]) for p in points]
    starts = sum(i == 0 or order[i - 1] != o for i, o in enumerate(order))
    assert starts == len(set(order)), "points of several lines lie between each other"
points, texts = rows("consecutive-*")
points = [p for p in points if p["x"]]
in_one_piece(points)
assert {(p["panel"], p["x"]) for p in points} == {(p, x) for p in "123" for x in "123"}
assert texts.count("request") == 3 and all(texts.count(k) >= 3 for k in "123"), texts
gap = {(r["method"]): float(r["gap"]) for r in csv.DictReader(open(out + "/leaderboard.csv")) if r["gap"]}
last = sorted(float(p["y"]) for p in points if p["panel"] == "1" and p["x"] == "3")
assert len(last) == len(gap) and all(abs(a - b) < 1e-6 for a, b in zip(last, sorted(gap.values()))), (last, gap)
points, texts = rows("spectral-*")
points = [p for p in points if p["x"]]
in_one_piece(points)
assert {p["x"] for p in points} == set("01234") and texts.count("4") >= 4, texts
PY
check "every trial in the table, the chosen one bold" python3 - "$work/o" <<'PY'
import csv, sys
out = sys.argv[1]
ledger = list(csv.DictReader(open(out + "/tuning.csv", newline="")))
table = list(csv.DictReader(open(out + "/tables/tuning.csv", newline="")))
assert len(ledger) == 4 and [{k: r[k] for k in table[0]} for r in ledger] == table, (ledger, table)
lines = [l for l in open(out + "/tables/tuning.tex") if l.count(" & ") == 4]
assert lines.pop(0) == "Method & Trial & Parameters & Gap, points & Status \\\\\n"
assert len(lines) == 4, lines
for r, l in zip(ledger, lines):
    value = f"{float(r['value']):.3f}"
    value = "\\lethebest{%s}" % value if r["chosen"] == "yes" else value
    assert f" & {r['trial']} & " in l and f" & {value} & ok" in l, (r, l)
assert sum(r["chosen"] == "yes" for r in ledger) == 2
PY
finish
