/* udp-client: asks the server for a lucky number, and believes whoever answers.
 *
 * It is promiscuous: any program on this machine that learns or guesses its port can send it a
 * datagram, and the first to come is taken for the server's reply. That is the danger that this lab
 * shows; udp-client-safe does it right. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
  PORT = 60000,
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
  /* strlen, not sizeof: the zero at the end is C's business, not the server's. */
  const char *text = "Hello, I'm a client.";
  if (sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&server, sizeof server) == -1)
    fail("sendto");

  /* A client need not choose its port. The kernel gave it one when it sent its first datagram;
   * before, it had none. The address is still 0.0.0.0, "any of this machine's". */
  struct sockaddr_in own;
  socklen_t own_size = sizeof own;
  if (getsockname(fd, (struct sockaddr *)&own, &own_size) == -1)
    fail("getsockname");
  printf("Requesting from %s\n", address_text(&own));

  /* Nobody looks at where the reply comes from: this is the hole. */
  static char reply[DATAGRAM_MAX];
  ssize_t length;
  do
    length = recvfrom(fd, reply, sizeof reply, 0, NULL, NULL);
  while (length == -1 && errno == EINTR);
  if (length == -1)
    fail("recvfrom");
  printf("The server replied ");
  print_text(reply, length);
  putchar('\n');
  return EXIT_SUCCESS;
}
