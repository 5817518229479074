/* Socket options that are set and read, for checks that want to see it (program_spec.record_calls).
 *
 * The supervisor does the call itself, on its copy of the descriptor, which is the same socket: so
 * it knows the result. Only options that need no privilege are done so; others are let through. */
#include "grader/world/supervisor_inner.h"

#include "grader/base/scope.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { VALUE_MAX = 8 };

static bool is_of_interest(int level, int option) {
  static const int socket_options[] = {SO_TYPE,      SO_BROADCAST, SO_DONTROUTE, SO_REUSEADDR,
                                       SO_KEEPALIVE, SO_ERROR,     SO_RCVBUF,    SO_SNDBUF};
  for (size_t i = 0; i < sizeof socket_options / sizeof *socket_options; i++)
    if (level == SOL_SOCKET && option == socket_options[i])
      return true;
  return (level == IPPROTO_IP && (option == IP_MTU_DISCOVER || option == IP_MTU)) ||
         (level == IPPROTO_TCP &&
          (option == TCP_NODELAY || option == TCP_KEEPIDLE || option == TCP_KEEPINTVL ||
           option == TCP_KEEPCNT || option == TCP_USER_TIMEOUT));
}

static long value_of(const uint8_t bytes[VALUE_MAX], socklen_t length) {
  int value = 0;
  memcpy(&value, bytes, length < sizeof value ? length : sizeof value);
  return value;
}

/* The peer's address, if it is one of IPv4, also if it is written as one of IPv6 (RFC 4291). */
static struct sockaddr_in ipv4_of(const struct sockaddr_storage *peer) {
  struct sockaddr_in ipv4 = {0};
  struct sockaddr_in6 ipv6;
  if (peer->ss_family == AF_INET)
    memcpy(&ipv4, peer, sizeof ipv4);
  if (peer->ss_family != AF_INET6)
    return ipv4;
  memcpy(&ipv6, peer, sizeof ipv6);
  if (IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) {
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = ipv6.sin6_port;
    memcpy(&ipv4.sin_addr, &ipv6.sin6_addr.s6_addr[12], sizeof ipv4.sin_addr);
  }
  return ipv4;
}

static void option_log(const struct call *call, int fd, struct option_seen *seen) {
  struct world *world = call->supervisor->world;
  struct sockaddr_storage peer = {0};
  struct stat status;
  socklen_t length = sizeof peer, type_length = sizeof seen->type;
  seen->set = call->number == SYS_setsockopt;
  seen->fd = (int)call->arguments[0];
  seen->level = (int)call->arguments[1];
  seen->option = (int)call->arguments[2];
  seen->connected = getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
  if (seen->connected)
    seen->peer = ipv4_of(&peer);
  seen->socket = fstat(fd, &status) == 0 ? status.st_ino : 0;
  getsockopt(fd, SOL_SOCKET, SO_TYPE, &seen->type, &type_length);
  getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &seen->family, &type_length);
  char text[160];
  int size = snprintf(text, sizeof text, "%s(%d, level %d, option %d): %s%ld",
                      seen->set ? "setsockopt" : "getsockopt", seen->fd, seen->level, seen->option,
                      seen->error ? "errno " : "", seen->error ? (long)seen->error : seen->value);
  log_append(&world->log, &(struct event){.time_ns = clock_now(&world->clock),
                                          .kind = EVENT_CALL,
                                          .host = call->program->host,
                                          .program = call->program,
                                          .bytes = (const uint8_t *)text,
                                          .length = (size_t)size,
                                          .option = *seen});
}

/* Between two of a program's calls no time passes on the virtual clock, but on a busy machine
 * seconds on the kernel's: when an interval is set at last, the first question may have been asked
 * already, and the next be due by the interval as it was then, 75 s. So the kernel is made to look
 * at its timer again. */
static void keep_alive_look_again(const struct call *call, int fd) {
  int on = 0, idle = 0;
  socklen_t length = sizeof on;
  if (call->supervisor->world->options.clock == CLOCK_VIRTUAL &&
      (int)call->arguments[1] == IPPROTO_TCP && (int)call->arguments[2] == TCP_KEEPINTVL &&
      getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &length) == 0 && on &&
      getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &length) == 0)
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, length);
}

static void do_set(struct call *call, int fd) {
  uint8_t bytes[VALUE_MAX] = {0};
  socklen_t length = (socklen_t)call->arguments[4];
  if ((int32_t)length > VALUE_MAX)
    length = VALUE_MAX; /* of more than an int the kernel reads only that */
  if ((int32_t)length < 0 || !remote_read(call, call->arguments[3], bytes, length)) {
    call_continue(call); /* the kernel says what is wrong with it */
    return;
  }
  struct option_seen seen = {.value = value_of(bytes, length)};
  if (setsockopt(fd, (int)call->arguments[1], (int)call->arguments[2], bytes, length) < 0)
    seen.error = errno;
  keep_alive_look_again(call, fd);
  option_log(call, fd, &seen);
  call_answer(call, -seen.error);
}

static void do_get(struct call *call, int fd) {
  uint8_t bytes[VALUE_MAX] = {0};
  socklen_t room = 0;
  if (!remote_read(call, call->arguments[4], &room, sizeof room) || (int32_t)room < 0) {
    call_continue(call);
    return;
  }
  socklen_t length = room < VALUE_MAX ? room : VALUE_MAX;
  struct option_seen seen = {0};
  if (getsockopt(fd, (int)call->arguments[1], (int)call->arguments[2], bytes, &length) < 0)
    seen.error = errno;
  seen.value = value_of(bytes, length);
  option_log(call, fd, &seen);
  bool written = seen.error || (remote_write(call, call->arguments[3], bytes, length) &&
                                remote_write(call, call->arguments[4], &length, sizeof length));
  call_answer(call, written ? -seen.error : -EFAULT);
}

bool calls_option(struct call *call) {
  if (!call->program->record_calls ||
      !is_of_interest((int)call->arguments[1], (int)call->arguments[2]))
    return false;
  scoped_remote int fd = remote_descriptor(call, (int)call->arguments[0]);
  if (fd < 0)
    return false;
  if (call->number == SYS_setsockopt)
    do_set(call, fd);
  else
    do_get(call, fd);
  return true;
}
