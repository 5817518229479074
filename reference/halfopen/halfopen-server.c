/* halfopen-server [HOST [PORT]]: answers every line "ping" with "pong", and notices when a client
 * is no longer there.
 *
 * A program that ends says so: its kernel sends FIN, and recv() returns 0 here. A machine that
 * loses its power, or its cable, says nothing. Then the connection is half-open: one end has it
 * still, the other is gone, and nothing tells that from a client that has nothing to say. To know,
 * one must ask. The kernel asks for us (keep-alive): when nothing has come for a while, it sends a
 * segment without data that the other kernel must acknowledge, and its program never sees. If no
 * answer comes, recv() fails with ETIMEDOUT; if the other machine has been restarted, it answers
 * that it knows of no such connection (RST), and recv() fails with ECONNRESET.
 *
 * One thread serves all clients: poll() says whose turn it is, and no call waits for one of them.
 * The server runs until SIGINT or SIGTERM. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  BACKLOG = 128,
  LINE_SIZE = 64,
  OWED_MAX = 65536, /* who does not take its answers is not listened to any more */
  /* After so many seconds of silence the kernel asks, and asks again after so many more; when so
   * many questions have had no answer, the client is lost: after 1 + 2 * 1 = 3 s. */
  KEEP_ALIVE_IDLE_S = 1,
  KEEP_ALIVE_INTERVAL_S = 1,
  KEEP_ALIVE_COUNT = 2,
};

static const char REQUEST[] = "ping", ANSWER[] = "pong\n";

enum { ANSWER_SIZE = sizeof ANSWER - 1, ANSWERS_AT_ONCE = 256 };

/* Of many "pong" in a row, some may have been sent, and a part of the next. */
static char answers[ANSWERS_AT_ONCE * ANSWER_SIZE];

struct client {
  int fd;
  struct sockaddr_in address;
  char line[LINE_SIZE]; /* what has come of the line that is not complete yet */
  size_t line_length;
  size_t owed;   /* bytes of answers, still to be sent */
  bool finished; /* it has half-closed: nothing more will come */
};

/* polled[0] is the listening socket, polled[i + 1] is clients[i]. */
static struct client *clients;
static struct pollfd *polled;
static size_t client_count, client_capacity;

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

/* "Connection from 127.0.0.1:60000 opened." */
static void tell(const struct client *client, const char *what) {
  char host[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &client->address.sin_addr, host, sizeof host);
  printf("Connection from %s:%d %s.\n", host, ntohs(client->address.sin_port), what);
  fflush(stdout);
}

static struct sockaddr_in look_up(const char *host, const char *port) {
  const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found;
  int error = getaddrinfo(host, port, &hints, &found);
  if (error != 0) {
    fprintf(stderr, "%s port %s: %s\n", host, port, gai_strerror(error));
    exit(EXIT_FAILURE);
  }
  struct sockaddr_in first;
  memcpy(&first, found->ai_addr, sizeof first);
  freeaddrinfo(found);
  return first;
}

static int listen_at(const struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd == -1)
    fail("socket");
  int yes = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == -1)
    fail("setsockopt");
  if (bind(fd, (const struct sockaddr *)address, sizeof *address) == -1)
    fail("bind");
  if (listen(fd, BACKLOG) == -1)
    fail("listen");
  return fd;
}

/* SO_KEEPALIVE alone would ask for the first time after two hours (tcp(7)). */
static void keep_alive(int fd) {
  static const struct {
    int level, option, value;
  } options[] = {
      {IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_IDLE_S},
      {IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL_S},
      {IPPROTO_TCP, TCP_KEEPCNT, KEEP_ALIVE_COUNT},
      {SOL_SOCKET, SO_KEEPALIVE, 1},
  };
  for (size_t i = 0; i < sizeof options / sizeof *options; i++)
    if (setsockopt(fd, options[i].level, options[i].option, &options[i].value,
                   sizeof options[i].value) == -1)
      fail("setsockopt");
}

static void client_add(int fd, const struct sockaddr_in *address) {
  if (client_count == client_capacity) {
    client_capacity = client_capacity ? client_capacity * 2 : 16;
    clients = realloc(clients, client_capacity * sizeof *clients);
    polled = realloc(polled, (client_capacity + 1) * sizeof *polled);
    if (!clients || !polled)
      fail("realloc");
  }
  keep_alive(fd);
  clients[client_count++] = (struct client){.fd = fd, .address = *address};
  tell(&clients[client_count - 1], "opened");
}

