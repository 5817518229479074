/* broadcast: one question to all hosts of a LAN, and the answers of all the servers on it.
 *
 *     broadcast server [IP [PORT]]     answers everybody; runs until SIGINT or SIGTERM
 *     broadcast client IP [PORT]       asks once, and prints every answer that comes within 5 s
 *
 * A broadcast is for every host of the sender's own network: of 192.168.1.0/24 if it is sent to
 * 192.168.1.255, of the link that the route leads to if it is sent to 255.255.255.255. It is one
 * frame on the wire, with the Ethernet address ff:ff:ff:ff:ff:ff, and no router hands it on. There
 * is no such thing as an answer "to all": each server answers the one that asked. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
  PORT = 60000,
  PATIENCE_MS = 5000,
  DATAGRAM_MAX = 65507, /* the largest payload that UDP over IPv4 can carry */
  STATUS_USAGE = 2,
};

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

/* "192.168.1.2:60000". The text is overwritten by the next call. */
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

static int datagram_socket(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd == -1)
    fail("socket");
  return fd;
}

/* ---- the server ---- */

/* Bound to 0.0.0.0 the socket takes what is sent to any address that means this host: its own ones,
 * and the broadcast addresses. Bound to one address it takes what is sent to that one only; to
 * 192.168.1.2: no broadcast; to 255.255.255.255: nothing else. */
static void serve(struct sockaddr_in own) {
  int fd = datagram_socket();
  if (bind(fd, (struct sockaddr *)&own, sizeof own) == -1)
    fail("bind");
  printf("Listening on %s\n", address_text(&own));

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
    printf("The client from %s says ", address_text(&client));
    print_text(datagram, length);
    putchar('\n');

    /* Not a broadcast: the sender alone wants to know. Its address, not ours, was in the datagram
     * that everybody heard. */
    const char *answer = "Response 200 OK";
    if (sendto(fd, answer, strlen(answer), 0, (struct sockaddr *)&client, client_size) == -1)
      perror("sendto");
  }
}

/* ---- the client ---- */

/* Milliseconds on a clock that nobody can set: the wall clock may jump. */
static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

/* Prints each reply that comes before the deadline, and returns how many there were. Nobody can say
 * how many servers there are, so none of the replies is known to be the last: only time tells. */
static int print_replies(int fd, long deadline) {
  int replies = 0;
  for (long remaining; (remaining = deadline - now_ms()) > 0;) {
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    int ready = poll(&readable, 1, (int)remaining);
    if (ready == -1 && errno != EINTR)
      fail("poll");
    if (ready < 1)
      continue;

    static char reply[DATAGRAM_MAX];
    /* MSG_DONTWAIT: a datagram with a wrong checksum makes poll say "readable", and is then thrown
     * away. */
    ssize_t length = recv(fd, reply, sizeof reply, MSG_DONTWAIT);
    if (length == -1 && errno != EINTR && errno != EAGAIN)
      fail("recv");
    if (length == -1)
      continue;
    printf("Server responded: ");
    print_text(reply, length);
    putchar('\n');
    replies++;
  }
  return replies;
}

static int ask(struct sockaddr_in everybody) {
  /* The socket is not connected: replies come from the servers' own addresses, and connect() would
   * have the kernel drop all that do not come from the broadcast address, so all of them. */
  int fd = datagram_socket();
  /* A question to all disturbs all, so one must say that it is meant: else sendto fails with
   * EACCES. */
  const int yes = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes) == -1)
    fail("setsockopt");
  const char *question = "Hello World!";
  if (sendto(fd, question, strlen(question), 0, (struct sockaddr *)&everybody, sizeof everybody) ==
      -1)
    fail("sendto");

  if (print_replies(fd, now_ms() + PATIENCE_MS) == 0) {
    fprintf(stderr, "timed out: no reply within %d seconds\n", PATIENCE_MS / 1000);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

/* ---- arguments ---- */

static int usage(void) {
  fputs("Usage: broadcast server [IP [PORT]]\n"
        "       broadcast client IP [PORT]\n"
        "--serverIp IP and --serverPort PORT may stand for the two.\n",
        stderr);
  return STATUS_USAGE;
}

/* inet_pton, not inet_addr: that returns -1 for an error, and -1 is 255.255.255.255. */
static bool ip_read(const char *text, struct in_addr *ip) {
  if (strcmp(text, "<broadcast>") == 0) /* Python's name for it */
    text = "255.255.255.255";
  return inet_pton(AF_INET, text, ip) == 1;
}

static bool port_read(const char *text, in_port_t *port) {
  char *end;
  long number = strtol(text, &end, 10);
  *port = htons((in_port_t)number);
  return end != text && *end == '\0' && number > 0 && number <= 65535;
}

int main(int argc, char *argv[]) {
  static const struct option options[] = {
      {"serverIp", required_argument, NULL, 'i'},
      {"serverPort", required_argument, NULL, 'p'},
      {0},
  };
  const char *ip = NULL, *port = NULL;
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (option == 'i')
      ip = optarg;
    else if (option == 'p')
      port = optarg;
    else
      return usage();
  }
  /* getopt_long has moved what is no option to the end: role, IP, PORT. */
  if (optind == argc)
    return usage();
  const char *role = argv[optind++];
  if (optind < argc)
    ip = argv[optind++];
  if (optind < argc)
    port = argv[optind++];

  const bool is_server = strcmp(role, "server") == 0;
  if (optind < argc || (!is_server && strcmp(role, "client") != 0))
    return usage();
  struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_port = htons(PORT),
      .sin_addr.s_addr = htonl(INADDR_ANY),
  };
  if ((!is_server && !ip) || (ip && !ip_read(ip, &address.sin_addr)) ||
      (port && !port_read(port, &address.sin_port)))
    return usage();
  if (!is_server)
    return ask(address);
  serve(address);
}
