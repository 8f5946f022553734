#!/bin/sh
# slurm_up.sh DIR : one-node Slurm 22.05 on 127.0.0.1, all state under DIR (absolute; keep it short, AF_UNIX path < 108 bytes)
# env: AUTH=none (default, no munged) | munge ; SLURM_TEST_PORT (default 16817, uses +0,+1,+100..199) ; GPUS=N fake GPUs; CPUS=N slots (may exceed the real cores)
set -eu
D=$1; H=$(hostname -s); PORT=${SLURM_TEST_PORT:-16817}; AUTH=${AUTH:-none}; ME=$(id -un); GPUS=${GPUS:-0}
mkdir -p "$D/ctld" "$D/d" "$D/log" "$D/munge"; chmod 0755 "$D" "$D/munge"; chmod 0700 "$D/log"
CPUS=${CPUS:-$(nproc)}; MEM=$(awk '/MemTotal/{print int($2/1024)-512}' /proc/meminfo)
AI="cred_expire=5"; [ "$AUTH" = none ] || AI="socket=$D/munge/munge.sock,cred_expire=5"
G=; GT=; if [ "$GPUS" -gt 0 ]; then G="Gres=gpu:$GPUS"; GT="GresTypes=gpu"; : > "$D/gres.conf"   # File must be a char device
  for f in $(printf '%s\n' /dev/null /dev/zero /dev/full /dev/random | head -n "$GPUS"); do echo "Name=gpu Flags=nvidia_gpu_env File=$f" >> "$D/gres.conf"; done; fi
cat > "$D/slurm.conf" <<CONF
ClusterName=lctest
SlurmctldHost=$H(127.0.0.1)
SlurmctldPort=$PORT
SlurmdPort=$((PORT+1))
SrunPortRange=$((PORT+100))-$((PORT+199))
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/$AUTH
AuthInfo=$AI
CredType=cred/$AUTH
SlurmUser=$ME
SlurmdUser=$ME
StateSaveLocation=$D/ctld
SlurmdSpoolDir=$D/d
SlurmctldPidFile=$D/slurmctld.pid
SlurmdPidFile=$D/slurmd.pid
SlurmctldLogFile=$D/log/slurmctld.log
SlurmdLogFile=$D/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$D/log/jobcomp.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=20000,batch_sched_delay=0
PriorityType=priority/basic
MpiDefault=none
SwitchType=switch/none
MailProg=/bin/true
ReturnToService=2
JobRequeue=1
KillWait=2
CompleteWait=0
MinJobAge=600
MaxArraySize=${MAX_ARRAY:-1001}
SlurmdTimeout=10
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
Licenses=token:1
$GT
NodeName=$H NodeAddr=127.0.0.1 CPUs=$CPUS RealMemory=$MEM $G State=UNKNOWN
PartitionName=debug Nodes=$H Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$D/slurm.conf"
if [ "$AUTH" = munge ]; then
  [ -f "$D/munge.key" ] || (umask 077; dd if=/dev/urandom of="$D/munge.key" bs=128 count=1 2>/dev/null)
  munged -F --key-file="$D/munge.key" --socket="$D/munge/munge.sock" --pid-file="$D/munge/munged.pid" \
    --log-file="$D/log/munged.log" --seed-file="$D/munge/munged.seed" --num-threads=2 >"$D/log/munged.out" 2>&1 & echo $! > "$D/munged.PID"
  i=0; until munge -n -S "$D/munge/munge.sock" >/dev/null 2>&1; do i=$((i+1)); [ $i -lt 100 ] || { echo "munged did not start" >&2; exit 1; }; sleep 0.05; done
fi
slurmctld -D >"$D/log/slurmctld.out" 2>&1 & echo $! > "$D/slurmctld.PID"
slurmd    -D >"$D/log/slurmd.out"    2>&1 & echo $! > "$D/slurmd.PID"
i=0; until [ "$(sinfo -h -o %T 2>/dev/null)" = idle ]; do i=$((i+1)); [ $i -lt 300 ] || { echo "node not idle" >&2; exit 1; }; sleep 0.1; done
