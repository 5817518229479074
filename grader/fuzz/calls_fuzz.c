/* world/calls_*.c: calls as the supervisor is told of them, with arguments that point into the
 * memory of another process. That process only waits, so it does not matter what is written there.
 */
#include "grader/fuzz/fuzz.h"

#include "grader/world/supervisor_inner.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Behind it there is nothing, so that reading beyond fails. */
enum { MEMORY = 4096, FIRST_FD = 100, FDS = 6 };

static uint8_t *memory;
static pid_t task;

/* ---- the process ---- */

static void descriptors_open(void) {
  int ends[2] = {-1, -1};
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  const int fds[FDS] = {socket(AF_INET, SOCK_DGRAM, 0),
                        socket(AF_INET, SOCK_STREAM, 0),
                        ends[0],
                        timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK),
                        epoll_create1(0),
                        open("/dev/null", O_RDWR | O_CLOEXEC)};
  for (int i = 0; i < FDS; i++)
    dup2(fds[i], FIRST_FD + i);
}

/* What calls have set on them is as it was: an input means the same each time. They are this
 * process's too. */
static void descriptors_reset(void) {
  static const struct itimerspec idle;
  static const struct timeval never;
  for (int fd = FIRST_FD; fd < FIRST_FD + FDS; fd++) {
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &never, sizeof never);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &never, sizeof never);
    timerfd_settime(fd, 0, &idle, NULL);
  }
}

static void task_start(void) {
  if (!memory) {
    memory = mmap(NULL, 2 * MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + MEMORY, MEMORY, PROT_NONE))
      abort();
    descriptors_open();
  }
  pid_t parent = getpid();
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  task = fork();
  if (task == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      _exit(0);
    for (;;)
      pause();
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
  if (task < 0)
    abort();
}

static void task_end(void) {
  kill(task, SIGKILL);
  waitpid(task, NULL, 0);
}

/* A timer's signal may have ended it. */
static void task_need(void) {
  static bool begun;
  if (begun && waitpid(task, NULL, WNOHANG) == 0)
    return;
  task_start();
  if (!begun)
    atexit(task_end);
  begun = true;
}

/* ---- calls ---- */

static const int numbers[] = {
    SYS_clock_gettime,
    SYS_gettimeofday,
    SYS_times,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_ppoll,
    SYS_pselect6,
    SYS_epoll_pwait,
    441,
    SYS_setitimer,
    SYS_getitimer,
    SYS_timer_create,
    SYS_timer_settime,
    SYS_timer_gettime,
    SYS_timer_delete,
    SYS_timer_getoverrun,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_futex,
    449,
    SYS_rt_sigtimedwait,
    SYS_semtimedop,
    SYS_mq_timedsend,
    SYS_mq_timedreceive,
    SYS_socket,
    SYS_close,
    SYS_setsockopt,
    SYS_getsockopt,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_recvmmsg,
    SYS_sendto,
    SYS_sendmsg,
    SYS_accept,
    SYS_connect,
    SYS_read,
    SYS_write,
#ifdef __x86_64__
    SYS_poll,
    SYS_select,
    SYS_epoll_wait,
    SYS_alarm,
    SYS_time,
#endif
};

static uint64_t argument(struct fuzz_input *input) {
  static const uint64_t special[] = {0,           1,         SOL_SOCKET, SO_RCVTIMEO, SO_SNDTIMEO,
                                     IPPROTO_TCP, INT32_MAX, UINT32_MAX, INT64_MAX,   UINT64_MAX};
  switch (fuzz_number(input, 1) % 6) {
  case 0:
    return fuzz_number(input, 1);
  case 1:
    return FIRST_FD + fuzz_number(input, 1) % (FDS + 1);
  case 2:
    return special[fuzz_number(input, 1) % (sizeof special / sizeof *special)];
  case 3:
    return fuzz_number(input, 8);
  default:
    return (uint64_t)(uintptr_t)memory + fuzz_number(input, 2) % (MEMORY + 64);
  }
}

static void dispatch(struct program *program, struct known_task *known, struct fuzz_input *input) {
  struct supervisor *supervisor = &program->host->world->supervisor;
  struct call call = {.supervisor = supervisor, .program = program, .task = known, .id = 1};
  call.number = numbers[fuzz_number(input, 1) % (sizeof numbers / sizeof *numbers)];
  for (int i = 0; i < 6; i++)
    call.arguments[i] = argument(input);
  call_dispatch(&call);
}

/* Waits and timers come to their ends, as the clock does to their deadlines. */
static void expire(struct world *world) {
  enum { MOST = 16 };
  for (int i = 0; i < MOST; i++) {
    int64_t next = supervisor_next_deadline(&world->supervisor);
    if (next == INT64_MAX)
      return;
    clock_advance_to(&world->clock, next);
    supervisor_expire_one(&world->supervisor, clock_now(&world->clock));
  }
}

static void world_forget(struct world *world) {
  supervisor_end(&world->supervisor);
  while (world->watches) {
    struct watch *watch = world->watches;
    world->watches = watch->next;
    free(watch);
  }
  close(world->epoll_fd);
  clock_end(&world->clock);
  log_clear(&world->log);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  enum { CALLS_MOST = 24 };
  static struct world world;
  struct fuzz_input input = {bytes, length};
  task_need();
  descriptors_reset();
  world = (struct world){.options.clock = CLOCK_VIRTUAL, .epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
  clock_begin(&world.clock, true, 0);
  supervisor_begin(&world.supervisor, &world);
  unsigned choice = (unsigned)fuzz_number(&input, 1);
  world.supervisor.socket_timeouts = choice & 1;
  struct host host = {.world = &world, .netns_fd = -1, .diag_fd = -1};
  struct program program = {.host = &host,
                            .sandbox = {.notify_fd = -1, .proc_fd = -1},
                            .record_calls = choice & 2,
                            .record_transfers = choice & 4};
  tasks_begin(&program.tasks, -1, SANDBOX_KEEPER, 2);
  struct known_task known = {
      .program = &program, .thread = task, .process = task, .inner_thread = 2, .pidfd = -1};
  size_t taken;
  uint8_t *contents = fuzz_block(&input, fuzz_number(&input, 2) % MEMORY, &taken);
  memset(memory, 0, MEMORY);
  memcpy(memory + MEMORY - taken, contents, taken); /* up to the end of what there is */
  free(contents);
  for (int i = 0; i < CALLS_MOST && input.left > 0; i++)
    dispatch(&program, &known, &input);
  expire(&world);
  free(program.transfers);
  world_forget(&world);
  if (known.pidfd >= 0)
    close(known.pidfd);
  return 0;
}
