/* udp-client-safe: asks the server for a lucky number, and listens to nobody else.
 *
 * connect() on a UDP socket sends nothing. It tells the kernel who the peer is, and then the kernel
 *   - throws away every datagram from another address or port before we see it, and
 *   - reports to us what it reports about that peer: if nobody listens there, recv() fails with
 * ECONNREFUSED. (This is no protection against somebody who can forge the sender's address on the
 * wire: that takes cryptography.) */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

enum {
  PORT = 60000,
  PATIENCE_SECONDS = 5, /* for a server that is silent, or a lost datagram: nobody reports those */
  DATAGRAM_MAX = 65507, /* the largest payload that UDP over IPv4 can carry */
};

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

/* "127.0.0.1:60000". The text is overwritten by the next call. */
static const char *address_text(const struct sockaddr_in *address) {
  static char text[INET_ADDRSTRLEN + sizeof ":65535"];
  char host[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &address->sin_addr, host, sizeof host);
  snprintf(text, sizeof text, "%s:%d", host, ntohs(address->sin_port));
  return text;
}

/* A datagram is bytes, not a C string: it has a length, no terminator, and may hold any byte, a
 * zero too. Control characters are escaped, since strangers should not be able to send commands to
 * our terminal. */
static void print_text(const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = bytes[i];
    if (byte < ' ' || byte == 0x7f)
      printf("\\x%02x", byte);
    else
      putchar(byte);
  }
}

int main(int argc, char *argv[]) {
  if (argc != 1) {
    fprintf(stderr, "Usage: %s\n", argv[0]);
    return 2;
  }

  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd == -1)
    fail("socket");

  const struct sockaddr_in server = {
      .sin_family = AF_INET,
      .sin_port = htons(PORT),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  /* Before the first datagram leaves: in no moment may a forged one get in. */
  if (connect(fd, (const struct sockaddr *)&server, sizeof server) == -1)
    fail("connect");
  const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == -1)
    fail("setsockopt");

  const char *text = "Hello, I'm a client.";
  if (send(fd, text, strlen(text), 0) == -1)
    fail("send");

  /* connect() has chosen the source address too: 127.0.0.1, where udp-client has 0.0.0.0. */
  struct sockaddr_in own;
  socklen_t own_size = sizeof own;
  if (getsockname(fd, (struct sockaddr *)&own, &own_size) == -1)
    fail("getsockname");
  printf("Requesting from %s\n", address_text(&own));

  /* EINTR happens even without a signal handler: with a time-out set, stopping the program (Ctrl-Z)
   * and letting it go on interrupts recv. */
  static char reply[DATAGRAM_MAX];
  ssize_t length;
  do
    length = recv(fd, reply, sizeof reply, 0);
  while (length == -1 && errno == EINTR);
  if (length == -1 && errno == EAGAIN) {
    fprintf(stderr, "timed out: no reply within %d seconds\n", PATIENCE_SECONDS);
    return EXIT_FAILURE;
  }
  if (length == -1)
    fail("recv"); /* "Connection refused" if nobody listens */
  printf("The server replied ");
  print_text(reply, length);
  putchar('\n');
  return EXIT_SUCCESS;
}
