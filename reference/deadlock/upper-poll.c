/* upper-poll: one thread that waits for both directions at once, and does what can be done.
 *
 * poll() sleeps until there is something to be read, or room for something to be sent. When there
 * is nothing left to be sent, we must not ask for room any more: there always is some, and poll()
 * would not sleep. */
#include "upper.h"

#include <poll.h>

static void talk(int fd, size_t bytes, struct total *received) {
  char piece[PIECE];
  size_t sent = 0;
  for (;;) {
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    if (sent < bytes)
      wanted.events |= POLLOUT;
    if (poll(&wanted, 1, -1) == -1) {
      if (errno == EINTR)
        continue;
      fail("poll");
    }
    if (wanted.revents & POLLOUT) {
      size_t size;
      const char *rest = chunk_rest(sent, bytes, &size);
      /* There is room, but perhaps not for all of it: never wait here. */
      ssize_t taken = send(fd, rest, size, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (taken == -1 && errno != EAGAIN && errno != EINTR)
        fail("send");
      if (taken > 0 && (sent += (size_t)taken) == bytes)
        half_close(fd);
    }
    if (wanted.revents & (POLLIN | POLLHUP | POLLERR)) {
      ssize_t size = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
      if (size == -1 && errno != EAGAIN && errno != EINTR)
        fail("recv");
      if (size == 0)
        return;
      if (size > 0)
        answer_take(received, piece, (size_t)size);
    }
  }
}

int main(int argc, char *argv[]) {
  return upper_main(argc, argv, talk);
}
