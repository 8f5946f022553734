#!/bin/bash
# A suite through a real Slurm of one node on loopback gives the bytes of the local executor: arrays
# are cut, workers are killed, the controller is killed and started again.
here=$(cd "$(dirname "$0")" && pwd)
for tool in slurmctld slurmd sbatch squeue; do
    PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || {
        echo "SKIP: $tool is not installed (scripts/packages-test names the packages)"
        exit 77
    }
done
PATH=$PATH:/usr/sbin
. "$here/../cli/lib.sh"
cluster=$(mktemp -d /tmp/ls.XXXXXX)
stop_all() {
    sh "$here/slurm_down.sh" "$cluster"
    rm -rf "$cluster" "$work"
}
trap stop_all EXIT
export SLURM_CONF=$cluster/slurm.conf LETHE_STORE=$work/store SLURM_TEST_PORT=$((20000 + $$ % 20000))
AUTH=none CPUS=8 MAX_ARRAY=5 sh "$here/slurm_up.sh" "$cluster" || {
    fail "Slurm did not start"
    tail -5 "$cluster"/log/*.log >&2
    finish
}
tiny_suite | sed 's/epochs: 25/epochs: 3/' >"$work/tiny.yaml"
cd "$work" || exit 1
expect_exit 0 "$lethe" run tiny.yaml --store "$work/local" --out "$work/a" -q --no-figures

expect_exit 0 "$lethe" run tiny.yaml --executor slurm --dry-run
check "the dry run prints the script" grep -q 'worker "\$1/\$SLURM_ARRAY_TASK_ID.json"' "$work/stdout"
check "arrays are cut to MaxArraySize" grep -q -- '--array=0-4 ' "$work/stdout"
check "no array is longer" sh -c "! grep -qE -- '--array=0-([5-9]|[0-9]{2})' '$work/stdout'"
check "a dry run submits nothing" test -z "$(squeue -h)"

# One worker in ten is killed while it runs.
cat >"$work/worker" <<W
#!/bin/sh
if [ "\$1" = task ] && [ \$((\$\$ % 10)) = 3 ]; then
    echo killed >>'$work/killed'
    (sleep 0.02; kill -KILL \$\$) &
fi
exec '$LETHE_BUILD/bin/lethe-worker' "\$@"
W
chmod +x "$work/worker"
export LETHE_WORKER=$work/worker
expect_exit 0 "$lethe" run tiny.yaml --executor slurm --detach --out "$work/b"
check "work is queued" test -n "$(squeue -h)"
sleep 6
kill -KILL "$(cat "$cluster/slurmctld.PID")"
sleep 1
slurmctld -D >>"$cluster/log/slurmctld.out" 2>&1 &
echo $! >"$cluster/slurmctld.PID"
expect_exit 0 timeout 75 "$lethe" run tiny.yaml --executor slurm --out "$work/b" --no-figures
cp "$work/stderr" "$work/run.log"
check "workers were killed" test -s "$work/killed"
check "same bytes as the local executor" test "$(report_hash "$work/a")" = "$(report_hash "$work/b")"
tail -3 "$work/run.log"
finish
