#!/usr/bin/env bash
# Plugins that crash, hang, exit or lie cost their own row; the others keep their bytes.
. "$(dirname "$0")/lib.sh"
bad=$LETHE_BUILD/tests/plugins
suite() { # NAME [EXTRA LINES]
    cat <<Y
suite: bad
data: {name: synthetic, train: 120, test: 60}
model: {arch: mlp, width: 16}
train: {epochs: 2, batch: 32, lr: 0.05}
forget: [{random: 0.1}]
references: {retrain: 3}
limits: {wall: 3s, memory: 1GiB}
report: {gap: [forget_acc, retain_acc, test_acc]}
unlearn:
  - finetune: {epochs: 1, lr: 0.01}
$1
Y
}
suite "" >"$work/clean.yaml"
expect_exit 0 "$lethe" run "$work/clean.yaml" --store "$work/s1" --out "$work/o1" --no-figures
names="segfault abort hang exit nan major minor truncated constructor undefined grandchild write_original fail noisy"
entries=
for n in $names; do
    check "plugin $n was built" test -f "$bad/bad_$n.so"
    entries="$entries  - {label: $n, plugin: $bad/bad_$n.so}
"
done
suite "$entries" >"$work/bad.yaml"
expect_exit 1 "$lethe" run "$work/bad.yaml" --store "$work/s2" --out "$work/o2" --no-figures
python3 - "$work/o2/runs.csv" >"$work/verdicts" <<'PY'
import csv, sys
for r in csv.DictReader(open(sys.argv[1], newline="")):
    print(r["method"], r["status"], r["signal"], "reason" if r["reason"] else "-")
PY
verdict() { check "$1 gets: $2" grep -qx -- "$1 $2" "$work/verdicts"; }
verdict segfault "crashed 11 reason"
verdict abort "crashed 6 reason"
verdict hang "timeout  reason"
verdict exit "vanished  reason"
verdict nan "invalid-output  reason"
verdict major "failed  reason"
verdict minor "failed  reason"
verdict truncated "failed  reason"
verdict constructor "crashed 6 reason"
verdict undefined "failed  reason"
verdict write_original "crashed 11 reason"
verdict fail "failed  reason"
verdict grandchild "ok  -"
verdict finetune "ok  -"
verdict original "ok  -"
check "no grandchild is left" test -z "$(pgrep -f "task $work/s2" || true)"
# What plugins printed: beside the report, by the row's number in runs.csv.
log_of() { # METHOD
    python3 - "$work/o2/runs.csv" "$1" <<'PY'
import csv, sys
print(next("logs/%s.log" % r["run"] for r in csv.DictReader(open(sys.argv[1], newline="")) if r["method"] == sys.argv[2]))
PY
}
noisy=$work/o2/$(log_of noisy)
check "stdout and stderr are in the row's log" grep -q "noise on stderr" "$noisy"
check "the log begins with the task and its verdict" sh -c "head -1 '$noisy' | grep -qx '== unlearn noisy, original 1, random-0.1 seed 1: ok =='"
check "a crash has its verdict there" grep -q "crashed: killed by SIGSEGV" "$work/o2/$(log_of segfault)"
check "so has a file that cannot be loaded" grep -q "failed: .*ABI" "$work/o2/$(log_of major)"
check "a quiet row has no log" test ! -e "$work/o2/$(log_of finetune)"
expect_exit 0 "$lethe" why "$work/bad.yaml" --store "$work/s2" --task "unlearn noisy"
check "why points to the log" grep -q "printed, when it ran: $work/s2/logs/" "$work/stdout"
expect_exit 1 "$lethe" run "$work/bad.yaml" --store "$work/s2" --out "$work/o2" --no-figures --only noisy,fail
check "a report with fewer rows drops the logs of others" test "$(ls "$work/o2/logs" | wc -l)" = 2
expect_exit 1 "$lethe" run "$work/bad.yaml" --store "$work/s2" --out "$work/o2" --no-figures
for m in original retrain finetune; do
    for o in o1 o2; do
        python3 - "$work/$o/leaderboard.csv" "$m" >"$work/$o.$m" <<'PY'
import csv, sys
for r in csv.DictReader(open(sys.argv[1], newline="")):
    if r["method"] == sys.argv[2]:
        print(sorted(r.items()))
PY
    done
    check "$m is untouched by the bad ones" cmp "$work/o1.$m" "$work/o2.$m"
done
check "failed methods rank last with an empty rank" python3 - "$work/o2/leaderboard.csv" <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
tail = [r for r in rows if r["n_used"] == "0"]
assert tail and rows[-len(tail):] == tail and all(r["rank"] == "" for r in tail), rows
PY
finish
