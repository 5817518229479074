"""Builds and grades many versions of a lab's reference programs, several at once, and keeps what came of each."""
import concurrent.futures, contextlib, hashlib, json, os, shutil, signal, subprocess, sys, tempfile, threading

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
# What a compiler of today refuses is no bug that a student could hand in.
COMPILE = ["-std=gnu17", "-pthread", "-Werror=int-conversion", "-Werror=incompatible-pointer-types",
           "-Werror=implicit-function-declaration"]
LIBRARIES = ["-pthread", "-Wl,--as-needed", "-lcurl", "-lssl", "-lcrypto"]


class Lab:
    """A lab's sources, and what its programs are compiled to."""

    def __init__(self, name):
        self.name = name
        self.folder = os.path.join(ROOT, "reference", name)
        files = sorted(os.listdir(self.folder))
        self.programs = [file[:-2] for file in files if file.endswith(".c")]
        self.headers = [file for file in files if file.endswith(".h")]
        self.objects = {}
        digest = hashlib.sha256()
        for path in (f"{BUILD}/suite/{name}", f"{BUILD}/wiregrade"):
            with open(path, "rb") as file:
                digest.update(file.read())
        self.suite = digest.hexdigest()[:16]

    def sources(self):
        return [f"{name}.c" for name in self.programs] + self.headers

    def affected(self, file):
        """The programs in which a source is."""
        return [file[:-2]] if file.endswith(".c") else self.programs

    def compile(self, changed, options=("-O2",), compiler="cc"):
        """Objects of the programs in which sources were changed, {name: contents}; None if one does not compile."""
        with tempfile.TemporaryDirectory(prefix="wiregrade-mutate-") as folder:
            for name in set(self.sources()) - set(changed):
                os.symlink(os.path.join(self.folder, name), os.path.join(folder, name))
            for name, contents in changed.items():
                with open(os.path.join(folder, name), "wb") as out:
                    out.write(contents)
            objects = {}
            for program in sorted({program for name in changed for program in self.affected(name)}):
                command = [compiler, *COMPILE, *options, "-c", f"{program}.c", "-o", f"{program}.o"]
                if run(command, cwd=folder) != 0:
                    return None
                with open(os.path.join(folder, f"{program}.o"), "rb") as made:
                    objects[program] = made.read()
            return objects

    def compile_reference(self):
        for program in self.programs:
            with open(os.path.join(self.folder, f"{program}.c"), "rb") as file:
                made = self.compile({f"{program}.c": file.read()})
            if made is None:
                sys.exit(f"{program} of {self.name} does not compile")
            self.objects.update(made)

    def grade(self, objects, limit, link=("cc",)):
        """What came of the lab with these objects in place of the reference's: killed, survived or an error, and why."""
        with tempfile.TemporaryDirectory(prefix="wiregrade-mutate-") as folder:
            os.makedirs(f"{folder}/submission/bin")
            for program in self.programs:
                with open(f"{folder}/it.o", "wb") as out:
                    out.write(objects.get(program) or self.objects[program])
                linked = [*link, f"{folder}/it.o", "-o", f"{folder}/submission/bin/{program}", *LIBRARIES]
                if run(linked) != 0:
                    return "error", ["it cannot be linked"]
            only = [word for program in objects for word in ("--program", program)]
            command = [f"{BUILD}/wiregrade", "grade", "--lab", self.name, "--no-build-cache", "--captures", "none", "--json",
                       f"{folder}/result.json", *only, f"{folder}/submission"]
            status = run(command, limit=limit)
            if status is None:
                return "error", [f"no verdict within {limit} s"]
            if status not in (0, 1):
                return "error", [f"wiregrade ended with status {status}"]
            with open(f"{folder}/result.json", encoding="utf-8") as file:
                return judge(json.load(file))


def judge(document):
    checks = [check for lab in document["labs"] for check in lab["checks"]]
    errors = [check["id"] for check in checks if check["status"] == "error"]
    failed = [check["id"] for check in checks if check["status"] not in ("pass", "error")]
    if failed:
        return "killed", failed
    return ("error", errors) if errors or not checks else ("survived", [])


# ---- processes: what runs ends with us ----

running, running_lock, interrupted = set(), threading.Lock(), threading.Event()


def run(command, cwd=None, limit=None):
    """Its status, or None if it took longer than `limit` seconds."""
    with running_lock:
        if interrupted.is_set():
            raise KeyboardInterrupt
        process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        running.add(process)
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        return None
    finally:
        with running_lock:
            running.discard(process)


def interrupt(*_):
    """For SIGINT and SIGTERM: what runs is told to end, and nothing more is begun."""
    interrupted.set()
    with running_lock:
        for process in running:
            process.terminate()


def in_turn(function, items, jobs):
    """function(item) of each, so many at once, as they come; ends early if interrupted."""
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    waiting = {pool.submit(function, item): item for item in items}
    try:
        for done in concurrent.futures.as_completed(waiting):
            if interrupted.is_set():
                break
            yield waiting[done], done.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class Results:
    """What is known of earlier runs: a line of JSON for each grading, in the order in which they were made."""

    def __init__(self, name, forget):
        self.path = os.path.join(BUILD, "mutate", f"{name}.jsonl")
        self.lock = threading.Lock()
        self.known = {}
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        if forget and os.path.exists(self.path):
            os.unlink(self.path)
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as file:
                for line in file:
                    with contextlib.suppress(ValueError, KeyError):  # a line that was cut off
                        one = json.loads(line)
                        self.known.setdefault(one["objects"], {})[one["suite"]] = one

    def find(self, objects, suite, kills_hold):
        """Of this suite; a kill by another one too, if those are to hold."""
        ones = self.known.get(objects, {})
        if suite in ones or not kills_hold:
            return ones.get(suite)
        return next((one for one in ones.values() if one["outcome"] == "killed"), None)

    def add(self, one):
        with self.lock, open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(one) + "\n")
            self.known.setdefault(one["objects"], {})[one["suite"]] = one


def digest(objects):
    whole = hashlib.sha256()
    for program in sorted(objects):
        whole.update(program.encode() + b"\0" + objects[program])
    return whole.hexdigest()[:24]


def signals_take():
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
