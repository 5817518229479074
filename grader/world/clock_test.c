/* The virtual clock follows every call that waits or reads the time: a program that believes that
 * it has waited a minute has taken a fraction of a second, and its clock shows the minute to 2 ms.
 */
#include "grader/sandbox/sandbox.h"
#include "grader/world/world.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_S = 1000 };

struct run {
  double virtual_s, real_s;
  int status;
  char output[4096];
  char finding[256];
};

static bool has_ended(void *program) {
  return program_ended(program, NULL);
}

/* The folder that this test program is in, where the programs that it starts are too. */
static void own_folder(char *path, size_t size) {
  ssize_t length = readlink("/proc/self/exe", path, size - 1);
  cr_assert_gt(length, 0);
  path[length] = '\0';
  *strrchr(path, '/') = '\0';
}

static struct run run_on(enum world_clock clock, const char *const *argv) {
  struct failure failure;
  enum sandbox_mode mode;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  struct world_options options = {.clock = clock, .seed = 1};
  struct world *world = world_create(&options, &failure);
  cr_assert(world, "%s", failure.sentence);
  struct host *host = host_create(world, "localhost", &failure);
  cr_assert(host, "%s", failure.sentence);
  char folder[4096];
  own_folder(folder, sizeof folder);
  struct program_spec spec = {.name = argv[0], .folder = folder, .argv = (char *const *)argv};
  struct program *program = program_start(host, &spec, &failure);
  cr_assert(program, "%s", failure.sentence);
  enum world_pause pause = world_run(world, LIMIT_S * SECONDS, has_ended, program);
  char *doing = program_doing(program);
  cr_assert_eq(pause, WORLD_UNTIL, "%s did not come to its end (%d): it %s", argv[0], (int)pause,
               doing);
  free(doing);
  struct run run = {.virtual_s = (double)world_now(world) / 1e9,
                    .real_s = (double)world_real_now(world) / 1e9};
  program_ended(program, &run.status);
  for (int stream = 0; stream < 2; stream++) {
    size_t length = 0, used = strlen(run.output);
    const uint8_t *output = program_output(program, (enum event_stream)stream, &length);
    if (length > sizeof run.output - used - 1)
      length = sizeof run.output - used - 1;
    memcpy(run.output + used, output ? output : (const uint8_t *)"", length);
  }
  const char *finding = world_finding(world, 0);
  snprintf(run.finding, sizeof run.finding, "%s", finding ? finding : "");
  world_destroy(world);
  return run;
}

static void expect_wait(const struct run *run, const char *what, double seconds, double tolerance) {
  const char *said = strstr(run->output, "waited ");
  cr_assert(WIFEXITED(run->status) && WEXITSTATUS(run->status) == 0, "%s ended with %x: %s", what,
            (unsigned)run->status, run->output);
  cr_assert(said, "%s: %s", what, run->output);
  double waited = atof(said + strlen("waited "));
  cr_assert(fabs(waited - seconds) <= tolerance, "%s waited %.6f s, not %.3f s", what, waited,
            seconds);
}

/* ---- C, dynamic and static ---- */

struct way {
  char name[32];
  double seconds;
};

