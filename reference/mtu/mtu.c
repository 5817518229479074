/* mtu: how large a datagram to a host may be.
 *
 *     mtu [HOST [PORT]]       what the kernel knows already: the MTU of the first link on the way
 *     mtu --probe HOST PORT   what the whole way lets through, found out by sending
 *
 * An MTU (maximum transmission unit) belongs to a link: Ethernet's is 1500 bytes, and that is the
 * longest IP packet that fits into one frame. The way to a host is as narrow as its narrowest link.
 * By default IP hides that: what is too long is cut into fragments. IP_PMTUDISC_DO forbids the
 * cutting (it sets "don't fragment" in every packet), and then we are told instead:
 *   - send() fails with EMSGSIZE at once if a datagram is longer than the kernel knows to fit, and
 *   - a router with a narrower link ahead drops the packet and reports that link's MTU by ICMP
 *     ("fragmentation needed", RFC 1191). The kernel notes it as the new IP_MTU for this host, and
 *     leaves EMSGSIZE behind as the socket's error. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
  HEADERS = 20 + 8,   /* IP's and UDP's: they count towards the MTU */
  PACKET_MAX = 65535, /* the largest that IPv4 has; IP_MTU is never more */
  PATIENCE_MS = 1000, /* for the report of a router that is far away */
  ATTEMPTS_MAX = 20,  /* each real one finds a narrower link; there are not that many */
};

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

/* A UDP socket that is connected to the host and cuts nothing. Only a connected one has an IP_MTU,
 * since only that one has a way to be asked about. Connecting sends nothing. */
static int socket_to(const char *host, const char *port) {
  const struct addrinfo wanted = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
  struct addrinfo *found;
  int error = getaddrinfo(host, port, &wanted, &found);
  if (error != 0) { /* its errors are not errno's */
    fprintf(stderr, "%s: %s\n", host, gai_strerror(error));
    exit(EXIT_FAILURE);
  }
  int fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
  if (fd == -1)
    fail("socket");
  if (connect(fd, found->ai_addr, found->ai_addrlen) == -1)
    fail("connect");
  freeaddrinfo(found);
  const int discover = IP_PMTUDISC_DO;
  if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof discover) == -1)
    fail("IP_MTU_DISCOVER");
  return fd;
}

static int known_mtu(int fd) {
  int mtu;
  socklen_t size = sizeof mtu;
  if (getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &size) == -1)
    fail("IP_MTU");
  return mtu;
}

/* Waits for what becomes of a datagram: 0 if nothing is heard. poll() need not be asked for errors;
 * it always reports them. Reading SO_ERROR takes the error away, else the next send() would fail
 * with it. */
static int reported_error(int fd) {
  struct pollfd listening = {.fd = fd};
  int error = 0;
  socklen_t size = sizeof error;
  if (poll(&listening, 1, PATIENCE_MS) == -1)
    fail("poll");
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
    fail("SO_ERROR");
  return error;
}

/* Sends the largest datagram that ought to fit, until no router objects. Each only knows the link
 * behind it, so one objection is not enough. That nobody objects is no proof that it arrived, since
 * UDP promises nothing; "port unreachable" is one. */
static int probe(int fd) {
  static const char datagram[PACKET_MAX - HEADERS];
  for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    int mtu = known_mtu(fd);
    int error = send(fd, datagram, mtu - HEADERS, 0) == -1 ? errno : reported_error(fd);
    if (error == 0 || error == ECONNREFUSED)
      return mtu;
    if (error != EMSGSIZE) {
      fprintf(stderr, "send: %s\n", strerror(error));
      exit(EXIT_FAILURE);
    }
  }
  fprintf(stderr, "every size is refused, %d bytes too\n", known_mtu(fd));
  exit(EXIT_FAILURE);
}

int main(int argc, char *argv[]) {
  bool probing = argc > 1 && strcmp(argv[1], "--probe") == 0;
  if (probing ? argc != 4 : argc > 3) {
    fprintf(stderr, "Usage: %s [HOST [PORT]]\n       %s --probe HOST PORT\n", argv[0], argv[0]);
    return 2;
  }
  if (probing) {
    printf("%d\n", probe(socket_to(argv[2], argv[3])));
    return EXIT_SUCCESS;
  }
  const char *host = argc > 1 ? argv[1] : "localhost", *port = argc > 2 ? argv[2] : "60000";
  printf("%d\n", known_mtu(socket_to(host, port)));
  return EXIT_SUCCESS;
}
