#!/usr/bin/env bash
# lethe attack: golden cases through the command line, file formats, error texts, exit codes,
# equal bytes on 1 and 2 threads.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
lethe=$LETHE_BUILD/bin/lethe
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
}
refuse() { # CODE TEXT ARGS...: exits with CODE and says TEXT
    local code=$1 text=$2
    shift 2
    "$lethe" "$@" >"$work/stdout" 2>"$work/stderr"
    local rc=$?
    [ $rc = "$code" ] || fail "exit $rc, expected $code: lethe $*"
    grep -qF -- "$text" "$work/stderr" || fail "expected \"$text\", found: $(cat "$work/stderr")"
}

python3 "$top/tests/golden_attacks/cli_cases.py" "$lethe" "$top/tests/fixtures" "$work" || fail "golden cases"

f=$top/tests/fixtures
rmia=(attack rmia --target "$f/rmia_amun_v1/in_target_logits.npy" --labels "$f/rmia_amun_v1/in_labels.npy"
    --references "$f/rmia_amun_v1/in_reference_logits.npy" --inclusion "$f/rmia_amun_v1/in_inclusion.npy")
"$lethe" "${rmia[@]}" --threads 1 --out "$work/one.csv" || fail "rmia on one thread"
"$lethe" "${rmia[@]}" --threads 2 --out "$work/two.csv" || fail "rmia on two threads"
cmp "$work/one.csv" "$work/two.csv" || fail "threads change scores"
[ "$(head -1 "$work/one.csv")" = sample,score ] || fail "header of scores: $(head -1 "$work/one.csv")"
[ "$(wc -l <"$work/one.csv")" = 61 ] || fail "rows of scores"

# random starts are named by sample and seed, not by thread or batch
images=(--model "$work/net.safetensors" --arch "$work/net.yaml" --images "$f/amun_pgdl2_netA/in_images.npy"
    --labels "$f/amun_pgdl2_netA/in_labels.npy")
for run in "1 --threads 1" "2 --threads 2" "3 --set seed=2"; do
    set -- $run
    "$lethe" attack pgd-l2 "${images[@]}" --out "$work/a$1" --set eps=0.3 "${@:2}" >/dev/null || fail "pgd-l2 $run"
done
for part in adversarial.npy labels.npy perturbation.csv; do
    cmp "$work/a1/$part" "$work/a2/$part" || fail "threads change $part"
done
cmp -s "$work/a1/adversarial.npy" "$work/a3/adversarial.npy" && fail "the seed of the random start does nothing"
[ "$(head -1 "$work/a1/perturbation.csv")" = sample,label,clean_pred,adv_pred,found,radius,l2,linf,steps ] ||
    fail "header of perturbation.csv"
# restarts find at least as many; early stopping and targets work
found() { awk -F, 'NR > 1 { n += $5 } END { print n }' "$1/perturbation.csv"; }
"$lethe" attack pgd-linf "${images[@]}" --out "$work/b1" --set eps=0.02 >/dev/null || fail "one start"
"$lethe" attack pgd-linf "${images[@]}" --out "$work/b5" --set eps=0.02 --set restarts=5 >/dev/null || fail "restarts"
[ "$(found "$work/b5")" -ge "$(found "$work/b1")" ] || fail "restarts lose samples"
"$lethe" attack pgd-linf "${images[@]}" --out "$work/e" --set early_stop=true --set eps=0.2 >/dev/null || fail "early stop"
awk -F, 'NR > 1 && $5 == 1 && $9 == 0 { n++ } END { exit n < 1 }' "$work/e/perturbation.csv" ||
    fail "no sample stopped at its start"
"$lethe" attack pgd-l2 "${images[@]}" --targets "$f/attacks_netA/out_pred_pgd_l2.npy" --out "$work/t" \
    --set eps=3 --set steps=40 >/dev/null || fail "targeted"
[ "$(found "$work/t")" -ge 8 ] || fail "targeted attack reached $(found "$work/t") of 12"
"$lethe" attack pgd-linf "${images[@]}" --out "$work/z" --set eps=0 --set random_start=false --json |
    python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)["mean_linf"] != 0)' || fail "eps 0 moves images"

