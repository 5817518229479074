/* upper-nonblocking: calls that never wait. What cannot be done now gives EAGAIN, and we do the
 * other thing.
 *
 * If neither can be done we must sleep a little, or the loop would use the whole CPU for nothing.
 * How long is a guess: too short wastes time on looking, too long wastes it on sleeping. poll()
 * knows better (see upper-poll), and programs that mean it use both together. */
#include "upper.h"

#include <fcntl.h>
#include <time.h>

static void nap(void) {
  const struct timespec millisecond = {.tv_nsec = 1000000};
  nanosleep(&millisecond, NULL);
}

static bool may_go_on(void) {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void talk(int fd, size_t bytes, struct total *received) {
  int flags = fcntl(fd, F_GETFL);
  if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
    fail("fcntl");
  char piece[PIECE];
  size_t sent = 0;
  for (;;) {
    bool did_something = false;
    if (sent < bytes) {
      size_t size;
      const char *rest = chunk_rest(sent, bytes, &size);
      ssize_t taken = send(fd, rest, size, MSG_NOSIGNAL);
      if (taken == -1 && !may_go_on())
        fail("send");
      if (taken > 0) {
        did_something = true;
        sent += (size_t)taken;
        if (sent == bytes)
          half_close(fd);
      }
    }
    ssize_t size = recv(fd, piece, sizeof piece, 0);
    if (size == -1 && !may_go_on())
      fail("recv");
    if (size == 0)
      return;
    if (size > 0) {
      did_something = true;
      answer_take(received, piece, (size_t)size);
    }
    if (!did_something)
      nap();
  }
}

int main(int argc, char *argv[]) {
  return upper_main(argc, argv, talk);
}
