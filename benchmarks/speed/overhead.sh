#!/usr/bin/env bash
# What the harness costs: a suite of about 2,000 tasks that compute next to nothing.
#   benchmarks/speed/overhead.sh [BUILD]     default: build/release; prints one line of CSV and its header
# overhead_ms: (wall seconds x jobs - CPU seconds that the tasks themselves report) / tasks.
set -euo pipefail
build=$(cd "${1:-build/release}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/many.yaml" <<'Y'
suite: many
data: {name: synthetic, train: 60, test: 40}
model: {arch: mlp, width: 4}
train: {epochs: 1, batch: 32, lr: 0.05}
seeds: {model: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], forget: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], unlearn: [1]}
forget: [{random: 0.1}]
references: {retrain: 2}
metrics: [accuracy]
unlearn:
  - {grid: {lr: [0.1, 0.05, 0.02, 0.01, 0.005, 0.002]}, finetune: {epochs: 1}}
Y
lethe() { "$build/bin/lethe" "$@" --store "$work/store"; }
now() { date +%s.%N; }
lethe plan "$work/many.yaml" >/dev/null # plugins are described once, which is no part of a task
t0=$(now)
lethe plan "$work/many.yaml" --json >"$work/plan.json"
t1=$(now)
lethe run "$work/many.yaml" --out "$work/out" --no-figures -q >/dev/null
t2=$(now)
lethe run "$work/many.yaml" --out "$work/out" --no-figures -q >/dev/null
t3=$(now)
lethe plan "$work/many.yaml" --json >/dev/null
t4=$(now)
python3 - "$work" "$(nproc)" "$t0" "$t1" "$t2" "$t3" "$t4" <<'PY'
import glob, json, sys
work, jobs = sys.argv[1], int(sys.argv[2])
t0, t1, t2, t3, t4 = map(float, sys.argv[3:])
costs = [json.load(open(p))["cost"] for p in glob.glob(work + "/store/objects/*/*/meta.json")]
n = len(costs)
assert n == json.load(open(work + "/plan.json"))["tasks"]
wall, cpu = t2 - t1, sum(c["cpu_s"] for c in costs)
print("tasks,jobs,wall_s,task_cpu_s,overhead_ms,plan_fresh_s,plan_finished_s,rerun_s")
print("%d,%d,%.2f,%.2f,%.1f,%.2f,%.2f,%.2f" % (n, jobs, wall, cpu, 1000 * (wall * jobs - cpu) / n, t1 - t0, t4 - t3, t3 - t2))
PY
