#!/usr/bin/env python3
"""Test accuracy (95 % t interval over models), largest singular value of each layer after the last epoch (range over
models), product of norms, of the originals of each variant; from runs.csv and spectral-originals.csv beside."""
import csv
import math
import os
import sys

T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))


def read(name):
    return list(csv.DictReader(open(os.path.join(folder, name), newline="")))


runs = [r for r in read("runs.csv") if r["method"] == "original"]
curves = [r for r in read("spectral-originals.csv") if r["k"] == "1"]
last = max(int(r["epoch"]) for r in curves)
layers = []
for r in curves:
    if r["layer"] not in layers:
        layers.append(r["layer"])
print("| variant | test accuracy | " + " | ".join(layers) + " | largest at an epoch's end, 2nd half | product |")
print("|---|---|" + "---|" * (len(layers) + 2))
names = []
for r in runs:
    if r["scenario"] not in names:
        names.append(r["scenario"])
for name in names:
    acc = [float(r["test_acc"]) for r in runs if r["scenario"] == name]
    m = sum(acc) / len(acc)
    h = T95[len(acc)] * math.sqrt(sum((a - m) ** 2 for a in acc) / (len(acc) - 1) / len(acc))
    cells = []
    for layer in layers:
        v = [float(r["value"]) for r in curves
             if r["scenario"] == name and r["layer"] == layer and int(r["epoch"]) == last]
        cells.append("%.2f to %.2f" % (min(v), max(v)))
    late = max(float(r["value"]) for r in curves if r["scenario"] == name and last / 2 < int(r["epoch"]) < last)
    bound = [float(r["lipschitz_bound"]) for r in runs if r["scenario"] == name]
    print("| %s | %.1f ± %.1f | %s | %.2f | %.3g |" % (name.split("-", 2)[2], m, h, " | ".join(cells), late,
                                                    sum(bound) / len(bound)))
