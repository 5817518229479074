"""A machine of its own for each worker of .ci/hostile, with canaries on it, and what changes there.

The runner must say exactly what a grading left behind, on a machine where others work at the same time. So a worker
first makes pid, mount, ipc, uts, net and cgroup namespaces, with /proc, /tmp, /var/tmp, /run and /dev/shm of its own:
what the grader takes for "the host". Everything that a grading starts, mounts, binds or writes is then among what the
worker sees, and nothing of anybody else's is: a process cannot leave its pid namespace, and the worker is process 1
of it, to whom all orphans fall. What no namespace holds is compared on the real machine: the clock, and the folders of
/sys/fs/cgroup (new ones that stay and bear the grader's name and this machine's pid namespace: others' bear theirs)."""
import ctypes, hashlib, os, re, resource, signal, socket, struct, subprocess, time

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
MS_BIND, MS_REC, MS_PRIVATE, MS_SHARED = 4096, 16384, 1 << 18, 1 << 20
SHARED_FOLDERS = ("/tmp", "/var/tmp", "/run", "/dev/shm")
CANARY_PORT, CANARY_KEY = 4711, 0x77677264
SECRET = b"wiregrade-canary-secret\n"


def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def mount(source, target, kind, flags=0, options=None):
    call("mount", *(x.encode() if x else None for x in (source, target, kind)), ctypes.c_ulong(flags),
         options.encode() if options else None)


def lo_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        import fcntl
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x49))  # SIOCSIFFLAGS: up, running, loopback


