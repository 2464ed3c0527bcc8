"""The published torch networks, written again with the names that their checkpoints have."""

import torch
from torch import nn
from torch.nn import functional as F


class Basic(nn.Module):
    """He et al.'s block; its shortcut is a projection, zero-padded channels ("A"), or nothing."""

    def __init__(self, cin: int, width: int, stride: int, option: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(cin, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.pad = (width - cin) // 2 if option == "A" and cin != width else 0
        if option != "A" and (stride > 1 or cin != width):
            setattr(self, option, projection(cin, width, stride))
        self.name = option

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.pad:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(y + getattr(self, self.name, nn.Identity())(x))


class Deep(nn.Module):
    """The block of ResNet-50."""

    def __init__(self, cin: int, width: int, stride: int, option: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(cin, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        if stride > 1 or cin != 4 * width:
            setattr(self, option, projection(cin, 4 * width, stride))
        self.name = option

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + getattr(self, self.name, nn.Identity())(x))


def projection(cin: int, cout: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))


class ResNet(nn.Module):
    """Cohen et al.'s CIFAR networks, torchvision's, ANCER's (no first norm), kuangliu's names."""

    def __init__(
        self,
        blocks: tuple[int, ...],
        widths: tuple[int, ...],
        *,
        deep: bool = False,
        stem: int = 3,
        norm: bool = True,
        option: str = "downsample",
        last: str = "fc",
        classes: int = 10,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], stem, 2 if stem == 7 else 1, stem // 2, bias=False)
        if norm:
            self.bn1 = nn.BatchNorm2d(widths[0])
        self.pools, self.last, self.stages = stem == 7, last, len(blocks)
        cin = widths[0]
        for stage, (count, width) in enumerate(zip(blocks, widths, strict=True), start=1):
            layers = []
            for number in range(count):
                stride = 2 if stage > 1 and number == 0 else 1
                layers.append((Deep if deep else Basic)(cin, width, stride, option))
                cin = 4 * width if deep else width
            setattr(self, f"layer{stage}", nn.Sequential(*layers))
        setattr(self, last, nn.Linear(cin, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(getattr(self, "bn1", nn.Identity())(self.conv1(x)))
        y = F.max_pool2d(y, 3, 2, 1) if self.pools else y
        for stage in range(1, self.stages + 1):
            y = getattr(self, f"layer{stage}")(y)
        return getattr(self, self.last)(y.mean((2, 3)))


class WideBlock(nn.Module):
    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(cin)
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        if cin != cout:
            self.convShortcut = nn.Conv2d(cin, cout, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(z))))
        return y + (self.convShortcut(z) if hasattr(self, "convShortcut") else x)


class Stage(nn.Module):
    def __init__(self, cin: int, cout: int, stride: int, count: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            WideBlock(cin, cout, stride), *(WideBlock(cout, cout, 1) for _ in range(count - 1))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


class WideResNet(nn.Module):
    def __init__(self, count: int, widths: tuple[int, ...], classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        self.block1 = Stage(widths[0], widths[1], 1, count)
        self.block2 = Stage(widths[1], widths[2], 2, count)
        self.block3 = Stage(widths[2], widths[3], 2, count)
        self.bn1 = nn.BatchNorm2d(widths[3])
        self.fc = nn.Linear(widths[3], classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(F.relu(self.bn1(y)).mean((2, 3)))


class Same(nn.Conv2d):
    """A convolution padded as TensorFlow does, the odd pixel on the far side."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pads = []
        for length, size, stride in zip(x.shape[:1:-1], self.kernel_size, self.stride, strict=True):
            total = max((-(-length // stride) - 1) * stride + size - length, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(x, pads))


class Inverted(nn.Module):
    def __init__(self, cin: int, cout: int, size: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = cin * expansion
        if expansion > 1:
            self._expand_conv = Same(cin, inner, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(inner, eps=1e-3)
        self._depthwise_conv = Same(inner, inner, size, stride, groups=inner, bias=False)
        self._bn1 = nn.BatchNorm2d(inner, eps=1e-3)
        self._project_conv = Same(inner, cout, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(cout, eps=1e-3)
        self.widens, self.adds = expansion > 1, stride == 1 and cin == cout

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.widens else x
        y = self._bn2(self._project_conv(F.relu6(self._bn1(self._depthwise_conv(y)))))
        return x + y if self.adds else y


class EfficientNetLite(nn.Module):
    def __init__(self, widths: tuple[int, ...], classes: int = 10) -> None:
        super().__init__()
        self._conv_stem = Same(3, widths[0], 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(widths[0], eps=1e-3)
        stages = [(3, 1, 1, 1), (3, 2, 6, 2), (5, 2, 6, 2), (3, 2, 6, 3), (5, 1, 6, 3)]
        stages += [(5, 2, 6, 4), (3, 1, 6, 1)]
        self._blocks, cin = nn.ModuleList(), widths[0]
        for (size, stride, expansion, count), cout in zip(stages, widths[1:-1], strict=True):
            for number in range(count):
                first = stride if number == 0 else 1
                self._blocks.append(Inverted(cin, cout, size, first, expansion))
                cin = cout
        self._conv_head = Same(cin, widths[-1], 1, bias=False)
        self._bn1 = nn.BatchNorm2d(widths[-1], eps=1e-3)
        self._fc = nn.Linear(widths[-1], classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            y = block(y)
        return self._fc(F.relu6(self._bn1(self._conv_head(y))).mean((2, 3)))


class Normalize(nn.Module):
    """(x - mean) / std, as Cohen et al. have it: in no state dict."""

    def __init__(self, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.means, self.sds = torch.tensor(mean), torch.tensor(std)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.means.view(-1, 1, 1)) / self.sds.view(-1, 1, 1)


def randomized(net: nn.Module, seed: int = 0) -> nn.Module:
    """The network in eval mode, with running statistics as after some training."""
    torch.manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)  # so that inputs are told apart at any depth
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
    return net.eval()
