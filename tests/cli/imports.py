"""export STORE RUNS DIR: models and outputs of a finished suite, as if made elsewhere.
same RUNS RUNS KEY...: rows of both tables agree in every measure, whatever their identities.
scores STORE SCORES.csv MODEL-ID: a file command's scores are those that the suite stored."""
import csv
import json
import os
import shutil
import struct
import sys


def npy_read(path):
    with open(path, "rb") as f:
        bytes_ = f.read()
    n = struct.unpack("<H", bytes_[8:10])[0]
    head = eval(bytes_[10:10 + n].decode())
    return head["descr"], head["shape"], bytes_[10 + n:]


def npy_write(path, descr, shape, data):
    head = repr({"descr": descr, "fortran_order": False, "shape": shape})
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)


def objects(store):
    for folder, _, files in os.walk(os.path.join(store, "objects")):
        if "meta.json" in files:
            with open(os.path.join(folder, "meta.json")) as f:
                yield folder, json.load(f)


def rows(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def export(store, runs, out):
    found = list(objects(store))
    where = {m["id"]: folder for folder, m in found}
    what = {m["id"]: m["identity"] for _, m in found}
    predicted = {m["identity"]["model"]: folder for folder, m in found
                 if m["identity"]["kind"] == "predict" and "model" in m["identity"]}
    for row in rows(runs):
        if row["method"] not in ("original", "retrain", "finetune"):
            continue
        name = f"{out}/{row['method']}-{row['seed_model']}"
        shutil.copy(where[row["model_id"]] + "/model.safetensors", name + ".safetensors")
        shutil.copy(predicted[row["model_id"]] + "/logits.npy", name + ".npy")
    shadows = sorted((what[m]["seed"], folder) for m, folder in predicted.items()
                     if what[m].get("role") == "shadow")
    parts = [npy_read(folder + "/logits.npy") for _, folder in shadows]
    n, classes = parts[0][1]
    npy_write(f"{out}/shadows.npy", "<f4", (len(parts), n, classes),
              b"".join(p[2] for p in parts))
    bits = bytes((i * 7 + k * 3) % 5 % 2 for k in range(len(parts)) for i in range(n))
    npy_write(f"{out}/inclusion.npy", "|u1", (len(parts), n), bits)
    npy_write(f"{out}/wrong.npy", "|u1", (len(parts), n), b"\x07" + bits[1:])
    data = next(folder for folder, m in found if m["identity"]["kind"] == "data")
    shutil.copy(data + "/labels.npy", f"{out}/labels.npy")


def same(a, b, *prefixes):
    left, right = rows(a), rows(b)
    assert len(left) == len(right) > 0, (len(left), len(right))
    n = 0
    for x, y in zip(left, right):
        for key in x:
            if key.startswith(prefixes):
                assert x[key] == y[key], (x["method"], x["seed_model"], key, x[key], y[key])
                n += x[key] != ""
    assert n > 0, "nothing was compared"


def scores(store, path, model):
    found = list(objects(store))
    target = next(m["id"] for _, m in found if m["id"] == model or (
        m["identity"]["kind"] == "predict" and m["identity"].get("model") == model))
    folder = next(folder for folder, m in found if m["identity"]["kind"] == "attack"
                  and m["identity"]["target"] == target
                  and m["identity"]["plugin"]["id"] == "rmia")
    _, shape, data = npy_read(folder + "/scores.npy")
    stored = struct.unpack(f"<{shape[0] * shape[1]}d", data)
    table = rows(path)
    assert len(table) == shape[1], (len(table), shape)
    for i, row in enumerate(table):
        assert float(row["score"]) == stored[i], (i, row["score"], stored[i])


if __name__ == "__main__":
    {"export": export, "same": same, "scores": scores}[sys.argv[1]](*sys.argv[2:])
