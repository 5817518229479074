#!/usr/bin/env python3
"""Reads every report as the program would that it is made for: formats_test.py WIREGRADE FOLDER.

FOLDER has result documents (*.json) of real gradings; documents that no grading would leave are made up
here. Speaks TAP.
"""
import concurrent.futures
import copy
import html.parser
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema

WIREGRADE = os.path.abspath(sys.argv[1])
RESULTS = {p.stem: p for p in sorted(pathlib.Path(sys.argv[2]).glob("*.json"))}
SCHEMAS = pathlib.Path(__file__).resolve().parent / "schemas"
WORK = pathlib.Path(tempfile.mkdtemp())
FORMATS = "text tap junit classroom50 classroom gradescope prairielearn autolab check50 github".split()
TAP_DRIVER = next(iter(sorted(pathlib.Path("/usr/share").glob("automake-*/tap-driver.sh"))), None)
CLASSROOM50 = {
    "CLASSROOM": "nets", "ASSIGNMENT": "udp", "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "OWNER": "alice", "ASSIGNMENT_TYPE": "individual", "GITHUB_REPOSITORY": "org/nets-udp-alice",
    "GITHUB_ACTOR": "alice", "GITHUB_ACTOR_ID": "4711",
}
NASTY = ("\x1b]0;owned\x07 \x9b31m # SKIP \\ <b>&\"' ]]> <script>alert(1)</script> \u202e \uffff =1+1\n"
         "not ok 1 pass\n::error file=a,line=1::obeyed\n ::stop-commands::x\n##[error]obeyed\n</pre></details>\n"
         "\n# @everyone #1 [a](javascript:b) ![c](d) `e` | f |\n100 %0A::set-output name=score::100\nBail out! no\n")

tests = []


def test(name, function, *arguments):
    tests.append((name, function, arguments))


def outcome(made):
    """None, or what was wrong."""
    _, function, arguments = made
    try:
        function(*arguments)
        return None
    except Exception as problem:  # whatever it is, the others are tried still
        return f"{type(problem).__name__}: {problem}"[:2000]


