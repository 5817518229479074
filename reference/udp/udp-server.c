/* udp-server: tells everybody who asks a lucky number.
 *
 * One socket serves all clients. UDP keeps no connections: each datagram comes with the address of
 * its sender, and that address is all the server needs, and all it remembers, to send the answer
 * back. It runs until SIGINT or SIGTERM. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>

enum {
  PORT = 60000,
  /* The largest payload that UDP over IPv4 can carry: 65535 - 20 (IP header) - 8 (UDP header). The
   * rest of a datagram that is longer than the buffer would be lost without a word. */
  DATAGRAM_MAX = 65507,
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

/* Without a seed drand48() gives the same numbers in every run. */
static void seed_random_numbers(void) {
  long seed;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
    fail("getrandom");
  srand48(seed);
}

static void answer(int fd, const struct sockaddr_in *client) {
  char text[64];
  /* 15 digits: %f has only 6, and would round 0.9999999 to 1.000000, which is too large. */
  int length = snprintf(text, sizeof text, "Here's your lucky number:%.15f", drand48());

  /* A datagram is sent whole or not at all. If it can't be sent to this client, the others should
   * not suffer. */
  if (sendto(fd, text, length, 0, (const struct sockaddr *)client, sizeof *client) == -1)
    perror("sendto");
}

int main(int argc, char *argv[]) {
  if (argc != 1) {
    fprintf(stderr, "Usage: %s\n", argv[0]);
    return 2;
  }

  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd == -1)
    fail("socket");

  /* 127.0.0.1, not INADDR_ANY: only programs on this machine can reach the server. */
  struct sockaddr_in server = {
      .sin_family = AF_INET,
      .sin_port = htons(PORT),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  if (bind(fd, (struct sockaddr *)&server, sizeof server) == -1)
    fail("bind");
  printf("Listening at %s\n", address_text(&server));

  seed_random_numbers();
  for (;;) {
    static char datagram[DATAGRAM_MAX];
    struct sockaddr_in client;
    socklen_t client_size =
        sizeof client; /* in: the room that there is; out: the room that was used */
    ssize_t length =
        recvfrom(fd, datagram, sizeof datagram, 0, (struct sockaddr *)&client, &client_size);
    if (length == -1 && errno == EINTR)
      continue;
    if (length == -1)
      fail("recvfrom");

    /* A length of 0 is an empty datagram, as good as any other. UDP has no end of file. */
    printf("The client at %s says ", address_text(&client));
    print_text(datagram, length);
    putchar('\n');
    answer(fd, &client);
  }
}
