/* Scenes: a world with a person in it. The person's terminal and the shell's own are two, and bytes
 * are carried between them, so that nothing in the world can type into the person's (TIOCSTI). */
#include "grader/sdk/scene_inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/page.h"
#include "grader/sdk/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

extern const struct scene *const __start_wiregrade_scenes[] __attribute__((weak));
extern const struct scene *const __stop_wiregrade_scenes[] __attribute__((weak));

static void alone_script(void) {
  open_shell(localhost());
  while (shell_is_open())
    pass(1);
}

/* Every lab has this one. */
static const struct scene alone = {
    "alone",
    N_("Nobody is there but you. Start one program with & behind it, and another beside it."),
    alone_script, INT_MAX};

static struct {
  struct scene_options options;
  struct program *program;
  int master_fd;
  struct watch *from_person, *from_shell;
  const struct scene *scene;
  bool line_begins;  /* the person's terminal is at the beginning of a line */
  size_t told_count; /* events of the log that were shown or passed over */
  int status;
} shell = {.master_fd = -1};

/* ---- which ---- */

/* The one that stands next behind a line of the source; the lab's own come first. NULL: none. The
 * linker has them in no certain order. */
static const struct scene *scene_behind(int line) {
  const struct scene *next = line < INT_MAX ? &alone : NULL;
  for (const struct scene *const *scene = __start_wiregrade_scenes; scene < __stop_wiregrade_scenes;
       scene++)
    if ((*scene)->line > line && (*scene)->line < next->line)
      next = *scene;
  return next;
}

void scenes_list(FILE *file) {
  for (const struct scene *scene = scene_behind(0); scene; scene = scene_behind(scene->line))
    fprintf(file, "%s\t%s\n", scene->name, _(scene->sentence));
}

static const struct scene *scene_find(const char *name) {
  const struct scene *scene = scene_behind(0);
  while (scene && *name && strcmp(scene->name, name) != 0)
    scene = scene_behind(scene->line);
  return scene;
}

/* ---- carrying bytes ---- */

static void write_whole(int fd, const void *bytes, size_t length) {
  const uint8_t *at = bytes;
  while (length > 0) {
    ssize_t written = write(fd, at, length);
    if (written < 0 && errno != EINTR)
      return; /* who has closed the terminal does not want to know */
    at += written > 0 ? written : 0;
    length -= written > 0 ? (size_t)written : 0;
  }
}

static void on_person(void *context, uint32_t events) {
  (void)context;
  (void)events;
  char bytes[4096];
  ssize_t length = read(STDIN_FILENO, bytes, sizeof bytes);
  if (length > 0) {
    write_whole(shell.master_fd, bytes, (size_t)length);
    return;
  }
  world_unwatch(shell.from_person); /* the person's terminal is gone, and so is the person */
  shell.from_person = NULL;
  program_kill(shell.program);
}

static bool shell_carry(void) {
  char bytes[4096];
  ssize_t length = read(shell.master_fd, bytes, sizeof bytes);
  if (length <= 0)
    return false;
  write_whole(STDOUT_FILENO, bytes, (size_t)length);
  shell.line_begins = bytes[length - 1] == '\n';
  return true;
}

static void on_shell(void *context, uint32_t events) {
  (void)context;
  (void)events;
  if (!shell_carry() && errno != EAGAIN && errno != EINTR) {
    world_unwatch(shell.from_shell); /* EIO: nobody has the other end open any more */
    shell.from_shell = NULL;
  }
}

/* ---- the shell ---- */

static void size_copy(void) {
  struct winsize size = {.ws_row = 24, .ws_col = 80}, is = {0};
  ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
  if (ioctl(shell.master_fd, TIOCGWINSZ, &is) == 0 && memcmp(&size, &is, sizeof is) != 0)
    ioctl(shell.master_fd, TIOCSWINSZ, &size);
}

static const char *shell_quoted(const char *word) {
  const char *text = "'";
  for (; *word; word++)
    text = *word == '\'' ? say("%s'\\''", text) : say("%s%c", text, *word);
  return say("%s'", text);
}

/* Each program can be called by its name: bash takes functions from its environment. */
static void programs_name(void) {
  for (size_t i = 0; i < shell.options.program_count; i++) {
    const char *missing = NULL, *name = shell.options.programs[i], *command = "";
    char *const *words = manifest_find(the_check.manifest, name, &missing);
    for (size_t k = 0; words && words[k]; k++)
      command = say("%s%s ", command, shell_quoted(words[k]));
    if (words)
      put_variable(say("BASH_FUNC_%s%%%%", name), say("() { %s\"$@\"; }", command));
  }
}

