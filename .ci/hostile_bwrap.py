"""bubblewrap as a second opinion: the programs of fixtures/hostile that print what they reach (`proof` in `expected`)
run under bwrap with flags that come near to the grader's sandbox, and in that. Called by .ci/hostile --bwrap."""
import os, re, shutil, subprocess, tempfile

# Without --new-session a program could type into the terminal; as root, bwrap keeps the host's user 0 without --uid
# (and with it, outside a user namespace). There is no filter here: bwrap takes one, but brings none.
FLAGS = ["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
         "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib",
         "--symlink", "usr/lib64", "/lib64", "--ro-bind", "/etc", "/etc", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
         "--chdir", "/submission", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin"]


def reached(text):
    return sorted(set(re.findall(r"REACHED [^\n\"\\]*", text)))


def under_bwrap(folder, proof, cc_flags=("-w", "-D_GNU_SOURCE")):
    with tempfile.TemporaryDirectory() as copy:
        os.chmod(copy, 0o755)
        shutil.copytree(folder, copy, dirs_exist_ok=True, symlinks=True)
        command = ["python3", proof]
        if proof.endswith(".c"):
            subprocess.run(["cc", *cc_flags, "-o", f"{copy}/attack", f"{copy}/{proof}", "-lpthread"], check=True)
            command = ["./attack"]
        done = subprocess.run(["bwrap", *FLAGS, "--bind", copy, "/submission", *command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, text=True, errors="replace")
    return done.returncode, done.stdout


def compare(hostile, machine, attacks):
    """Prints both side by side; 0 if nothing got through the grader's sandbox, and each attack ran in both."""
    ours = {attack.name: [] for attack in attacks}
    proofs = [attack for attack in attacks if attack.proof]
    for attack, problems, _ in hostile.run_all(proofs, {attack.name: 1 for attack in proofs}, os.geteuid() != 0, 2):
        ours[attack.name] += problems["forged"]
    bad = 0
    print(f"{'attack':<24}{'bubblewrap':>12}{'wiregrade':>12}  the first that bubblewrap let through")
    for attack in attacks:
        if not attack.proof:
            continue
        status, text = under_bwrap(os.path.join(attack.folder, "submission"), attack.proof)
        theirs = reached(text)
        ran = "tried" in text
        print(f"{attack.name:<24}{len(theirs) if ran else '?':>12}{len(ours[attack.name]):>12}  {theirs[0][8:60] if theirs else ''}"
              + ("" if ran else f"  did not run: status {status}, {text[-100:]!r}"))
        bad += bool(ours[attack.name]) or not ran
    others = [attack.name for attack in attacks if not attack.proof]
    print(f"{len(others)} attacks were not compared: they are on the build, on the verdict or on limits, which bwrap has not.")
    return 1 if bad else 0
