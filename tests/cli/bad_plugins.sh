#!/usr/bin/env bash
# Plugins that crash, hang, exit or lie cost their own row; the others keep their bytes.
. "$(dirname "$0")/lib.sh"
bad=$LETHE_BUILD/tests/plugins
# AddressSanitizer answers crashes itself unless told not to, and its shadow takes terabytes, so that
# the limit on memory is lifted there.
sanitized=$(nm -D "$LETHE_BUILD/bin/lethe-worker" | grep -c __asan_init || true)
[ "$sanitized" = 0 ] || export ASAN_OPTIONS=handle_segv=0:handle_abort=0
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
names="segfault abort hang exit nan major minor truncated constructor undefined grandchild write_original hog peek fail noisy"
entries=
for n in $names; do
    check "plugin $n was built" test -f "$bad/bad_$n.so"
    entries="$entries  - {label: $n, plugin: $bad/bad_$n.so}
"
done
# The same in another language: a manifest and a shell script each.
external() { # NAME, the script on standard input
    printf 'lethe_plugin: 1\nkind: unlearner\nid: test.ext-%s\nversion: 1.0.0\nlicense: MIT\nsummary: goes wrong\nneeds: [forget]\ncommand: [sh, %s.sh]\n' \
        "${1//_/-}" "$1" >"$work/$1.yaml"
    cat >"$work/$1.sh"
    entries="$entries  - {label: $1, plugin: ./$1.yaml}
"
}
external x_copy <<<'cp in/model.safetensors out/'
external x_silent <<<'exit 0'
external x_fail <<<'echo "no such method" >&2; exit 3'
external x_refuse <<<'echo "only for squares"; exit 77'
external x_crash <<<'kill -SEGV $$'
long=$((100000 + $$)) # seconds that no other process sleeps
external x_hang <<<"sleep $long"
external x_stray <<<"sleep $long & cp in/model.safetensors out/"
external x_text <<<'echo hello > out/model.safetensors'
external x_shape <<'S'
/usr/bin/python3 -c 'import struct
h = b"{\"0.weight\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}"
open("out/model.safetensors", "wb").write(struct.pack("<Q", len(h)) + h + bytes(4))'
S
external x_nan <<'S'
/usr/bin/python3 -c 'b = bytearray(open("in/model.safetensors", "rb").read())
b[-4:] = b"\xff\xff\xff\x7f"
open("out/model.safetensors", "wb").write(b)'
S
external x_peek <<<'test -e in/retain_images.npy || grep -q retain job.json || { echo "retain was not given" >&2; exit 4; }'
external x_gone <<<'exit 0'
sed -i 's/^command:.*/command: [.\/gone.sh]/' "$work/x_gone.yaml"
external x_program <<<'exit 0'
sed -i 's/^command:.*/command: [lethe-no-such-program]/' "$work/x_program.yaml"
external x_hog <<'S'
/usr/bin/python3 -c 'x = bytearray(3 << 30)'
S
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
verdict peek "denied  reason"
[ "$sanitized" != 0 ] || verdict hog "oom  reason"
verdict grandchild "ok  -"
verdict x_copy "ok  -"
verdict x_silent "invalid-output  reason"
verdict x_fail "failed  reason"
verdict x_refuse "unsupported  reason"
verdict x_crash "crashed 11 reason"
verdict x_hang "timeout  reason"
verdict x_stray "ok  -"
verdict x_text "invalid-output  reason"
verdict x_shape "invalid-output  reason"
verdict x_nan "invalid-output  reason"
verdict x_peek "failed  reason"
verdict x_gone "failed  reason"
verdict x_program "failed  reason"
[ "$sanitized" != 0 ] || verdict x_hog "failed  reason"
column "$work/o2/runs.csv" reason >"$work/reasons"
for text in "loader: the view is NULL, which means that it was not granted" "its command ended without writing out/model.safetensors" "its command ended with exit status 3: no such method" \
    "does not serve this: only for squares" "exit status 4: retain was not given" "there is no file gone.sh beside the manifest" \
    "cannot run lethe-no-such-program: No such file or directory"; do
    check "a reason: $text" grep -qF "$text" "$work/reasons"
done
[ "$sanitized" != 0 ] || check "a reason: MemoryError" grep -qF "exit status 1: MemoryError" "$work/reasons"
check "reasons name no folders" test -z "$(grep -F -e "$work" -e /tmp "$work/reasons")"
check "no stray process is left" test -z "$(pgrep -f "sleep $long\$" || true)"
check "no scratch folder is left" test -z "$(ls "$work/s2/tmp")"
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