def machine_enter(work, inside):
    """Moves this process into a machine of its own, where the folder `work` is `inside` (a path below /tmp). Forks:
    returns in the child, which is process 1 there; the parent ends as the child does. An ordinary user becomes root
    in a user namespace of its own first."""
    uid, gid = os.geteuid(), os.getegid()
    if uid:
        call("unshare", NEWUSER)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    call("unshare", NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWPID | NEWNET)
    child = os.fork()
    if child:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = os.waitpid(child, 0)[1]
        os._exit(os.waitstatus_to_exitcode(status) & 0xff)
    call("prctl", 1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    work_fd = os.open(work, os.O_PATH | os.O_DIRECTORY)
    for folder in SHARED_FOLDERS:
        mount("tmpfs", folder, "tmpfs", 0, "mode=1777" if folder != "/run" else "mode=755")
    os.mkdir(inside)
    mount(f"/proc/self/fd/{work_fd}", inside, None, MS_BIND)
    os.close(work_fd)
    mount("proc", "/proc", "proc")
    mount(None, "/", None, MS_REC | MS_SHARED)  # so that a grading could not hide a mount from us
    call("sethostname", b"machine", 7)
    lo_up()


# ---- canaries ----

class Canaries:
    """Things of others on the machine: a secret in another student's folder, results, sockets, shared memory,
    processes. `faults` tells which were touched."""

    def __init__(self, folder, student_uids):
        self.folder = folder
        self.files = [f"{folder}/other-student/wiregrade-canary", f"{folder}/results/wiregrade-canary.json",
                      "/tmp/wiregrade-canary", "/var/tmp/wiregrade-canary", "/run/wiregrade-canary",
                      "/dev/shm/wiregrade-canary"]
        for path in self.files:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(SECRET)
            os.chmod(path, 0o666)  # so that only walls protect it
        self.listeners = []
        for address in ("\0wiregrade-canary", "/tmp/wiregrade-canary.sock", "/run/wiregrade-canary.sock"):
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(address)
            if address[0] == "/":
                os.chmod(address, 0o666)
            self.listeners.append(listener)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind(("127.0.0.1", CANARY_PORT))
        self.listeners.append(tcp)
        for listener in self.listeners:
            listener.listen()
            listener.setblocking(False)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", CANARY_PORT))
        self.udp.setblocking(False)
        self.segment = libc.shmget(CANARY_KEY, 4096, 0o1666)
        libc.shmat.restype = ctypes.c_void_p
        self.memory = libc.shmat(self.segment, None, 0)
        ctypes.memmove(self.memory, SECRET, len(SECRET))
        libc.semget(CANARY_KEY, 1, 0o1666)
        libc.msgget(CANARY_KEY, 0o1666)
        libc.mq_open(b"/wiregrade-canary", os.O_CREAT | os.O_RDWR, 0o666, None)
        self.processes = [self.process_start(uid) for uid in student_uids]

    @staticmethod
    def process_start(uid):
        pid = os.fork()
        if pid:
            while lines(f"/proc/{pid}/comm") != ["canary"]:
                time.sleep(0.001)
            return pid
        if uid:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        call("prctl", 15, b"canary")
        while True:
            signal.pause()

    def faults(self):
        found = []
        for path in self.files:
            try:
                with open(path, "rb") as file:
                    if file.read() != SECRET:
                        found.append(f"canary: {path} was changed")
            except OSError:
                found.append(f"canary: {path} is gone")
        for listener in self.listeners:
            try:
                connection, _ = listener.accept()
                connection.close()
                found.append(f"canary: somebody connected to {listener.getsockname()!r}")
            except BlockingIOError:
                pass
        try:
            self.udp.recv(1)
            found.append("canary: a datagram came to the machine's own loopback")
        except BlockingIOError:
            pass
        if ctypes.string_at(self.memory, len(SECRET)) != SECRET:
            found.append("canary: the shared segment was changed")
        for pid in self.processes:
            try:
                with open(f"/proc/{pid}/stat") as file:
                    state = file.read().rsplit(")", 1)[1].split()[0]
            except OSError:
                state = "?"
            if state != "S":
                found.append(f"canary: process {pid} is in state {state}")
        return found


# ---- time ----

def cpu_seconds():
    """What all processes of the real machine have used so far, and what this process's children have."""
    with open("/proc/stat") as file:
        fields = [int(x) for x in file.readline().split()[1:]]
    mine = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (sum(fields[:3]) + sum(fields[5:8])) / os.sysconf("SC_CLK_TCK"), mine.ru_utime + mine.ru_stime


class Share:
    """How much of the time since now a machine on which nobody else worked would have taken: what others use above all
    CPUs but one is time that was not ours."""

    def __init__(self):
        self.all, self.mine = cpu_seconds()

    def of(self, seconds):
        everybody, mine = cpu_seconds()
        others = max(0.0, everybody - self.all - (mine - self.mine)) / max(seconds, 0.01)
        return seconds * max(0.02, min(1.0, os.cpu_count() - others))


# ---- what changes ----

def tree(folder, skip=()):
    """Everything below a folder, by what the kernel says of it: a change of the contents changes the ctime."""
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if os.path.join(path, name) not in skip]
        for name in folders + files:
            whole = os.path.join(path, name)
            try:
                s = os.lstat(whole)
            except OSError:
                continue
            times = (s.st_mtime_ns, s.st_ctime_ns, s.st_size) if name in files else ()
            yield f"file {whole}", (s.st_mode, s.st_uid, s.st_gid, s.st_ino, *times)


def digest(folder):
    """The hash of all that tree() says of what is below a folder: of a submission of a hundred thousand files, too."""
    whole = hashlib.sha256()
    for what in sorted(map(repr, tree(folder))):
        whole.update(what.encode(errors="surrogateescape"))
    return whole.hexdigest()


def contents_digest(salt, folder):
    """The hash of the contents and modes of what is below a folder, wherever it lies."""
    whole = hashlib.sha256(salt.encode())
    for path, folders, files in sorted(os.walk(folder)):
        folders.sort()
        for name in sorted(files):
            file = os.path.join(path, name)
            whole.update(f"{os.path.relpath(file, folder)} {os.lstat(file).st_mode:o}".encode())
            if os.path.islink(file):
                whole.update(os.readlink(file).encode())
            elif os.path.isfile(file):
                with open(file, "rb") as opened:
                    whole.update(hashlib.sha256(opened.read()).digest())
    return whole.hexdigest()


