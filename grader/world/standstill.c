/* Why a world stands still: the conclusion from what its tasks wait for. */
#include "grader/world/diagnosis.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/world/inner.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

struct picture {
  struct world *world;
  struct blocked *list;
  size_t count;
};

static void picture_take(struct picture *picture, struct world *world) {
  *picture = (struct picture){.world = world};
  for (struct program *program = world->programs; program; program = program->next) {
    struct blocked *some = NULL;
    size_t count = program->ended ? 0 : program_blocked(program, &some);
    picture->list =
        memory_resize(picture->list, (picture->count + count + 1) * sizeof *picture->list);
    if (count > 0)
      memcpy(picture->list + picture->count, some, count * sizeof *some);
    picture->count += count;
    free(some);
  }
}

static bool is_connected(const struct blocked *blocked) {
  return blocked->listed && blocked->socket.protocol == IPPROTO_TCP &&
         blocked->socket.state != TCP_LISTEN && blocked->socket.remote.sin_port != 0;
}

static bool is_same_address(const struct sockaddr_in *one, const struct sockaddr_in *other) {
  return one->sin_port == other->sin_port && one->sin_addr.s_addr == other->sin_addr.s_addr;
}

static bool are_ends(const struct socket_state *one, const struct socket_state *other) {
  return is_same_address(&one->local, &other->remote) &&
         is_same_address(&one->remote, &other->local);
}

/* Whoever sleeps on the other end of the same connection. */
static const struct blocked *partner_of(const struct picture *picture,
                                        const struct blocked *blocked) {
  for (size_t i = 0; is_connected(blocked) && i < picture->count; i++)
    if (is_connected(&picture->list[i]) && are_ends(&picture->list[i].socket, &blocked->socket))
      return &picture->list[i];
  return NULL;
}

/* Whether the other end is in some host's tables; its state goes to *other. */
static bool other_end(const struct picture *picture, const struct blocked *blocked,
                      struct socket_state *other) {
  bool found = false;
  for (struct host *host = picture->world->hosts; host && !found; host = host->next) {
    struct socket_state *states = NULL;
    struct failure ignored;
    int count = host_sockets(host, IPPROTO_TCP, &states, &ignored);
    for (int i = 0; i < count && !found; i++)
      if (are_ends(&states[i], &blocked->socket)) {
        *other = states[i];
        found = true;
      }
    free(states);
  }
  return found;
}

/* Who sleeps although there is something to be read does not wait for that, whatever it asks for:
 * an edge-triggered epoll has told it already. */
static bool sends(const struct blocked *blocked) {
  return (blocked->events & POLLOUT) &&
         (!(blocked->events & POLLIN) || blocked->socket.receive_queue > 0);
}

static bool receives(const struct blocked *blocked) {
  return (blocked->events & POLLIN) && !(blocked->events & POLLOUT);
}

static bool queues_are_full(const struct blocked *one, const struct blocked *other) {
  return one->socket.send_queue > 0 && one->socket.receive_queue > 0 &&
         other->socket.send_queue > 0 && other->socket.receive_queue > 0;
}

static bool queues_are_empty(const struct blocked *one, const struct blocked *other) {
  return one->socket.send_queue == 0 && one->socket.receive_queue == 0 &&
         other->socket.send_queue == 0 && other->socket.receive_queue == 0;
}

/* What the conclusion is about: one task, or two that wait for each other. */
struct conclusion {
  enum standstill kind;
  const struct blocked *one, *other;
};

static struct conclusion of_pairs(const struct picture *picture) {
  for (size_t i = 0; i < picture->count; i++) {
    const struct blocked *one = &picture->list[i], *other = partner_of(picture, one);
    if (other && sends(one) && sends(other) && queues_are_full(one, other))
      return (struct conclusion){STANDSTILL_MUTUAL_SEND, one, other};
    if (other && receives(one) && receives(other) && queues_are_empty(one, other) &&
        one->socket.state == TCP_ESTABLISHED && other->socket.state == TCP_ESTABLISHED)
      return (struct conclusion){STANDSTILL_MUTUAL_RECEIVE, one, other};
  }
  for (size_t i = 0; i < picture->count; i++) {
    const struct blocked *one = &picture->list[i], *other = partner_of(picture, one);
    if (other && sends(one) && one->socket.send_queue > 0 && one->socket.receive_queue > 0 &&
        receives(other) && other->socket.send_queue > 0)
      return (struct conclusion){STANDSTILL_SEND_UNREAD, one, other};
  }
  return (struct conclusion){STANDSTILL_NONE, NULL, NULL};
}

static struct conclusion of_one(const struct picture *picture) {
  struct socket_state other;
  for (size_t i = 0; i < picture->count; i++) {
    const struct blocked *one = &picture->list[i];
    if (is_connected(one) && receives(one) && one->socket.state == TCP_ESTABLISHED &&
        !other_end(picture, one, &other))
      return (struct conclusion){STANDSTILL_HALF_OPEN, one, NULL};
  }
  for (size_t i = 0; i < picture->count; i++)
    if (picture->list[i].fd == 0 && !picture->list[i].inode && receives(&picture->list[i]))
      return (struct conclusion){STANDSTILL_INPUT, &picture->list[i], NULL};
  for (size_t i = 0; i < picture->count; i++)
    if (picture->list[i].number == SYS_wait4 || picture->list[i].number == SYS_waitid)
      return (struct conclusion){STANDSTILL_CHILD, &picture->list[i], NULL};
  for (size_t i = 0; i < picture->count; i++)
    if (picture->list[i].number == SYS_futex)
      return (struct conclusion){STANDSTILL_LOCK, &picture->list[i], NULL};
  return (struct conclusion){picture->count > 0 ? STANDSTILL_OTHER : STANDSTILL_NONE, NULL, NULL};
}

