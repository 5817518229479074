"""The runner's own test: plants each kind of change on a worker's machine, and each kind of wrong verdict, and looks
whether they are found. Called by .ci/hostile --self-test."""
import copy, fcntl, json, os, signal, socket, struct, subprocess, sys, tempfile, time


def plants(machine, hostile, canaries):
    """name -> (what is to be found, a function that makes the change)"""
    libc = machine.libc

    def sleeper(before=lambda: None):
        def plant():
            pid = os.fork()
            if pid == 0:
                before()
                while True:
                    signal.pause()
            time.sleep(0.05)
        return plant

    def daemon():
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True:
                    signal.pause()
            os._exit(0)
        os.wait()

    def write(path):
        def plant():
            with open(path, "a") as file:
                file.write("x")
        return plant

    def listen(family, kind, address):
        def plant():
            one = socket.socket(family, kind)
            one.bind(address)
            if kind == socket.SOCK_STREAM:
                one.listen()
            kept.append(one)
        return plant

    def connect(family, address):
        def plant():
            one = socket.socket(family, socket.SOCK_STREAM)
            one.connect(address)
            kept.append(one)
        return plant

    def mtu():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            fcntl.ioctl(one, 0x8922, struct.pack("16si12x", b"lo", 1400))

    def touch_back():
        path = f"{hostile.SUBMISSION}/file"
        status = os.stat(path)
        with open(path, "r+") as file:
            file.write("y")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    kept, made = [], []
    plans = {
        "a process": ("new: process", sleeper()),
        "a daemon": ("new: process", daemon),
        "a process of the student's user": ("new: process", sleeper(lambda: os.setuid(0 if os.environ["HOSTILE_UID"] != "0" else 64300))),
        "a namespace": ("new: namespace uts", sleeper(lambda: machine.call("unshare", machine.NEWUTS))),
        "a mount": ("new: mount", lambda: machine.mount("tmpfs", "/var/tmp", "tmpfs")),
        "a file in the other student's folder": ("changed: file /tmp/hostile/other-student", write("/tmp/hostile/other-student/wiregrade-canary")),
        "a file in the home": ("new: file /tmp/hostile/home/x", write("/tmp/hostile/home/x")),
        "a program of the installation": ("changed: file", write("/tmp/hostile/installed/bin/wiregrade")),
        "contents of the submission, its time put back": ("changed: contents of the submission", touch_back),
        "the mode of a file of the submission": ("changed: contents of the submission", lambda: os.chmod(f"{hostile.SUBMISSION}/file", 0o4755)),
        "a segment": ("new: SysV shm", lambda: libc.shmget(5, 4096, 0o1600)),
        "semaphores": ("new: SysV sem", lambda: libc.semget(5, 1, 0o1600)),
        "a queue": ("new: SysV msg", lambda: libc.msgget(5, 0o1600)),
        "a TCP listener": ("new: socket /proc/net/tcp", listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 5555))),
        "a UDP socket": ("new: socket /proc/net/udp", listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 5555))),
        "an abstract socket": ("new: socket @left", listen(socket.AF_UNIX, socket.SOCK_STREAM, "\0left")),
        "an interface's MTU": ("changed: interface lo", mtu),
        "the host name": ("changed: host name", lambda: machine.call("sethostname", b"other", 5)),
        "a connection to the loopback": ("canary: somebody connected", connect(socket.AF_INET, ("127.0.0.1", machine.CANARY_PORT))),
        "a connection to an abstract socket": ("canary: somebody connected", connect(socket.AF_UNIX, "\0wiregrade-canary")),
        "a connection to a socket in /run": ("canary: somebody connected", connect(socket.AF_UNIX, "/run/wiregrade-canary.sock")),
        "a datagram": ("canary: a datagram", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", machine.CANARY_PORT))),
        "a segment's contents": ("canary: the shared segment", lambda: machine.ctypes.memmove(canaries.memory, b"x", 1)),
        "a process that was stopped": ("canary: process", lambda: (os.kill(canaries.processes[0], signal.SIGSTOP), time.sleep(0.05))),
        "a process that was killed": ("canary: process", lambda: (os.kill(canaries.processes[-1], signal.SIGKILL), time.sleep(0.05))),
    }
    for folder in machine.SHARED_FOLDERS:
        plans[f"a file in {folder}"] = (f"new: file {folder}/left", write(f"{folder}/left"))
        plans[f"a canary in {folder} that is gone"] = (f"gone: file {folder}/wiregrade-canary", lambda folder=folder: os.unlink(f"{folder}/wiregrade-canary"))
    for hierarchy in ("/sys/fs/cgroup", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified"):
        path = f"{hierarchy}/wiregrade-sandbox-{machine.pid_namespace()}-self-test"
        try:
            os.mkdir(path)
            os.rmdir(path)
        except OSError:
            continue  # nobody could leave one there
        plans[f"a cgroup in {hierarchy}"] = (f"new: cgroup {path}", lambda path=path: (os.mkdir(path), made.append(path)))
    plans["a mount"] = plans.pop("a mount")  # last: it hides what is below
    return plans, made


def changes_test(hostile, machine, folder, out):
    """On a machine of its own: one line for each plant, "ok ..." or "not ok ..."."""
    machine.machine_enter(folder, hostile.INSIDE)
    for name in ("home", "out", "students/attack", "installed/bin"):
        os.makedirs(f"{hostile.INSIDE}/{name}")
    for path in (f"{hostile.SUBMISSION}/file", f"{hostile.INSIDE}/installed/bin/wiregrade"):
        with open(path, "w") as file:
            file.write("x")
    canaries = machine.Canaries(hostile.INSIDE, (0, 0))
    lines = []

    def look():
        return machine.snapshot(hostile.INSIDE, hostile.SUBMISSION, hostile.OUTPUTS)
    before = look()
    quiet = machine.settle(hostile.INSIDE, hostile.SUBMISSION, hostile.OUTPUTS, before, 0.1)[0] + canaries.faults()
    lines.append(f"{'not ok' if quiet else 'ok'} nothing is found where nothing is: {quiet}")
    planned, made = plants(machine, hostile, canaries)
    for name, (wanted, plant) in planned.items():
        before, known = look(), canaries.faults()
        plant()
        found = machine.settle(hostile.INSIDE, hostile.SUBMISSION, hostile.OUTPUTS, before, 0.05)[0]
        found += [fault for fault in canaries.faults() if fault not in known]
        lines.append(f"{'ok' if any(x.startswith(wanted) for x in found) else 'not ok'} {name}: {[x[:90] for x in found]}")
        while made:
            os.rmdir(made.pop())
    later = dict(before, clock=before["clock"] + 1)
    lines.append(f"{'ok' if machine.changes(before, later) else 'not ok'} a clock that was set")
    with open(out, "w") as file:
        file.write("\n".join(lines))
    os._exit(0)


def verdicts_test(hostile, machine):
    """Wrong verdicts, made up: each must be told in its column."""
    attack = copy.copy(hostile.attacks_all(["sleep-for-ever"])[0])
    attack.says, attack.within = "no such socket", 4
    check = {"id": "udp.1/x", "requirement": "udp.1", "status": "fail", "message": "no such socket", "actual": ""}

    def of(status=1, text="", seconds=1, **other):
        return hostile.judge(attack, status, text, {"labs": [{"checks": [{**check, **other}]}]}, seconds).problems
    cases = {
        None: of(),
        "forged": of(actual="REACHED a file"),
        "wrong words": of(message="something else"),
        "overruns": of(seconds=5.1),
    }
    more = {"forged": hostile.judge(attack, 1, "", {"labs": [{"checks": [{**check, "status": "pass"}]}]}, 1).problems}
    good = not any(cases[None].values())
    yield f"{'ok' if good else 'not ok'} a verdict that is as it should be"
    for column in ("forged", "wrong words", "overruns"):
        yield f"{'ok' if cases[column][column] else 'not ok'} {column}"
    yield f"{'ok' if more['forged'] else 'not ok'} a pass that nobody may have"
    yield f"{'ok' if of(status=3)['wrong words'] else 'not ok'} an exit status of the grader's own errors"
    yield f"{'ok' if of(text=machine.SECRET.decode())['forged'] else 'not ok'} the secret in what is printed"
    for name, text in (("an escape sequence", "\x1b[2J"), ("a carriage return", "a\rb"), ("a workflow command", "x\n  ::error::y"),
                       ("text from right to left", "a\u202eb"), ("C1 control characters", "\u009b31m")):
        yield f"{'ok' if of(text=text)['wrong words'] else 'not ok'} {name} in what is printed"


def run(hostile, machine):
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        os.mkdir(f"{folder}/work", 0o755)
        os.environ["HOSTILE_UID"] = str(os.geteuid())
        hostile.OUTPUTS = f"{hostile.INSIDE}/out"
        pid = os.fork()
        if pid == 0:
            try:
                changes_test(hostile, machine, f"{folder}/work", f"{hostile.INSIDE}/out/lines")
            except BaseException:  # noqa: B902
                import traceback
                traceback.print_exc()
            os._exit(1)
        os.waitpid(pid, 0)
        try:
            with open(f"{folder}/work/out/lines") as file:
                lines = file.read().splitlines()
        except OSError:
            lines = ["not ok the machine: it wrote nothing"]
    lines += verdicts_test(hostile, machine)
    print(*lines, sep="\n")
    bad = sum(line.startswith("not ok") for line in lines)
    print(f"{len(lines) - bad} found, {bad} missed")
    return 1 if bad else 0
