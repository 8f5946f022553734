#!/usr/bin/env python3
"""Refits the last linear layer to the retain set. Reads job.json and in/, writes out/model.safetensors; numpy only."""
import json
import struct
import sys

import numpy as np


def read_safetensors(path):
    """Named float32 arrays: 8 bytes with the length of a JSON header, the header, the data."""
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    types = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}
    return {name: np.frombuffer(data[t["data_offsets"][0]:t["data_offsets"][1]], types[t["dtype"]]).reshape(t["shape"])
            for name, t in header.items() if name != "__metadata__"}


def write_safetensors(path, tensors):
    header, at = {}, 0
    for name, a in tensors.items():
        header[name] = {"dtype": {"f": "F32", "i": "I64"}[a.dtype.kind], "shape": list(a.shape),
                        "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(a.tobytes() for a in tensors.values()))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_of(w, x, y, ridge):
    z = x @ w.T
    z = z - z.max(axis=1, keepdims=True)
    picked = z[np.arange(len(y)), y]
    return (np.log(np.exp(z).sum(axis=1)) - picked).mean() + ridge / 2 * (w * w).sum()


def newton_step(w, x, y, ridge):
    """One damped step; blocks of the Hessian: E p (1 - p) x x' + ridge."""
    p = softmax(x @ w.T)
    residual = p.copy()
    residual[np.arange(len(y)), y] -= 1
    gradient = residual.T @ x / len(y) + ridge * w
    step = np.empty_like(w)
    for k in range(len(w)):
        hessian = (x * (p[:, k] * (1 - p[:, k]))[:, None]).T @ x / len(y)
        step[k] = np.linalg.solve(hessian + ridge * np.eye(x.shape[1]), gradient[k])
    before, rate = loss_of(w, x, y, ridge), 1.0
    while rate > 1e-4 and loss_of(w - rate * step, x, y, ridge) > before:
        rate /= 2
    return w - rate * step if rate > 1e-4 else w


def main():
    job = json.load(open("job.json"))
    params, retain = job["params"], job["sets"]["retain"]
    tensors = read_safetensors(job["model"]["file"])
    head = job["model"]["layers"][-1]["tensors"]  # weight and, where there is one, bias
    x = np.load(retain["features"]).astype(np.float64)
    y = np.load(retain["labels"])
    w = tensors[head[0]].astype(np.float64)
    if len(head) > 1:  # the bias is the weight of a feature that is always 1
        w = np.hstack([w, tensors[head[1]].astype(np.float64)[:, None]])
        x = np.hstack([x, np.ones((len(x), 1))])
    if params["start"] == "zero":
        w = np.zeros_like(w)
    for i in range(params["steps"]):
        w = newton_step(w, x, y, params["ridge"])
    print(f"{job['id']}: loss {loss_of(w, x, y, params['ridge']):.6f} on {len(y)} retain samples")
    tensors[head[0]] = w[:, :x.shape[1] - (len(head) > 1)].astype("<f4")
    if len(head) > 1:
        tensors[head[1]] = w[:, -1].astype("<f4")
    write_safetensors(job["out"]["model"], tensors)


if __name__ == "__main__":
    sys.exit(main())
