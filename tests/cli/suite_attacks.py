#!/usr/bin/env python3
"""suite_attacks.py LETHE WORK: checks the report WORK/o of suite_attacks.sh against file commands."""
import array
import csv
import functools
import json
import os
import struct
import subprocess
import sys

LETHE, WORK = sys.argv[1:]
STORE = os.path.join(WORK, "s")
RUNS = list(csv.DictReader(open(os.path.join(WORK, "o", "runs.csv"), newline="")))
BOARD = list(csv.DictReader(open(os.path.join(WORK, "o", "leaderboard.csv"), newline="")))
TRANSFER = list(csv.DictReader(open(os.path.join(WORK, "o", "transfer.csv"), newline="")))
CODES = {"|u1": "B", "<f4": "f", "<i4": "i", "<i8": "q"}


def store(task, name):
    return os.path.join(STORE, "objects", task[:2], task, name)


def load(path):
    """(shape, values) of a .npy file."""
    with open(path, "rb") as f:
        f.read(8)
        header = eval(f.read(struct.unpack("<H", f.read(2))[0]))
        values = array.array(CODES[header["descr"]])
        values.frombytes(f.read())
    return header["shape"], values


def save(name, shape, values):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': %r, }" % (tuple(shape),)
    header += " " * ((-len(header) - 11) % 64) + "\n"
    path = os.path.join(WORK, name + ".npy")
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        f.write(array.array("f", values).tobytes())
    return path


