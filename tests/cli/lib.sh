# lib.sh: for the command-line tests; sourced. Needs LETHE_BUILD, the build folder.
set -u
lethe=$LETHE_BUILD/bin/lethe
work=$(mktemp -d "${TMPDIR:-/tmp}/lethe-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0
checks=0
export XDG_CACHE_HOME=$work/cache XDG_DATA_HOME=$work/data
unset LETHE_STORE LETHE_PLUGIN_PATH LETHE_DATA LETHE_WORKER

fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
}
# check DESCRIPTION COMMAND...: the command must succeed.
check() {
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" || fail "$what"
}
# expect_exit CODE COMMAND...: stdout to $work/stdout, stderr to $work/stderr.
expect_exit() {
    local want=$1 got=0
    shift
    checks=$((checks + 1))
    "$@" >"$work/stdout" 2>"$work/stderr" || got=$?
    [ "$got" = "$want" ] || {
        fail "exit $got, expected $want: $*"
        tail -5 "$work/stderr" >&2
    }
}
# expect_error TEXT COMMAND...: exit code 2 and exactly this text on stderr (after "lethe: ").
expect_error() {
    local text=$1
    shift
    expect_exit 2 "$@"
    grep -qF -- "$text" "$work/stderr" || {
        fail "expected the error text: $text"
        echo "found: $(cat "$work/stderr")" >&2
    }
}
finish() {
    [ "$checks" -gt 0 ] || fail "nothing was checked"
    echo "$checks checks, $failures failures"
    exit $((failures > 0))
}
# column FILE NAME: the cells of that column, one a line.
column() {
    python3 - "$1" "$2" <<'PY'
import csv, sys
for row in csv.DictReader(open(sys.argv[1], newline="")):
    print(row[sys.argv[2]])
PY
}
# The bytes that must not depend on how a suite was run.
report_hash() {
    (cd "$1" && find . -type f ! -name costs.csv ! -name manifest.json ! -name '*.pdf' ! -path './logs/*' \
        ! -path './figures/time-*' ! -path './tables/cost*' | LC_ALL=C sort | xargs sha256sum)
}
tiny_suite() {
    cat <<'Y'
suite: tiny
data: {name: synthetic, train: 240, test: 120, noise: 0.3}
model: {arch: cnn, width: 8}
train: {epochs: 25, batch: 32, lr: 0.02, momentum: 0.9, weight_decay: 5e-4}
seeds: {model: [1, 2], forget: [1], unlearn: [1]}
forget:
  - {random: 0.1}
references: {retrain: 3, shadow: 4}
unlearn:
  - finetune: {epochs: 2, lr: 0.01}
  - random-labels: {epochs: 2, lr: 0.01}
  - amun: {epochs: 2, lr: 0.01}
  - {label: amun alone, amun: {epochs: 1, lr: 0.001, retain: false, forget: false}}
attacks: [rmia, loss-threshold]
Y
}
