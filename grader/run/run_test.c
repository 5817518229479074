#include "grader/run/run.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/run/suite.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A suite program of three checks; what each does is told by FAKE_a, FAKE_b and FAKE_c in the
 * environment: a list of what to do in the first run, the second, … */
static const char fake[] =
    "#!/usr/bin/env python3\n"
    "import json, os, socket, sys, time\n"
    "checks = [('udp.2/b', 'udp.2', 'udp/b'), ('udp.1/a', 'udp.1', 'udp/a'), ('udp.2/c', 'udp.2', 'udp/c')]\n"
    "if '--describe' in sys.argv:\n"
    "    for check, requirement, test in checks:\n"
    "        print(json.dumps({'check': check, 'requirement': requirement, 'test': test, 'programs': ['x']}))\n"
    "    print(os.environ.get('FAKE_describe', ''), end='')\n"
    "    sys.exit(int(os.environ.get('FAKE_describe_status', '0')))\n"
    "channel = socket.socket(fileno=int(os.environ['WIREGRADE_VERDICT_FD']))\n"
    "def send(check, status, message=''):\n"
    "    channel.send(json.dumps({'check': check, 'status': status, 'message': message}).encode())\n"
    "assert sys.argv[1] == '--checks'\n"
    "wanted = sys.argv[3:] or [test for check, requirement, test in checks]\n"
    "here = os.path.dirname(os.path.abspath(__file__))\n"
    "for check, requirement, test in checks:\n"
    "    if test not in wanted: continue\n"
    "    name = test[-1]\n"
    "    with open(f'{here}/runs-{name}', 'a+') as log:\n"
    "        log.write('x'); log.flush(); log.seek(0); run = len(log.read())\n"
    "    acts = os.environ.get('FAKE_' + name, 'pass').split()\n"
    "    act = acts[min(run, len(acts)) - 1]\n"
    "    if act == 'die': print('first\\nassertion \\u2026', file=sys.stderr, flush=True); os.abort()\n"
    "    if act == 'hang': time.sleep(60)\n"
    "    if act == 'silent': continue\n"
    "    if act == 'large': send(check, 'pass', 'm' * 250000); continue\n"
    "    if act == 'garbage': channel.send(b'garbage'); channel.send(b'[1]'); continue\n"
    "    if act == 'stranger': send('tcp.1/a', 'pass'); send(check, 'perfect'); continue\n"
    "    if act == 'both': send(check, 'pass'); send(check, 'fail'); continue\n"
    "    if act == 'environment': send(check, 'pass', ' '.join([os.environ['WIREGRADE_MANIFEST'], os.environ['WIREGRADE_CLOCK'], os.environ['WIREGRADE_SEED'], sys.argv[2]])); continue\n"
    "    send(check, act)\n";

static char folder[64], *program;
static char *names[] = {(char *)"x"};
static struct requirement requirements[] = {
    {1, LEVEL_CORE, NULL, 0, (char *)"", (char *)"", (char *)""},
    {2, LEVEL_CORE, NULL, 0, (char *)"", (char *)"", (char *)""},
};
static const struct lab lab = {(char *)"udp", (char *)"", (char *)"1",  4,
                               names,         1,          requirements, 2};
static struct description description;
static char faults[4096];

static void fake_make(void) {
  struct failure failure;
  strcpy(folder, "/tmp/wiregrade-test-XXXXXX");
  cr_assert(mkdtemp(folder));
  program = memory_format("%s/udp", folder);
  FILE *file = fopen(program, "w");
  fputs(fake, file);
  fclose(file);
  chmod(program, 0755);
  cr_assert(describe(program, &lab, &description, &failure) == 0, "%s", failure.sentence);
}

static void fake_remove(void) {
  scoped_text char *command = memory_format("rm -r %s", folder);
  cr_assert(system(command) == 0);
  free(program);
  description_free(&description);
}

TestSuite(run, .init = fake_make, .fini = fake_remove, .timeout = 30);

static void note_fault(void *context, const char *sentence) {
  (void)context;
  snprintf(faults + strlen(faults), sizeof faults - strlen(faults), "%s\n", sentence);
}

static struct run_spec run_defaults(void) {
  return (struct run_spec){.program = program,
                           .manifest = "/some/manifest",
                           .clock = "virtual",
                           .seed = 7,
                           .jobs = 2,
                           .silence_limit_s = 20};
}

static void expect_statuses(struct run_spec spec, const bool *wanted, const char *a, const char *b,
                            const char *c) {
  struct judged_check *judged = judged_checks(&description);
  run_lab(&spec, &description, wanted, judged, note_fault);
  const char *wishes[] = {a, b, c};
  for (size_t i = 0; i < 3; i++) {
    const char *status = judged[i].verdict ? result_text(judged[i].verdict, "status") : "none";
    const char *message = result_text(judged[i].verdict, "message");
    const char *colon = strchr(wishes[i], ':');
    size_t length = colon ? (size_t)(colon - wishes[i]) : strlen(wishes[i]);
    cr_expect(strncmp(status, wishes[i], length) == 0 && status[length] == '\0',
              "%s is %s (%.200s), not %s", judged[i].id, status, message, wishes[i]);
    if (colon)
      cr_expect(strstr(message, colon + 1), "no '%s' in: %.200s", colon + 1, message);
  }
  judged_checks_free(judged, 3);
}

