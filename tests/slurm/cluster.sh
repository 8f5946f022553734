# cluster.sh: a Slurm of one node on loopback for tests; sourced after ../cli/lib.sh.
# Needs neither systemd nor munge: every daemon is a child of the test, all its files lie in one
# folder, it listens on 127.0.0.1 alone, and it is ended by process id, also when the test itself is
# killed. Authentication is off, which is fit for loopback only.
PATH=$PATH:/usr/sbin:/sbin
cluster=$(mktemp -d /tmp/lc.XXXXXX) # short: paths of sockets have a limit of 108 bytes
export SLURM_CONF=$cluster/slurm.conf
node=$(uname -n)
node=${node%%.*}
daemons=
trap 'cluster_stop; rm -rf "$cluster" "$work"' EXIT
trap 'exit 143' TERM INT HUP

# skip WHY: ctest counts this test as skipped, not as passed.
skip() {
    echo "SKIPPED: $*" >&2
    exit 77
}

cluster_config() { # PORT
    cat >"$SLURM_CONF" <<C
ClusterName=lethetest
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$1
SlurmdPort=$(($1 + 1))
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/none
AuthInfo=cred_expire=5
CredType=cred/none
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd.pid
SlurmctldLogFile=$cluster/slurmctld.log
SlurmdLogFile=$cluster/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=20000,batch_sched_delay=0
MpiDefault=none
SwitchType=switch/none
MailProg=/bin/true
ReturnToService=2
KillWait=2
CompleteWait=0
MessageTimeout=5
SlurmdTimeout=30
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
MaxArraySize=${MAX_ARRAY:-1001}
NodeName=$node NodeAddr=127.0.0.1 CPUs=${CPUS:-8} RealMemory=${MEMORY_MB:-8000} State=UNKNOWN
PartitionName=debug Nodes=$node Default=YES MaxTime=INFINITE State=UP
C
}

node_start() {
    slurmd -D -N "$node" >>"$cluster/slurmd.out" 2>&1 &
    daemons="$daemons $!"
}

controller_start() {
    slurmctld -D >>"$cluster/slurmctld.out" 2>&1 &
    controller_pid=$!
    daemons="$daemons $!"
}

# It saves its state as it ends, and finds it again.
controller_restart() {
    kill -TERM "$controller_pid"
    wait "$controller_pid" 2>/dev/null
    controller_start
}

# As after a power failure that took the controller's disk: node and controller die at once, and what
# comes back knows no job and counts ids from 1 again. (A controller that only loses its last seconds
# gives numbers of running jobs to new ones, and takes the node out of service when that objects;
# that needs an administrator, not a test.)
cluster_outage() {
    cluster_kill
    rm -rf "$cluster/state" "$cluster/spool"
    mkdir -p "$cluster/state" "$cluster/spool"
    controller_start
    node_start
}

# wait_until SECONDS COMMAND...: false when it never came true.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

node_is_idle() {
    [ "$(sinfo -h -o %T)" = idle ]
}

cluster_try() { # PORT
    cluster_config "$1"
    controller_start
    node_start
    wait_until 30 node_is_idle
}

cluster_start() {
    local tool
    for tool in slurmctld slurmd sbatch squeue scancel scontrol sinfo; do
        command -v "$tool" >/dev/null ||
            skip "$tool is not installed (scripts/packages-test names the packages)"
    done
    watchdog
    mkdir -p "$cluster/state" "$cluster/spool"
    for _ in 1 2 3; do # a port may be taken
        cluster_try $((20000 + (RANDOM * 32768 + RANDOM) % 30000)) && return
        cluster_kill
        rm -rf "$cluster/state" "$cluster/spool"
        mkdir -p "$cluster/state" "$cluster/spool"
    done
    tail -n 5 "$cluster"/slurm*.log "$cluster"/slurm*.out >&2
    skip "Slurm does not start on this machine"
}

# Ids of the daemons and of all that they started, whoever their parent is now. (Jobs have
# SLURM_JOB_ID in their environment, the tests' own commands do not.)
cluster_pids() {
    local entry
    for entry in /proc/[0-9]*; do
        grep -qzFx "SLURM_CONF=$SLURM_CONF" "$entry/environ" 2>/dev/null || continue
        case $(cat "$entry/comm" 2>/dev/null) in
        slurmctld | slurmd | slurmstepd | slurmscriptd) echo "${entry#/proc/}" ;;
        *) grep -qz ^SLURM_JOB_ID= "$entry/environ" 2>/dev/null && echo "${entry#/proc/}" ;;
        esac
    done
}

cluster_kill() {
    local pids
    [ -z "$daemons" ] || kill -KILL $daemons 2>/dev/null # at once; the search below takes its time
    while pids=$(cluster_pids) && [ -n "$pids" ]; do # a dying node may just have started something
        kill -KILL $pids 2>/dev/null
        sleep 0.05
    done
    [ -z "$daemons" ] || wait $daemons 2>/dev/null # else bash tells that they were killed
    daemons=
}

# Ends the cluster of a test that could not do it itself (SIGKILL after a time limit).
watchdog() {
    (
        trap '' TERM INT HUP
        while kill -0 $$; do sleep 1; done
        cluster_kill
        rm -rf "$cluster" "$work"
    ) </dev/null >/dev/null 2>&1 &
}

queue_is_empty() {
    [ -z "$(squeue -h)" ]
}

cluster_stop() {
    trap - TERM INT HUP
    [ -f "$SLURM_CONF" ] || return
    if timeout 5 scancel --me 2>/dev/null; then
        wait_until 4 queue_is_empty
    fi
    cluster_kill
}
