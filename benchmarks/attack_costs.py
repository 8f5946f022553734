#!/usr/bin/env python3
"""attack_costs.py STORE: what each attack in a store has cost: number of tasks, medians of CPU seconds of a whole
task (process start, reading, scoring) and the largest memory. A shadow model's training is the last line, to compare.

    lethe run benchmarks/fashion-mnist-attacks.yaml --store STORE
    benchmarks/attack_costs.py STORE
"""
import glob
import json
import statistics
import sys

SETTINGS = ("variant", "mode", "variance")  # that change what an attack computes


def name(identity):
    plugin = identity["plugin"]
    settings = [str(plugin["params"][k]) for k in SETTINGS if k in plugin["params"]]
    return " ".join([plugin["id"]] + settings)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    costs = {}
    for path in glob.glob(sys.argv[1] + "/objects/*/*/meta.json"):
        with open(path) as f:
            meta = json.load(f)
        identity = meta["identity"]
        kind = identity["kind"]
        if kind == "evaluate":
            what = "(ROC, AUCs, intervals of one score)"
        elif kind == "train" and identity.get("role") == "shadow":
            what = "(training of one shadow model)"
        elif kind in ("attack", "adversarial", "metric") and "plugin" in identity:
            what = name(identity)
        else:
            continue
        costs.setdefault((kind == "train", kind, what), []).append(meta["cost"])
    if not costs:
        sys.exit("attack_costs: there are no finished attacks in %s" % sys.argv[1])
    print("kind,what,tasks,cpu_s,peak_mb")
    for (_, kind, what), c in sorted(costs.items()):
        print("%s,%s,%d,%.3f,%.0f" % (kind, what, len(c), statistics.median(x["cpu_s"] for x in c),
                                      max(x["peak_mb"] for x in c)))


main()
