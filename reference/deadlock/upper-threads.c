/* upper-threads: one thread sends, the other reads.
 *
 * Each of them may wait in its call as long as it likes, since that keeps nobody but itself. A
 * socket may be used so by two threads: the two directions have nothing to do with each other. */
#include "upper.h"

#include <pthread.h>

struct sending {
  int fd;
  size_t bytes;
};

static void *send_everything(void *argument) {
  const struct sending *sending = argument;
  for (size_t sent = 0, size; sent < sending->bytes; sent += size) {
    const char *rest = chunk_rest(sent, sending->bytes, &size);
    if (send_all(sending->fd, rest, size) == -1)
      fail("send");
  }
  half_close(sending->fd);
  return NULL;
}

static void talk(int fd, size_t bytes, struct total *received) {
  struct sending sending = {fd, bytes};
  pthread_t sender;
  errno = pthread_create(&sender, NULL, send_everything, &sending);
  if (errno != 0)
    fail("pthread_create");

  char piece[PIECE];
  ssize_t size;
  while ((size = recv(fd, piece, sizeof piece, 0)) > 0)
    answer_take(received, piece, (size_t)size);
  if (size == -1)
    fail("recv");
  pthread_join(sender, NULL);
}

int main(int argc, char *argv[]) {
  return upper_main(argc, argv, talk);
}
