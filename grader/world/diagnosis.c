#include "grader/world/diagnosis.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/world/inner.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* ---- calls ---- */

enum call_kind {
  RECEIVES,
  SENDS,
  ACCEPTS,
  CONNECTS,
  POLLS,  /* an array of struct pollfd */
  EPOLLS, /* an epoll descriptor */
  SELECTS,
  LOCKS,
  CHILDREN,
  TIME,
  OTHER_CALL,
};

static const struct {
  long number;
  const char *name;
  enum call_kind kind;
} calls[] = {
    {SYS_read, "read", RECEIVES},
    {SYS_readv, "readv", RECEIVES},
    {SYS_recvfrom, "recvfrom", RECEIVES},
    {SYS_recvmsg, "recvmsg", RECEIVES},
    {SYS_recvmmsg, "recvmmsg", RECEIVES},
    {SYS_write, "write", SENDS},
    {SYS_writev, "writev", SENDS},
    {SYS_sendto, "sendto", SENDS},
    {SYS_sendmsg, "sendmsg", SENDS},
    {SYS_sendmmsg, "sendmmsg", SENDS},
    {SYS_sendfile, "sendfile", SENDS},
    {SYS_accept, "accept", ACCEPTS},
    {SYS_accept4, "accept", ACCEPTS},
    {SYS_connect, "connect", CONNECTS},
    {SYS_ppoll, "poll", POLLS},
    {SYS_pselect6, "select", SELECTS},
    {SYS_epoll_pwait, "epoll_wait", EPOLLS},
    {SYS_futex, N_("futex (a lock, a condition variable, or a thread's end)"), LOCKS},
    {SYS_wait4, N_("wait (for a child's end)"), CHILDREN},
    {SYS_waitid, N_("wait (for a child's end)"), CHILDREN},
    {SYS_nanosleep, "nanosleep", TIME},
    {SYS_clock_nanosleep, "clock_nanosleep", TIME},
    {SYS_rt_sigsuspend, "sigsuspend", OTHER_CALL},
    {SYS_rt_sigtimedwait, "sigwait", OTHER_CALL},
    {SYS_flock, "flock", LOCKS},
#ifdef __x86_64__
    {SYS_poll, "poll", POLLS},
    {SYS_select, "select", SELECTS},
    {SYS_epoll_wait, "epoll_wait", EPOLLS},
    {SYS_pause, "pause", OTHER_CALL},
#endif
};

static enum call_kind kind_of(long number) {
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (calls[i].number == number)
      return calls[i].kind;
  return OTHER_CALL;
}

/* ---- descriptors ---- */