static int terminal_make(void) {
  shell.master_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (shell.master_fd < 0 || unlockpt(shell.master_fd) < 0)
    return -1;
  size_copy();
  return ioctl(shell.master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

void open_shell(struct host *host) {
  char *interactive[] = {"/bin/bash", "--norc", "--noprofile", "-i", NULL};
  char *command[] = {"/bin/bash", "--norc", "--noprofile", "-c", (char *)shell.options.command,
                     NULL};
  scoped_fd int slave = terminal_make();
  if (slave < 0)
    check_error(say("cannot open a pseudo-terminal: %s", strerror(errno)));
  const char *term = getenv("TERM");
  put_variable("TERM", term ? term : "dumb");
  put_variable("PS1", say("%s$ ", shell.options.lab));
  put_variable("HISTFILE", "");
  programs_name();
  struct program_spec spec = {.name = "you",
                              .folder = manifest_folder(the_check.manifest),
                              .argv = shell.options.command ? command : interactive,
                              .terminal_fd = slave};
  surroundings_give(&spec);
  struct failure failure;
  shell.program = program_start(host, &spec, &failure);
  if (!shell.program)
    check_error(say("%s", failure.sentence));
  shell.told_count = world_log(the_check.world)->count;
  shell.line_begins = true;
  shell.from_shell = world_watch(the_check.world, shell.master_fd, EPOLLIN, on_shell, NULL);
  struct termios settings;
  if (tcgetattr(STDIN_FILENO, &settings) < 0)
    return; /* a command's input is nobody's */
  cfmakeraw(&settings);
  tcsetattr(STDIN_FILENO, TCSADRAIN, &settings); /* who has started this sets it right again */
  shell.from_person = world_watch(the_check.world, STDIN_FILENO, EPOLLIN, on_person, NULL);
}

/* ---- what happens on the wire ---- */

/* The log takes a frame that is found late in its place; so what is too young is not told yet. */
static void moments_tell(double until) {
  struct log *log = world_log(the_check.world);
  for (; shell.told_count < log->count; shell.told_count++) {
    const struct event *event = log->events[shell.told_count];
    double time = (double)event->time_ns / 1e9;
    if (time > until)
      return;
    if (shell.options.quiet || (event->kind != EVENT_FRAME && event->kind != EVENT_NOTE))
      continue;
    scoped_text char *words = event_words(event);
    const char *faint = shell.from_person ? "\x1b[2m" : "", *plain = *faint ? "\x1b[m" : "";
    const char *line =
        say("%s%s%8.3f  %s%s\r\n", shell.line_begins ? "" : "\r\n", faint, time, words, plain);
    write_whole(STDOUT_FILENO, line, strlen(line));
    shell.line_begins = true;
  }
}

static bool shell_has_ended(void *context) {
  (void)context;
  return program_ended(shell.program, NULL);
}

bool shell_is_open(void) {
  enum { SIZE_EVERY_MS = 200, LATE_MS = 100 };
  run_until(now() + SIZE_EVERY_MS / 1e3, shell_has_ended, NULL);
  size_copy();
  moments_tell(now() - LATE_MS / 1e3);
  return !program_ended(shell.program, NULL);
}

/* ---- one scene ---- */

static void introduce(const struct scene *scene) {
  struct page page = page_for(stdout);
  page_line(&page, PAGE_STRONG, say("%s, scene \"%s\"", shell.options.lab, scene->name));
  page_paragraph(&page, PAGE_PLAIN, "", 0, _(scene->sentence), 0);
  page_gap(&page);
  for (size_t i = 0; i < shell.options.program_count; i++) {
    const char *missing = NULL, *name = shell.options.programs[i];
    bool is_there = manifest_find(the_check.manifest, name, &missing);
    printf("  %s%s%s\n", name, is_there ? "" : ": ", is_there ? "" : missing);
  }
  puts(_("\nYour programs are called by their names. What goes over the wire is shown as it goes.\n"
         "Ctrl-D ends the scene.\n"));
  fflush(stdout);
}

static int shell_status(void) {
  int status = exit_status(shell.program);
  return status < 0 ? 128 - status : status;
}

static void shell_finish(void) {
  while (shell.from_shell && shell_carry())
    ;
  world_unwatch(shell.from_shell);
  world_unwatch(shell.from_person);
  shell.from_shell = NULL;
  pass(0.1); /* the last frames */
  moments_tell(now());
  shell.from_person = NULL;
  capture_keep();
  if (the_check.capture && !shell.options.command)
    language_print(stdout, "\r\nThe frames, for Wireshark: %s\r\n", the_check.capture);
  shell.status = shell_status();
}

static void scene_script(void) {
  if (!shell.options.command)
    introduce(shell.scene);
  shell.scene->script();
  shell_finish();
}

int scene_run(const struct scene_options *options) {
  enum { USAGE = 2, CANNOT = 3 };
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* its starter sets the terminal right when this has ended */
  shell.options = *options;
  shell.scene = scene_find(options->scene);
  if (!shell.scene) {
    language_print(stderr, "wiregrade: The lab %s has no scene '%s'; it has:\n", options->lab,
                   options->scene);
    scenes_list(stderr);
    return USAGE;
  }
  const struct check check = {.suite = options->lab,
                              .name = shell.scene->name,
                              .requirement = options->lab,
                              .script = scene_script};
  return check_perform(&check) < 0 ? CANNOT : shell.status;
}
