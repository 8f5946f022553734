#!/usr/bin/env bash
# kill -9 at several moments: the same command finishes with the bytes of an undisturbed run.
. "$(dirname "$0")/lib.sh"
tiny_suite >"$work/tiny.yaml"
expect_exit 0 "$lethe" run "$work/tiny.yaml" --store "$work/s1" --out "$work/o1" -q
report_hash "$work/o1" >"$work/h1"

finished_before=0
for delay in 0.3 0.6 0.9 1.2 1.6; do
    "$lethe" run "$work/tiny.yaml" --store "$work/s2" --out "$work/o2" -q >/dev/null 2>&1 &
    pid=$!
    sleep "$delay"
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    for _ in $(seq 100); do # the kernel ends them; a loaded machine takes its time
        pgrep -f "task $work/s2" >/dev/null || break
        sleep 0.05
    done
    check "workers died with their parent" test -z "$(pgrep -f "task $work/s2" || true)"
    finished=$(find "$work/s2/objects" -name meta.json 2>/dev/null | wc -l)
    check "what was finished stays" test "$finished" -ge "$finished_before"
    finished_before=$finished
done
mkdir -p "$work/o2/figures" # as a writer leaves them that is killed
gone=$(bash -c 'echo $$')
touch "$work/o2/figures/drawing-$gone-x.svg" "$work/o2/runs.csv.$gone-1.tmp" "$work/o2/figures/drawing-mine.svg"
expect_exit 0 "$lethe" run "$work/tiny.yaml" --store "$work/s2" --out "$work/o2"
check "what is nobody's leftover stays" rm "$work/o2/figures/drawing-mine.svg"
kept=$(sed -n 's/^lethe: [0-9]* tasks run, \([0-9]*\) from the store.*/\1/p' "$work/stderr")
check "finished tasks were not run again" test "${kept:-0}" -ge "$finished_before"
report_hash "$work/o2" >"$work/h2"
check "same bytes as undisturbed" cmp "$work/h1" "$work/h2"
check "no workspace is left" test -z "$(ls "$work/s2/tmp")"

# Ctrl-C: stops cleanly, says how to go on.
"$lethe" run "$work/tiny.yaml" --store "$work/s3" --out "$work/o3" >/dev/null 2>"$work/stderr" &
pid=$!
for _ in $(seq 200); do # until it is at work
    [ -n "$(find "$work/s3/objects" -name meta.json 2>/dev/null | head -n 1)" ] && break
    sleep 0.05
done
kill -INT "$pid"
code=0
wait "$pid" || code=$?
check "exit code 130 after SIGINT (found $code)" test "$code" = 130
check "it says how to resume" grep -q "The same command goes on" "$work/stderr"
finish
