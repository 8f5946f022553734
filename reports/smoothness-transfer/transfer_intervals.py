#!/usr/bin/env python3
"""Mean transfer rate over the ordered pairs of models of each variant, robust accuracy, and differences between variants.

Pairs share models, so intervals of rates are 95 % jackknife intervals over models (Student's t, n - 1 degrees of freedom);
those of accuracies are t intervals over models."""
import csv
import math
import os
import sys

T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571}
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))


def read(name):
    return list(csv.DictReader(open(os.path.join(folder, name), newline="")))


def mean(x):
    return sum(x) / len(x)


def over_models(x):
    m = mean(x)
    return "%.1f ± %.1f" % (m, T95[len(x)] * math.sqrt(sum((a - m) ** 2 for a in x) / (len(x) - 1) / len(x)))


def jackknife(f, models):
    n, left = len(models), [f([m for m in models if m != x]) for x in models]
    se = math.sqrt((n - 1) / n * sum((a - mean(left)) ** 2 for a in left))
    return f(models), T95[n] * se


cells, runs = read("transfer.csv"), read("runs.csv")
models = sorted({r["source"] for r in cells})
rate = {}
for r in cells:
    rate.setdefault(r["variant"], {})[r["source"], r["target"]] = float(r["rate"])


def off_diagonal(v):
    return lambda ms: mean([rate[v][a, b] for a in ms for b in ms if a != b])


print("| variant | transfer rate | attack's own success | robust accuracy (of right ones) | (of all) | test accuracy |")
print("|---|---|---|---|---|---|")
for v in rate:
    of = [r for r in runs if r["scenario"].split("-", 2)[2] == v and r["method"] == "original"]
    columns = [over_models([float(r[c]) for r in of]) for c in ("pgd.robust_acc_cond", "pgd.robust_acc_raw", "test_acc")]
    print("| %s | %.3f ± %.3f | %.2f | %s |" % (
        (v,) + jackknife(off_diagonal(v), models) + (mean([rate[v][m, m] for m in models]), " | ".join(columns))))
print()
names = list(rate)
for i, a in enumerate(names):
    for b in names[:i]:
        print("%s - %s: %+.3f ± %.3f" % ((a, b) + jackknife(lambda ms: off_diagonal(a)(ms) - off_diagonal(b)(ms), models)))
