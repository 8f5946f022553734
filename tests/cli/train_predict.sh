#!/usr/bin/env bash
# lethe train and lethe predict: results, determinism, files in and out, errors, exit codes.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
mkdir tmp
export TMPDIR=$work/tmp

# npy and safetensors files with the standard library alone.
cat >files.py <<'PY'
import json, random, struct

def npy(path, descr, shape, values):
    code = {"<f4": "f", "<f8": "d", "|u1": "B", "<i8": "q", "<i4": "i"}[descr]
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %r, }" % (descr, tuple(shape))
    head += " " * (-(len(head) + 11) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        f.write(struct.pack("<%d%s" % (len(values), code), *values))

def read_safetensors(path):
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + n]), data[8 + n:]

def write_safetensors(path, header, body):
    text = json.dumps(header).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + body)
PY
cat >make.py <<'PY'
from files import *
random.seed(1)
n, classes, pixels = 90, 3, 8 * 8
prototypes = [[random.random() for _ in range(pixels)] for _ in range(classes)]
y = [i % classes for i in range(n)]
u8 = [min(255, max(0, int(255 * (p + random.gauss(0, 0.2))))) for c in y for p in prototypes[c]]
f = [struct.unpack("f", struct.pack("f", v / 255))[0] for v in u8]
shape = (n, 1, 8, 8)
npy("u8.npy", "|u1", shape, u8)
npy("x.npy", "<f4", shape, f)
npy("f64.npy", "<f8", shape, f)
npy("y.npy", "<i8", (n,), y)
npy("y8.npy", "|u1", (n,), y)
npy("float255.npy", "<f4", shape, u8)
npy("flat.npy", "<f4", (n, pixels), f)
npy("three.npy", "<f4", (n, 8, 8), f)
npy("int.npy", "<i8", shape, u8)
npy("short.npy", "<i8", (n - 1,), y[1:])
npy("high.npy", "<i8", (n,), [*y[:-1], 7])
npy("low.npy", "<i8", (n,), [y[0], -1, *y[2:]])
npy("y2d.npy", "<i8", (n, 1), y)
npy("half.npy", "<f4", (n,), [0.5] * n)
for name, v in ("nan", float("nan")), ("inf", float("inf")):
    npy(name + ".npy", "<f4", shape, [*f[:pixels * 17 + 8 * 3 + 5], v, *f[pixels * 17 + 8 * 3 + 6:]])
many = 12
npy("big.npy", "|u1", (n * many, 1, 8, 8), u8 * many)
npy("bigy.npy", "<i8", (n * many,), y * many)
open("cnn.yaml", "w").write("{arch: cnn, width: 6, classes: 3, input: [1, 8, 8]}\n")
open("cnn5.yaml", "w").write("{arch: cnn, width: 6, classes: 5}\n")
open("narrow.yaml", "w").write("{arch: cnn, width: 5}\n")
open("wide.yaml", "w").write("{arch: cnn, input: [1, 28, 28], classes: 3}\n")
open("layers.yaml", "w").write("arch: sequential\ninput: [1, 8, 8]\nlayers:\n"
    "  - conv: {out: 4, kernel: 3}\n  - relu\n  - flatten\n  - linear: {out: 4}\n")
open("wrong.yaml", "w").write("arch: cnn\nwidht: 4\n")
PY
python3 make.py || fail "cannot make the files"

train() { "$lethe" train --labels y.npy "$@"; }
recipe=(--set epochs=4 --set batch=16 --set lr=0.05 --set momentum=0.9)

# What is printed, and that something is learnt.
expect_exit 0 train --arch cnn.yaml --images x.npy "${recipe[@]}" --out a.safetensors
check "one line with the last epoch" grep -qxE 'epoch 4/4: loss [0-9.e-]+, accuracy [0-9.]+ %' stdout
check "just one line" test "$(wc -l <stdout)" = 1
cp stdout line
expect_exit 0 train --arch cnn.yaml --images x.npy "${recipe[@]}" --json --out b.safetensors
check "the JSON has what it promises" python3 - stdout line <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
assert set(r) == {"epochs", "loss", "accuracy", "seed", "params"}, r
assert r["epochs"] == 4 and r["seed"] == 1 and len(r["loss"]) == len(r["accuracy"]) == 4, r
assert r["params"] == 6 * 9 + 6 + 12 + 12 * 54 + 12 + 24 + 24 * 48 + 24 + 3 * 24 + 3, r
assert r["loss"][-1] < r["loss"][0] and r["accuracy"][-1] > 60, r
line = open(sys.argv[2]).read()
assert abs(float(line.split("loss ")[1].split(",")[0]) - r["loss"][-1]) < 1e-12, line
PY
check "the same again is the same bytes" cmp a.safetensors b.safetensors
check "no temporary folder is left" test -z "$(ls tmp)"