static size_t runs_of(const char *check) {
  scoped_text char *path = memory_format("%s/runs-%s", folder, check);
  struct stat status;
  return stat(path, &status) ? 0 : (size_t)status.st_size;
}

Test(run, checks_are_described_in_order_of_their_requirements) {
  cr_assert_eq(description.count, 3);
  cr_expect_str_eq(description.checks[0].id, "udp.1/a");
  cr_expect_str_eq(description.checks[1].id, "udp.2/b");
  cr_expect_str_eq(description.checks[2].id, "udp.2/c");
  cr_expect_str_eq(description.checks[2].test, "udp/c");
}

static void expect_no_description(const char *why) {
  struct description none;
  struct failure failure;
  cr_assert(describe(program, &lab, &none, &failure) == -1);
  cr_expect(strstr(failure.sentence, why), "no '%s' in: %s", why, failure.sentence);
}

Test(run, a_description_that_is_wrong) {
  setenv("FAKE_describe", "{\"check\": \"udp.3/d\", \"requirement\": \"udp.3\", \"test\": \"d\"}",
         1);
  expect_no_description("udp.3, which is not in the lab's lab.yaml");
  setenv("FAKE_describe", "{\"check\": \"udp.1/a\", \"requirement\": \"udp.1\", \"test\": \"d\"}",
         1);
  expect_no_description("two checks with the name udp.1/a");
  setenv("FAKE_describe", "oops", 1);
  expect_no_description("oops");
  setenv("FAKE_describe_status", "4", 1);
  expect_no_description("exit status 4");
  unlink(program);
  expect_no_description("No such file");
}

Test(run, verdicts_are_taken_as_they_are) {
  setenv("FAKE_b", "fail", 1);
  setenv("FAKE_c", "missing", 1);
  expect_statuses(run_defaults(), NULL, "pass", "fail", "missing");
  cr_expect_eq(runs_of("b"), 1, "a failure is not retried");
}

Test(run, the_environment_is_as_agreed) {
  setenv("FAKE_a", "environment", 1);
  expect_statuses(run_defaults(), NULL, "pass:/some/manifest virtual 7 2", "pass", "pass");
}

Test(run, a_large_verdict) {
  setenv("FAKE_a", "large", 1);
  expect_statuses(run_defaults(), NULL, "pass:mmm", "pass", "pass");
}

Test(run, an_error_is_retried_once) {
  setenv("FAKE_a", "error pass", 1);
  setenv("FAKE_b", "error error pass", 1);
  setenv("FAKE_c", "silent fail", 1);
  expect_statuses(run_defaults(), NULL, "pass", "error", "fail");
  cr_expect_eq(runs_of("b"), 2);
}

Test(run, a_crash_costs_only_the_check_that_crashes) {
  setenv("FAKE_a", "die", 1);
  expect_statuses(run_defaults(), NULL, "error:SIGABRT: assertion", "pass", "pass");
  cr_expect_eq(runs_of("b"), 1);
  cr_expect_eq(runs_of("a"), 2);
}

Test(run, a_suite_program_that_gives_no_verdict_at_all) {
  setenv("FAKE_b", "die", 1);
  expect_statuses(run_defaults(), NULL, "error", "error:SIGABRT", "error");
  cr_expect_eq(runs_of("b"), 2);
}

Test(run, a_hang_becomes_an_error) {
  setenv("FAKE_a", "hang", 1);
  struct run_spec spec = run_defaults();
  spec.silence_limit_s = 3; /* the interpreter's start counts too, on a busy machine */
  expect_statuses(spec, NULL, "error:for too long", "pass", "pass");
}

Test(run, a_stop_keeps_what_is_known) {
  setenv("FAKE_b", "hang", 1); /* it is the first in the program */
  static volatile sig_atomic_t stop;
  stop = 1;
  struct run_spec spec = run_defaults();
  spec.stop = &stop;
  expect_statuses(spec, NULL, "none", "none", "none");
}

Test(run, only_what_is_wanted) {
  expect_statuses(run_defaults(), (bool[]){true, false, true}, "pass", "none", "pass");
  cr_expect_eq(runs_of("b"), 0);
}

Test(run, records_that_are_no_verdicts) {
  setenv("FAKE_a", "garbage", 1);
  setenv("FAKE_b", "stranger", 1);
  setenv("FAKE_c", "both", 1);
  expect_statuses(run_defaults(), NULL, "error", "error", "error:two different verdicts");
  cr_expect(strstr(faults, "'pass' for 'tcp.1/a'"), "%s", faults);
  cr_expect(strstr(faults, "'perfect' for 'udp.2/b'"), "%s", faults);
}
