#!/usr/bin/env bash
# What a user steers: dry run, options of sbatch, status, cancel, Ctrl-C; and tasks that never
# succeed: nodes of another CPU class, workers that always die, limits.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../cli/lib.sh"
. "$here/cluster.sh"
MAX_ARRAY=5 cluster_start
export LETHE_STORE=$work/store
cd "$work" || exit 1
tiny_suite | sed 's/epochs: 25/epochs: 1/' >tiny.yaml
slurm_run() {
    timeout 60 "$lethe" run "$@" --executor slurm --no-figures
}

# Dry run.
expect_exit 0 slurm_run tiny.yaml --dry-run --jobs 3 --set limits.wall=2m --set limits.memory=1GiB \
    --slurm-args="--comment 'two words'"
cp "$work/stdout" dry
check "arrays are cut to MaxArraySize" grep -q -- '--array=0-4%3 ' dry
check "no array is longer" test -z "$(grep -E -- '--array=0-([5-9]|[0-9]{2})' dry)"
check "arrays wait for each other" grep -qF -- '--dependency=afterany:$JOB0' dry
check "limits are passed for plugins" grep -q -- '--time=5 ' dry
check "memory too" grep -q -- '--mem=1280M' dry
check "the user's options are passed" grep -q "'two words'" dry
check "it is a shell script" sh -n dry
check "every task is in it" test "$(sed -n 's/.*# \([0-9]*\) tasks*$/\1/p' dry | paste -sd+ | { read -r sum; echo $((sum)); })" = 115
check "it submits nothing" queue_is_empty
check "it leaves nothing" test ! -e "$LETHE_STORE/jobs"
expect_error "--slurm-args: --array=0-3 is not yours to set" slurm_run tiny.yaml --slurm-args=--array=0-3
expect_error "a quote is not closed" slurm_run tiny.yaml --slurm-args="--comment 'two"
expect_exit 2 "$lethe" run tiny.yaml --detach
expect_exit 3 slurm_run tiny.yaml --slurm-args=--partition=nowhere
check "sbatch's own words" grep -q "Slurm takes no jobs: .*partition" "$work/stderr"

# Status and cancel: only what is this suite's.
expect_exit 0 slurm_run tiny.yaml --detach --slurm-args=--hold
expect_exit 0 slurm_run tiny.yaml --detach --slurm-args=--hold --set train.lr=0.04 --out variant
held=$(squeue -h -r | wc -l)
check "two runs are queued" test "$held" = 230
expect_exit 0 "$lethe" status lethe-out/tiny --json
check "status: all are queued" \
    python3 -c 'import json,sys; o=json.load(open(sys.argv[1])); assert o["all"]["queued"] == o["tasks"] == 115 and o["state"] == "detached", o' "$work/stdout"
expect_exit 0 "$lethe" cancel lethe-out/tiny
check "it says how many" grep -q "115 queued or running tasks" "$work/stderr"
check "the variant stays" test "$(squeue -h -r -t PD | wc -l)" = 115
expect_exit 0 "$lethe" cancel variant
check "nothing is left" wait_until 10 queue_is_empty
expect_exit 0 "$lethe" cancel tiny.yaml

# Cancel and Ctrl-C of an attached run.
"$lethe" run tiny.yaml --executor slurm --slurm-args=--hold 2>run.err &
run=$!
queue_is_full() { [ "$(squeue -h -r | wc -l)" = 115 ]; }
check "all is sent" wait_until 20 queue_is_full
expect_exit 0 "$lethe" status tiny.yaml
check "status of an attached run" grep -q 'suite tiny: running (slurm, process' "$work/stdout"
kill -INT "$run"
code=0
wait "$run" || code=$?
check "exit code 130 after Ctrl-C (found $code)" test "$code" = 130
check "it says what goes on" grep -q '115 are with Slurm and go on without this program' run.err
check "the jobs stay" queue_is_full
"$lethe" run tiny.yaml --executor slurm 2>run.err &
run=$!
sleep 1
check "a second run sends nothing twice" queue_is_full
expect_exit 0 "$lethe" cancel tiny.yaml
code=0
wait "$run" || code=$?
check "the attached run ends (exit code $code)" test "$code" = 1
check "and says why" grep -q 'lethe cancel. ended' run.err

# Nodes of another class of CPU.
cat >other-class <<W
#!/bin/sh
if [ "\$1" = info ] && [ -n "\$SLURM_JOB_ID" ]; then
    exec 4>&1
    "$LETHE_BUILD/bin/lethe-worker" info | sed 's/"numerics":"[^"]*"/"numerics":"another machine"/' >&4
    exit 0
fi
exec "$LETHE_BUILD/bin/lethe-worker" "\$@"
W
chmod +x other-class
LETHE_WORKER=$work/other-class expect_exit 1 slurm_run tiny.yaml --store "$work/store3" --out c
check "the refusal is clear" grep -q 'computes with "another machine", but the plan is for' "$work/stderr"
check "it is in the rows" grep -q 'failed.*another machine' c/runs.csv

# A worker that always dies: a bounded number of attempts, then a verdict; the rest is ok.
cat >mortal <<W
#!/bin/sh
if [ "\$1" = task ] && grep -q '"title": "unlearn finetune' "\$2"; then
    echo x >>'$work/deaths'
    kill -KILL \$\$
fi
exec "$LETHE_BUILD/bin/lethe-worker" "\$@"
W
chmod +x mortal
LETHE_WORKER=$work/mortal expect_exit 1 slurm_run tiny.yaml --store "$work/store4" --out d
check "five attempts for each of two tasks" test "$(wc -l <deaths)" = 10
check "the verdict is in the rows" grep -q 'finetune,finetune,.*,crashed,9,' d/runs.csv
check "the others are ok" test "$(grep -c ',ok,' d/runs.csv)" = 11
finish
