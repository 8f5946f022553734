#!/usr/bin/env bash
# A suite through a real Slurm of one node gives the bytes of the local executor, also when one worker
# in ten is killed, a job is cancelled, and the controller is restarted.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../cli/lib.sh"
. "$here/cluster.sh"
cluster_start
export LETHE_STORE=$work/store
tiny_suite | sed 's/epochs: 25/epochs: 3/' >"$work/tiny.yaml"
cd "$work" || exit 1
expect_exit 0 "$lethe" run tiny.yaml --store "$work/local" --out a -q --no-figures
report_hash a >a.hash
same_as_local() { # DIR
    report_hash "$1" >"$1.hash"
    cmp a.hash "$1.hash"
}

# Undisturbed.
expect_exit 0 timeout 120 "$lethe" run tiny.yaml --executor slurm --out b --no-figures
check "same bytes as the local executor" same_as_local b
check "costs.csv names the executor" test "$(column b/costs.csv executor | sort -u)" = slurm
check "every task is told" grep -q '^\[115/115\]' "$work/stderr"
check "no job is left in the queue" wait_until 10 queue_is_empty
check "no files of jobs are left" test -z "$(ls "$work/store/jobs")"
check "no workspace is left" test -z "$(ls "$work/store/tmp")"
expect_exit 0 "$lethe" run tiny.yaml --executor slurm --out b --no-figures
check "a second run runs nothing" grep -q '^lethe: 0 tasks run, 115 from the store' "$work/stderr"

# One worker in ten is killed as it starts or in the middle, each task at most twice.
mkdir "$work/killed"
cat >"$work/worker" <<W
#!/usr/bin/env bash
id=\$(basename "\$(dirname "\${2:-/x/x}")")
if [ "\$1" = task ] && [ \$((RANDOM % 10)) = 0 ] &&
    { mkdir "$work/killed/\${id%%.*}" || mkdir "$work/killed/\${id%%.*}.again"; } 2>/dev/null; then
    (sleep "0.0\$((RANDOM % 5))"; kill -KILL \$\$) &
fi
exec "$LETHE_BUILD/bin/lethe-worker" "\$@"
W
chmod +x "$work/worker"
export LETHE_STORE=$work/store2
LETHE_WORKER=$work/worker "$lethe" run tiny.yaml --executor slurm --out c --no-figures \
    >run.out 2>run.err &
run=$!
some_are_done() { # N
    [ "$(find "$LETHE_STORE/objects" -name meta.json | wc -l)" -ge "$1" ]
}
check "it starts" wait_until 30 some_are_done 2
victim=$(squeue -h -r -t R -o %i | head -n 1)
[ -n "$victim" ] || victim=$(squeue -h -r -o %i | head -n 1)
check "a job is cancelled by hand" scancel "$victim"
check "it goes on" wait_until 30 some_are_done 12
controller_restart
code=0
wait "$run" || code=$?
check "all rows are ok (exit code $code)" test "$code" = 0
[ "$code" = 0 ] || tail -n 20 run.err "$cluster/slurmctld.log"
check "workers were killed" test -n "$(ls "$work/killed")"
check "same bytes all the same" same_as_local c
echo "killed $(ls "$work/killed" | wc -l) workers; $(tail -n 1 run.err)"
finish
