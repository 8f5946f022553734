#!/usr/bin/env bash
# kill -9 of the parent, of workers, and of both, at random moments of one suite: the bytes of an undisturbed run,
# and nothing that had finished is run again. KILLS and SEED choose how often (20) and when.
. "$(dirname "$0")/../cli/lib.sh"
kills=${KILLS:-20}
seed=${SEED:-$(($(date +%s) % 32768))}
RANDOM=$seed
echo "seed $seed (SEED=N repeats the moments)"
tiny_suite | sed 's/epochs: 25/epochs: 6/; s/model: \[1, 2\]/model: [1, 2, 3]/; s/forget: \[1\]/forget: [1, 2, 3]/
    s/attacks:.*/attacks: [loss-threshold]/' >"$work/t.yaml"
expect_exit 0 "$lethe" run "$work/t.yaml" --store "$work/s1" --out "$work/o1" -q --no-figures
report_hash "$work/o1" >"$work/h1"
objects() { # finished tasks: which file, when
    find "$work/s2/objects" -name meta.json -printf '%P %i %T@\n' 2>/dev/null | LC_ALL=C sort
}
workers() { pgrep -f "task $work/s2" || true; }
: >"$work/finished"
hit=0
tries=0
while [ "$hit" -lt "$kills" ] && [ "$tries" -lt $((10 * kills)) ]; do
    tries=$((tries + 1))
    "$lethe" run "$work/t.yaml" --store "$work/s2" --out "$work/o2" -q --no-figures -j 2 >/dev/null 2>&1 &
    pid=$!
    sleep "0.$((10 + RANDOM % 35))"
    if ! kill -0 "$pid" 2>/dev/null; then # all done before a kill could come: from the start
        wait "$pid"
        rm -rf "$work/s2" "$work/o2"
        : >"$work/finished"
        continue
    fi
    kill -0 "$pid" 2>/dev/null && [ -n "$(workers)" ] && hit=$((hit + 1))
    case $((RANDOM % 3)) in
    0) kill -9 "$pid" 2>/dev/null ;;
    1) # one worker; its task fails, the rest goes on until the run is stopped
        kill -9 "$(workers | head -n 1)" 2>/dev/null
        sleep 0.1
        kill -TERM "$pid" 2>/dev/null
        ;;
    2) kill -9 "$pid" $(workers) 2>/dev/null ;;
    esac
    wait "$pid" 2>/dev/null
    for _ in $(seq 200); do
        [ -z "$(workers)" ] && break
        sleep 0.02
    done
    check "workers died with their parent" test -z "$(workers)"
    objects >"$work/now"
    LC_ALL=C comm -23 "$work/finished" "$work/now" >"$work/lost"
    check "what had finished is untouched after kill $tries" test ! -s "$work/lost"
    mv "$work/now" "$work/finished"
done
check "$hit of $tries kills came while workers ran" test "$hit" -ge "$kills"
done_before=$(wc -l <"$work/finished")
expect_exit 0 "$lethe" run "$work/t.yaml" --store "$work/s2" --out "$work/o2" --no-figures -j 2
kept=$(sed -n 's/^lethe: [0-9]* tasks run, \([0-9]*\) from the store.*/\1/p' "$work/stderr")
check "all $done_before finished tasks came from the store (${kept:-none})" test "${kept:-0}" = "$done_before"
objects >"$work/now"
check "no finished task was run again" test -z "$(LC_ALL=C comm -23 "$work/finished" "$work/now")"
report_hash "$work/o2" >"$work/h2"
check "same bytes as undisturbed" cmp "$work/h1" "$work/h2"
check "no workspace is left" test -z "$(ls "$work/s2/tmp")"
echo "$hit kills while $done_before tasks finished"
finish
