#!/usr/bin/python3
"""PyTorch at the work that lethe-speed times, with the same options and the same CSV.

--tuned: channels-last tensors, and an allocator that keeps its memory (glibc returns large blocks
to the kernel after every step otherwise, which costs hundreds of thousands of page faults)."""
import argparse
import os
import statistics
import sys
import time

TUNED = {
    "MALLOC_MMAP_THRESHOLD_": str(4 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(8 << 30),
    "MALLOC_TOP_PAD_": str(64 << 20),
}
KINDS = ("train", "infer", "inputgrad")
MIN_STEPS, WARM_STEPS, WARM_SHARE = 3, 2, 0.2


def parse():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--arch", default="cnn")
    p.add_argument("--width", type=int)
    p.add_argument("--classes", type=int, default=10)
    p.add_argument("--input", help="C,H,W")
    p.add_argument("--no-bn", action="store_true")
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--seconds", type=float, default=5)
    p.add_argument("--kinds", default=",".join(KINDS))
    p.add_argument("--tuned", action="store_true", help="channels last, allocator keeps memory")
    p.add_argument("--csv", action="store_true")
    o = p.parse_args()
    o.kinds = o.kinds.split(",")
    for kind in o.kinds:
        if kind not in KINDS:
            p.error(f"--kinds: {kind} is none of {', '.join(KINDS)}")
    o.input = tuple(int(v) for v in o.input.split(",")) if o.input else None
    return o


def peak_mb():
    """Peak resident memory of this process, MiB."""
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def prepare(o):
    """A network and a batch: pixels uniform in [0, 1), labels uniform."""
    import torch

    sys.dont_write_bytecode = True  # the source tree stays as it is
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import torch_nets

    if o.arch not in torch_nets.NAMES:
        raise ValueError(f"unknown architecture {o.arch}; known are {' '.join(torch_nets.NAMES)}")
    torch.set_num_threads(o.threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)
    shape = o.input or ((1, 28, 28) if o.arch in torch_nets.SMALL else (3, 32, 32))
    net = torch_nets.build(o.arch, shape, o.classes, o.width, not o.no_bn)
    x = torch.rand(o.batch, *shape)
    y = torch.randint(o.classes, (o.batch,))
    if o.tuned:
        net = net.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    return torch, net, x, y


def make_step(kind, o):
    torch, net, x, y = prepare(o)
    loss_of = torch.nn.functional.cross_entropy
    if kind == "train":
        net.train()
        optimizer = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, weight_decay=5e-4)

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss_of(net(x), y).backward()
            optimizer.step()

        return step
    net.eval()
    net.requires_grad_(False)
    if kind == "infer":

        def step():
            with torch.inference_mode():
                net(x)

        return step
    x.requires_grad_(True)

    def step():
        torch.autograd.grad(loss_of(net(x), y), x)

    return step


def measure(kind, o):
    """Images per second from the median step, seconds of that step, steps timed, peak MiB."""
    step = make_step(kind, o)
    start, n = time.monotonic(), 0
    while n < WARM_STEPS or time.monotonic() - start < WARM_SHARE * o.seconds:
        step()
        n += 1
    took, start = [], time.monotonic()
    before = start
    while len(took) < MIN_STEPS or before - start < o.seconds:
        step()
        after = time.monotonic()
        took.append(after - before)
        before = after
    median = statistics.median(took)
    return o.batch / median, median, len(took), peak_mb()


def measure_apart(kind, o):
    """measure() in a process of its own, which alone imports PyTorch."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(write, repr(measure(kind, o)).encode())
            os._exit(0)
        except BaseException as e:  # whatever it is, the parent must hear of it
            print(f"peer_torch.py: {kind}: {e or repr(e)}", file=sys.stderr, flush=True)
            os._exit(1)
    os.close(write)
    text = b""
    while chunk := os.read(read, 4096):
        text += chunk
    os.close(read)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        sys.exit(1)
    return tuple(float(v) for v in text.decode().strip("()").split(","))


def main():
    o = parse()
    if o.tuned and any(os.environ.get(k) != v for k, v in TUNED.items()):
        os.environ.update(TUNED)
        os.execv(sys.executable, [sys.executable, *sys.argv])
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.pop(name, None)  # set_num_threads decides
    rows = {kind: measure_apart(kind, o) for kind in o.kinds}
    if o.csv:
        print("arch,batch,threads,train_img_s,infer_img_s,inputgrad_img_s,peak_mb")
        cells = [f"{rows[k][0]:.1f}" if k in rows else "" for k in KINDS]
        peak = max(r[3] for r in rows.values())
        print(",".join([o.arch, str(o.batch), str(o.threads), *cells, f"{peak:.1f}"]))
        return
    kind_of_torch = "tuned PyTorch" if o.tuned else "PyTorch as it comes"
    print(f"{o.arch}, batch {o.batch}, threads {o.threads}; {kind_of_torch}")
    for kind, (speed, median, steps, peak) in rows.items():
        print(f"{kind:16s} {speed:10.1f} images/s  {1e3 * median:9.3f} ms a step "
              f"(median of {steps:.0f})  {peak:7.1f} MB")


main()