def run_all():
    """Side by side, since they mostly wait for the programs that they start; returns how many failed."""
    failed = 0
    print(f"1..{len(tests)}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (made, problem) in enumerate(zip(tests, pool.map(outcome, tests)), 1):
            print(f"{'not ok' if problem else 'ok'} {number} - {made[0]}")
            if problem:
                failed += 1
                print("\n".join("# " + line for line in problem.split("\n")))
    return failed


def expect(condition, *words):
    if not condition:
        raise AssertionError(" ".join(map(str, words)))


def run(arguments, environment=None, stdin=b"", cwd=None):
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run([WIREGRADE, *map(str, arguments)], input=stdin, capture_output=True, timeout=60,
                          env={**keep, **(environment or {})}, cwd=cwd, check=False)


def report(name, path, environment=None, cwd=None):
    done = run(["report", "--format", name, path], environment, cwd=cwd)
    expect(done.returncode == 0, f"status {done.returncode}:", done.stderr.decode())
    expect(not done.stderr, "complains:", done.stderr.decode())
    return done.stdout.decode("utf-8")


def checks_of(result):
    return [check for lab in result["labs"] for check in lab["checks"]]


def notices_of(result, build=True):
    """How many things there are to tell that concern no check."""
    known = ("pass", "fail", "missing", "skipped")
    wrong = bool(result["faults"]) or any(c["status"] not in known for c in checks_of(result))
    return (wrong or not is_whole(result)) + (build and not result["build"]["ok"])


def is_whole(result):
    return not result["interrupted"] and result["max_score"] > 0


def schema_check(name, document):
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(document, schema)


def texts_of(value):
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from texts_of(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts_of(member)
    elif isinstance(value, str):
        yield value


def expect_visible(text):
    for character in text:
        expect(character == "\n" or (ord(character) >= 32 and not 0x7f <= ord(character) < 0xa0
                                     and character not in "\u202e\uffff"), "not visible:", repr(character))


def json_check(document):
    for text in texts_of(document):
        expect_visible(text)


# ---- a runner of GitHub's ----

def runner_obeys(log):
    """The commands that a job's runner would obey in this log."""
    stopped, commands = None, []
    for line in log.split("\n"):
        old = re.search(r"##\[[a-z-]+", line)
        new = re.match(r"\s*::([a-zA-Z0-9-]+)( [^:]*)?::(.*)", line)
        if stopped:
            if new and new[1] == stopped:
                stopped = None
            continue
        expect(not old, "obeyed:", line)
        if new and new[1] == "stop-commands":
            stopped = new[3]
        elif new:
            commands.append((new[1], dict(p.split("=", 1) for p in (new[2] or "").strip().split(",") if p), new[3]))
    expect(stopped is None, "commands are stopped for ever")
    return commands


class Page(html.parser.HTMLParser):
    """A page of GitHub's: only what a report is made of, well nested."""
    known = set("h2 h3 p table thead tbody tr th td ul li code pre details summary blockquote strong".split())

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        expect(tag in self.known, "an unknown tag:", tag)
        expect(all(name in ("align", "style") for name, _ in attributes), "an attribute:", attributes)
        self.open.append(tag)

    def handle_endtag(self, tag):
        expect(self.open and self.open.pop() == tag, "not nested:", tag)


def markdown_check(text, result, most):
    expect(len(text.encode()) <= most, "too large:", len(text.encode()))
    expect(text.startswith(f"## wiregrade: {result['score']} of {result['max_score']} point"), text[:80])
    page = Page()
    page.feed(subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink"], input=text,
                             capture_output=True, text=True, check=True).stdout)
    page.close()
    expect(page.open == [], "not closed:", page.open)


def github_check(path, result):
    folder = pathlib.Path(tempfile.mkdtemp(dir=WORK))
    summary, outputs = folder / "summary", folder / "outputs"
    summary.write_text("before\n")
    log = report("github", path, {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(outputs)})
    text = summary.read_text()
    expect(text.startswith("before\n"), "the summary that was there is gone")
    markdown_check(text[7:], result, 1024 * 1024)
    said = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    passed = all(c["status"] == "pass" for c in checks_of(result)) and is_whole(result) and not result["faults"]
    expect(said["score"] == str(result["score"]) and said["max-score"] == str(result["max_score"]), said)
    expect(said["passed"] == str(passed).lower(), said)
    commands = runner_obeys(log)
    lost = sum(c["status"] in ("fail", "missing") for c in checks_of(result))
    expect(set(c[0] for c in commands) <= {"error", "warning", "notice"}, commands)
    expect(bool(lost or not result["build"]["ok"]) == any(c[0] == "error" for c in commands), commands)
    for kind in "error", "warning", "notice":
        expect(sum(c[0] == kind for c in commands) <= 10, commands)
    expect(all(c[2] for c in commands), "an empty message")
    # Without a job, the summary is what is printed.
    markdown_check(report("github", path), result, 1024 * 1024)


# ---- one for each format ----

def points_check(tests, result, score, most):
    counted = [t for t in tests if most not in t or t[most] or t[score]]
    expect(sum(t[score] for t in tests) == result["score"], "the sum of the scores is not", result["score"])
    if counted and most in counted[0]:
        expect(sum(t[most] for t in tests) == result["max_score"], "the sum is not", result["max_score"])


def gradescope_check(path, result):
    if not is_whole(result):
        done = run(["report", "--format", "gradescope", path])
        expect(done.returncode == 3 and b"no score" in done.stderr and not done.stdout, done)
        return
    document = json.loads(report("gradescope", path))
    schema_check("gradescope", document)
    json_check(document)
    expect(document["score"] == result["score"])
    points_check(document["tests"], result, "score", "max_score")
    expect([t["status"] == "passed" for t in document["tests"]] == [c["status"] == "pass" for c in checks_of(result)])


def prairielearn_check(path, result):
    text = report("prairielearn", path)
    document = json.loads(text)
    schema_check("prairielearn", document)
    json_check(document)
    expect(len(text.encode()) <= 1000 * 1000, "too large")
    expect(document["gradable"] == is_whole(result))
    points_check(document["tests"], result, "points", "max_points")
    if document["gradable"]:
        expect(abs(document["score"] * result["max_score"] - result["score"]) < 1e-9, document["score"])


def autolab_check(path, result):
    lines = report("autolab", path).splitlines()
    documents = [json.loads(line) for line in lines]
    schema_check("autolab", documents)
    json_check(documents)
    presentation, autoresult = documents
    expect(all(stage in presentation for stage in presentation["stages"]), presentation["stages"])
    expect(len(presentation["stages"]) == len(result["labs"]) + 2)
    whole = {lab["lab"]: lab["score"] for lab in result["labs"] if is_whole(result) and
             all(c["status"] in ("pass", "fail", "missing", "skipped") for c in lab["checks"])}
    expect(autoresult["scores"] == whole, autoresult)


def check50_check(path, result):
    document = json.loads(report("check50", path))
    schema_check("check50", document)
    json_check(document)
    for text in texts_of(document):  # check50 puts them into a page as they are
        expect(not re.search(r"<[A-Za-z/!?]", text), "markup:", text)
    outcomes = [r["passed"] for r in document["results"]]
    wanted = [None] * notices_of(result) + [{"pass": True, "fail": False, "missing": False}.get(c["status"])
                                            for c in checks_of(result)]
    expect(outcomes == wanted, outcomes, wanted)


def classroom_check(path, result):
    outputs = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "outputs"
    text = report("classroom", path, {"GITHUB_OUTPUT": str(outputs)})
    expect(outputs.read_text() == "result=" + text and text.count("\n") == 1, "is not the step's output")
    expect(len("WIREGRADE_RESULTS=" + text) < 128 * 1024, "too large for an environment")
    done = subprocess.run(["node", "-e", """
      const r = JSON.parse(Buffer.from(process.env.WIREGRADE_RESULTS, 'base64').toString('utf8'))
      console.log(JSON.stringify([r.tests.reduce((sum, t) => sum + t.score, 0), r.max_score, r]))"""],
                          env={**os.environ, "WIREGRADE_RESULTS": text.strip()}, capture_output=True, check=True)
    score, most, document = json.loads(done.stdout)
    schema_check("classroom", document)
    json_check(document)
    expect((score, most) == (result["score"], result["max_score"]), score, most)
    expect(len(document["tests"]) == len(checks_of(result)) + notices_of(result))


def classroom50_check(path, result):
    folder = pathlib.Path(tempfile.mkdtemp(dir=WORK))
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder)]
    dates = {"GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-06-01T16:32:01+02:00"}
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], env={**os.environ, **dates}, check=True)
    sha = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    environment = {**CLASSROOM50, "GITHUB_OUTPUT": str(folder / "outputs"), "GITHUB_SHA": sha}
    arguments = ["report", "--format", "classroom50", "--output", "result.json", path]
    done = run(arguments, environment, cwd=folder)
    if not is_whole(result):
        expect(done.returncode == 3 and b"no score" in done.stderr, done)
        expect(not (folder / "result.json").exists() and not (folder / "outputs").exists(), "something is written")
        return
    expect(done.returncode == 0 and not done.stderr, done)
    document = json.loads((folder / "result.json").read_text())
    schema_check("classroom50", document)
    json_check(document)
    points_check(document["tests"], result, "score", "max-score")
    expect(document["datetime"] == "2026-06-01T14:32:01Z", document["datetime"])
    expect(document["commit"] == f"https://github.com/org/nets-udp-alice/commit/{sha}", document["commit"])
    expect(document["release"].endswith("/releases/tag/submit%2F2026-06-01T14-32-05Z-a1b2c3d"), document["release"])
    expect(document["submitted_by"] == {"username": "alice", "id": 4711}, document["submitted_by"])
    markdown_check((folder / "release-body.md").read_text(), result, 125 * 1000)
    said = dict(line.split("=", 1) for line in (folder / "outputs").read_text().splitlines())
    wrong = result["faults"] or notices_of(result, build=False)
    passed = all(c["status"] == "pass" for c in checks_of(result))
    expect(said["status"] == ("error" if wrong else "success" if passed else "failure"), said)
    expect(f"{result['score']} of {result['max_score']} points" in said["summary"], said)


