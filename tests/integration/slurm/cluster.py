"""A real Slurm of two nodes on this machine, for root.

Everything lies in one folder: configuration, state, logs, and a munge of its own, so that a Slurm
that the machine belongs to is neither needed nor touched. The daemons listen on free ports and are
children of this process; stop() ends them and whatever their jobs left behind.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "scontrol", "sinfo", "scancel", "munged")

CONFIGURATION = """\
ClusterName=farm
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={node_ports[0]} CPUs=1 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={node_ports[1]} CPUs=1 State=UNKNOWN
PartitionName=low Nodes=ALL Default=YES PriorityTier=1 PreemptMode=CANCEL GraceTime=90
PartitionName=high Nodes=ALL PriorityTier=10 PreemptMode=OFF
"""


def why_not():
    """Why there can be no cluster here, or None."""
    if os.geteuid() != 0:
        return "Slurm's daemons start jobs of any user, so this test runs as root only"
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    missing = [program for program in PROGRAMS if not shutil.which(program, path=path)]
    if missing:
        return f"{', '.join(missing)} not found: install the packages {' '.join(PACKAGES)}"
    return None


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Cluster:
    """Use as a context: it is stopped however the block ends. `wait_until` is called with what is
    awaited (text) and a function that says whether it has come, and must raise when it is late."""

    def __init__(self, folder, wait_until):
        self.folder = Path(folder)
        self.wait_until = wait_until
        self.daemons = []
        os.environ["PATH"] += ":/usr/sbin:/sbin"
        os.environ["SLURM_CONF"] = str(self.folder / "slurm.conf")

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def command(self, *words):
        """The output of a Slurm command; throws with what it said if it fails."""
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr or done.stdout}")
        return done.stdout.strip()

    def submit(self, *words):
        """The id of the new job."""
        return self.command("sbatch", "--parsable", *words).split(";")[0]

    def job(self, job_id):
        """What Slurm says of a job: JobState, NodeList, ExitCode and more."""
        text = self.command("scontrol", "--oneliner", "show", "job", job_id)
        return dict(re.findall(r"(?:^| )([A-Za-z:/]+)=(\S*)", text))

    def stop(self):
        if self.daemons:
            try:
                self.command("scancel", "--user=root")
                self.wait_until("the end of all jobs", lambda: not self.command("squeue", "-h"))
            except Exception as problem:
                print(f"{problem}: what is left of the jobs is killed", flush=True)
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.daemons = []
        for _ in range(3):  # one of them may have started another meanwhile
            for pid in self._left_processes():
                print(f"killing process {pid}, which outlived its cluster", flush=True)
                _kill(pid)

    def _start(self):
        (self.folder / "state").mkdir()
        for node in ("n1", "n2"):
            (self.folder / f"spool.{node}").mkdir()
        ports = free_ports(3)
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(
            folder=self.folder, host=socket.gethostname().split(".")[0], controller_port=ports[0],
            node_ports=ports[1:]))
        self._start_munge()
        self._daemon("slurmctld", "-D", "-i")
        for node in ("n1", "n2"):
            self._daemon("slurmd", "-D", "-N", node)
        self.wait_until("two idle nodes", self._nodes_are_idle)

    def _start_munge(self):
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        files = {name: self.folder / f"munge.{name}" for name in ("socket", "log", "pid", "seed")}
        self._daemon("munged", "--foreground", f"--key-file={key}", f"--socket={files['socket']}",
                     f"--log-file={files['log']}", f"--pid-file={files['pid']}",
                     f"--seed-file={files['seed']}")
        self.wait_until("munge", files["socket"].exists)

    def _daemon(self, *words):
        with open(self.folder / "daemons.log", "ab") as log:
            self.daemons.append(subprocess.Popen(words, stdout=log, stderr=log,
                                                 stdin=subprocess.DEVNULL, cwd=self.folder))

    def _nodes_are_idle(self):
        for daemon in self.daemons:
            if daemon.poll() is not None:
                raise RuntimeError(f"{daemon.args[0]} ended with exit code {daemon.returncode}")
        done = subprocess.run(["sinfo", "--noheader", "--Node", "--partition=low",
                               "--format=%N %t"], capture_output=True, text=True, timeout=60)
        return done.stdout.split() == ["n1", "idle", "n2", "idle"]

    def _left_processes(self):
        """The processes of this machine whose environment names this cluster."""
        mark = f"SLURM_CONF={self.folder / 'slurm.conf'}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes().split(b"\0")
            except OSError:  # it has ended
                continue
            if mark in environment and int(folder.name) != os.getpid():
                found.append(int(folder.name))
        return found


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
