/* tcp-server [HOST [PORT]]: reads exactly 16 bytes from each client, and answers with 16.
 *
 * TCP carries a stream of bytes, and no messages: what the client sent by one send() may come in
 * sixteen pieces, or glued to what it sent next. Where a message ends is agreed upon by the two
 * programs. Here it is by its length: 16 bytes, no more and no less, in either direction.
 *
 * Clients are served one after another. One that connects meanwhile waits in the kernel's queue of
 * complete connections (the backlog), and does not notice. The server runs until SIGINT or
 * SIGTERM. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  MESSAGE_SIZE = 16,
  BACKLOG = 16, /* as many clients may wait for their turn */
};

static const char RESPONSE[] = "Request received"; /* 16 bytes, and a '\0' that stays here */

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

/* What came from the network is bytes, not a C string: no terminator, and any byte may be in it.
 * Control characters are escaped, since strangers should not be able to send commands to our
 * terminal. */
static void print_text(const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = bytes[i];
    if (byte < ' ' || byte == 0x7f)
      printf("\\x%02x", byte);
    else
      putchar(byte);
  }
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
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd == -1)
    fail("socket");

  /* The side that closes first keeps the connection for a minute, in the state TIME_WAIT, for
   * segments that may still be on their way. Here that is the server, and until then bind() would
   * refuse the port to the next run. SO_REUSEADDR says that old connections are no hindrance;
   * another socket that listens there still is. */
  int yes = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == -1)
    fail("setsockopt");
  if (bind(fd, (const struct sockaddr *)address, sizeof *address) == -1)
    fail("bind");
  if (listen(fd, BACKLOG) == -1)
    fail("listen");
  return fd;
}

/* recv() gives what is there, not what we wait for: a piece of 1 byte, 7 or 16. So it is called
 * until we have it all. Returns less than `size` if the client's stream ended before (recv() gives
 * 0 then), -1 on errors. */
static ssize_t receive_exactly(int fd, char *bytes, size_t size) {
  size_t received = 0;
  while (received < size) {
    ssize_t piece = recv(fd, bytes + received, size - received, 0);
    if (piece == -1 && errno == EINTR)
      continue;
    if (piece == -1)
      return -1;
    if (piece == 0)
      break;
    received += piece;
  }
  return received;
}

/* send() too may take less than it was given. MSG_NOSIGNAL: if the client has left, we want an
 * error to look at (EPIPE), not a signal that ends us (SIGPIPE). */
static int send_all(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t piece = send(fd, bytes, size, MSG_NOSIGNAL);
    if (piece == -1 && errno == EINTR)
      continue;
    if (piece == -1)
      return -1;
    bytes += piece;
    size -= piece;
  }
  return 0;
}

/* Whatever goes wrong here concerns this one client. It is told to the user, and the next client is
 * served. */
static void serve(int fd) {
  /* The socket that listens has one address and no peer. Each connection is a socket of its own,
   * with both: the same port as the listening one, and the client's. */
  struct sockaddr_in own, client;
  socklen_t own_size = sizeof own, client_size = sizeof client;
  if (getsockname(fd, (struct sockaddr *)&own, &own_size) == -1) {
    perror("getsockname");
    return;
  }
  printf("Socket Name: %s\n", address_text(&own));
  if (getpeername(fd, (struct sockaddr *)&client, &client_size) == -1) {
    perror("getpeername"); /* it was gone before we came to it */
    return;
  }
  printf("Socket Peer: %s\n", address_text(&client));

  char request[MESSAGE_SIZE];
  ssize_t received = receive_exactly(fd, request, sizeof request);
  if (received == -1) {
    perror("recv");
    return;
  }
  if (received < MESSAGE_SIZE) {
    fprintf(stderr, "Expecting %d bytes but only %zd bytes received.\n", MESSAGE_SIZE, received);
    return;
  }
  printf("Receiving request: ");
  print_text(request, sizeof request);
  putchar('\n');

  if (send_all(fd, RESPONSE, MESSAGE_SIZE) == -1) {
    perror("send");
    return;
  }
  /* It is in the kernel's hands; whether it arrived, only an answer of the client's could say. */
  printf("Response was sent successfully.\n");
}

int main(int argc, char *argv[]) {
  if (argc > 3) {
    fprintf(stderr, "Usage: %s [HOST [PORT]]\n", argv[0]);
    return 2;
  }
  struct sockaddr_in server =
      look_up(argc > 1 ? argv[1] : "localhost", argc > 2 ? argv[2] : "60000");
  int listener = listen_at(&server);
  printf("Listening at %s\n", address_text(&server));

  for (;;) {
    struct sockaddr_in client;
    socklen_t client_size = sizeof client;
    int fd = accept(listener, (struct sockaddr *)&client, &client_size);
    if (fd == -1 && (errno == EINTR || errno == ECONNABORTED))
      continue;
    if (fd == -1)
      fail("accept");
    printf("A new TCP Connection from %s was accepted.\n", address_text(&client));
    serve(fd);
    /* Sends what is still to be sent, then FIN. (All that came must have been read: otherwise the
     * client would get RST, and perhaps lose the response.) */
    close(fd);
  }
}
