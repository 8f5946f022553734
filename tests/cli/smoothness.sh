#!/usr/bin/env bash
# spectral_clip and lotos in suites, variants, singular values as a curve, lethe model info --spectral.
. "$(dirname "$0")/lib.sh"
cat >"$work/s.yaml" <<'Y'
suite: smooth
data: {name: synthetic, train: 160, test: 80, noise: 0.3}
model: {arch: cnn, width: 8, bn: false}
train: {epochs: 6, batch: 32, lr: 0.02, momentum: 0.9}
variants:
  - plain: {spectral_clip: {method: none, track: 2}}
  - clipped: {spectral_clip: {value: 0.5, every: 5}}
  - lotos: {spectral_clip: {value: 0.5, every: 5}, lotos: {mal: 0.3, factor: 0.1}}
seeds: {model: [1, 2], forget: [1], unlearn: [1]}
forget:
  - {random: 0.1}
references: {retrain: 2}
unlearn:
  - finetune: {epochs: 20, lr: 0.5}
transfer:
  - {fgsm: {eps: 0.1}, rows: 60}
metrics: [accuracy, {lipschitz: {steps: 60, samples: 1}}]
Y
expect_exit 0 "$lethe" run "$work/s.yaml" --store "$work/s" --out "$work/o" --no-figures -q
check "each variant is a scenario" test "$(column "$work/o/runs.csv" scenario | sort | uniq -c | awk '{print $2 ":" $1}' | tr '\n' ' ')" = \
    "random-0.1-clipped:6 random-0.1-lotos:6 random-0.1-plain:6 "
check "clipped layers are at the value, after training and after unlearning; plain ones above it" python3 - "$work/o" <<'PY'
import csv, sys
out = sys.argv[1]
last = {}
for r in csv.DictReader(open(out + "/curves/spectral-originals.csv")):
    assert r["method"] == "original" and int(r["epoch"]) <= 6
    last[r["scenario"], r["seed_model"], r["layer"], r["k"]] = float(r["value"])
assert len([k for k in last if "plain" in k[0]]) == 2 * 4 * 2 and len([k for k in last if "lotos" in k[0]]) == 2 * 4
for (scenario, seed, layer, k), v in last.items():
    if "plain" in scenario:
        assert k == "2" or v > 0.6, (scenario, layer, v)
    else:
        assert v <= 0.525, (scenario, layer, v)
        assert not layer.startswith("conv") or v >= 0.475, (scenario, layer, v)
for r in csv.DictReader(open(out + "/runs.csv")):
    if r["status"] != "ok":
        raise SystemExit(r)
    bound = float(r["lipschitz_bound"])
    assert float(r["lipschitz_local"]) <= bound * (1 + 1e-6) <= float(r["lipschitz_certified"]) * 1.001
    assert ("plain" in r["scenario"]) == (bound > 0.525 ** 4), (r["scenario"], r["method"], bound)
t = list(csv.DictReader(open(out + "/transfer.csv")))
assert {r["variant"] for r in t} == {"plain", "clipped", "lotos"} and len(t) == 12
assert len({r["source_id"] for r in t}) == 6
PY
expect_exit 0 "$lethe" verify "$work/o" --store "$work/s" --sample 0%
a=$(report_hash "$work/o")
expect_exit 0 "$lethe" run "$work/s.yaml" --store "$work/s2" --out "$work/o2" --no-figures -q -j 1
check "the same bytes with another number of jobs" test "$a" = "$(report_hash "$work/o2")"
expect_exit 0 "$lethe" plan "$work/s.yaml" --store "$work/s" --set variants.0.plain.spectral_clip=off
check "another recipe, other models" grep -Eq '^train +1[0-9] +' "$work/stdout"

model=$(dirname "$(grep -l '"recipe":.*clip' "$work"/s/objects/*/*/meta.json | head -n 1)")/model.safetensors
[ -f "$model" ] || model=$(find "$work/s" -name model.safetensors | head -n 1)
expect_exit 0 "$lethe" model info "$model" --spectral --top 3 --out "$work/norms.csv" --json
check "the report and its file agree" python3 - "$work/stdout" "$work/norms.csv" <<'PY'
import csv, json, math, sys
r = json.load(open(sys.argv[1]))
rows = list(csv.DictReader(open(sys.argv[2])))
layers = [l for l in r["layers"] if l["values"]]
assert [l["name"] for l in layers] == ["conv1", "conv2", "fc1", "fc2"]
product = math.prod(l["norm"] for l in r["layers"])
assert abs(product / r["bound"] - 1) < 1e-9 and r["certified"] >= r["bound"]
for l in layers:
    values = [float(x["value"]) for x in rows if x["name"] == l["name"]]
    assert len(values) == 3 and abs(values[0] - l["norm"]) < 1e-12 and values == sorted(values, reverse=True)
PY
expect_exit 0 "$lethe" model info "$model" --spectral
check "and as text" grep -q "product of norms" "$work/stdout"
expect_exit 2 "$lethe" model info "$work/none.safetensors" --spectral

bad() { # TEXT SED: the suite changed by SED must be refused with TEXT
    sed "$2" "$work/s.yaml" >"$work/bad.yaml"
    expect_error "$1" "$lethe" plan "$work/bad.yaml" --store "$work/s"
}
bad 'spectral_clip.method: "nune" is none of fastclip, gouk, miyato, none' 's/method: none/method: nune/'
bad 'lotos: needs spectral_clip with method fastclip' 's/lotos: {spectral_clip: {value: 0.5, every: 5}, /lotos: {/'
bad 'lotos: trains models together, but seeds.model has one seed only' 's/model: \[1, 2\]/model: [1]/'
bad 'unknown key "valeu" in spectral_clip; did you mean "value"?' 's/clipped: {spectral_clip: {value/clipped: {spectral_clip: {valeu/'
bad 'variants: expected {NAME: {what it changes of train}}' 's/^  - plain: .*/  - plain/'
bad 'variants: "plain" stands twice' 's/^  - clipped:/  - plain:/'
finish
