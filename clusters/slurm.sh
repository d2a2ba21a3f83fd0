#!/bin/bash
# A study on machines that Slurm gives out: one job starts Ray on all of them and then the study.
#
#     sbatch clusters/slurm.sh --data fer2013.csv          all after the name goes to study.run
#     sbatch --nodes=8 --time=12:00:00 clusters/slurm.sh --resume runs/NAME
#
# Submit it from the checkout, in a folder that all nodes share: with .venv, as the README makes it,
# and runs/ for the results. Each line below can be overruled on sbatch's command line.

#SBATCH --job-name=fer-study
# Machines. The first is the head; it trains too.
#SBATCH --nodes=2
# One Ray a machine, which then hands out that machine's cores and GPUs to trials.
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
# Left out, a machine's GPUs are not given to the job.
#SBATCH --gpus-per-node=1
#SBATCH --time=04:00:00
# Two minutes before the time is up the study ends in order and can be resumed.
#SBATCH --signal=B:TERM@120
#SBATCH --output=%x-%j.log

set -euo pipefail
cd "${SLURM_SUBMIT_DIR:?sbatch sets this: submit the script with sbatch}"
PATH="$PWD/.venv/bin:$PATH"

# Two jobs on one machine must not meet: the job's number decides the port and Ray's folder, whose
# name is short because Ray makes sockets in it (Linux allows 107 characters).
port=$((20000 + SLURM_JOB_ID % 10000))
export RAY_TMPDIR="/tmp/ray-$SLURM_JOB_ID" RAY_USAGE_STATS_ENABLED=0

# srun doesn't take it from sbatch since Slurm 22.05: without it Ray and all trials may get one core.
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK

# Other users' programs on the same machines get neither a word nor a task out of this Ray.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))')

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname -I | cut -d ' ' -f 1)
export RAY_ADDRESS="$address:$port"

# Ray on every machine, the head first, until this job ends: no `ray stop`, which would end another
# job's Ray too. --block, so that Slurm counts Ray's processes to the job and ends them with it.
# Ray leaves its own folder and its sockets open to everybody: they are in one that isn't.
node="mkdir -p -m 700 $RAY_TMPDIR && test -O $RAY_TMPDIR && cd $RAY_TMPDIR && RAY_worker_niceness=0 exec ray start --block --disable-usage-stats"
node="$node --num-cpus=$SLURM_CPUS_PER_TASK"
srun --nodes=1 --ntasks=1 --nodelist="$head" --overlap env -u RAY_ADDRESS bash -c \
    "$node --head --node-ip-address=$address --port=$port --include-dashboard=false" \
    > "ray-$SLURM_JOB_ID.log" 2>&1 &
others=$((SLURM_JOB_NUM_NODES - 1))
if ((others > 0)); then
    srun --nodes=$others --ntasks=$others --exclude="$head" --overlap env -u RAY_ADDRESS bash -c \
        "until (echo > /dev/tcp/$address/$port) 2>/dev/null; do sleep 1; done; sleep 5;
         $node --address=$address:$port" >> "ray-$SLURM_JOB_ID.log" 2>&1 &
fi

# The study says what it found; it must not start with fewer machines than the job has.
python - "$SLURM_JOB_NUM_NODES" "$SLURM_JOB_ID" <<'PYTHON'
import sys, time
import ray

until = time.monotonic() + 300
nodes = -1
while nodes < int(sys.argv[1]):
    if time.monotonic() > until:
        sys.exit(f"{max(nodes, 0)} of {sys.argv[1]} nodes after 300 s: see ray-{sys.argv[2]}.log")
    try:
        if not ray.is_initialized():
            ray.init("auto", log_to_driver=False, logging_level="ERROR")
        nodes = sum(node["Alive"] for node in ray.nodes())
    except (ConnectionError, RuntimeError):
        pass
    time.sleep(1)
PYTHON

# Slurm's TERM goes to this script alone (B:), so that Ray lives until the study has ended.
python -m study.run "$@" &
study=$!
trap 'kill -TERM $study' TERM
code=0
wait $study || code=$?
while kill -0 $study 2>/dev/null; do # a signal ended the wait, not the study
    code=0
    wait $study || code=$?
done
exit $code