@functools.lru_cache(None)
def predictions(model, images):
    out = os.path.join(WORK, "logits.npy")
    subprocess.run([LETHE, "predict", "--model", store(model, "model.safetensors"), "--images", images,
                    "--out", out], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (n, classes), v = load(out)
    return [max(range(classes), key=lambda k: v[i * classes + k]) for i in range(n)]


def objects(kind):
    manifest = json.load(open(os.path.join(WORK, "o", "manifest.json")))
    for task in manifest["tasks"]:
        if task["kind"] == kind:
            yield task["id"], json.load(open(store(task["id"], "meta.json")))["identity"]


def near(what, found, wanted):
    assert abs(float(found) - wanted) < 1e-9, (what, found, wanted)


DATA = next(objects("data"))[0]
SHAPE, PIXELS = load(store(DATA, "images.npy"))
LABELS = load(store(DATA, "labels.npy"))[1]
SIZE = SHAPE[1] * SHAPE[2] * SHAPE[3]
SETS = {}  # (model, plugin id, eps, class scenario) -> perturbation.csv
for task, identity in objects("adversarial"):
    key = (identity["model"], identity["plugin"]["id"], round(identity["plugin"]["params"]["eps"] * 255),
           "without" in identity)
    SETS[key] = (task, list(csv.DictReader(open(store(task, "perturbation.csv"), newline=""))))


@functools.lru_cache(None)
def clean(ids):
    scale = 1 if isinstance(PIXELS[0], float) else 255
    return save("clean-%d" % len(ids), (len(ids),) + tuple(SHAPE[1:]),
                [PIXELS[i * SIZE + k] / scale for i in ids for k in range(SIZE)])


def check_rows():
    """The same rows for every model; all 120 without rows; no forgotten class."""
    drawn = {tuple(r["sample"] for r in rows) for key, (_, rows) in SETS.items()
             if key[1:3] == ("pgd-linf", 8) and not key[3]}
    assert len(drawn) == 1 and len(next(iter(drawn))) == 50
    ids = [int(i) for i in next(iter(drawn))]
    assert ids == sorted(set(ids)) and 240 <= ids[0] and ids[-1] < 360 and ids != list(range(240, 290))
    for key, (_, rows) in SETS.items():
        assert [LABELS[int(r["sample"])] for r in rows] == [int(r["label"]) for r in rows]
        assert not key[3] or "3" not in {r["label"] for r in rows}
        if key[1:4] == ("fgsm", 4, False):
            assert len(rows) == 120
        if key[1:4] == ("fgsm", 4, True):
            assert len(rows) == sum(1 for i in range(240, 360) if LABELS[i] != 3)


def check_robust():
    for run in RUNS:
        for label, plugin, eps in (("pgd_linf", "pgd-linf", 8), ("weak", "fgsm", 4)):
            rows = SETS[(run["model_id"], plugin, eps, run["scenario"] == "class-3")][1]
            right = [r["clean_pred"] == r["label"] for r in rows]
            robust = [r["adv_pred"] == r["label"] for r in rows]
            both = sum(a and b for a, b in zip(right, robust))
            near(label, run[label + ".robust_acc_cond"], 100 * both / sum(right))
            near(label, run[label + ".robust_acc_raw"], 100 * sum(robust) / len(rows))
            near(label, run[label + ".n_rows"], len(rows))
            limit = eps / 255 + 1e-6
            assert all(float(r["linf"]) <= limit for r in rows)
        # All test rows are attacked by `weak`: its clean accuracy is test_acc.
        near("clean", run["weak.clean_acc"], float(run["test_acc"]))
        assert float(run["weak.robust_acc_raw"]) <= float(run["test_acc"])
    for scenario in ("random-0.1", "class-3"):
        column = "weak.robust_acc_raw"
        values = {m: [float(r[column]) for r in RUNS if (r["scenario"], r["method"]) == (scenario, m)]
                  for m in ("original", "retrain")}
        row = next(r for r in BOARD if (r["scenario"], r["method"]) == (scenario, "original"))
        mean = sum(values["retrain"]) / 3
        near("gap", row[column + "_gap"], sum(abs(v - mean) for v in values["original"]) / 2)


def check_transfer():
    assert [(r["attack"], r["source"], r["target"]) for r in TRANSFER] == [
        (a, "original-%d" % s, "original-%d" % t) for a in ("pgd-linf", "all") for s in (1, 2) for t in (1, 2)]
    rates = set()
    for r in TRANSFER:
        plugin, eps, n_rows = ("pgd-linf", 8, 50) if r["attack"] == "pgd-linf" else ("fgsm", 16, 120)
        task, rows = SETS[(r["source_id"], plugin, eps, False)]
        y = [int(row["label"]) for row in rows]
        ids = tuple(int(row["sample"]) for row in rows)
        images, adversarial = clean(ids), store(task, "adversarial.npy")
        sc, tc = predictions(r["source_id"], images), predictions(r["target_id"], images)
        sa, ta = predictions(r["source_id"], adversarial), predictions(r["target_id"], adversarial)
        near("rows", r["rows"], n_rows)
        if r["source"] == r["target"]:
            eligible = [i for i in range(len(y)) if sc[i] == y[i]]
            hit = [i for i in eligible if sa[i] != y[i]]
        else:
            eligible = [i for i in range(len(y)) if sc[i] == y[i] == tc[i] and sa[i] != y[i]]
            hit = [i for i in eligible if ta[i] != y[i]]
            near("match", r["label_match"], sum(ta[i] == sa[i] for i in eligible) / len(eligible))
        near("n", r["n"], len(eligible))
        near("rate", r["rate"], len(hit) / len(eligible))
        near("transferred", r["transferred"], len(hit))
        rates.add(r["rate"])
    assert len(rates) > 3, rates


def check_audits():
    for run in RUNS:
        assert 0 <= float(run["u_mia_accuracy"]) <= 1 and float(run["u_mia_gap"]) >= 0, run
        assert (run["mia_nn"] == "") == (run["scenario"] != "class-3")
        assert (run["rbf.mia_nn"] == "") == (run["scenario"] != "class-3")
    original = [r for r in RUNS if r["method"] == "original"][0]
    oracles = [r for r in RUNS if (r["scenario"], r["method"]) == (original["scenario"], "retrain")]
    mean = sum(float(r["u_mia_accuracy"]) for r in oracles) / 3
    near("u_mia_gap", original["u_mia_gap"], abs(float(original["u_mia_accuracy"]) - mean))


check_rows()
check_robust()
check_transfer()
check_audits()
