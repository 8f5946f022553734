"""Trains a small network in PyTorch, unlearns 10 % of its samples by fine-tuning on the others,
retrains once without them, and writes everything that `lethe attack` and `lethe metric` read.

Usage: torch_unlearn.py FOLDER [N_TRAIN [N_TEST]]      needs python3-torch, python3-numpy and
                                                       the Debian package dataset-fashion-mnist
"""
import gzip
import json
import os
import sys

import numpy as np
import torch
from torch import nn

SOURCE = "/usr/share/datasets/fashion-mnist"
EPOCHS = 20
DTYPES = {torch.float32: "F32", torch.int64: "I64"}


def idx(name, head):
    with gzip.open(os.path.join(SOURCE, name + ".gz")) as f:
        return np.frombuffer(f.read()[head:], np.uint8)


def load(part, n):
    x = idx(part + "-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)[:n]
    return x.copy(), idx(part + "-labels-idx1-ubyte", 8)[:n].astype(np.int64)


def save_safetensors(path, state):
    """The format: 8 bytes of header length, a JSON header, the tensors. Wide types first, so that
    all are aligned."""
    header, parts, at = {}, [], 0
    for name, t in sorted(state.items(), key=lambda kv: -kv[1].element_size()):
        data = t.contiguous().numpy().tobytes()
        header[name] = {"dtype": DTYPES[t.dtype], "shape": list(t.shape),
                        "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text + b"".join(parts))


def network():
    """The same layers, in the same order, as arch.yaml lists them."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 7 * 7, 64), nn.ReLU(), nn.Linear(64, 10))


ARCH = """arch: sequential
input: [1, 28, 28]
layers:
  - conv: {out: 16, kernel: 3, pad: 1}
  - batchnorm
  - relu
  - maxpool: {kernel: 2, stride: 2}
  - conv: {out: 32, kernel: 3, pad: 1}
  - batchnorm
  - relu
  - maxpool: {kernel: 2, stride: 2}
  - flatten
  - linear: {out: 64}
  - relu
  - linear: {out: 10}
"""


def fit(net, x, y, epochs, lr):
    step = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(step, epochs)
    net.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(128):
            step.zero_grad()
            nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            step.step()
        plan.step()
    return net


def main():
    folder = sys.argv[1]
    n_train, n_test = (int(v) for v in (sys.argv[2:] + ["3000", "1500"][len(sys.argv) - 2:]))
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(1)
    x, y = load("train", n_train)
    xt, yt = load("t10k", n_test)
    forget = np.sort(np.random.default_rng(1).choice(n_train, n_train // 10, replace=False))
    keep = np.setdiff1d(np.arange(n_train), forget)
    train = torch.from_numpy(x).float() / 255, torch.from_numpy(y)
    retain = train[0][keep], train[1][keep]

    original = fit(network(), *train, EPOCHS, 0.05)
    unlearned = network()
    unlearned.load_state_dict(original.state_dict())
    fit(unlearned, *retain, 5, 0.03)
    oracle = fit(network(), *retain, EPOCHS, 0.05)

    split = np.zeros(n_train + n_test, np.int32)  # 0 retain, 1 forget, 2 test
    split[forget] = 1
    split[n_train:] = 2
    np.save(os.path.join(folder, "x.npy"), np.concatenate([x, xt]))
    np.save(os.path.join(folder, "y.npy"), np.concatenate([y, yt]))
    np.save(os.path.join(folder, "split.npy"), split)
    np.save(os.path.join(folder, "x_train.npy"), x)
    np.save(os.path.join(folder, "y_train.npy"), y)
    np.savetxt(os.path.join(folder, "idx.csv"), forget, "%d", header="unlearn_idx", comments="")
    with open(os.path.join(folder, "arch.yaml"), "w") as f:
        f.write(ARCH)
    for name, net in (("original", original), ("unlearned", unlearned), ("oracle", oracle)):
        save_safetensors(os.path.join(folder, name + ".safetensors"), net.state_dict())
        net.eval()
        with torch.no_grad():
            logits = net(torch.from_numpy(np.concatenate([x, xt])).float() / 255).numpy()
        np.save(os.path.join(folder, name + "-torch.npy"), logits)


main()
