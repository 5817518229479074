/* descriptors: a socket is a small integer.
 *
 * socket() makes a socket in the kernel and returns its number in this process's table of open
 * files, the lowest that is free. 0, 1 and 2 are taken (stdin, stdout, stderr), so the first socket
 * is often 3. After close() the number means nothing, or soon something else. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKETS = 3 };

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

int main(int argc, char *argv[]) {
  if (argc != 1) {
    fprintf(stderr, "Usage: %s\n", argv[0]);
    return 2;
  }

  int fds[SOCKETS];
  for (int i = 0; i < SOCKETS; i++) {
    fds[i] = socket(AF_INET, SOCK_STREAM, 0);
    if (fds[i] == -1)
      fail("socket");
  }

  /* close() gets a copy of the number and can't change ours. -1 is no descriptor: a later use by
   * mistake fails, and does not hit whatever has got the number by then. */
  if (close(fds[SOCKETS - 1]) == -1)
    fail("close");
  fds[SOCKETS - 1] = -1;

  for (int i = 0; i < SOCKETS; i++)
    printf("%d\n", fds[i]);
  return EXIT_SUCCESS;
}