static ssize_t read_at(const struct program *program, const char *path, uint64_t offset, void *into,
                       size_t length) {
  scoped_fd int fd = openat(program->sandbox.proc_fd, path, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? -1 : pread(fd, into, length, (off_t)offset);
}

/* A descriptor that a call waits for. */
struct awaited {
  int fd;
  short events;
};

enum { AWAITED_MAX = 64 };

static size_t polled(const struct blocked *blocked, struct awaited list[AWAITED_MAX]) {
  char path[40];
  size_t count = 0;
  snprintf(path, sizeof path, "%d/mem", blocked->process);
  for (size_t i = 0; i < blocked->arguments[1] && i < AWAITED_MAX; i++) {
    struct pollfd one;
    if (read_at(blocked->program, path, blocked->arguments[0] + i * sizeof one, &one, sizeof one) ==
            sizeof one &&
        one.fd >= 0)
      list[count++] = (struct awaited){one.fd, one.events};
  }
  return count;
}

/* What an epoll descriptor watches: "tfd:        5 events:       19 …". */
static size_t epolled(const struct blocked *blocked, struct awaited list[AWAITED_MAX]) {
  char path[60], text[8192];
  snprintf(path, sizeof path, "%d/fdinfo/%d", blocked->process, (int)blocked->arguments[0]);
  ssize_t length = read_at(blocked->program, path, 0, text, sizeof text - 1);
  text[length < 0 ? 0 : length] = '\0';
  size_t count = 0;
  for (const char *line = text; count < AWAITED_MAX && (line = strstr(line, "tfd:"));) {
    char *rest = NULL;
    int fd = (int)strtol(line + strlen("tfd:"), &rest, 10);
    const char *events = strstr(rest, "events:");
    if (!events)
      break;
    line = events + strlen("events:");
    list[count++] = (struct awaited){fd, (short)strtoul(line, NULL, 16)};
  }
  return count;
}

static size_t selected(const struct blocked *blocked, struct awaited list[AWAITED_MAX]) {
  char path[40];
  size_t count = 0;
  uint64_t sets[2] = {0, 0}; /* of the first 64 descriptors: to be read, to be written */
  snprintf(path, sizeof path, "%d/mem", blocked->process);
  for (int set = 0; set < 2; set++)
    if (blocked->arguments[set + 1] != 0 &&
        read_at(blocked->program, path, blocked->arguments[set + 1], &sets[set],
                sizeof sets[set]) != sizeof sets[set])
      sets[set] = 0;
  for (int fd = 0; fd < AWAITED_MAX; fd++) {
    int events = (sets[0] >> fd & 1 ? POLLIN : 0) | (sets[1] >> fd & 1 ? POLLOUT : 0);
    if (events)
      list[count++] = (struct awaited){fd, (short)events};
  }
  return count;
}

static size_t awaited(const struct blocked *blocked, struct awaited list[AWAITED_MAX]) {
  list[0] = (struct awaited){(int)blocked->arguments[0], 0};
  switch (kind_of(blocked->number)) {
  case RECEIVES:
  case ACCEPTS:
    list[0].events = POLLIN;
    return 1;
  case SENDS:
  case CONNECTS:
    list[0].events = POLLOUT;
    return 1;
  case POLLS:
    return polled(blocked, list);
  case EPOLLS:
    return epolled(blocked, list);
  case SELECTS:
    return selected(blocked, list);
  default:
    return 0;
  }
}

static bool find_state(struct blocked *blocked, uint8_t protocol) {
  struct socket_state *states = NULL;
  struct failure ignored;
  int count = host_sockets(blocked->program->host, protocol, &states, &ignored);
  for (int i = 0; i < count && !blocked->listed; i++)
    if (states[i].inode == blocked->inode) {
      blocked->socket = states[i];
      blocked->listed = true;
    }
  free(states);
  return blocked->listed;
}

static void find_socket(struct blocked *blocked) {
  blocked->inode = 0;
  blocked->listed = false;
  char path[60], target[64];
  unsigned long inode = 0;
  snprintf(path, sizeof path, "%d/fd/%d", blocked->process, blocked->fd);
  ssize_t length = readlinkat(blocked->program->sandbox.proc_fd, path, target, sizeof target - 1);
  target[length < 0 ? 0 : length] = '\0';
  if (sscanf(target, "socket:[%lu]", &inode) != 1)
    return;
  blocked->inode = inode;
  if (!find_state(blocked, IPPROTO_TCP))
    find_state(blocked, IPPROTO_UDP);
}

/* Of several descriptors that it waits for, the first that is a connection is of interest: others
 * may be pipes or timers that wake it up. */
static void find_descriptor(struct blocked *blocked) {
  struct awaited list[AWAITED_MAX];
  size_t count = awaited(blocked, list);
  blocked->fd = -1;
  for (size_t i = count; i-- > 0;) {
    struct blocked tried = *blocked;
    tried.fd = list[i].fd;
    tried.events = list[i].events;
    find_socket(&tried);
    bool connected = tried.listed && tried.socket.remote.sin_port != 0;
    bool had_one = blocked->listed && blocked->socket.remote.sin_port != 0;
    if (connected || !had_one)
      *blocked = tried;
  }
}

size_t program_blocked(struct program *program, struct blocked **list) {
  struct task_call *running = NULL;
  size_t count = program->sandbox.proc_fd < 0 ? 0 : tasks_calls(&program->tasks, &running);
  *list = memory_zeroed(count + 1, sizeof **list);
  for (size_t i = 0; i < count; i++) {
    struct blocked *blocked = &(*list)[i];
    *blocked = (struct blocked){.program = program,
                                .process = running[i].process,
                                .thread = running[i].thread,
                                .number = running[i].number};
    memcpy(blocked->arguments, running[i].arguments, sizeof blocked->arguments);
    find_descriptor(blocked);
  }
  free(running);
  return count;
}

/* ---- words ---- */

static char *size_text(uint32_t bytes) {
  return bytes >= 10000 ? language_sentence("%.1f kB", bytes / 1000.0)
                        : language_sentence("%u byte%s", bytes, bytes == 1 ? "" : "s");
}

static char *address_text(const struct sockaddr_in *address) {
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
  return memory_format("%s:%u", text, ntohs(address->sin_port));
}

/* The words below are read again by whoever draws a picture of them (report_html_standstill.c). */
static void put_socket(FILE *out, const struct socket_state *socket) {
  scoped_text char *local = address_text(&socket->local), *remote = address_text(&socket->remote);
  const char *protocol = socket->protocol == IPPROTO_TCP ? "TCP" : "UDP";
  if (socket->protocol == IPPROTO_TCP && socket->state == TCP_LISTEN) {
    language_print(out, ", %s %s, which listens; %u connection%s in its queue", protocol, local,
                   socket->receive_queue, socket->receive_queue == 1 ? "" : "s");
    return;
  }
  if (socket->remote.sin_port)
    language_print(out, ", %s %s to %s", protocol, local, remote);
  else
    fprintf(out, ", %s %s", protocol, local);
  scoped_text char *unread = size_text(socket->receive_queue);
  scoped_text char *undelivered = size_text(socket->send_queue);
  fputs(" (", out);
  if (socket->receive_queue)
    language_print(out, "%s to be read", unread);
  else
    fputs(_("nothing to be read"), out);
  if (socket->send_queue)
    language_print(out, ", %s not delivered", undelivered);
  if (socket->state == TCP_CLOSE_WAIT)
    fputs(_(", the other side has finished"), out);
  fputc(')', out);
}

char *blocked_text(const struct blocked *blocked) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  const char *name = NULL;
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (calls[i].number == blocked->number)
      name = calls[i].name;
  if (blocked->number < 0)
    fputs(_("is running"), out);
  else if (name)
    language_print(out, "sleeps in %s", name);
  else
    language_print(out, "sleeps in system call %ld", blocked->number);
  if (blocked->fd >= 0)
    language_print(out, " on descriptor %d", blocked->fd);
  if (blocked->fd == 0 && !blocked->inode)
    fputs(_(", the standard input"), out);
  if (blocked->listed)
    put_socket(out, &blocked->socket);
  fclose(out);
  return text;
}

char *program_doing(struct program *program) {
  struct blocked *list = NULL;
  size_t count = program_blocked(program, &list), size = 0;
  char *text = NULL;
  FILE *out = open_memstream(&text, &size);
  for (size_t i = 0; i < count; i++) {
    scoped_text char *words = blocked_text(&list[i]);
    if (i > 0)
      language_print(out, "; %s %d ", list[i].process == list[i].thread ? "process" : "thread",
                     list[i].thread);
    fputs(words, out);
  }
  if (count == 0)
    fputs(_("has ended"), out);
  fclose(out);
  free(list);
  return text;
}
