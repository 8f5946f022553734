#!/bin/sh
# slurm_down.sh DIR : ends only the three processes slurm_up.sh started, by PID
D=$1; export SLURM_CONF="$D/slurm.conf"
scancel --me 2>/dev/null
for n in slurmd slurmctld munged; do
  p=$(cat "$D/$n.PID" 2>/dev/null) || continue
  [ "$(cat /proc/$p/comm 2>/dev/null)" = "$n" ] || continue     # guard against a reused PID
  kill -TERM "$p"; i=0
  while kill -0 "$p" 2>/dev/null && [ "$(awk '{print $3}' /proc/$p/stat 2>/dev/null)" != Z ]; do
    i=$((i+1)); [ $i -lt 100 ] || { kill -KILL "$p"; break; }; sleep 0.1; done
  rm -f "$D/$n.PID"
done