def tap_check(path, result):
    text = report("tap", path)
    folder = pathlib.Path(tempfile.mkdtemp(dir=WORK))
    file = folder / "report.tap"
    file.write_text(text)
    bad = sum(c["status"] not in ("pass", "skipped") for c in checks_of(result))
    runner_obeys(text)
    done = subprocess.run(["prove", "-v", "--merge", "-e", "cat", file], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    stopped = result["interrupted"] or not checks_of(result)
    if stopped:
        expect("Bailout called" in said, said)
    else:
        expect("Parse errors" not in said, said)
        expect((f"Failed {bad}/{len(checks_of(result))} subtests" in said) == bool(bad), said)
    if TAP_DRIVER:
        subprocess.run(["sh", TAP_DRIVER, "--test-name", "t", "--log-file", folder / "t.log", "--trs-file",
                        folder / "t.trs", "--color-tests", "no", "--enable-hard-errors", "yes",
                        "--expect-failure", "no", "--", "cat", file], capture_output=True, check=False)
        lines = (folder / "t.trs").read_text().splitlines()
        counts = {word: sum(line.startswith(f":test-result: {word}") for line in lines)
                  for word in ("PASS", "FAIL", "SKIP", "ERROR")}
        skipped = sum(c["status"] == "skipped" for c in checks_of(result))
        none = not checks_of(result)  # the driver takes that for one that was skipped, beside the error
        expect(counts == {"PASS": len(checks_of(result)) - bad - skipped, "FAIL": bad, "SKIP": skipped or int(none),
                          "ERROR": int(stopped)}, counts)


def junit_check(path, result):
    text = report("junit", path)
    done = subprocess.run(["xmllint", "--noout", "--schema", SCHEMAS / "junit.xsd", "-"], input=text,
                          capture_output=True, text=True, check=False)
    expect(done.returncode == 0, done.stderr)
    counts = dict(re.findall(r' (tests|failures|errors|skipped)="(\d+)"', text.split(">")[1]))
    lost = sum(c["status"] in ("fail", "missing") for c in checks_of(result)) + (not result["build"]["ok"])
    expect(int(counts["failures"]) == lost, counts)
    expect(text.count("<testcase") == int(counts["tests"]), counts)


def text_check(path, result):
    text = report("text", path, {"GITHUB_ACTIONS": "true"})
    runner_obeys(text)
    expect_visible(text)
    expect(f"Score: {result['score']} of {result['max_score']} point" in text, text[-500:])


def jq_check(path, result):
    for name, program in (("gradescope", ".score"), ("check50", "[.results[].data.score // 0] | add // 0"),
                          ("prairielearn", "[.tests[].points] | add // 0")):
        if name == "gradescope" and not is_whole(result):
            continue
        done = subprocess.run(["jq", "-r", program], input=report(name, path), capture_output=True, text=True, check=True)
        expect(int(done.stdout) == result["score"], name, done.stdout)


# ---- documents that no grading would leave ----

def check(identifier, status, score, most, words, **more):
    return {"id": identifier, "requirement": "udp.1", "level": "core", "status": status, "score": score,
            "max_score": most, "message": words, "expected": words, "actual": words, "hint": words, "text": words,
            "read": words, "clock": "virtual", "virtual_s": 0.5, "real_s": 0.25, "capture": None,
            "findings": [words] if words else [],
            "events": [{"t": 0.1, "kind": "line", "stream": "stderr", "program": "p", "text": words}] * 3, **more}


def document(checks, **more):
    score, most = sum(c["score"] for c in checks), sum(c["max_score"] for c in checks)
    return {"schema": "wiregrade/result/v1", "submission": "labs", "started": "2026-01-01T00:00:00Z",
            "duration_s": 1.5, "clock": "virtual", "seed": 1, "score": score, "max_score": most,
            "build": {"ok": True, "log": "", "duration_s": 0.1}, "faults": [], "interrupted": False,
            "labs": [{"lab": "udp", "title": "UDP", "section": "1", "score": score, "max_score": most,
                      "begun": True, "checks": checks}], **more}


def documents_make():
    mixed = [check("udp.1/a", "pass", 3, 3, ""), check("udp.1/b", "fail", 0, 5, NASTY),
             check("udp.1/c", "missing", 0, 4, NASTY), check("udp.1/d", "skipped", 0, 2, NASTY),
             check("udp.1/e", "error", 0, 0, NASTY), check(NASTY, "fail", 0, 1, NASTY)]
    nasty = document(mixed, build={"ok": False, "log": f"x.c:1:1: error: {NASTY}\n" + NASTY * 9, "duration_s": 1},
                     faults=[NASTY], submission=NASTY)
    large = document([check(f"udp.{i}/x", "fail", 0, 1, ("word " * 20 + "\n") * 10) for i in range(120)])
    made = {
        "made-nasty": nasty,
        "made-nasty-interrupted": {**copy.deepcopy(nasty), "interrupted": True},
        "made-large": large,
        "made-only-errors": document([check("udp.1/a", "error", 0, 0, "no namespaces")]),
        "made-unknown-status": document([check("udp.1/a", "pass", 3, 3, ""), check("udp.1/b", "other", 0, 0, "x")]),
        "made-nothing": document([]),
    }
    for name, value in made.items():
        path = WORK / f"{name}.json"
        path.write_text(json.dumps(value))
        RESULTS[name] = path


# ---- what is no result, and where nothing can be written ----

def refused(name, path, why, environment=None):
    done = run(["report", "--format", name, path], environment)
    expect(done.returncode == 2, f"status {done.returncode}")
    expect(not done.stdout, "prints something")
    lines = done.stderr.decode().splitlines()
    expect(len(lines) == 1 and re.search(why, lines[0]), lines)


def refused_by_all():
    whole = RESULTS["made-nasty"].read_bytes()
    bad = {"empty": (b"", "is empty"), "cut": (whole[:len(whole) // 2], "cut off"),
           "words": (b"hello\n", "is not JSON"), "array": (b"[]", "not a result of wiregrade"),
           "later": (whole.replace(b"result/v1", b"result/v2"), "later wiregrade"),
           "bytes": (b'{"a": "\xff\x00"}', "is not JSON"), "deep": (b"[" * 100000, "is not JSON"),
           "huge": (b'{"a": "' + b"x" * (100 * 1024 * 1024), "more than 64 MB")}
    for name, (contents, why) in bad.items():
        path = WORK / f"bad-{name}"
        path.write_bytes(contents)
        for form in FORMATS if name != "huge" else ("text", "github"):
            refused(form, path, why, CLASSROOM50)
        path.unlink()
    refused("text", WORK / "nowhere", "No such file")
    refused("text", WORK, "directory")


def unwritable(form):
    path = RESULTS["made-nasty"]
    for output in "/dev/full", WORK / "no" / "folder", WORK:
        done = run(["report", "--format", form, "--output", output, path], CLASSROOM50)
        expect(done.returncode == 3, f"status {done.returncode} for {output}")
        expect(len(done.stderr.splitlines()) == 1, done.stderr)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([WIREGRADE, "report", "--format", form, path], stdout=full, stderr=subprocess.PIPE,
                              env={**os.environ, **CLASSROOM50}, check=False)
    expect(done.returncode == 3 and b"standard output" in done.stderr, done)


def outputs_unwritable():
    path = RESULTS["made-nasty"]
    for form in "classroom", "classroom50", "github":
        done = run(["report", "--format", form, path], {**CLASSROOM50, "GITHUB_OUTPUT": "/dev/full"})
        expect(done.returncode == 3 and b"/dev/full" in done.stderr, form, done)
    done = run(["report", "--format", "github", path], {"GITHUB_STEP_SUMMARY": "/dev/full"})
    expect(done.returncode == 3 and b"/dev/full" in done.stderr, done)


def full_disk():
    """A disk with room for a part of a report: the old file stays, nothing else is left."""
    script = ('mount -t tmpfs -o size=16k tmpfs "$1" && echo old >"$1/file" && echo old >"$1/summary" && '
              'for form in gradescope github junit; do "$2" report --format $form --output "$1/file" "$3"; '
              '[ $? -eq 3 ] || echo "status of $form"; done; GITHUB_STEP_SUMMARY="$1/summary" "$2" report '
              '--format github "$3" >/dev/null; [ $? -eq 3 ] || echo "status of the summary"; '
              'cat "$1/file" "$1/summary"; ls -A "$1"')
    folder = WORK / "full"
    folder.mkdir()
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "-", folder, WIREGRADE, RESULTS["made-large"]],
                          capture_output=True, text=True, check=False)
    expect(done.stdout == "old\nold\nfile\nsummary\n", done.stdout, done.stderr)


def classroom50_outside():
    done = run(["report", "--format", "classroom50", RESULTS["made-nasty"]])
    expect(done.returncode == 3 and b"CLASSROOM, ASSIGNMENT" in done.stderr, done)


def annotations_of_build():
    """The lines that the compiler named are files of the submission's."""
    result = json.loads(RESULTS["broken"].read_text())
    folder = pathlib.Path(result["submission"])
    log = report("github", RESULTS["broken"], {"GITHUB_STEP_SUMMARY": str(WORK / "s"),
                                               "GITHUB_WORKSPACE": str(folder.parent)})
    places = [(c[1]["file"], int(c[1]["line"])) for c in runner_obeys(log) if "file" in c[1]]
    expect(places, "no place")
    for file, line in places:
        expect(line <= len((folder.parent / file).read_text().splitlines()), file, line)
    expect((f"{folder.name}/sub/client.c", 2) in places, places)


def main():
    documents_make()
    for name, path in RESULTS.items():
        result = json.loads(path.read_text())
        for form in FORMATS:
            test(f"{form} of {name}", globals()[f"{form}_check"], path, result)
        if name in ("right", "wrong", "made-nasty"):
            test(f"jq reads {name}", jq_check, path, result)
    test("the large one is cut", lambda: expect("cut here" in report("prairielearn", RESULTS["made-large"])))
    test("what the compiler names is annotated", annotations_of_build)
    test("what is no result is refused by all", refused_by_all)
    for form in FORMATS:
        test(f"{form} says where it cannot write", unwritable, form)
    test("outputs that cannot be written", outputs_unwritable)
    test("Classroom 50's variables that are not there are named", classroom50_outside)
    if os.getuid() == 0:
        test("a full disk leaves the old file", full_disk)
    failed = run_all()
    subprocess.run(["rm", "-rf", WORK], check=False)
    sys.exit(failed > 0)


main()
