"""Lethe's architectures as a PyTorch user writes them: the peer of the speed benchmark and of the
parity tests. Module names are those of Lethe's tensors."""
import torch.nn.functional as F
from torch import nn


def norm(channels, bn):
    return nn.BatchNorm2d(channels) if bn else nn.Identity()


class Mlp(nn.Module):
    def __init__(self, shape, classes, width):
        super().__init__()
        self.fc1 = nn.Linear(shape[0] * shape[1] * shape[2], width)
        self.fc2 = nn.Linear(width, width // 2)
        self.fc3 = nn.Linear(width // 2, classes)

    def forward(self, x):
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


class LeNet5(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        pad = 2 if tuple(shape[1:]) == (28, 28) else 0
        side = [((s + 2 * pad - 4) // 2 - 4) // 2 for s in shape[1:]]
        self.conv1 = nn.Conv2d(shape[0], 6, 5, padding=pad)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * side[0] * side[1], 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


class Cnn(nn.Module):
    def __init__(self, shape, classes, width, bn):
        super().__init__()
        self.conv1 = nn.Conv2d(shape[0], width, 3, padding=1)
        self.bn1 = norm(width, bn)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.bn2 = norm(2 * width, bn)
        self.fc1 = nn.Linear(2 * width * (shape[1] // 2 // 2) * (shape[2] // 2 // 2), 4 * width)
        self.fc2 = nn.Linear(4 * width, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class BasicBlock(nn.Module):
    """He et al. 2016, figure 5 left."""

    def __init__(self, before, channels, stride, bn):
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, 1, bias=not bn)
        self.bn1 = norm(channels, bn)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=not bn)
        self.bn2 = norm(channels, bn)
        self.shortcut = nn.Sequential()
        if stride != 1 or before != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, channels, 1, stride, bias=not bn), norm(channels, bn))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet18(nn.Module):
    """With the stem for 32x32 images: 3x3, no pooling."""

    def __init__(self, shape, classes, width, bn):
        super().__init__()
        self.conv1 = nn.Conv2d(shape[0], width, 3, 1, 1, bias=not bn)
        self.bn1 = norm(width, bn)
        before, stages = width, []
        for stage in range(4):
            blocks, channels = [], width << stage
            for block in range(2):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(BasicBlock(before, channels, stride, bn))
                before = channels
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.linear = nn.Linear(before, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


def resnet9_part(before, channels, bn, pool=False):
    layers = [nn.Conv2d(before, channels, 3, padding=1), norm(channels, bn), nn.ReLU()]
    return nn.Sequential(*layers, *([nn.MaxPool2d(2)] if pool else []))


class ResNet9(nn.Module):
    """Page 2018 (DAWNBench): parts of convolution, batch-norm, ReLU; two of them around a sum."""

    def __init__(self, shape, classes, width, bn):
        super().__init__()
        self.conv1 = resnet9_part(shape[0], width, bn)
        self.conv2 = resnet9_part(width, 2 * width, bn, pool=True)
        self.res1 = nn.Sequential(*(resnet9_part(2 * width, 2 * width, bn) for _ in range(2)))
        self.conv3 = resnet9_part(2 * width, 4 * width, bn, pool=True)
        self.conv4 = resnet9_part(4 * width, 8 * width, bn, pool=True)
        self.res2 = nn.Sequential(*(resnet9_part(8 * width, 8 * width, bn) for _ in range(2)))
        side = [shape[1] // 8, shape[2] // 8]
        last = min(*side, 4)
        self.classifier = nn.Sequential(
            nn.MaxPool2d(last), nn.Flatten(),
            nn.Linear(8 * width * (side[0] // last) * (side[1] // last), classes))

    def forward(self, x):
        x = self.conv2(self.conv1(x))
        x = self.conv4(self.conv3(x + self.res1(x)))
        return self.classifier(x + self.res2(x))


# Simonyan and Zisserman 2015, table 1: multiples of the first stage's channels; M pools.
VGG = {
    "vgg11": [1, "M", 2, "M", 4, 4, "M", 8, 8, "M", 8, 8, "M"],
    "vgg16": [1, 1, "M", 2, 2, "M", 4, 4, 4, "M", 8, 8, 8, "M", 8, 8, 8, "M"],
    "vgg19": [1, 1, "M", 2, 2, "M", 4, 4, 4, 4, "M", 8, 8, 8, 8, "M", 8, 8, 8, 8, "M"],
}


class Vgg(nn.Module):
    """With one linear layer behind the last pooling, as usual for 32x32 images."""

    def __init__(self, name, shape, classes, width, bn):
        super().__init__()
        layers, before, side = [], shape[0], list(shape[1:])
        for step in VGG[name]:
            if step == "M":
                layers.append(nn.MaxPool2d(2))
                side = [s // 2 for s in side]
                continue
            layers.append(nn.Conv2d(before, step * width, 3, padding=1))
            if bn:
                layers.append(nn.BatchNorm2d(step * width))
            layers.append(nn.ReLU(inplace=True))
            before = step * width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(before * side[0] * side[1], classes)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


DEFAULT_WIDTH = {"mlp": 256, "cnn": 32, "resnet9": 64, "resnet18": 64, "vgg11": 64, "vgg16": 64,
                 "vgg19": 64}
SMALL = ("mlp", "lenet5", "cnn")  # 28x28 images of one channel by default
NAMES = ("mlp", "lenet5", "cnn", "resnet9", "resnet18", "vgg11", "vgg16", "vgg19")


def build(name, shape=None, classes=10, width=None, bn=True):
    """The network, freshly initialised by PyTorch."""
    shape = shape or ((1, 28, 28) if name in SMALL else (3, 32, 32))
    width = width or DEFAULT_WIDTH.get(name)
    if name == "mlp":
        return Mlp(shape, classes, width)
    if name == "lenet5":
        return LeNet5(shape, classes)
    if name == "cnn":
        return Cnn(shape, classes, width, bn)
    if name == "resnet9":
        return ResNet9(shape, classes, width, bn)
    if name == "resnet18":
        return ResNet18(shape, classes, width, bn)
    return Vgg(name, shape, classes, width, bn)