static void client_end(struct client *client, const char *how) {
  tell(client, how);
  close(client->fd);
  client->fd = -1; /* client_sweep() takes it away */
}

/* Where the stream was cut into pieces means nothing: a line ends at its newline. One that is too
 * long is none of ours, whatever it holds. */
static void client_take(struct client *client, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] != '\n') {
      if (client->line_length < LINE_SIZE)
        client->line[client->line_length++] = bytes[i];
      continue;
    }
    if (client->line_length == strlen(REQUEST) &&
        memcmp(client->line, REQUEST, strlen(REQUEST)) == 0)
      client->owed += ANSWER_SIZE;
    client->line_length = 0;
  }
}

/* False if the client is no longer there. */
static bool client_receive(struct client *client) {
  char bytes[4096];
  ssize_t length = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (length == -1)
    return errno == EAGAIN || errno == EINTR;
  client->finished = length == 0;
  client_take(client, bytes, length);
  return true;
}

/* Sends what the kernel has room for. MSG_NOSIGNAL: if the client has left, we want an error to
 * look at, not a signal that ends us (SIGPIPE). */
static bool client_send(struct client *client) {
  while (client->owed > 0) {
    size_t begin = (ANSWER_SIZE - client->owed % ANSWER_SIZE) % ANSWER_SIZE;
    size_t length = client->owed < sizeof answers - begin ? client->owed : sizeof answers - begin;
    ssize_t sent = send(client->fd, answers + begin, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent == -1)
      return errno == EAGAIN || errno == EINTR;
    client->owed -= sent;
  }
  return true;
}

/* A client that has half-closed still reads: it gets all that we owe it before we close, too. */
static void client_serve(struct client *client, short events) {
  bool there = true;
  if ((events & (POLLIN | POLLERR | POLLHUP)) && !client->finished)
    there = client_receive(client);
  if (there)
    there = client_send(client);
  if (!there)
    client_end(client, "lost");
  else if (client->finished && client->owed == 0)
    client_end(client, "closed");
}

static void accept_all(int listener) {
  for (;;) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int fd = accept(listener, (struct sockaddr *)&address, &size);
    if (fd == -1 && (errno == EINTR || errno == ECONNABORTED))
      continue;
    if (fd == -1 && errno == EAGAIN)
      return;
    if (fd == -1)
      fail("accept");
    client_add(fd, &address);
  }
}

static void clients_sweep(void) {
  size_t kept = 0;
  for (size_t i = 0; i < client_count; i++)
    if (clients[i].fd != -1)
      clients[kept++] = clients[i];
  client_count = kept;
}

static void wait_for_events(int listener) {
  polled[0] = (struct pollfd){.fd = listener, .events = POLLIN};
  for (size_t i = 0; i < client_count; i++) {
    const struct client *client = &clients[i];
    bool listens = !client->finished && client->owed < OWED_MAX;
    polled[i + 1] = (struct pollfd){
        .fd = client->fd,
        .events = (short)((listens ? POLLIN : 0) | (client->owed > 0 ? POLLOUT : 0))};
  }
  while (poll(polled, client_count + 1, -1) == -1)
    if (errno != EINTR)
      fail("poll");
}

int main(int argc, char *argv[]) {
  if (argc > 3) {
    fprintf(stderr, "Usage: %s [HOST [PORT]]\n", argv[0]);
    return 2;
  }
  struct sockaddr_in server =
      look_up(argc > 1 ? argv[1] : "localhost", argc > 2 ? argv[2] : "60000");
  int listener = listen_at(&server);
  for (size_t i = 0; i < ANSWERS_AT_ONCE; i++)
    memcpy(answers + i * ANSWER_SIZE, ANSWER, ANSWER_SIZE);
  polled = malloc(sizeof *polled);
  if (!polled)
    fail("malloc");

  for (;;) {
    wait_for_events(listener);
    for (size_t i = 0; i < client_count; i++)
      if (polled[i + 1].revents)
        client_serve(&clients[i], polled[i + 1].revents);
    if (polled[0].revents)
      accept_all(listener);
    clients_sweep();
  }
}