# Threads, element types and label types do not change a bit; a seed does.
for t in 1 2 3; do
    expect_exit 0 train --arch cnn.yaml --images x.npy "${recipe[@]}" --threads $t --out t.safetensors
    check "$t threads: same bytes" cmp a.safetensors t.safetensors
done
expect_exit 0 train --arch cnn.yaml --images u8.npy "${recipe[@]}" --out u8.safetensors
check "uint8 is divided by 255" cmp a.safetensors u8.safetensors
expect_exit 0 train --arch cnn.yaml --images f64.npy "${recipe[@]}" --out f64.safetensors
check "float64: same bytes" cmp a.safetensors f64.safetensors
expect_exit 0 "$lethe" train --arch cnn.yaml --images x.npy --labels y8.npy "${recipe[@]}" --out y8.safetensors
check "uint8 labels: same bytes" cmp a.safetensors y8.safetensors
expect_exit 0 train --arch cnn.yaml --images x.npy "${recipe[@]}" --set seed=2 --out s.safetensors
check "another seed is another model" test "$(cmp a.safetensors s.safetensors | wc -l)" = 1

# Augmentation works on files of either kind, and does not depend on threads.
for x in x u8; do
    for t in 1 2; do
        expect_exit 0 train --arch cnn.yaml --images $x.npy "${recipe[@]}" --set augment=crop-flip \
            --threads $t --out aug$t.safetensors
    done
    check "augmentation changes what is learnt ($x)" test "$(cmp a.safetensors aug1.safetensors | wc -l)" = 1
    check "but not with threads ($x)" cmp aug1.safetensors aug2.safetensors
done

# A name alone: shape from the images, classes from the labels.
expect_exit 0 train --arch mlp --images x.npy --out mlp.safetensors
check "classes are those of the labels" python3 - <<'PY'
from files import *
header, _ = read_safetensors("mlp.safetensors")
assert header["fc1.weight"]["shape"] == [256, 64] and header["fc3.weight"]["shape"] == [3, 128], header
PY

# Weights out and in again.
expect_exit 0 train --init a.safetensors --images x.npy --set epochs=0 --out same.safetensors
check "no epochs: the weights as they came" cmp a.safetensors same.safetensors
check "and a line that says so" grep -qx '0 epochs: the weights are untrained' stdout
expect_exit 0 train --init a.safetensors --images x.npy --set epochs=2 --set lr=0.01 --out more.safetensors
check "training goes on" test "$(cmp a.safetensors more.safetensors | wc -l)" = 1
expect_exit 0 train --init a.safetensors --arch cnn.yaml --images x.npy --set epochs=2 --set lr=0.01 --out more2.safetensors
check "with its architecture named: the same" cmp more.safetensors more2.safetensors

# Prediction.
expect_exit 0 "$lethe" predict --model a.safetensors --images x.npy --out l.npy
check "nothing on standard output" test ! -s stdout
expect_exit 0 "$lethe" predict --model a.safetensors --images u8.npy --out l2.npy --threads 1 --json
check "any threads: the same logits" cmp l.npy l2.npy
check "its JSON" grep -q '"images": 90' stdout
check "logits are right for most" python3 - <<'PY'
import struct
data = open("l.npy", "rb").read()
n = struct.unpack("<H", data[8:10])[0]
assert b"(90, 3)" in data[:10 + n] and b"<f4" in data[:10 + n], data[:10 + n]
v = struct.unpack("<270f", data[10 + n:])
right = sum(max(range(3), key=lambda c: v[3 * i + c]) == i % 3 for i in range(90))
assert right > 60, right
PY

expect_exit 0 "$lethe" predict --model a.safetensors --images x.npy --out l7.npy --set batch=7
check "any batch: the same logits but for rounding" python3 - <<'PY'
import struct
a, b = (struct.unpack("<270f", open(p, "rb").read()[-1080:]) for p in ("l.npy", "l7.npy"))
assert max(abs(p - q) for p, q in zip(a, b)) < 1e-5 * max(map(abs, a))
PY

