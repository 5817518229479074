/* sockopts: three options of a new UDP socket, read, set, and read again.
 *
 * All options are read with getsockopt() and set with setsockopt(): a level (SOL_SOCKET are those
 * that every kind of socket has), a name, and a value in memory with its size. Most values are
 * ints; a switch is 0 or 1. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

static int option(int fd, int name) {
  int value;
  socklen_t size = sizeof value; /* in: the room that there is; out: what was written */
  if (getsockopt(fd, SOL_SOCKET, name, &value, &size) == -1)
    fail("getsockopt");
  return value;
}

static void turn_on(int fd, int name) {
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, name, &on, sizeof on) == -1)
    fail("setsockopt");
}

static void show_switch(int fd, const char *text, int name) {
  int before = option(fd, name);
  turn_on(fd, name);
  printf("%s %d %d\n", text, before, option(fd, name));
}

int main(int argc, char *argv[]) {
  if (argc != 1) {
    fprintf(stderr, "Usage: %s\n", argv[0]);
    return 2;
  }
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd == -1)
    fail("socket");
  printf("SO_TYPE %d\n", option(fd, SO_TYPE));   /* SOCK_DGRAM is 2; it can be read only */
  show_switch(fd, "SO_BROADCAST", SO_BROADCAST); /* may send to broadcast addresses */
  show_switch(fd, "SO_DONTROUTE", SO_DONTROUTE); /* sends to its own networks only, by no router */
  return EXIT_SUCCESS;
}
