/* udp-flaky-server: a server behind a bad network, without the network.
 *
 * It pretends that 70 % of the datagrams that reach it were lost on the way. On loopback nothing is
 * ever lost unless a buffer is full; so this is how to see what a client does about loss. It runs
 * until SIGINT or SIGTERM. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>

#define DROP_PROBABILITY 0.7

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

/* Without a seed drand48() gives the same numbers in every run. Seed once: a generator that is
 * seeded again and again gives no random sequence. */
static void seed_random_numbers(void) {
  long seed;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
    fail("getrandom");
  srand48(seed);
}

/* drand48() is at least 0 and below 1, evenly: it is below 0.7 in 70 % of all cases. Each call is a
 * new throw of the dice that knows nothing of those before. */
static bool dropped(void) {
  return drand48() < DROP_PROBABILITY;
}

static void answer(int fd, const struct sockaddr_in *client) {
  char text[64];
  /* 15 digits: %f has only 6, and would round 0.9999999 to 1.000000, which is too large. */
  int length = snprintf(text, sizeof text, "Here's your lucky number:%.15f", drand48());
  if (sendto(fd, text, length, 0, (const struct sockaddr *)client, sizeof *client) == -1)
    perror("sendto"); /* this client's bad luck; the others should not suffer */
  else
    printf("Packet sent successfully!\n");
}

int main(int argc, char *argv[]) {
  if (argc != 1) {
    fprintf(stderr, "Usage: %s\n", argv[0]);
    return 2;
  }

  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd == -1)
    fail("socket");
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
    socklen_t client_size = sizeof client;
    ssize_t length =
        recvfrom(fd, datagram, sizeof datagram, 0, (struct sockaddr *)&client, &client_size);
    if (length == -1 && errno == EINTR)
      continue;
    if (length == -1)
      fail("recvfrom");

    if (dropped()) {
      printf("Pretending to drop packet from %s\n", address_text(&client));
      continue;
    }
    printf("The client at %s says ", address_text(&client));
    print_text(datagram, length);
    putchar('\n');
    answer(fd, &client);
  }
}
