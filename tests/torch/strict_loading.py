"""What Lethe saves loads in PyTorch with strict=True, batch-norm counters included, and what PyTorch
saves loads in Lethe under the names that DataParallel and torchvision's ResNets give."""
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
except ImportError:
    print("skipped: python3-torch or python3-numpy is missing")
    sys.exit(77)

from arch_module import ArchModule
from tensor_files import read_tensors, write_tensors

CASES = [("resnet18", "{arch: resnet18, width: 8}", (3, 16, 16)),
         ("vgg16", "{arch: vgg16, width: 4}", (3, 32, 32)),
         ("cnn", "{arch: cnn, width: 4}", (1, 12, 12)),
         ("sequential", "{arch: sequential, layers: [{conv: {out: 4, kernel: 3, pad: 1, bias: false}}, "
                        "batchnorm, relu, {residual: {body: [{conv: {out: 4, kernel: 3, pad: 1}}, "
                        "batchnorm]}}, globalavgpool, flatten, {linear: {out: 5}}]}", (2, 8, 8))]


def lethe(*args):
    subprocess.run([os.path.join(os.environ["LETHE_BUILD"], "bin", "lethe"), *args, "-q"], check=True,
                   stdout=subprocess.DEVNULL)


def near(a, b):
    return np.abs(a - b).max() <= 1e-4 * np.abs(b).max()


def torch_logits(net, x):
    with torch.no_grad():
        return net.eval()(torch.from_numpy(x)).numpy()


def from_lethe(path, x):
    tensors, metadata = read_tensors(path)
    net = ArchModule(json.loads(metadata["lethe.arch"]))
    state = {k: torch.from_numpy(v) for k, v in tensors.items()}
    counters = [k for k in state if k.endswith("num_batches_tracked")]
    assert counters and all(state[k].dtype == torch.int64 and state[k].dim() == 0 for k in counters)
    net.load_state_dict(state, strict=True)
    return net, torch_logits(net, x)


def renamed(state, words, prefix):
    out = {}
    for name, value in state.items():
        for ours, theirs in words:
            name = theirs + name[len(ours):] if name.startswith(ours) else name.replace("." + ours, "." + theirs)
        out[prefix + name] = value.numpy()
    return out


def run(title, arch, shape):
    rng = np.random.default_rng(3)
    x, y = rng.random((40, *shape), dtype=np.float32), np.arange(40) % 5
    np.save("x.npy", x)
    np.save("y.npy", y)
    with open("arch.yaml", "w") as f:
        f.write(arch)
    lethe("train", "--arch", "arch.yaml", "--images", "x.npy", "--labels", "y.npy", "--set",
          "epochs=2", "--set", "batch=8", "--set", "lr=0.02", "--out", "lethe.safetensors")
    lethe("predict", "--model", "lethe.safetensors", "--images", "x.npy", "--out", "logits.npy")
    logits = np.load("logits.npy")
    net, of_torch = from_lethe("lethe.safetensors", x)
    assert near(of_torch, logits), (title, np.abs(of_torch - logits).max())
    namings = [([], ""), ([], "module.")]
    if title == "resnet18":
        words = [("linear.", "fc."), ("shortcut.", "downsample.")]
        namings += [(words, ""), (words, "module.")]
    if title == "vgg16":
        words = [("classifier.", "classifier.0.")]
        namings += [(words, ""), (words, "module.")]
    for words, prefix in namings:
        write_tensors("torch.safetensors", renamed(net.state_dict(), words, prefix))
        lethe("predict", "--model", "torch.safetensors", "--arch", "arch.yaml", "--images", "x.npy",
              "--out", "again.npy")
        assert np.array_equal(np.load("again.npy"), logits), (title, words, prefix)
    print(f"{title}: strict loading, {len(namings)} namings")


def main():
    os.environ["LETHE_BUILD"] = os.path.abspath(os.environ["LETHE_BUILD"])
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        for case in CASES:
            run(*case)
        os.chdir("/")


main()