# A file from PyTorch: no word of Lethe's, and tensors that count batches.
python3 - <<'PY'
from files import *
header, body = read_safetensors("a.safetensors")
del header["__metadata__"]
header["bn9.num_batches_tracked"] = {"dtype": "I64", "shape": [], "data_offsets": [len(body), len(body) + 8]}
write_safetensors("torch.safetensors", header, body + bytes(8))
header["extra"] = {"dtype": "F32", "shape": [2], "data_offsets": [len(body) + 8, len(body) + 16]}
write_safetensors("extra.safetensors", header, body + bytes(16))
PY
expect_error 'its metadata has no lethe.arch (a file from PyTorch?), so --arch NAME or --arch arch.yaml must say which architecture it is' \
    "$lethe" predict --model torch.safetensors --images x.npy --out t.npy
expect_exit 0 "$lethe" predict --model torch.safetensors --arch cnn.yaml --images x.npy --out t.npy
check "the same logits" cmp l.npy t.npy
echo '{arch: cnn, width: 6}' >unsaid.yaml
expect_exit 0 "$lethe" predict --model torch.safetensors --arch unsaid.yaml --images x.npy --out t.npy
check "classes come from the last layer's tensor" cmp l.npy t.npy
expect_exit 0 train --init torch.safetensors --arch cnn.yaml --images x.npy --set epochs=0 --out same.safetensors
check "and leave as Lethe's" cmp a.safetensors same.safetensors
expect_error 'extra.safetensors: tensor extra is not in the architecture' \
    "$lethe" predict --model extra.safetensors --arch cnn.yaml --images x.npy --out t.npy
expect_error 'a.safetensors: tensor conv1.weight has shape 6x1x3x3, the architecture has 5x1x3x3' \
    train --init a.safetensors --arch narrow.yaml --images x.npy --out t.safetensors

# Settings that mean the same as in a suite.
expect_exit 0 train --arch layers.yaml --images x.npy --set optimizer=adamw --set lr=1e-3 \
    --set schedule.step=1 --set schedule.gamma=1/2 --set clip_norm=1 --set shuffle=false --out o.safetensors

# Mistakes: exit 2, and a text that names file, place and cure.
bad() { # TEXT IMAGES LABELS [OPTION...]
    local text=$1 x=$2 y=$3
    shift 3
    expect_error "$text" "$lethe" train --images "$x" --labels "$y" --out bad.safetensors "$@"
}
bad 'nan.npy: image 17, channel 0, row 3, column 5 is NaN' nan.npy y.npy --arch cnn.yaml
bad 'inf.npy: image 17, channel 0, row 3, column 5 is infinite' inf.npy y.npy --arch cnn.yaml
bad 'flat.npy: shape (90, 64), expected (N, C, H, W)' flat.npy y.npy --arch cnn.yaml
bad 'three.npy: shape (90, 8, 8), expected (N, C, H, W); images of one channel are x[:, None]' three.npy y.npy --arch mlp
bad 'int.npy: numbers of type "<i8", expected float32 or float64 in [0, 1], or uint8' int.npy y.npy --arch mlp
bad 'short.npy: 89 labels, but x.npy holds 90 images' x.npy short.npy --arch cnn.yaml
bad 'high.npy: label 89 is 7, expected 0 to 2' x.npy high.npy --arch cnn.yaml
bad 'low.npy: label 1 is -1, expected 0 to' x.npy low.npy --arch mlp
bad 'y2d.npy: shape (90, 1), expected (N)' x.npy y2d.npy --arch cnn.yaml
bad 'half.npy: element 0 is 0.5' x.npy half.npy --arch cnn.yaml
bad '--images none.npy: No such file or directory' none.npy y.npy --arch cnn.yaml
bad '--labels tmp: that is a folder' x.npy tmp --arch cnn.yaml
bad 'make.py: not a .npy file' make.py y.npy --arch cnn.yaml
bad 'unknown architecture "cmn"; did you mean "cnn"? (and there is no file cmn)' x.npy y.npy --arch cmn
bad 'wrong.yaml:2:1: unknown key "widht" in cnn; did you mean "width"?' x.npy y.npy --arch wrong.yaml
bad 'x.npy: images of 1x8x8 (channels, height, width), the architecture of wide.yaml reads 1x28x28' x.npy y.npy --arch wide.yaml
bad 'unknown key "epoch" in train; did you mean "epochs"?' x.npy y.npy --arch cnn.yaml --set epoch=3
bad '--set lr: expected KEY=VALUE' x.npy y.npy --arch cnn.yaml --set lr
bad 'lr: expected a number, found "fast"' x.npy y.npy --arch cnn.yaml --set lr=fast
bad 'seed: expected 0 to 9007199254740992, found -1' x.npy y.npy --arch cnn.yaml --set seed=-1
bad '--init none.safetensors: No such file or directory' x.npy y.npy --init none.safetensors
bad 'which architecture?' x.npy y.npy
bad '--threads: expected a number from 1 to 256, found "0"' x.npy y.npy --arch mlp --threads 0
bad 'what is "more.npy"? Files are named by options' x.npy y.npy --arch mlp more.npy
expect_error 'which images?' "$lethe" train --arch mlp --labels y.npy --out bad.safetensors
expect_error 'which labels?' "$lethe" train --arch mlp --images x.npy --out bad.safetensors
expect_error 'where to?' train --arch mlp --images x.npy
expect_error '--out nowhere/m.safetensors: its folder does not exist' train --arch mlp --images x.npy --out nowhere/m.safetensors
expect_error '--out tmp: that is a folder' train --arch mlp --images x.npy --out tmp
expect_error 'which model?' "$lethe" predict --images x.npy --out l.npy
expect_error 'unknown key "epochs" in predict' "$lethe" predict --model a.safetensors --images x.npy --out l.npy --set epochs=1
expect_error 'batch: expected 1 to 1000000, found 0' "$lethe" predict --model a.safetensors --images x.npy --out l.npy --set batch=0
head -c 300 a.safetensors >cut.safetensors
expect_exit 2 "$lethe" predict --model cut.safetensors --images x.npy --out l.npy
check "nothing was written by mistake" test ! -e bad.safetensors
expect_exit 0 train --arch cnn.yaml --images float255.npy --set lr=1e-6 --out w.safetensors
check "0 to 255 in floating point is warned of" grep -q 'float255.npy: values from .* images are expected in \[0, 1\]' stderr

