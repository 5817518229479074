/* tcp-client [HOST [PORT]]: sends 16 bytes to the server, and reads exactly 16 back.
 *
 * TCP carries a stream of bytes, and no messages: the response may come in any number of pieces. It
 * is complete when 16 bytes are there, since that is what client and server agreed upon. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 16 };

static const char REQUEST[] = "1010101010101010"; /* 16 bytes, and a '\0' that stays here */

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

/* recv() gives what is there, not what we wait for: a piece of 1 byte, 7 or 16. So it is called
 * until we have it all. Returns less than `size` if the server's stream ended before (recv() gives
 * 0 then). */
static size_t receive_exactly(int fd, char *bytes, size_t size) {
  size_t received = 0;
  while (received < size) {
    ssize_t piece = recv(fd, bytes + received, size - received, 0);
    if (piece == -1 && errno == EINTR)
      continue;
    if (piece == -1)
      fail("recv");
    if (piece == 0)
      break;
    received += piece;
  }
  return received;
}

/* send() too may take less than it was given. MSG_NOSIGNAL: if the server has left, we want to say
 * so (EPIPE), not to be ended by a signal (SIGPIPE). */
static void send_all(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t piece = send(fd, bytes, size, MSG_NOSIGNAL);
    if (piece == -1 && errno == EINTR)
      continue;
    if (piece == -1)
      fail("send");
    bytes += piece;
    size -= piece;
  }
}

int main(int argc, char *argv[]) {
  if (argc > 3) {
    fprintf(stderr, "Usage: %s [HOST [PORT]]\n", argv[0]);
    return 2;
  }
  struct sockaddr_in server =
      look_up(argc > 1 ? argv[1] : "localhost", argc > 2 ? argv[2] : "60000");
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd == -1)
    fail("socket");
  /* Three segments go to and fro: SYN, SYN and ACK, ACK. If nobody listens, the answer to the SYN
   * is RST, and connect() fails at once: "Connection refused". */
  if (connect(fd, (const struct sockaddr *)&server, sizeof server) == -1)
    fail("connect");

  /* connect() has chosen our address and port, since we did not by bind(). Before, getsockname()
   * would have said 0.0.0.0:0. */
  struct sockaddr_in own;
  socklen_t own_size = sizeof own;
  if (getsockname(fd, (struct sockaddr *)&own, &own_size) == -1)
    fail("getsockname");
  printf("Client is bound to %s\n", address_text(&own));

  printf("Sending to Server: %s\n", REQUEST);
  send_all(fd, REQUEST, MESSAGE_SIZE);

  char response[MESSAGE_SIZE];
  size_t received = receive_exactly(fd, response, sizeof response);
  if (received < MESSAGE_SIZE) {
    fprintf(stderr, "Expecting %d bytes but only %zu bytes received.\n", MESSAGE_SIZE, received);
    return EXIT_FAILURE;
  }
  printf("Server responded ");
  print_text(response, sizeof response);
  putchar('\n');
  if (close(fd) == -1)
    fail("close");
  return EXIT_SUCCESS;
}