/* A listening socket with connections in its queue that no task waits for. */
static bool accept_queue(const struct picture *picture, struct socket_state *listening) {
  bool found = false;
  for (struct host *host = picture->world->hosts; host && !found; host = host->next) {
    struct socket_state *states = NULL;
    struct failure ignored;
    int count = host_sockets(host, IPPROTO_TCP, &states, &ignored);
    for (int i = 0; i < count && !found; i++)
      if (states[i].state == TCP_LISTEN && states[i].receive_queue > 0) {
        *listening = states[i];
        found = true;
      }
    free(states);
  }
  return found;
}

static bool something_runs(const struct picture *picture) {
  for (size_t i = 0; i < picture->count; i++)
    if (picture->list[i].number < 0 || picture->list[i].number == SYS_nanosleep ||
        picture->list[i].number == SYS_clock_nanosleep)
      return true;
  return false;
}

static void put_task(FILE *out, const struct blocked *blocked, const char *before) {
  scoped_text char *words = blocked_text(blocked);
  fprintf(out, "\n%s%s %s", before, blocked->program->name, words);
}

static void put_conclusion(FILE *out, const struct conclusion *conclusion,
                           const struct socket_state *listening) {
  const char *one = conclusion->one ? conclusion->one->program->name : "";
  const char *other = conclusion->other ? conclusion->other->program->name : "";
  switch (conclusion->kind) {
  case STANDSTILL_MUTUAL_SEND:
    language_print(
        out,
        "a deadlock: %s and %s are both blocked in sending to each other, all four queues are "
        "full, and neither reads before it has sent",
        one, other);
    break;
  case STANDSTILL_SEND_UNREAD:
    language_print(
        out,
        "a deadlock: %s is blocked in sending and does not read what has come, so that %s's "
        "bytes cannot be delivered",
        one, other);
    break;
  case STANDSTILL_MUTUAL_RECEIVE:
    language_print(
        out,
        "a deadlock: %s and %s both wait to receive from each other, and nothing is on its way: "
        "has one sent less than the other counts on, or not said that it has finished "
        "(shutdown, half-close)?",
        one, other);
    break;
  case STANDSTILL_HALF_OPEN:
    language_print(out, "half-open: %s waits on a connection whose other end is gone", one);
    break;
  case STANDSTILL_ACCEPT:
    language_print(out, "%u connection%s in the queue of port %u, and nobody accepts",
                   listening->receive_queue, listening->receive_queue == 1 ? " waits" : "s wait",
                   ntohs(listening->local.sin_port));
    break;
  case STANDSTILL_INPUT:
    language_print(out, "%s waits for its standard input", one);
    break;
  case STANDSTILL_CHILD:
    language_print(out, "%s waits for a child's end", one);
    break;
  case STANDSTILL_LOCK:
    language_print(out, "%s waits for a lock, a condition variable or a thread's end", one);
    break;
  default:
    fputs(conclusion->kind == STANDSTILL_NONE ? _("something still runs, or waits for a time")
                                              : _("nothing moves any more"),
          out);
  }
}

bool world_something_runs(struct world *world) {
  struct picture picture;
  bool runs = false;
  picture_take(&picture, world);
  for (size_t i = 0; i < picture.count; i++)
    runs |= picture.list[i].number < 0;
  free(picture.list);
  return runs;
}

int64_t world_toil_ns(struct world *world) {
  int64_t total = 0;
  for (struct program *program = world->programs; program; program = program->next)
    total += program_cpu_ns(program) + program_waited_ns(program);
  return total;
}

enum standstill world_standstill(struct world *world, char **text) {
  struct picture picture;
  struct socket_state listening = {0};
  picture_take(&picture, world);
  struct conclusion conclusion = of_pairs(&picture);
  if (conclusion.kind == STANDSTILL_NONE && !something_runs(&picture)) {
    conclusion = of_one(&picture);
    if (conclusion.kind != STANDSTILL_HALF_OPEN && accept_queue(&picture, &listening))
      conclusion = (struct conclusion){STANDSTILL_ACCEPT, NULL, NULL};
  }
  if (text) {
    size_t size = 0;
    FILE *out = open_memstream(text, &size);
    put_conclusion(out, &conclusion, &listening);
    if (conclusion.one)
      put_task(out, conclusion.one, conclusion.other ? "→ " : "");
    if (conclusion.other)
      put_task(out, conclusion.other, "→ ");
    for (size_t i = 0; i < picture.count; i++)
      if (&picture.list[i] != conclusion.one && &picture.list[i] != conclusion.other)
        put_task(out, &picture.list[i], "");
    fclose(out);
  }
  free(picture.list);
  return conclusion.kind;
}
