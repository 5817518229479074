"""What the CPU time of gradings goes into, by perf(1): for .ci/bench and .ci/bench_class."""
import collections, shutil, subprocess

COMPILERS = ("make", "cc", "cc1", "as", "ld", "collect2", "mkdir", "c++", "cc1plus", "go", "javac")


def part_of(process, labs):
    """Processes have names of 15 bytes at most; a check's says that it is one (grader/sdk/runner.c)."""
    if process in COMPILERS:
        return "build"
    if process in ("check", "init"):
        return "worlds" if process == "check" else "starts of sandboxes"
    if process == "wiregrade" or process in [lab[:15] for lab in labs]:
        return "runner and results"
    return "programs"


def missing():
    """Why the parts cannot be told; None if they can."""
    return None if shutil.which("perf") else "perf is not there"


def recorder(data):
    """Words that, put before a command, have perf write to `data` what it does."""
    return ["perf", "record", "-q", "-e", "cpu-clock", "-F", "499", "-o", data]


def shares(data, labs):
    """Each part's share of the CPU time that was recorded, the largest first, as (part, share)."""
    names = subprocess.run(["perf", "script", "-i", data, "-F", "comm"], check=True, capture_output=True, text=True)
    counts = collections.Counter(part_of(line.strip(), labs) for line in names.stdout.splitlines() if line.strip())
    return [(part, count / counts.total()) for part, count in counts.most_common()]
