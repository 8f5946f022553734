"""A PyTorch network from the architecture that Lethe writes into its model files, so that any
network Lethe can build can be compared, named ones and sequential ones alike."""
import torch
from torch import nn


class Normalize(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.mean, self.std = (torch.tensor(v).view(1, -1, 1, 1) for v in (mean, std))

    def forward(self, x):
        return (x - self.mean.to(x.dtype)) / self.std.to(x.dtype)


def window(o):
    return {"kernel_size": o["kernel"], "stride": o["stride"], "padding": o["pad"]}


# A layer's options and the shape before it (channels first, or features) to a module.
LEAVES = {
    "conv": lambda o, s: nn.Conv2d(s[0], o["out"], o["kernel"], o["stride"], o["pad"],
                                   bias=o["bias"]),
    "linear": lambda o, s: nn.Linear(s[0], o["out"], bias=o["bias"]),
    "batchnorm": lambda o, s: (nn.BatchNorm2d if len(s) == 3 else nn.BatchNorm1d)(s[0]),
    "relu": lambda o, s: nn.ReLU(),
    "elu": lambda o, s: nn.ELU(o["alpha"]),
    "maxpool": lambda o, s: nn.MaxPool2d(**window(o)),
    "avgpool": lambda o, s: nn.AvgPool2d(**window(o)),
    "globalavgpool": lambda o, s: nn.AdaptiveAvgPool2d(1),
    "flatten": lambda o, s: nn.Flatten(),
    "dropout": lambda o, s: nn.Dropout(o["p"]),
    "normalize": lambda o, s: Normalize(o["mean"], o["std"]),
}


def in_turn(steps):
    def run(x):
        for step in steps:
            x = step(x)
        return x

    return run


class ArchModule(nn.Module):
    """arch: the parsed metadata `lethe.arch`."""

    def __init__(self, arch):
        super().__init__()
        with torch.no_grad():
            self.steps = self.chain(arch["layers"], tuple(arch["input"]))
        self.train()

    def chain(self, layers, shape):
        """What the layers do one after the other. Shapes come from zeros run through."""
        steps = []
        for layer in layers:
            (kind, options), = layer.items()
            if kind == "residual":
                step = self.residual(options, shape)
            else:
                step = LEAVES[kind](options, shape).eval()
                self.register(options["name"], step)
            steps.append(step)
            shape = tuple(step(torch.zeros(1, *shape)).shape[1:])
        return in_turn(steps)

    def residual(self, o, shape):
        body = self.chain(o["body"], shape)
        shortcut = self.chain(o.get("shortcut", []), shape)
        return lambda x: (body(x) + shortcut(x)) / (2 if o["halve"] else 1)

    def register(self, name, module):
        """`layer1.0.conv1` becomes an attribute of attributes, as in any PyTorch source."""
        owner = self
        *path, last = name.split(".")
        for part in path:
            if part not in owner._modules:
                owner.add_module(part, nn.Module())
            owner = owner._modules[part]
        owner.add_module(last, module)

    def forward(self, x):
        return self.steps(x)