static struct way ways[] = {
    {"nanosleep", 60},
    {"clock_nanosleep_absolute", 60},
    {"nanosleep_interrupted", 60},
    {"poll", 60},
    {"ppoll", 60},
    {"ppoll_signal", 120},
    {"select", 60},
#ifdef SYS_select
    {"select_microseconds", 60},
#endif
    {"select_remaining", 60},
    {"pselect", 60},
    {"epoll", 60},
    {"epoll_pwait2", 60},
    {"poll_interrupted", 60},
    {"recv", 60},
    {"read", 60},
    {"recvmsg", 60},
    {"recv_interrupted", 60},
    {"recv_restarted", 60},
    {"accept", 60},
    {"accept_inherits", 60},
    {"futex", 60},
    {"futex_woken", 60},
    {"futex_used_again", 60},
    {"condition", 60},
    {"condition_woken", 60},
    {"semaphore", 60},
    {"semtimedop", 60},
    {"mq_timedreceive", 60},
    {"send", 60},
    {"sigtimedwait", 60},
    {"alarm", 60},
    {"setitimer", 60},
    {"timer_create", 60},
    {"timer_thread", 60},
    {"timerfd", 60},
    {"timerfd_ticks", 60},
    {"timerfd_past", 50},
    {"timer_past", 60},
    {"timerfd_epoll", 60},
    {"signalfd", 60},
    {"signalfd_poll", 60},
    {"signalfd_ppoll", 60},
    {"signalfd_select", 60},
    {"signalfd_epoll", 60},
    {"signalfd_nested", 60},
    {"signalfd_interrupted", 60},
    {"child", 60},
    {"vfork", 60},
    {"stopped", 60},
    {"stopped_recv", 60},
    {"stopped_epoll", 60},
    {"stopped_threads", 60},
    {"interrupted_threads", 60},
    {"sigchld", 60},
    {"sigchld_read", 60},
    {"clocks", 60},
};

static const double TOLERANCE_S = 0.002;
/* That waiting is skipped, whatever else the machine does; how quickly, `make bench` measures. */
enum { RATIO_WANTED = 10 };

static void check_way(const char *program, const struct way *way) {
  struct run run = run_on(CLOCK_VIRTUAL, (const char *const[]){program, way->name, NULL});
  expect_wait(&run, way->name, way->seconds, TOLERANCE_S);
  cr_assert(run.virtual_s / run.real_s > RATIO_WANTED, "%s: %.3f s of waiting took %.3f s",
            way->name, run.virtual_s, run.real_s);
}

ParameterizedTestParameters(clock, follows_dynamic_programs) {
  return cr_make_param_array(struct way, ways, sizeof ways / sizeof *ways);
}
ParameterizedTest(struct way *way, clock, follows_dynamic_programs) {
  check_way("./waits", way);
}

ParameterizedTestParameters(clock, follows_static_programs) {
  return cr_make_param_array(struct way, ways, sizeof ways / sizeof *ways);
}
ParameterizedTest(struct way *way, clock, follows_static_programs) {
  check_way("./waits-static", way);
}

Test(clock, moves_for_programs_that_never_sleep) {
  struct run run = run_on(CLOCK_VIRTUAL, (const char *const[]){"./waits", "spin", NULL});
  expect_wait(&run, "spin", 0.5, 0.02);
  cr_assert(strncmp(run.finding, "busy-waits", strlen("busy-waits")) == 0, "finding: %s",
            run.finding);
}

Test(clock, does_not_leap_when_it_is_found_that_a_program_never_sleeps) {
  struct run run = run_on(CLOCK_VIRTUAL, (const char *const[]){"./waits", "spin_lines", NULL});
  expect_wait(&run, "spin_lines", 1.5, 0.1);
  cr_assert(strncmp(run.finding, "busy-waits", strlen("busy-waits")) == 0, "finding: %s",
            run.finding);
}

Test(clock, stands_still_for_programs_that_are_slow_and_show_what_they_do) {
  struct run run = run_on(CLOCK_VIRTUAL, (const char *const[]){"./waits", "slow_lines", NULL});
  expect_wait(&run, "slow_lines", 0, 0.01);
  cr_assert_str_empty(run.finding);
}

Test(clock, lets_no_childs_end_disturb_calls_that_do_not_wait) {
  struct run run = run_on(CLOCK_VIRTUAL, (const char *const[]){"./waits", "sigchld_running", NULL});
  expect_wait(&run, "sigchld_running", 60, 0.01);
}

Test(clock, is_exact_over_a_thousand_short_sleeps) {
  struct run run = run_on(CLOCK_VIRTUAL, (const char *const[]){"./waits", "millisleep", NULL});
  expect_wait(&run, "millisleep", 1.0, 0.005);
  cr_assert_str_empty(run.finding);
}

/* ---- interpreters, and chains of execve ---- */

struct script {
  const char *argv[4];
  double seconds;
};

