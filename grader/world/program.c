#include "grader/world/inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum {
  LINE_MAX_KEPT = 512 << 10, /* a longer line is cut into several events */
  READ_AT_ONCE = 16 << 10,
};

/* ---- terminals ---- */

/* A pseudo-terminal that passes bytes on as they are. Returns the slave's descriptor, or -1. */
static int terminal_open(struct terminal *terminal) {
  scoped_fd int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (master < 0 || unlockpt(master) < 0)
    return -1;
  scoped_fd int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios raw;
  if (slave < 0 || tcgetattr(slave, &raw) < 0)
    return -1;
  cfmakeraw(&raw);
  struct winsize size = {.ws_row = 24, .ws_col = 80};
  if (tcsetattr(slave, TCSANOW, &raw) < 0 || ioctl(slave, TIOCSWINSZ, &size) < 0)
    return -1;
  terminal->master_fd = steal_fd(&master);
  return steal_fd(&slave);
}

static void terminal_line(struct terminal *terminal, size_t end) {
  terminal->line_count++;
  struct program *program = terminal->program;
  struct world *world = program->host->world;
  log_append(&world->log,
             &(struct event){.time_ns = terminal->line_time,
                             .not_before_ns =
                                 world->clock.virtual ? terminal->line_time : terminal->empty_time,
                             .kind = EVENT_LINE,
                             .host = program->host,
                             .program = program,
                             .stream = terminal->stream,
                             .bytes = terminal->output + terminal->line_begin,
                             .length = end - terminal->line_begin});
}

/* Leaves of a line that is not finished the last drawing that is, and what came after it. */
static void redrawn_forget(struct terminal *terminal) {
  enum { WORTH_IT = 8 << 10 };
  size_t length = terminal->output_length - terminal->line_begin;
  if (length < WORTH_IT)
    return;
  uint8_t *line = terminal->output + terminal->line_begin;
  const uint8_t *last = memrchr(line, '\r', length);
  const uint8_t *before = last ? memrchr(line, '\r', (size_t)(last - line)) : NULL;
  if (!before)
    return;
  memmove(line, before, length - (size_t)(before - line));
  terminal->output_length -= (size_t)(before - line);
}

static void middle_forget(struct terminal *terminal) {
  enum { LINES_OF_LONG = 10000, PART = OUTPUT_KEPT / 4 };
  redrawn_forget(terminal);
  if (terminal->output_length > OUTPUT_KEPT - READ_AT_ONCE) {
    size_t left_out = terminal->output_length - (size_t)2 * PART;
    memmove(terminal->output + PART, terminal->output + PART + left_out, PART);
    terminal->output_length -= left_out;
    terminal->line_begin -= left_out;
  }
  if (terminal->line_count > LINES_OF_LONG)
    terminal->line_count = log_forget_lines(&terminal->program->host->world->log, terminal->program,
                                            terminal->stream, LINES_OF_LONG / 4);
}

static void terminal_take(struct terminal *terminal, const uint8_t *bytes, size_t length) {
  struct world *world = terminal->program->host->world;
  if (terminal->program->long_output)
    middle_forget(terminal);
  const char *stream = terminal->stream == STREAM_STDOUT ? "stdout" : "stderr";
  bool too_long = terminal->output_length + length > OUTPUT_KEPT;
  bool too_many = terminal->line_count > LINES_KEPT;
  if (too_long)
    world_finding_add(world, "%s wrote more than %d MiB to %s: its terminal was stopped there",
                      terminal->program->name, OUTPUT_KEPT >> 20, stream);
  else if (too_many)
    world_finding_add(world, "%s wrote more than %d lines to %s: its terminal was stopped there",
                      terminal->program->name, LINES_KEPT, stream);
  terminal->stopped = too_long || too_many;
  if (terminal->stopped)
    return;
  if (!terminal->output)
    terminal->output = memory_resize(NULL, OUTPUT_KEPT);
  memcpy(terminal->output + terminal->output_length, bytes, length);
  size_t from = terminal->output_length;
  terminal->output_length += length;
  terminal->line_time = clock_now(&world->clock);
  for (size_t i = from; i < terminal->output_length; i++) {
    bool newline = terminal->output[i] == '\n';
    if (newline || i - terminal->line_begin >= LINE_MAX_KEPT) {
      terminal_line(terminal, newline ? i : i + 1);
      terminal->line_begin = i + 1;
    }
  }
}