# edge cases
python3 - "$work" <<'PY'
import array, struct, sys
def save(name, shape, values, descr, code):
    h = "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }" % (descr, ", ".join(map(str, shape)) + ",")
    h += " " * ((-len(h) - 11) % 64) + "\n"
    open("%s/%s.npy" % (sys.argv[1], name), "wb").write(
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(h)) + h.encode() + array.array(code, values).tobytes())
save("same", (6, 3), [0.0] * 18, "<f4", "f")
save("nan", (6, 3), [0.0] * 10 + [float("nan")] + [0.0] * 7, "<f4", "f")
save("short", (5,), [0] * 5, "<i8", "q")
save("y", (6,), [0, 1, 2, 0, 1, 2], "<i8", "q")
save("y9", (6,), [0, 1, 9, 0, 1, 2], "<i8", "q")
save("split", (6,), [0, 0, 1, 1, 2, 2], "<i4", "i")
save("none", (6,), [0, 0, 0, 2, 2, 2], "|u1", "B")
save("nomember", (6,), [1, 1, 1, 1, 2, 2], "<i8", "q")
save("retain", (6,), [0, 0, 0, 2, 2, 2], "<i8", "q")
save("i3", (2, 6), [0, 1, 3, 0, 0, 0] * 2, "<i8", "q")
save("i", (2, 6), [0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0], "|b1", "B")
save("refs", (2, 6, 3), [0.5] * 36, "<f4", "f")
save("refs4", (2, 6, 4), [0.5] * 48, "<f4", "f")
PY
cd "$work"
base="--labels y.npy"
refuse 2 "nan.npy: element [3, 1] is NaN" attack loss-threshold --target nan.npy $base
refuse 2 "y9.npy: label 2 is 9, expected 0 to 2" attack loss-threshold --target same.npy --labels y9.npy
refuse 2 "short.npy: 5 numbers in 1 dimensions, expected (6)" attack loss-threshold --target same.npy --labels short.npy
refuse 2 "rmia needs shadow models: --references R.npy --inclusion I.npy" attack rmia --target same.npy $base
refuse 2 "--references and --inclusion go together" attack rmia --target same.npy $base --references refs.npy
refuse 2 "i3.npy: element 2 is 3, expected 0 not trained on it" attack rmia --target same.npy $base --references refs.npy --inclusion i3.npy
refuse 2 "refs4.npy: expected (models" attack rmia --target same.npy $base --references refs4.npy --inclusion i.npy
refuse 2 "svc-mia needs samples of known membership: --split" attack svc-mia --target same.npy $base
refuse 1 "undefined: there are 0 known members" attack svc-mia --target same.npy $base --split nomember.npy
refuse 1 "undefined: no sample is in split 1" attack song-mittal --target same.npy $base --split none.npy
refuse 2 "no attack named \"rmai\"; did you mean \"rmia\"?" attack rmai --target same.npy $base
refuse 2 "mia-nn is a plugin of kind audit; expected an attack; run it with \`lethe metric\`" attack mia-nn --target same.npy $base
refuse 2 "fgsm is an example attack; --target does not apply to it" attack fgsm --target same.npy $base
refuse 2 "lira is a membership attack and needs --target" attack lira $base
refuse 2 "nosuch.npy" attack loss-threshold --target nosuch.npy $base
refuse 2 "variant" attack rmia --target same.npy $base --references refs.npy --inclusion i.npy --set variant=amum
refuse 2 "which attack" attack
# equal outputs: ties, AUC one half, and rates that six samples cannot resolve
"$lethe" attack loss-threshold --target same.npy $base --split split.npy --json >ties.json || fail "ties"
python3 - <<'PY' || fail "ties: $(cat ties.json)"
import json
r = json.load(open("ties.json"))
assert r["attack"] == "loss-threshold" and r["roc"]["auc_forget_test"] == 0.5, r
assert r["roc"]["tpr_at_0_fpr"] == 0 and r["roc"]["tpr_at_1pct_fpr"] is None, r
assert "2 negatives cannot resolve" in r["notes"]["tpr_at_1pct_fpr"], r
assert r["n"] == {"samples": 6, "judged": 6, "retain": 2, "forget": 2, "test": 2, "test_forgotten": 0}, r
PY
# nobody to compare with: undefined, with a reason
"$lethe" attack loss-threshold --target same.npy $base --split retain.npy | grep -q 'auc_forget_test .*undefined (no forget samples are judged)' ||
    fail "empty forget set"
# without a split there is nothing to compare
"$lethe" attack loss-threshold --target same.npy $base --out s.csv --json | grep -q '"roc": {}' || fail "no split"
# online LiRA with a sample that no shadow model was trained on: neutral, not NaN
"$lethe" attack lira --target same.npy $base --references refs.npy --inclusion i.npy --out l.csv >/dev/null || fail "lira, two models"
grep -qi nan l.csv && fail "lira writes NaN"
echo "$failures failures"
exit $((failures > 0))