# Failures of training: exit 1, what was there stays.
cp a.safetensors keep.safetensors
expect_exit 1 train --arch cnn.yaml --images x.npy --set lr=900000 --set epochs=20 --out keep.safetensors
check "the cure is named" grep -qE 'lower (the learning rate|lr)' stderr
check "the old file is whole" cmp a.safetensors keep.safetensors
expect_exit 3 env LETHE_WORKER="$work/no-worker" "$lethe" train --arch mlp --images x.npy --labels y.npy --out m.safetensors

# A signal: 128 + n, nothing replaced, nothing left behind; progress in a pipe is plain lines.
"$lethe" train --arch cnn --images big.npy --labels bigy.npy --set epochs=100000 --out keep.safetensors >stdout 2>stderr &
pid=$!
for _ in $(seq 100); do
    grep -q 'train: epoch ' stderr && break
    sleep 0.1
done
check "plain progress lines" grep -qE '^train: epoch [0-9]+/100000.* ETA ' stderr
check "no control characters in a pipe" sh -c "! grep -q '$(printf '\r')' stderr"
kill -TERM $pid
wait $pid
check "exit 143 after SIGTERM" test $? = 143
check "the old file is still whole" cmp a.safetensors keep.safetensors
check "no temporary folder is left" test -z "$(ls tmp)"

for c in train predict; do
    expect_exit 0 "$lethe" $c --help
    check "help of $c names its settings" grep -q 'batch=128' stdout
done

# lethe-speed: columns, and mistakes.
speed=$LETHE_BUILD/bin/lethe-speed
expect_exit 0 "$speed" --csv --arch mlp --width 32 --batch 16 --threads 2 --seconds 0.05
check "its header" test "$(head -1 stdout)" = arch,batch,threads,train_img_s,infer_img_s,inputgrad_img_s,peak_mb
check "its row" grep -qxE 'mlp,16,2,[0-9]+\.[0-9],[0-9]+\.[0-9],[0-9]+\.[0-9],[0-9]+\.[0-9]' stdout
expect_exit 0 "$speed" --csv --arch mlp --width 32 --products --seconds 0.05
check "products" grep -qxE 'mlp,128,1,[0-9]+\.[0-9]' stdout
expect_exit 0 "$speed" --arch cnn --width 4 --no-bn --batch 8 --copies 2 --kinds train --seconds 0.05
check "two at once" grep -qE '^training +[0-9.]+ images/s' stdout
expect_exit 2 "$speed" --arch cnm
check "did you mean an architecture" grep -q 'did you mean "cnn"' stderr
expect_exit 2 "$speed" --kinds sleep
finish