/* Reading, and only reading, makes the kernel move what was written through its terminal queues
 * (n_tty_read flushes them before it says that there is nothing): so this is also how output "in
 * flight" is found. */
static bool terminal_drain(struct terminal *terminal) {
  uint8_t bytes[READ_AT_ONCE];
  bool any = false;
  enum { ROUNDS = 64 }; /* a flooding program must not keep the loop here */
  struct clock *clock = &terminal->program->host->world->clock;
  for (int i = 0; i < ROUNDS && terminal->master_fd >= 0 && !terminal->stopped; i++) {
    int64_t before = clock_now(clock);
    ssize_t length = read(terminal->master_fd, bytes, sizeof bytes);
    if (length > 0) {
      terminal_take(terminal, bytes, (size_t)length);
      any = true;
      continue;
    }
    if (length < 0 && errno == EAGAIN)
      terminal->empty_time = before;
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
      break;
    world_unwatch(terminal->watch); /* EIO: nobody has the other end open any more */
    terminal->watch = NULL;
    close(terminal->master_fd);
    terminal->master_fd = -1;
  }
  return any;
}

static void terminal_finish(struct terminal *terminal) {
  terminal_drain(terminal);
  if (terminal->line_begin < terminal->output_length)
    terminal_line(terminal, terminal->output_length);
  terminal->line_begin = terminal->output_length;
}

/* One that is stopped stays open, as after Ctrl-S: whoever goes on writing to it sleeps. */
static void terminal_on_ready(void *context, uint32_t events) {
  struct terminal *terminal = context;
  (void)events;
  terminal_drain(terminal);
  if (terminal->stopped && terminal->watch) {
    world_unwatch(terminal->watch);
    terminal->watch = NULL;
  }
}

/* ---- the end of a program ---- */

static void program_log_exit(struct program *program) {
  char *text = NULL;
  int status = program->status.wait_status;
  if (program->status.exec_errno)
    text = language_sentence("could not be executed: %s", _(strerror(program->status.exec_errno)));
  else if (WIFSIGNALED(status))
    text = language_sentence("killed by signal %d (%s)", WTERMSIG(status),
                             _(strsignal(WTERMSIG(status))));
  else
    text = language_sentence("exit status %d", WEXITSTATUS(status));
  struct world *world = program->host->world;
  log_append(&world->log, &(struct event){.time_ns = clock_now(&world->clock),
                                          .kind = EVENT_EXIT,
                                          .host = program->host,
                                          .program = program,
                                          .wait_status = status,
                                          .bytes = (const uint8_t *)text,
                                          .length = strlen(text)});
  free(text);
}

static uint64_t memory_limit(void) {
  return sandbox_default_limits().memory_bytes;
}

static void note_memory(const struct program *program) {
  world_finding_add(program->host->world, "%s used more than %d MiB of memory, and was ended",
                    program->name, (int)(memory_limit() >> 20));
}

static bool program_take_status(struct program *program) {
  if (program->ended || program->sandbox.status_fd < 0)
    return false;
  struct pollfd ready = {.fd = program->sandbox.status_fd, .events = POLLIN};
  if (poll(&ready, 1, 0) <= 0)
    return false;
  ssize_t length = read(program->sandbox.status_fd, &program->status, sizeof program->status);
  if (length < 0 && errno == EINTR)
    return false;
  if (length != sizeof program->status) { /* process 1 was killed: by the grader, or by a limit */
    program->status = (struct sandbox_status){.wait_status = SIGKILL};
    program_kill(program); /* it closes its files before it ends the others, and they theirs */
  }
  if (cgroup_out_of_memory(&program->sandbox.group))
    note_memory(program);
  supervisor_bury(&program->host->world->supervisor, program);
  terminal_finish(&program->terminals[0]);
  terminal_finish(&program->terminals[1]);
  capture_drain(program->host->capture);
  program->ended = true;
  world_unwatch(program->status_watch);
  program->status_watch = NULL;
  program_log_exit(program);
  return true;
}

