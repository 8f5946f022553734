#!/usr/bin/env bash
# audit-torch.sh: trains and unlearns in PyTorch (torch_unlearn.py), then has Lethe compute the logits,
# compare them with PyTorch's, attack and measure them, and unlearn the same model itself.
# Usage: docs/examples/audit-torch.sh [FOLDER [N_TRAIN [N_TEST]]]   $LETHE: the program (lethe)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-audit-torch}
lethe=${LETHE:-lethe}
python=${PYTHON:-/usr/bin/python3}

echo "== train, unlearn and retrain in PyTorch"
"$python" "$here/torch_unlearn.py" "$dir" "${@:2}"
cd "$dir"

echo "== one of Lethe's own methods on PyTorch's model"
"$lethe" unlearn amun -q --model original.safetensors --arch arch.yaml --images x_train.npy \
    --labels y_train.npy --forget idx.csv --set epochs=5 --set lr=0.01 --out amun.safetensors

echo "== logits"
for model in original unlearned oracle amun; do
    "$lethe" predict -q --model $model.safetensors --arch arch.yaml --images x.npy --out $model.npy
done
"$python" - <<'PY'
import numpy as np
for name in ("original", "unlearned", "oracle"):
    torch, lethe = np.load(name + "-torch.npy"), np.load(name + ".npy")
    worst = np.abs(torch - lethe).max() / np.abs(torch).max()
    print(f"{name}: PyTorch and Lethe differ by {worst:.1e} of the largest logit")
    assert worst < 1e-4
PY

for model in original unlearned amun oracle; do
    echo "== $model"
    "$lethe" metric accuracy -q --target $model.npy --labels y.npy --split split.npy
    "$lethe" attack loss-threshold -q --target $model.npy --labels y.npy --split split.npy
    "$lethe" metric divergence -q --target $model.npy --labels y.npy --split split.npy \
        --retrained oracle.npy
done
