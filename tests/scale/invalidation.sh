#!/usr/bin/env bash
# One change at a time: what is planned again. Two suites share what they share; a shadow bank grows.
. "$(dirname "$0")/../cli/lib.sh"
source=$(cd "$(dirname "$0")/../.." && pwd)
mkdir "$work/walk"
check "exactly what depends on a change is planned again" python3 "$source/tests/scale/invalidation.py" "$LETHE_BUILD" "$source" "$work/walk"

tiny_suite | sed 's/epochs: 25/epochs: 4/; s/shadow: 4/shadow: 8/' >"$work/a.yaml"
sed 's/suite: tiny/suite: second/; /random-labels/d; s/lr: 0.001/lr: 0.002/; s/shadow: 8/shadow: 16/' "$work/a.yaml" >"$work/b.yaml"
expect_exit 0 "$lethe" run "$work/a.yaml" --store "$work/s" --out "$work/a" -q --no-figures
expect_exit 0 "$lethe" plan "$work/b.yaml" --store "$work/s" --list
check "8 shadow models more are 8 trainings" test "$(grep -c 'to run *train shadow model' "$work/stdout")" = 8
check "... and 8 come from the first suite" test "$(grep -c 'done *train shadow model' "$work/stdout")" = 8
check "originals and oracles are shared" test "$(grep -cE 'done *(train original|retrain oracle)' "$work/stdout")" = 5
check "so are equal methods" test "$(grep -cE 'done *unlearn (finetune|amun),' "$work/stdout")" = 4
check "only the changed one is new" test "$(grep -E 'to run *unlearn' "$work/stdout" | grep -vc 'amun alone')" = 0
finish