static void program_on_status(void *context, uint32_t events) {
  (void)events;
  program_take_status(context);
}

bool program_drain(struct program *program) {
  bool any = terminal_drain(&program->terminals[0]);
  any |= terminal_drain(&program->terminals[1]);
  return program_take_status(program) || any;
}

/* ---- the beginning ---- */

static bool environment_has(char *const *environment, const char *variable) {
  size_t length = strcspn(variable, "=") + 1;
  for (; environment && *environment; environment++)
    if (strncmp(*environment, variable, length) == 0)
      return true;
  return false;
}

/* A name stands there once only: of two, getenv() would see the first. */
static char **environment_merge(char *const *more) {
  static const char *const standard[] = {
      "PATH=/usr/local/bin:/usr/bin:/bin",
      "HOME=/tmp",
      "LANG=C.UTF-8",
      "LC_ALL=C.UTF-8",
      "TERM=dumb",
      "TZ=UTC",
      "USER=student",
      "LOGNAME=student",
  };
  size_t usual = sizeof standard / sizeof *standard, count = 0, extra = 0;
  while (more && more[extra])
    extra++;
  char **merged = memory_zeroed(usual + extra + 1, sizeof *merged);
  for (size_t i = 0; i < usual; i++)
    if (!environment_has(more, standard[i]))
      merged[count++] = (char *)standard[i];
  for (size_t i = 0; i < extra; i++)
    merged[count + i] = more[i];
  return merged;
}

static int input_open(const void *bytes, size_t length) {
  scoped_fd int fd = memfd_create("stdin", MFD_CLOEXEC);
  if (fd < 0 || write(fd, bytes, length) != (ssize_t)length || lseek(fd, 0, SEEK_SET) < 0)
    return -1;
  return steal_fd(&fd);
}

/* A process id as it would be on a machine that has run for a while: programs seed generators with
 * it. */
static pid_t plausible_pid(struct world *world) {
  world->random_state = world->random_state * 1664525u + 1013904223u;
  return (pid_t)(1000 + world->random_state % 28000);
}

static void program_log_start(struct program *program, char *const *argv) {
  scoped_text char *text = NULL;
  size_t length = 0;
  FILE *line = open_memstream(&text, &length);
  for (size_t i = 0; line && argv[i]; i++)
    fprintf(line, "%s%s", i ? " " : "", argv[i]);
  if (line)
    fclose(line);
  struct world *world = program->host->world;
  log_append(&world->log, &(struct event){.time_ns = clock_now(&world->clock),
                                          .kind = EVENT_START,
                                          .host = program->host,
                                          .program = program,
                                          .bytes = (const uint8_t *)text,
                                          .length = length});
}

static int program_launch(struct program *program, const struct program_spec *spec,
                          struct failure *failure) {
  struct world *world = program->host->world;
  bool given = spec->terminal_fd > 0;
  scoped_fd int out = given ? -1 : terminal_open(&program->terminals[STREAM_STDOUT]);
  scoped_fd int err = given ? -1 : terminal_open(&program->terminals[STREAM_STDERR]);
  if (!given && (out < 0 || err < 0))
    return failure_errno(failure, "cannot open a pseudo-terminal for %s", spec->name);
  scoped_fd int in = spec->input ? input_open(spec->input, spec->input_length) : -1;
  char **environment = environment_merge(spec->environment);
  struct sandbox_spec sandbox = {
      .folder = spec->folder,
      .folder_mode = SANDBOX_FOLDER_SCRATCH,
      .argv = spec->argv,
      .function = spec->function,
      .context = spec->context,
      .envp = environment,
      .netns_fd = program->host->netns_fd,
      .stdin_fd = given ? spec->terminal_fd : in,
      .stdout_fd = given ? spec->terminal_fd : out,
      .stderr_fd = given ? spec->terminal_fd : err,
      .controlled_by_stdin = given,
      .main_pid = program->main_process,
      .cpu = world->processor.number,
      .files = spec->files,
      .file_count = spec->file_count,
      .notify_filter = spec->function
                           ? NULL
                           : supervisor_filter(world->options.clock == CLOCK_VIRTUAL,
                                               spec->record_calls, spec->record_transfers),
  };
  int result = sandbox_start(&sandbox, &program->sandbox, failure);
  free(environment);
  return result;
}