/* Long enough for the interpreter's own start to be little beside it. */
static const struct script scripts[] = {
    {{"python3", "-c",
      "import selectors, time; t = time.monotonic(); s = selectors.DefaultSelector(); s.select(600)\n"
      "print('waited', time.monotonic() - t)"},
     600},
    {{"python3", "-c",
      "import asyncio, time\n"
      "async def main():\n"
      "  await asyncio.gather(asyncio.sleep(600), asyncio.sleep(30))\n"
      "t = time.monotonic(); asyncio.run(main()); print('waited', time.monotonic() - t)"},
     600},
    {{"python3", "-c",
      "import threading, time; t = time.monotonic(); threading.Event().wait(600)\n"
      "print('waited', time.monotonic() - t)"},
     600},
    {{"python3", "-c",
      "import socket, time; t = time.monotonic(); s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
      "s.bind(('127.0.0.1', 0)); s.settimeout(600)\n"
      "try: s.recv(1)\n"
      "except socket.timeout: print('waited', time.monotonic() - t)"},
     600},
    {{"perl", "-e",
      "use Time::HiRes qw(time); my $t = time; select(undef, undef, undef, 600); printf \"waited %f\\n\", time - $t"},
     600},
    {{"node", "-e",
      "const t = Date.now(); setTimeout(() => console.log('waited', (Date.now() - t) / 1000), 600000)"},
     600},
    {{"sh", "-c",
      "sh -c 'env python3 -c \"import time; time.sleep(250)\"; sleep 350'; echo waited 600"},
     600},
};

static struct way script_numbers[] = {{"0", 0}, {"1", 1}, {"2", 2}, {"3", 3},
                                      {"4", 4}, {"5", 5}, {"6", 6}};

ParameterizedTestParameters(clock, follows_interpreters) {
  return cr_make_param_array(struct way, script_numbers, sizeof scripts / sizeof *scripts);
}
ParameterizedTest(struct way *number, clock, follows_interpreters) {
  const struct script *script = &scripts[(int)number->seconds];
  struct run run = run_on(CLOCK_VIRTUAL, script->argv);
  expect_wait(&run, script->argv[2], script->seconds,
              0.005); /* node and asyncio count in milliseconds */
  cr_assert(fabs(run.virtual_s - script->seconds) < 0.5, "the world's clock shows %.3f s",
            run.virtual_s);
  cr_assert(run.virtual_s / run.real_s > RATIO_WANTED, "%.3f s of waiting took %.3f s",
            run.virtual_s, run.real_s);
}

/* ---- the real clock ---- */

Test(clock, real_one_takes_its_time) {
  struct run run =
      run_on(CLOCK_REAL, (const char *const[]){"sh", "-c", "sleep 0.3; echo waited 0.3", NULL});
  expect_wait(&run, "sleep", 0.3, TOLERANCE_S);
  cr_assert(run.real_s >= 0.3 && run.virtual_s >= 0.3);
}

/* ---- a standstill is proved ---- */

static bool never(void *unused) {
  (void)unused;
  return false;
}

Test(clock, proves_a_standstill_at_once) {
  struct failure failure;
  enum sandbox_mode mode;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  struct world_options options = {.clock = CLOCK_VIRTUAL, .seed = 1};
  struct world *world = world_create(&options, &failure);
  struct host *host = host_create(world, "localhost", &failure);
  const char *const argv[] = {
      "python3", "-c",
      "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
      "s.bind(('127.0.0.1', 60000)); s.recv(1)",
      NULL};
  struct program_spec spec = {.name = "receiver", .folder = "/tmp", .argv = (char *const *)argv};
  struct program *program = program_start(host, &spec, &failure);
  cr_assert(program, "%s", failure.sentence);
  cr_assert_eq(world_run(world, LIMIT_S * SECONDS, never, NULL), WORLD_STANDSTILL);
  cr_assert_lt(world_real_now(world), 5 * SECONDS);
  char *doing = program_doing(program);
  cr_assert_str_eq(doing,
                   "sleeps in recvfrom on descriptor 3, UDP 127.0.0.1:60000 (nothing to be read)");
  free(doing);
  world_destroy(world);
}
