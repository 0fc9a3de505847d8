#!/bin/bash
# A campaign on several nodes of a Slurm cluster: sbatch slurm.sh campaign.toml
# A job that is preempted or over its time is queued again, and goes on where it was.
#SBATCH --job-name=actsearch
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=32
#SBATCH --mem-per-cpu=2G
#SBATCH --time=08:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60
# A GPU a node: add `--gpus-per-node=1` here, and `--gpus-per-worker 1` below.

set -euo pipefail
campaign=${1:?usage: sbatch slurm.sh CAMPAIGN.toml}

# The environment that `make install` made, on a file system that all nodes see.
source "${ACTSEARCH_HOME:-$SLURM_SUBMIT_DIR}/.venv/bin/activate"

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
port=$((20000 + SLURM_JOB_ID % 20000))
export RAY_ADDRESS="$head:$port"
# Whoever may speak to the cluster may run code on it: only this job knows the token.
export RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN

srun --nodes=1 --ntasks=1 --nodelist="$head" --overlap \
  ray start --head --node-ip-address="$head" --port="$port" \
  --num-cpus="$SLURM_CPUS_PER_TASK" --include-dashboard=false --block &
until ray status >/dev/null 2>&1; do sleep 2; done
if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
  # A node that dies takes its own work alone, which the others do again.
  srun --nodes=$((SLURM_JOB_NUM_NODES - 1)) --ntasks=$((SLURM_JOB_NUM_NODES - 1)) \
    --exclude="$head" --overlap --no-kill --kill-on-bad-exit=0 \
    ray start --address="$RAY_ADDRESS" --num-cpus="$SLURM_CPUS_PER_TASK" --block &
fi

# As a child, so that the shell hears the signal that Slurm sends a minute before the end.
actsearch launch "$campaign" --executor ray --runs-dir "${ACTSEARCH_RUNS:-runs}" &
launch=$!
trap 'kill -TERM "$launch"' TERM
status=0
wait "$launch" || status=$?
# A signal ends the first wait; the second one is for what the campaign does then.
if kill -0 "$launch" 2>/dev/null; then status=0; wait "$launch" || status=$?; fi
if [ "$status" -eq 130 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$status"