struct program *program_start(struct host *host, const struct program_spec *spec,
                              struct failure *failure) {
  struct world *world = host->world;
  struct program *program = memory_zeroed(1, sizeof *program);
  program->host = host;
  program->name = memory_text(spec->name);
  program->sandbox = sandbox_none();
  program->main_process = plausible_pid(world);
  program->record_calls = spec->record_calls;
  program->record_transfers = spec->record_transfers;
  program->busy_told = spec->record_transfers; /* who moves megabytes call by call looks busy */
  program->long_output = spec->long_output;
  for (int i = 0; i < 2; i++)
    program->terminals[i] =
        (struct terminal){.program = program, .stream = (enum event_stream)i, .master_fd = -1};
  program->next = world->programs;
  world->programs = program;
  program_log_start(program, spec->argv);
  if (program_launch(program, spec, failure) < 0) {
    world->programs = program->next;
    program_destroy(program);
    return NULL;
  }
  if (program->sandbox.keeper != SANDBOX_KEEPER) /* it has the machine's numbers */
    program->main_process = program->sandbox.main_pid;
  tasks_begin(&program->tasks, program->sandbox.proc_fd, program->sandbox.keeper,
              program->main_process);
  for (int i = 0; i < 2 && spec->terminal_fd <= 0; i++)
    program->terminals[i].watch = world_watch(world, program->terminals[i].master_fd, EPOLLIN,
                                              terminal_on_ready, &program->terminals[i]);
  program->status_watch =
      world_watch(world, program->sandbox.status_fd, EPOLLIN, program_on_status, program);
  if (program->sandbox.notify_fd >= 0)
    supervisor_adopt(&world->supervisor, program);
  return program;
}

void program_destroy(struct program *program) {
  world_unwatch(program->listener_watch);
  sandbox_kill(&program->sandbox);
  tasks_end(&program->tasks);
  for (int i = 0; i < 2; i++) {
    struct terminal *terminal = &program->terminals[i];
    world_unwatch(terminal->watch);
    if (terminal->master_fd >= 0)
      close(terminal->master_fd);
    free(terminal->output);
  }
  world_unwatch(program->status_watch);
  free(program->transfers);
  free(program->name);
  free(program);
}

/* ---- what others ask ---- */

struct program *program_before(const struct world *world, const struct program *program) {
  return program ? program->next : world->programs;
}

const char *program_name(const struct program *program) {
  return program->name;
}

int program_run(const struct program *program) {
  int run = 0; /* the list begins with the latest */
  for (const struct program *one = program; one; one = one->next)
    run += strcmp(one->name, program->name) == 0;
  return run;
}

bool program_lives_on(const struct program *program) {
  return sandbox_lives_on(program->sandbox.proc_fd, program->tasks.keeper);
}

struct host *program_host(const struct program *program) {
  return program->host;
}

bool program_ended(const struct program *program, int *wait_status) {
  if (program->ended && wait_status)
    *wait_status = program->status.wait_status;
  return program->ended;
}

int program_exec_error(const struct program *program) {
  return program->ended ? program->status.exec_errno : 0;
}

void program_limit_memory(struct program *program) {
  if (program->ended || !sandbox_memory_exceeded(&program->sandbox, memory_limit()))
    return;
  note_memory(program);
  program_kill(program);
}

void program_signal(struct program *program, int signal) {
  if (program->ended)
    return;
  tasks_signalled(&program->tasks, signal);
  kill(-program->sandbox.main_pid, signal);
}

const uint8_t *program_output(const struct program *program, enum event_stream stream,
                              size_t *length) {
  *length = program->terminals[stream].output_length;
  return program->terminals[stream].output;
}

int64_t program_cpu_ns(struct program *program) {
  return program->sandbox.proc_fd >= 0 ? tasks_cpu_ns(&program->tasks) : 0;
}

int64_t program_waited_ns(struct program *program) {
  return program->sandbox.proc_fd >= 0 ? tasks_waited_ns(&program->tasks) : 0;
}

void program_kill(struct program *program) {
  if (!program->ended)
    sandbox_kill_processes(&program->sandbox);
}
