#!/bin/sh
# Tests of the command line as its users meet it: cli_test.sh WIREGRADE [SUBMISSION]. Speaks TAP.
# SUBMISSION must pass; it is the tree's reference if it is not named.
set -u
wiregrade=$(realpath "$1")
await=$(realpath "$(dirname "$0")/../../.ci/await")
submission=$(realpath "${2:-$(dirname "$0")/../../reference}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset NO_COLOR LC_ALL LC_CTYPE LC_MESSAGES LANGUAGE
export LANG=C XDG_CACHE_HOME="$work/cache"
number=0
failed=0

# result OK DESCRIPTION
result() {
  number=$((number + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $number - $2"
  else
    failed=$((failed + 1))
    echo "not ok $number - $2"
    sed 's/^/# /' out err
  fi
}

# run STATUS ARGUMENT...: runs wiregrade, and expects the status. Output is in the files out and err.
run() {
  wanted=$1
  shift
  timeout 120 "$wiregrade" "$@" >out 2>err </dev/null
  status=$?
  [ "$status" -eq "$wanted" ] || echo "status $status, not $wanted" >>err
  [ "$status" -eq "$wanted" ]
  result $? "status $wanted: wiregrade $*"
}

# says FILE TEXT
says() {
  grep -qF -- "$2" "$1"
  result $? "  $1 has '$2'"
}

# silent FILE
silent() {
  ! [ -s "$1" ]
  result $? "  nothing on $1"
}

# python CONDITION: of the JSON document in out, as d
python() {
  python3 -c 'import json, sys; d = json.load(open("out")); sys.exit(not ('"$1"'))' 2>>err
  result $? "  $1"
}

# ---- help ----
run 2
says err 'Usage: wiregrade COMMAND'
run 0 help
says out 'wiregrade doctor'
run 0 --version
says out 'wiregrade '
for command in grade batch list explain doctor verify report export; do
  run 0 "$command" --help
  says out "Usage: wiregrade $command"
  silent err
  run 0 help "$command"
  says out "Usage: wiregrade $command"
  awk 'length > 80 { exit 1 }' out
  result $? '  80 columns'
  run 2 "$command" --nonsense
  says err "Try \`wiregrade $command --help\`."
  silent out
  awk 'length > 80 { exit 1 }' err
  result $? '  80 columns'
done
"$wiregrade" help | awk 'length > 80 { exit 1 }'
result $? 'help in 80 columns'

# ---- usage ----
run 2 nonsense
says err "There is no command 'nonsense'"
run 2 help nonsense
run 2 grade
says err 'Name the folder'
run 2 grade one two
says err "'two' is one word too many"
run 2 grade --jobs 0 .
run 2 grade --jobs many .
says err "not 'many'"
run 2 grade --jobs
run 2 grade --seed -1 .
run 2 grade --clock sand .
says err 'virtual or real'
run 2 grade --build-limit 0 .
run 2 grade --lab upd .
says err 'did you mean udp'
run 2 grade --lab nonsense .
says err 'wiregrade list'
run 2 grade --check udp.99 .
says err 'udp.1 to udp.'
run 2 grade --check udp.1/nonsense .
says err "There is no check 'udp.1/nonsense'; there "
run 2 grade --json - --tap .
run 2 grade --json - --junit /dev/stdout .
run 2 grade --json "$work/nowhere/result.json" .
says err 'No such file or directory'
run 2 grade --json "$work" .
says err 'it is a folder'
run 2 list nonsense
run 2 explain
run 2 explain udp
run 2 explain nonsense.1
run 2 report
run 2 report nowhere.json
says err 'No such file or directory'
run 2 report --format nonsense x.json
says err 'text, html, tap, junit, classroom50, '
run 2 export
run 2 export nonsense
run 2 export gradescope-zip --lab nonsense
run 3 export gradescope-zip --output "$work/nowhere/a.zip"
run 2 verify --lab nonsense
run 2 verify nonsense
run 2 verify --mutants 0
run 2 verify --runs 0
run 2 verify --jobs many
run 2 verify --clock sand
says err 'virtual, real or both'
run 2 verify --html
run 2 doctor nonsense

# ---- list and explain ----
run 0 list
says out 'udp-retry	'
run 0 list --json
python '[l["lab"] for l in d] == ["udp", "udp-retry"] or len(d) > 2'
python 'all(r["requirement"].startswith(l["lab"] + ".") for l in d for r in l["requirements"])'
python 'all(r["level"] in ("core", "stretch") and r["text"] for l in d for r in l["requirements"])'
for requirement in $(python3 -c 'import json
for lab in json.load(open("out")):
    for requirement in lab["requirements"]: print(requirement["requirement"])'); do
  timeout 10 "$wiregrade" explain "$requirement" >out 2>err || echo "$requirement: status $?" >>err
  grep -q "^$requirement (" out || echo "$requirement: no heading" >>err
  grep -qF "wiregrade grade --check $requirement" out || echo "$requirement: not how to check it" >>err
  [ "$(LC_ALL=C.UTF-8 wc -L <out)" -le 80 ] || echo "$requirement: too long" >>err
  cat err
done >complaints
cp complaints err
! [ -s complaints ]
result $? 'explain of every requirement'
run 2 explain udp.1 udp.99 udp.2
says out 'udp.2 ('
run 0 explain udp_retry.6/any

# ---- doctor ----
timeout 60 "$wiregrade" doctor >out 2>err
status=$?
[ $status -eq 0 ] || [ $status -eq 3 ]
result $? 'doctor ends with 0 or 3'
grep -Evq '^(ok|no|weaker|\?|Linux|Grading|The virtual clock$|Containment$|        |$)' out
[ $? -eq 1 ]
result $? '  its lines begin with ok, no or weaker'
timeout 60 "$wiregrade" doctor --json >out 2>err
python '{e["part"] for e in d["examinations"]} == {"Grading", "The virtual clock", "Containment"} and all(e["holds"] or e["mend"] for e in d["examinations"])'
python 'd["kernel"] and d["conclusion"].startswith("Grading")'

# ---- the standard output ----
"$wiregrade" list >&- 2>err
[ $? -eq 3 ]
result $? 'a closed standard output is an error'
if [ -w /dev/full ]; then
  "$wiregrade" list >/dev/full 2>err
  [ $? -eq 3 ]
  result $? 'a full disk is an error'
fi

# ---- grading what cannot be graded ----
if ! "$wiregrade" doctor >out 2>&1; then
  echo "ok $((number += 1)) - grading # SKIP this machine cannot grade; see wiregrade doctor"
  echo "1..$number"
  exit $((failed > 0))
fi
mkdir empty other broken yaml
echo hello >other/README
run 2 grade nowhere
says err 'nowhere'
silent out
run 2 grade empty
says err 'empty'
run 1 grade --json result.json other
says err 'No program was found in other; looked for '
says err 'udp-server'
cp result.json out
python 'd["score"] == 0 and d["max_score"] > 0'
python 'all(c["status"] == "missing" for l in d["labs"] for c in l["checks"])'
printf 'int main(void) {\n  return x;\n}\n' >broken/udp-client.c
run 1 grade --lab udp broken
says out 'BUILD failed in udp-client.c, line 2'
says out "  udp-client.c:2:10: error: "
printf 'programs:\n  udp-client: 7: 8\n' >yaml/wiregrade.yaml
run 2 grade yaml
says err 'wiregrade.yaml:2'
mkdir endless
printf 'all:\n\twhile :; do sleep 1; done\n' >endless/Makefile
run 1 grade --build-limit 1 endless
says out 'did not end within 1 s'

# A signal while it builds: what is known is reported, and nothing goes on.
for signal in 2 15; do
  rm -f result.json
  "$wiregrade" grade --json result.json endless >out 2>err &
  pid=$!
  "$await" $pid make
  kill -$signal $pid
  wait $pid
  [ $? -eq $((128 + signal)) ]
  result $? "signal $signal ends it with status $((128 + signal))"
  says out 'Interrupted'
  cp result.json out
  python 'd["interrupted"]'
done

# ---- what was built is kept ----
mkdir kept
printf 'all:\n\t@cat /proc/sys/kernel/random/uuid\n' >kept/Makefile
run 1 grade --lab services --json first.json kept
run 1 grade --lab services --json again.json kept
run 1 grade --lab services --no-build-cache --json anew.json kept
python3 -c 'import json
first, again, anew = (json.load(open(name + ".json"))["build"]["log"] for name in ("first", "again", "anew"))
assert first == again != anew, (first, again, anew)' 2>err
result $? '  the very same is built once, unless --no-build-cache is given'

# ---- a whole grading ----
run 0 grade --lab udp --json result.json --junit result.xml "$submission"
says out 'checks passed'
! grep -q "$(printf '\033')" out
result $? '  no colour where there is no terminal'
awk 'length > 80 { exit 1 }' out
result $? '  80 columns'
silent err
cp result.json out
python 'd["schema"] == "wiregrade/result/v1" and d["build"]["ok"] and not d["interrupted"]'
python 'd["score"] == d["max_score"] == sum(l["score"] for l in d["labs"])'
python 'all(e["run"] > 0 for l in d["labs"] for c in l["checks"] for e in c["events"] if "program" in e)'
python 'all(isinstance(x["score"], int) for l in d["labs"] for x in [l] + l["checks"])'
for key in id requirement level status score max_score message expected actual hint clock \
  virtual_s end_t real_s capture events; do
  python "all('$key' in c for l in d['labs'] for c in l['checks'])"
done
python3 -c 'import xml.etree.ElementTree as tree; tree.parse("result.xml")' 2>err
result $? '  the JUnit file is XML'
for format in text tap junit html; do
  run 0 report --format $format result.json
done

# ---- init ----
run 0 init starter
says out 'a skeleton for each program of'
run 2 init starter
says err 'starter is there already, and is not empty'
run 2 init starter/README.md
says err 'is no folder'
run 2 init nowhere/starter
run 2 init
run 2 init --lab nonsense few
! [ -e few ] && ! ls -d starter.* 2>/dev/null
result $? '  nothing is left of what was refused'
mkdir few
run 0 init --lab udp --lab udp-retry few/
[ "$(cd few && echo */)" = 'udp-retry/ udp/' ]
result $? '  only the labs that are named'
make -C starter >out 2>err
says out 'No program is begun yet'
run 1 grade --lab udp starter
says out 'no program yet'
for source in starter/*/*.c; do
  sed 1d "$source" | ${CC:-cc} -std=gnu17 -Wall -Wextra -Wpedantic -Werror -x c - -o skeleton 2>>err && ! ./skeleton 2>>out || echo "$source" >>bad-skeletons
done
! [ -e bad-skeletons ]
result $? '  every skeleton compiles without a warning, and says that it is not written'
[ "$(cat starter/*/*.c | grep -c 'Not begun')" -eq "$("$wiregrade" list --json | python3 -c 'import json, sys; print(sum(len(l["programs"]) for l in json.load(sys.stdin)))')" ]
result $? '  there is one for each program'
for name in udp-server udp-client udp-client-safe; do
  cp "$submission/udp/$name.c" starter/udp 2>/dev/null || cp "$submission"/$name* starter/udp
done
PATH=$(dirname "$wiregrade"):$PATH make -s -C starter grade >out 2>err
result $? '  make grade grades what is begun'
says out 'udp '
! grep -q 'no program yet' out
result $? '  and nothing else'

# ---- course ----
cat >course.yaml <<'END'
course: Sockets
limits:
  processes: 20
  memory: 300 MB
END
run 0 course check course.yaml
says out 'processes       20'
says out 'memory          300 MB'
says out 'descriptors     1024'
run 2 course check nowhere.yaml
says err 'nowhere.yaml'
run 2 course
run 2 grade --course nowhere.yaml "$submission"
echo 'limits: 5' >wrong.yaml
run 2 grade --course wrong.yaml "$submission"
says err 'wrong.yaml:1'
run 0 grade --course course.yaml --check udp.7 "$submission"
mkdir forks
cat >forks/udp_client.py <<'END'
import os, sys, time
count = 0
try:
    while count < 100:
        if os.fork() == 0:
            time.sleep(1)
            os._exit(0)
        count += 1
except OSError:
    pass
print("children:", count, file=sys.stderr)
END
run 1 grade --course course.yaml --check udp.7 forks
says out 'children: 19'
run 1 grade --check udp.7 forks
says out 'children: 100'

# ---- watch ----
run 2 watch
run 2 watch nowhere
run 2 watch --lab nonsense .
mkdir watched
cp -R few/. watched
sed 1d few/udp/udp-client.c >watched/udp/udp-client.c
awaits() { # TEXT [TIMES]: in what the watcher printed
  tries=0
  until [ "$(grep -cF -- "$1" out)" -ge "${2:-1}" ] || [ $((tries += 1)) -gt 300 ]; do sleep 0.1; done
  [ $tries -le 300 ]
  result $? "  watch: '$1'${2:+, $2 times}"
}
"$wiregrade" watch watched >out 2>err </dev/null &
watcher=$!
awaits 'waiting for a file to be saved'
awaits 'FAIL udp.7'
cp "$submission"/udp/udp-client.c watched/udp/udp-client.c 2>/dev/null || cp "$submission"/udp-client* watched/udp/
awaits 'udp/udp-client.c changed'
awaits 'waiting for a file to be saved' 2
sed -i 1d watched/udp-retry/udp-retry-client.c
awaits 'udp-retry/udp-retry-client.c changed'
awaits 'waiting for a file to be saved' 3
awaits 'FAIL udp-retry.4'
[ "$(sed -n '/retry-client.c changed/,$p' out | grep -c 'FAIL udp\.')" -eq 0 ]
result $? '  only what changed is graded again'
kill -INT $watcher
wait $watcher
result $? '  Ctrl-C ends it with status 0'

# ---- verify, of a suite elsewhere ----
lab_yaml=$(find "$(dirname "$wiregrade")/.." -path '*/suite/services/lab.yaml' 2>/dev/null | head -n 1)
mkdir -p own/suite/services own/fixtures/mutants/services
cp "$lab_yaml" own/suite/services && cp -RLp "$submission" own/reference
printf '# It does nothing.\nFails: services.1\n\n--- a/nothing.c\n+++ b/nothing.c\n@@ -1,1 +1,1 @@\n-a\n+b\n' \
  >own/fixtures/mutants/services/misfit.patch
run 3 verify --suite own/suite --clock both --runs 2 --json found.json --html found.html
says out 'requirement       reference  styles  mutants killed'
says out 'On the real clock'
says out 'services.1 kills 0 mutants, and must kill at least 2'
says out '- error: services/misfit (real clock, run 2): the patch does not apply'
says out 'flake rate  0 of '
says out 'both clocks  0 of '
says found.html '<th scope="row">reference, real clock, run 1</th>'
cp found.json out
python 'd["schema"] == "wiregrade/verify/v2" and not d["ok"] and d["clocks"] == ["virtual", "real"] and d["runs"] == 2'
python 'd["between_clocks"]["differ"] == 0 and d["between_clocks"]["compared"] == len(d["checks"]) > 0'
python 'all(c["clocks"]["real"]["judged"] == 2 and c["failed_by"] == [] for c in d["checks"].values())'
python 'len(d["gradings"]) == 8 and all(g["ended"] for g in d["gradings"])'
"$wiregrade" verify --suite own/suite --runs 1000 --jobs 2 --json found.json >out 2>err </dev/null &
verifier=$!
"$await" $verifier check
kill -INT $verifier
wait $verifier
[ $? -eq 130 ]
result $? 'status 130: wiregrade verify, interrupted'
says out 'Interrupted, '
cp found.json out
python 'd["interrupted"] and not any("kills" in sentence for sentence in d["deviations"])'

# ---- completion ----
completion=$(dirname "$wiregrade")/../grader/cli/completion/wiregrade.bash
[ -f "$completion" ] || completion=$(dirname "$wiregrade")/../share/bash-completion/completions/wiregrade
complete_words() { # WORD...: what the last of them can become
  PATH=$(dirname "$wiregrade"):$PATH bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _wiregrade; printf "%s\n" "${COMPREPLY[@]}"' \
    "$completion" "$@" >out 2>err
}
complete_words wiregrade ''
says out 'verify'
complete_words wiregrade grade --la
says out '--lab'
complete_words wiregrade grade --lab udp-
says out 'udp-retry'
complete_words wiregrade grade --clock v
says out 'virtual'
complete_words wiregrade verify --clock b
says out 'both'

# ---- captures ----
mkdir bad
cat >bad/udp_client.py <<'END'
import socket, time
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for text in b"wrong", b"wrong again":
    client.sendto(text, ("127.0.0.1", 60000))
    time.sleep(0.25)
END
name=udp.7-client_sends_one_datagram.pcapng
run 1 grade --check udp.7 --captures kept/here --json result.json bad
says out "wireshark $work/kept/here/$name"
cp result.json out
python "d['labs'][0]['checks'][0]['capture'] == '$work/kept/here/$name'"
if command -v tshark >/dev/null; then
  tshark -r "kept/here/$name" -Y "udp and not icmp" -T fields -e frame.time_epoch -e udp.length 2>err >frames
  result $? '  tshark reads it'
  python '[(e["t"], e["length"] + 8) for l in d["labs"] for c in l["checks"] for e in c["events"] if e["kind"] == "frame" and e["protocol"] == "UDP"] == [(float(t), int(n)) for t, n in map(str.split, open("frames"))]'
else
  echo '# tshark is not there: whether it reads captures could not be tried'
fi
run 1 grade --check udp.7 --captures kept/here --html a/page bad
says out 'As a page:         a/page/index.html'
cmp "kept/here/$name" "a/page/$name" >out 2>err
result $? '  the page has its own copy of the capture'
cp a/page/index.html out
says out "href=\"$name\""
python3 -c 'import xml.etree.ElementTree as tree; tree.parse("a/page/index.html")' 2>err
result $? '  the page is well-formed'
if [ "$(id -u)" -eq 0 ]; then # only root can make a disk that is full
  mkdir full
  unshare -m sh -c 'mount -t tmpfs -o size=4k tmpfs full && cd full && "$@"' - \
    "$wiregrade" grade --check udp.7 --captures none --html . ../bad >out 2>err
  [ $? -eq 3 ]
  result $? '  status 3 where the page does not fit on the disk'
  says err 'Cannot write ./index.html: No space left on device'
fi
run 2 grade --check udp.7 --html result.json bad
says err 'result.json: it is not a folder'
silent out
run 2 grade --check udp.7 --html /proc/nowhere bad
says err 'Cannot make the folder /proc/nowhere'
run 1 grade --check udp.7 bad
says out 'wireshark '
[ -f "cache/wiregrade/captures/bad/$name" ]
result $? '  it is kept in the cache without being asked for'
cp "$submission"/bin/udp-client bad/udp-client 2>/dev/null || cp "$submission"/udp/udp-client.c bad/udp-client.c
rm bad/udp_client.py
run 0 grade --check udp.7 bad
! [ -e "cache/wiregrade/captures/bad/$name" ]
result $? '  and removed when the check passes'
run 0 grade --check udp.7 --captures all --all-captures bad
[ -f "all/$name" ]
result $? '  --all-captures keeps those of checks that pass'
mkdir -m 555 locked
run 0 grade --check udp.7 --captures none --all-captures bad
! ls none 2>/dev/null
result $? '  --captures none keeps none'

run 0 try --list udp
says out 'forger'
says out 'alone'
run 0 try udp "$submission" -- udp-client
says out 'The server replied'
says out ' --> server:60000  UDP, 20 bytes'
run 0 try --quiet --captures scenes --scene forger udp "$submission" -- udp-client
says out 'You are hacked!'
! grep -q -- '-->' out
result $? '  --quiet does not show the wire'
[ -s scenes/udp-forger.pcapng ]
result $? '  the frames are kept where they are wanted'
run 7 try --scene alone udp "$submission" -- exit 7
run 1 try --scene silent udp-retry "$submission" -- udp-retry-client
run 2 try --scene nowhere udp "$submission" -- true
says err "has no scene 'nowhere'"
run 2 try udp "$submission"
says err 'A shell needs a terminal'
run 2 try udq . -- true
says err "udq"
# A person at a terminal: `script` gives one. What is typed comes before the shell, and waits for it.
printf 'udp-client\nexit 3\n' | timeout 60 script -qec "\"$wiregrade\" try udp \"$submission\"" /dev/null >out 2>err
[ $? -eq 3 ]
result $? 'try at a terminal: the status is the shell'"'"'s'
says out 'The server replied'

run 0 report --output report.txt result.json
silent out
timeout 20 "$wiregrade" report - <result.json >out 2>err
result $? 'report of the standard input'

run 0 grade --check udp_retry.6 --json - "$submission"
python '{c["requirement"] for l in d["labs"] for c in l["checks"]} == {"udp-retry.6"}'
run 0 grade --program udp_client --json - "$submission"
python '{c["id"] for l in d["labs"] for c in l["checks"]} == {"udp.7/client_sends_one_datagram", "udp.8/client_shows_the_reply", "udp.9/client_is_promiscuous"}'
run 2 grade --program udp-clientele .
says err "No lab has a program 'udp-clientele'"
timeout 60 "$wiregrade" grade --check udp.7 --json out "$submission" >out 2>err
python '[l["lab"] for l in d["labs"]] == ["udp"]'
run 0 grade --check udp.7 --tap "$submission"
says out 'TAP version 13'
says out '1..1'
run 0 grade --check udp.7 --clock real --seed 7 --jobs 1 "$submission"
says out 'real clock, seed 7'
echo "1..$number"
exit $((failed > 0))
