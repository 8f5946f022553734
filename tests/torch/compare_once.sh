#!/usr/bin/env bash
# The speed comparison runs and its tables are whole; its numbers are not judged here.
# compare_once.sh PYTHON
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
python=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/lethe-compare.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$python" -c 'import torch' 2>/dev/null || {
    echo "skipped: $python has no PyTorch; install python3-torch (8 checks not run)"
    exit 77
}
checks=0
failures=0
has() { # WHAT FILE PATTERN
    checks=$((checks + 1))
    grep -qE -- "$3" "$2" || {
        failures=$((failures + 1))
        echo "FAIL: $1: no line like $3" >&2
    }
}
printf 'before\n<!-- compare: begin -->\nold\n<!-- compare: end -->\nafter\n' >"$work/doc.md"
"$python" "$top/benchmarks/speed/compare" --rounds 1 --seconds 0 --batch 32 --works mlp \
    --build "$LETHE_BUILD" --python "$python" --update "$work/doc.md" >"$work/out" 2>"$work/err" || {
    echo "FAIL: compare: $(cat "$work/err")" >&2
    exit 1
}
number='[0-9,.]+'
for kind in training inference "input gradient"; do
    has "$kind" "$work/out" "^\| mlp, $kind, 1 thread \| $number \| $number \| $number \| $number \| $number \|"
done
has memory "$work/out" "^\| mlp, batch 32 \| $number \| $number \| $number \| $number \| $number \|"
has products "$work/out" "^\| mlp, training over its matrix products alone, 1 thread \| $number \|"
has "the text before" "$work/doc.md" '^before$'
has "the text after" "$work/doc.md" '^after$'
has "the table" "$work/doc.md" '^\| mlp, training'
grep -q '^old$' "$work/doc.md" && failures=$((failures + 1)) && echo "FAIL: the old table is still there" >&2
echo "$checks checks, $failures failures"
exit $((failures > 0))
