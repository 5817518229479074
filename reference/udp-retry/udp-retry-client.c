/* udp-retry-client: asks again when no reply comes, and waits twice as long each time.
 *
 * No reply can mean that the request was lost, that the reply was lost, or that the server is slow;
 * the client cannot know which, and it need not: it sends the same request again. It doubles its
 * wait (exponential back-off), so that a thousand clients of a server in trouble do not add to the
 * trouble, and gives up after the sixth.
 *
 *     attempt  1  2    3        4                5                               6
 *              ├──┼────┼────────┼────────────────┼───────────────────────────────┼─ ─ ─ ─ ─ ─┤
 *     at       0 0.1  0.3      0.7              1.5                             3.1         6.3 s
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
  PORT = 60000,
  ATTEMPTS = 6,
  FIRST_DELAY_MS = 100,
  DATAGRAM_MAX = 65507, /* the largest payload that UDP over IPv4 can carry */
};

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
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

/* Milliseconds on a clock that nobody can set: the wall clock may jump. */
static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

static bool same_address(const struct sockaddr_in *a, const struct sockaddr_in *b) {
  return a->sin_addr.s_addr == b->sin_addr.s_addr && a->sin_port == b->sin_port;
}

/* Waits until a datagram from the server is there or delay_ms have passed. Returns the datagram's
 * length (which may be 0), or -1 if none has come in time. A datagram from anybody else is thrown
 * away, and then only the rest of the time is waited for: this is why the deadline is a point in
 * time, not a length. */
static ssize_t receive_from(int fd, const struct sockaddr_in *server, char *reply, size_t size,
                            long delay_ms) {
  const long deadline = now_ms() + delay_ms;
  for (;;) {
    long remaining = deadline - now_ms();
    if (remaining < 0)
      return -1;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    int ready = poll(&readable, 1, (int)remaining);
    if (ready == -1 && errno != EINTR)
      fail("poll");
    if (ready == -1)
      continue;
    if (ready == 0)
      return -1;

    struct sockaddr_in sender;
    socklen_t sender_size = sizeof sender;
    /* MSG_DONTWAIT: a datagram with a wrong checksum makes poll say "readable", and is then thrown
     * away. */
    ssize_t length =
        recvfrom(fd, reply, size, MSG_DONTWAIT, (struct sockaddr *)&sender, &sender_size);
    if (length == -1 && errno != EINTR && errno != EAGAIN)
      fail("recvfrom");
    if (length != -1 && same_address(&sender, server))
      return length;
  }
}

int main(int argc, char *argv[]) {
  if (argc != 1) {
    fprintf(stderr, "Usage: %s\n", argv[0]);
    return 2;
  }

  /* One socket for all attempts: a late reply to an early attempt then still finds us. The socket
   * is not connected, so that a server that is just being restarted (its port is closed for a
   * moment) is no error but one more loss. */
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd == -1)
    fail("socket");
  const struct sockaddr_in server = {
      .sin_family = AF_INET,
      .sin_port = htons(PORT),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };

  long delay_ms = FIRST_DELAY_MS;
  for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const char *text = "Hello, I'm a client.";
    if (sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&server, sizeof server) == -1)
      fail("sendto");
    printf("Waiting up to %g seconds for a reply\n", delay_ms / 1000.0);

    static char reply[DATAGRAM_MAX];
    ssize_t length = receive_from(fd, &server, reply, sizeof reply, delay_ms);
    if (length != -1) {
      printf("The server replied ");
      print_text(reply, length);
      putchar('\n');
      return EXIT_SUCCESS;
    }
    delay_ms *= 2;
  }
  fprintf(stderr, "timed out: no reply to %d attempts\n", ATTEMPTS);
  return EXIT_FAILURE;
}
