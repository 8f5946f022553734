#!/usr/bin/env python3
"""Gaps of each method on plain and on clipped models, cell by cell (model seed x forget seed), from runs.csv beside.

A cell's gap: mean over the suite's gap terms of |value - mean of the oracles of that forget set|, in percentage points.
Differences clipped - plain are paired by cell. Interval: 95 %, Student's t over the means of the model seeds or of the
forget seeds, whichever is wider. p: exact sign-flip test over the cells."""
import csv
import itertools
import math
import os
import sys

TERMS = {"forget_acc": 1, "retain_acc": 1, "test_acc": 1, "loss_threshold.auc_forget_test": 100}
T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
rows = list(csv.DictReader(open(os.path.join(folder, "runs.csv"), newline="")))


def mean(x):
    return sum(x) / len(x)


def half_width(groups):
    m = mean(groups)
    return T95[len(groups)] * math.sqrt(sum((g - m) ** 2 for g in groups) / (len(groups) - 1) / len(groups))


def gaps(variant, method):
    of = [r for r in rows if r["scenario"].endswith("-" + variant) and r["status"] == "ok"]
    found = {}
    for r in of:
        if r["method"] != method:
            continue
        oracles = [q for q in of if q["method"] == "retrain" and q["seed_forget"] == r["seed_forget"]]
        found[r["seed_model"], r["seed_forget"]] = mean(
            [s * abs(float(r[t]) - mean([float(q[t]) for q in oracles])) for t, s in TERMS.items()])
    return found


def summary(d):
    by = [[mean([v for k, v in d.items() if k[i] == seed]) for seed in sorted({k[i] for k in d})] for i in (0, 1)]
    return mean(list(d.values())), max(half_width(by[0]), half_width(by[1]))


def sign_flip(x):
    limit = abs(sum(x)) - 1e-12
    flips = itertools.product((1, -1), repeat=len(x))
    return sum(abs(sum(a * b for a, b in zip(x, f))) >= limit for f in flips) / 2 ** len(x)


print("| method | gap plain | gap clipped | clipped - plain | p | gap - original's, plain | clipped | difference |")
print("|---|---|---|---|---|---|---|---|")
original = {v: gaps(v, "original") for v in ("plain", "clipped")}
methods = []
for r in rows:
    if r["method"] not in methods + ["retrain"]:
        methods.append(r["method"])
for method in methods:
    plain, clipped = gaps("plain", method), gaps("clipped", method)
    cells = [k for k in plain if k in clipped]
    d = {k: clipped[k] - plain[k] for k in cells}
    left = [{k: g[k] - original[v][k] for k in cells} for v, g in (("plain", plain), ("clipped", clipped))]
    dd = {k: left[1][k] - left[0][k] for k in cells}
    m, h = summary(d)
    m2, h2 = summary(dd)
    print("| %s | %.2f | %.2f | %+.2f ± %.2f | %.3f | %+.2f | %+.2f | %+.2f ± %.2f |" % (
        method, mean(list(plain.values())), mean(list(clipped.values())), m, h, sign_flip(list(d.values())),
        mean(list(left[0].values())), mean(list(left[1].values())), m2, h2))
