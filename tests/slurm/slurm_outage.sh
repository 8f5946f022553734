#!/usr/bin/env bash
# The cluster dies in the middle of a run and comes back without any memory, so that it counts ids of
# jobs from 1 again; a run that was submitted and left alone is collected later. Same bytes.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../cli/lib.sh"
. "$here/cluster.sh"
MAX_ARRAY=5 CPUS=4 cluster_start
export LETHE_STORE=$work/store
tiny_suite | sed 's/epochs: 25/epochs: 3/' >"$work/tiny.yaml"
cd "$work" || exit 1
expect_exit 0 "$lethe" run tiny.yaml --store "$work/local" --out a -q --no-figures
report_hash a >a.hash
done_tasks() {
    find "$LETHE_STORE/objects" -name meta.json | wc -l
}
some_are_done() { # N
    [ "$(done_tasks)" -ge "$1" ]
}

expect_exit 0 "$lethe" run tiny.yaml --executor slurm --detach --out b
check "it says how to follow, end and collect" \
    grep -q 'lethe status tiny.yaml.*lethe cancel tiny.yaml.*without --detach' "$work/stderr"
check "it runs on by itself" wait_until 30 some_are_done 5
cluster_outage
before=$(done_tasks)
check "the cluster is back" wait_until 30 node_is_idle
check "it has forgotten everything" queue_is_empty
expect_exit 0 "$lethe" status b
check "what is not done is to come" test "$(awk '$1 == "all" { print $2 - $3 - $8 }' "$work/stdout")" = 0

"$lethe" run tiny.yaml --executor slurm --out b --no-figures >run.out 2>run.err &
run=$!
check "it goes on" wait_until 30 some_are_done $((before + 5))
cluster_outage # with the submitter attached
code=0
wait "$run" || code=$?
check "all rows are ok (exit code $code)" test "$code" = 0
[ "$code" = 0 ] || tail -n 20 run.err "$cluster/slurmctld.log"
check "what was done is not done again" grep -q "^lethe: $((115 - before)) tasks run, $before from the store" run.err
report_hash b >b.hash
check "same bytes as the local executor" cmp a.hash b.hash
tail -n 1 run.err
finish
