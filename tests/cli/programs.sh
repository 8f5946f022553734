#!/usr/bin/env bash
# The programs themselves: what they link, what they print.
. "$(dirname "$0")/lib.sh"
check "lethe does not link OpenBLAS" sh -c "! ldd '$lethe' | grep -qi blas"
expect_exit 0 "$lethe" version
check "version names the ABI" grep -q "^plugin ABI 1\\." "$work/stdout"
expect_exit 0 "$lethe" plugins
for id in retrain finetune gradient-ascent random-labels amun pgd-l2-nearest rmia loss-threshold accuracy confidence; do
    check "plugin $id is listed" grep -q "^  $id " "$work/stdout"
done
expect_exit 0 "$lethe" plugins --json
check "JSON has what the interface promises" python3 - "$work/stdout" <<'PY'
import json, sys
plugins = json.load(open(sys.argv[1]))
keys = {"id", "kind", "version", "license", "summary", "citation", "url", "path", "scenarios",
        "needs", "uses", "params", "outputs"}
assert len(plugins) >= 10
for p in plugins:
    assert keys <= set(p), (p["id"], keys - set(p))
    for q in p["params"]:
        assert {"name", "type", "default", "min", "max", "choices", "unit", "doc", "tunable"} <= set(q), q
amun = next(p for p in plugins if p["id"] == "amun")
assert amun["kind"] == "unlearner" and "random" in amun["scenarios"]
assert {q["name"] for q in amun["params"]} >= {"retain", "forget", "epochs", "lr"}
PY
expect_exit 0 "$lethe" plugins amun
check "one plugin prints its parameters" grep -q "^  lr (real" "$work/stdout"
expect_exit 2 "$lethe" plugins amum
check "with a suggestion" grep -q 'did you mean "amun"' "$work/stderr"

# Without gnuplot everything but the pictures is there, exit code 3 says so.
tiny_suite >"$work/tiny.yaml"
mkdir "$work/bin"
expect_exit 3 env PATH="$work/bin" "$lethe" run "$work/tiny.yaml" --store "$work/s" --out "$work/o" -q --set seeds.model=[1] --set train.epochs=1
check "the cure is named" grep -q "gnuplot-nox" "$work/stderr"
check "tables are written" test -s "$work/o/leaderboard.csv"
finish
