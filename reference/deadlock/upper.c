/* upper: the client that talks first and listens later.
 *
 * With a few bytes that works: they lie in the kernel's buffers until somebody reads them. With
 * more than the four buffers hold (two on each side) it is a deadlock, and so it shall be here:
 * this is the demonstration. The other three programs are the cures. */
#include "upper.h"

static void talk(int fd, size_t bytes, struct total *received) {
  for (size_t sent = 0, size; sent < bytes; sent += size) {
    const char *rest = chunk_rest(sent, bytes, &size);
    if (send_all(fd, rest, size) == -1)
      fail("send");
  }
  half_close(fd);

  char piece[PIECE];
  ssize_t size;
  while ((size = recv(fd, piece, sizeof piece, 0)) > 0)
    answer_take(received, piece, (size_t)size);
  if (size == -1)
    fail("recv");
}

int main(int argc, char *argv[]) {
  return upper_main(argc, argv, talk);
}