def processes():
    """All but kernel threads (which no pid namespace but the first has) and zombies that are ours to reap."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                text = file.read()
            with open(f"/proc/{name}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace")
            yield name, f"process {name} {text[text.index('('):text.rindex(')') + 1]} {line[:80]}", text.rsplit(")", 1)[1].split()[19]
        except OSError:
            pass


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def lines(path):
    try:
        with open(path, errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def cgroups():
    """Those that may be of a grading on this machine. The grader's names hold the number of its pid namespace, which is
    this machine's; a group whose number is of another one is another machine's."""
    for path, folders, _ in os.walk("/sys/fs/cgroup"):
        for name in folders:
            whole = os.path.join(path, name)
            if "wiregrade" in whole and cgroup_number(whole) in (None, pid_namespace()):
                yield whole


def pid_namespace():
    return re.search(r"\d+", os.readlink("/proc/self/ns/pid"))[0]


def cgroup_number(path):
    numbered = re.search(r"wiregrade-[a-z]+-(\d+)", path)
    return numbered and numbered[1]


def cgroup_is_others(path):
    """A group without a number, if it holds a process: ours are all gone when this is asked."""
    return cgroup_number(path) is None and any(lines(f"{path}/cgroup.procs"))


def clock_offset():
    return time.clock_gettime(time.CLOCK_REALTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


def interface_flags():
    import fcntl
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            request = struct.pack("40s", name.encode())
            flags = struct.unpack("16xH", fcntl.ioctl(any_socket, 0x8913, request)[:18])[0]
            mtu = struct.unpack("16xi", fcntl.ioctl(any_socket, 0x8921, request)[:20])[0]
            yield f"interface {name}", (flags, mtu)


def snapshot(work, submission, outputs, known=None):
    """The machine's state: what -> value. `known`: what it was a moment ago, of which only the submission is another."""
    submitted = {f"contents of the submission {submission}": digest(submission)}
    if known:
        return {**known, **submitted}
    state = submitted
    for name, what, start in processes():
        state[what] = start
        for kind in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts", "time"):
            try:
                state[f"namespace {os.readlink(f'/proc/{name}/ns/{kind}')}"] = True
            except OSError:
                pass
    for line in lines("/proc/self/mountinfo"):
        state[f"mount {line}"] = True
    for path in cgroups():
        state[f"cgroup {path}"] = True
    for folder in SHARED_FOLDERS:
        state.update(tree(folder, skip=(work,)))
    state.update(tree(work, skip=(outputs, submission)))
    for kind in ("shm", "sem", "msg"):
        for line in lines(f"/proc/sysvipc/{kind}")[1:]:
            state[f"SysV {kind} {' '.join(line.split()[:2])}"] = True
    for path in ("/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6", "/proc/net/raw", "/proc/net/packet"):
        for line in lines(path)[1:]:
            if not (path.startswith("/proc/net/tcp") and line.split()[3] != "0A"):
                state[f"socket {path} {' '.join(line.split()[1:3])}"] = True
    for line in lines("/proc/net/unix")[1:]:
        if len(line.split()) > 7:
            state[f"socket {line.split()[7]}"] = True
    state.update(interface_flags())
    state["host name"] = os.uname().nodename
    state["clock"] = clock_offset()
    return state


def differs(what, before, after):
    if what == "clock":  # what keeps a clock right moves it by less in so short a time
        return before is None or after is None or abs(before - after) > 0.5
    return before != after


def changes(before, after):
    """What is new, gone or other; of cgroups only what is new."""
    found = []
    for what in before.keys() | after.keys():
        old, new = before.get(what), after.get(what)
        if what.startswith("cgroup ") and (old or cgroup_is_others(what[7:])):
            continue
        if differs(what, old, new):
            found.append(("new: " if old is None else "gone: " if new is None else "changed: ") + what)
    return sorted(found)


def settle(work, submission, outputs, before, patience=0.6):
    """The changes that stay, and the state. What is still ending has a moment to do so."""
    until = time.monotonic() + patience
    while True:
        reap()
        after = snapshot(work, submission, outputs)
        found = changes(before, after)
        if not found or time.monotonic() > until:
            return found, after
        time.sleep(0.02)


def quiet_await(patience=3):
    """Waits for the last processes of the grading before to end."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        reap()
        if all("(canary)" in what or name == str(os.getpid()) for name, what, _ in processes()):
            return
        time.sleep(0.005)


def processes_end():
    """Kills what a grading left, so that the next one begins on a clean machine."""
    mine = str(os.getpid())
    for name, what, _ in list(processes()):
        if name != mine and "(canary)" not in what:
            try:
                os.kill(int(name), signal.SIGKILL)
            except OSError:
                pass
    quiet_await(120)  # thousands take a while to end
