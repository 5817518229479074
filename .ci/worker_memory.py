"""How much memory each worker of a batch has: for .ci/bench_class."""
import os, threading, time

PAUSE = 0.05  # between two looks, each of which takes some milliseconds


def children():
    """The processes of this machine, by their parent."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                found.setdefault(int(file.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
        except OSError:
            pass
    return found


def below(pid, tree):
    yield pid
    for child in tree.get(pid, []):
        yield from below(child, tree)


def proportional(pid):
    """Bytes resident, of shared pages its share (proc(5), smaps_rollup)."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next((int(line.split()[1]) << 10 for line in file if line.startswith("Pss:")), 0)
    except (OSError, ProcessLookupError):
        return 0


def executable(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


class Watch:
    """Looks at the workers of the batch that runs as process `pid`, until it is ended. What runs the grader's own
    programs, in `folder`, is the grader's; everything else below a worker is the submission's: compilers, programs."""

    def __init__(self, pid, folder):
        self.pid, self.folder = pid, os.path.realpath(folder) + "/"
        self.own = self.whole = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.look_on)
        self.thread.start()

    def look(self):
        tree = children()
        for worker in tree.get(self.pid, []):
            own = whole = 0
            for process in below(worker, tree):
                bytes_of = proportional(process)
                whole += bytes_of
                own += bytes_of if executable(process).startswith(self.folder) else 0
            self.own, self.whole = max(self.own, own), max(self.whole, whole)

    def look_on(self):
        while not self.ended.is_set():
            self.look()
            time.sleep(PAUSE)

    def end(self):
        """Returns the most that a worker has had, in bytes: the grader's own, and with all that the submission ran."""
        self.ended.set()
        self.thread.join()
        return self.own, self.whole
