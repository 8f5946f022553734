#!/usr/bin/env bash
# run --json: the event stream; SIGTERM; a budget of memory for all workers.
. "$(dirname "$0")/../cli/lib.sh"
tiny_suite | sed 's/attacks:.*/attacks: [loss-threshold]/; s/shadow: 4/shadow: 0/; s/^  - amun: .*//' >"$work/t.yaml"
echo "  - {label: broken, plugin: $LETHE_BUILD/tests/plugins/bad_fail.so}" >"$work/extra"
sed -i "/^unlearn:/r $work/extra" "$work/t.yaml"
expect_exit 1 "$lethe" run "$work/t.yaml" --store "$work/s" --out "$work/o" --no-figures -j 2 --json
cat >"$work/check.py" <<'PY'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
limit = int(sys.argv[2])
assert events[0]["event"] == "start" and events[0]["schema"] == 1 and events[0]["stage"] == 1
assert events[-1]["event"] == "end" and events[-1]["exit"] == 1, events[-1]
times = [e["t_s"] for e in events]
assert times == sorted(times)
running, most, ended = set(), 0, {}
for e in events:
    if e["event"] != "task":
        assert e["event"] in ("start", "progress", "end"), e
        continue
    assert e["kind"] and e["title"] and len(e["id"]) == 64
    if e["state"] == "running":
        assert e["threads"] >= 1 and e["id"] not in ended
        running.add(e["id"])
        most = max(most, len(running))
    else:
        running.discard(e["id"])
        ended[e["id"]] = e
assert not running and most == limit, most
end = events[-1]
assert len(ended) == events[0]["tasks"] == end["tasks"]["run"] + end["tasks"]["skipped"]
failed = [e for e in ended.values() if e["state"] == "failed"]
skipped = [e for e in ended.values() if e["state"] == "skipped"]
assert failed and all(e["verdict"] == "failed" and e["reason"] for e in failed), failed
assert len(skipped) == end["tasks"]["skipped"] > 0 and all("broken" in e["reason"] for e in skipped)
assert max(e["done"] for e in ended.values()) == events[0]["total"]
PY
check "the stream tells everything" python3 "$work/check.py" "$work/stdout" 2
report_hash "$work/o" >"$work/h"
expect_exit 1 "$lethe" run "$work/t.yaml" --store "$work/s1" --out "$work/o1" --no-figures -j 4 --json --memory 1MiB
check "no second worker without memory for it" python3 "$work/check.py" "$work/stdout" 1
report_hash "$work/o1" >"$work/h1"
check "same bytes" cmp "$work/h" "$work/h1"
expect_exit 2 "$lethe" run "$work/t.yaml" --memory lots
expect_exit 2 "$lethe" run "$work/none.yaml" --json --store "$work/s"
check "an error is an event too" python3 -c "import json, sys
e = json.load(open(sys.argv[1]))
assert e['event'] == 'error' and e['exit'] == 2 and 'none.yaml' in e['text'], e" "$work/stdout"

# SIGTERM: workers end, nothing is left over, the last event says so.
"$lethe" run "$work/t.yaml" --store "$work/s2" --out "$work/o2" --no-figures --json >"$work/events" 2>"$work/stderr" &
pid=$!
for _ in $(seq 200); do
    [ -n "$(find "$work/s2/objects" -name meta.json 2>/dev/null | head -n 1)" ] && break
    sleep 0.05
done
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
check "exit code 143 after SIGTERM (found $code)" test "$code" = 143
check "it says how to resume" grep -q "The same command goes on" "$work/stderr"
check "the last event says stopped" python3 -c "import json, sys
e = json.loads(open(sys.argv[1]).readlines()[-1])
assert e['event'] == 'stopped' and e['signal'] == 15 and e['exit'] == 143, e" "$work/events"
check "no worker is left" test -z "$(pgrep -f "task $work/s2" || true)"
check "no workspace is left" test -z "$(ls "$work/s2/tmp")"
expect_exit 1 "$lethe" run "$work/t.yaml" --store "$work/s2" --out "$work/o2" --no-figures -q
report_hash "$work/o2" >"$work/h2"
check "the same command finishes with the same bytes" cmp "$work/h" "$work/h2"

# On a terminal: one status line that is rewritten.
if command -v script >/dev/null; then
    script -qec "stty cols 100; '$lethe' run '$work/t.yaml' --store '$work/s3' --out '$work/o3' --no-figures" "$work/tty" >/dev/null 2>&1
    check "a status line with count, ETA and what runs" grep -aq $'\r\[[0-9]*/[0-9]*\].* ETA .* | ' "$work/tty"
fi
finish
