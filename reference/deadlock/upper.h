/* What the four programs of this lab have in common: all but the way in which the client talks.
 *
 *     NAME server HOST [-p PORT]             answers every byte, a to z in upper case
 *     NAME client HOST [BYTES] [-p PORT]     sends so many bytes, and reads the answer
 *
 * A program includes this, and calls upper_main() with its own way to talk.
 *
 * The server reads a piece, answers it, and reads the next: it holds nothing back, and looks
 * innocent. But while its send() waits for room in the buffers it does not read. If the client in
 * turn only sends, and reads later, each of the two waits for the other to read: for ever. Only the
 * client can prevent that here, by reading what is there while it still sends. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  CHUNK = 16,          /* what the client sends again and again */
  PIECE = 1024,        /* what one call takes or gives at most */
  SHOWN_EVERY = 65536, /* the totals are drawn anew after so many bytes */
  BACKLOG = 16,
};

#define CHUNK_TEXT "capitalize this!"
#define EIGHT(text) text text text text text text text text

/* The same text again and again: PIECE bytes from wherever in the first chunk one begins. */
static const char CHUNKS[] = CHUNK_TEXT EIGHT(EIGHT(CHUNK_TEXT));

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

/* An empty HOST means every interface to one who listens, and this machine to one who connects:
 * that is what getaddrinfo() makes of NULL, with and without AI_PASSIVE. */
static struct sockaddr_in look_up(const char *host, const char *port, int flags) {
  const struct addrinfo hints = {
      .ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
  struct addrinfo *found;
  int error = getaddrinfo(*host ? host : NULL, port, &hints, &found);
  if (error != 0) {
    fprintf(stderr, "%s port %s: %s\n", host, port, gai_strerror(error));
    exit(EXIT_FAILURE);
  }
  struct sockaddr_in first;
  memcpy(&first, found->ai_addr, sizeof first);
  freeaddrinfo(found);
  return first;
}

/* A total that is drawn over itself: '\r' takes the cursor back to the beginning of the line. Often
 * enough to be seen moving, and not for every piece. */
struct total {
  size_t bytes, shown;
  const char *what; /* "bytes received" */
};

static void total_show(struct total *total) {
  printf("\r%zu %s", total->bytes, total->what);
  fflush(stdout);
  total->shown = total->bytes;
}

static void total_add(struct total *total, size_t bytes) {
  total->bytes += bytes;
  if (total->bytes - total->shown >= SHOWN_EVERY)
    total_show(total);
}

static void total_end(struct total *total) {
  total_show(total);
  putchar('\n');
}

/* ---- the server ---- */

static int listen_at(const struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  int yes = 1; /* connections of an earlier run, in TIME_WAIT, are no hindrance */
  if (fd == -1)
    fail("socket");
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == -1)
    fail("setsockopt");
  if (bind(fd, (const struct sockaddr *)address, sizeof *address) == -1)
    fail("bind");
  if (listen(fd, BACKLOG) == -1)
    fail("listen");
  return fd;
}

/* Only what ASCII calls a to z: toupper() would ask the locale about the other bytes. */
static void capitalize(char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (bytes[i] >= 'a' && bytes[i] <= 'z')
      bytes[i] = (char)(bytes[i] - 'a' + 'A');
}

/* send() may take less than it was given. MSG_NOSIGNAL: if the client has left, we want an error to
 * look at (EPIPE), not a signal that ends us (SIGPIPE). */
static int send_all(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
    if (sent == -1 && errno == EINTR)
      continue;
    if (sent == -1)
      return -1;
    bytes += sent;
    size -= (size_t)sent;
  }
  return 0;
}

/* Whatever goes wrong here concerns this one client. */
static void serve(int fd) {
  struct total total = {.what = "bytes have been processed so far."};
  char piece[PIECE];
  for (;;) {
    ssize_t size = recv(fd, piece, sizeof piece, 0);
    if (size == -1 && errno == EINTR)
      continue;
    if (size == -1)
      perror("recv");
    if (size <= 0)
      break;
    capitalize(piece, (size_t)size);
    if (send_all(fd, piece, (size_t)size) == -1) {
      perror("send");
      break;
    }
    total_add(&total, (size_t)size);
  }
  total_end(&total);
  close(fd);
  printf("Socket closed.\n");
}

static void server(const struct sockaddr_in *address) {
  int listener = listen_at(address);
  printf("Listening at %s\n", address_text(address));
  for (;;) {
    struct sockaddr_in client;
    socklen_t client_size = sizeof client;
    int fd = accept(listener, (struct sockaddr *)&client, &client_size);
    if (fd == -1 && (errno == EINTR || errno == ECONNABORTED))
      continue;
    if (fd == -1)
      fail("accept");
    printf("Processing up to %d bytes at a time from %s\n", PIECE, address_text(&client));
    serve(fd);
  }
}

/* ---- the client ---- */

/* What is to be sent next: the rest of the present chunk, and some more. A call costs the same for
 * sixteen bytes as for a thousand. */
static inline const char *chunk_rest(size_t sent, size_t bytes, size_t *size) {
  *size = bytes - sent < PIECE ? bytes - sent : PIECE;
  return CHUNKS + sent % CHUNK;
}

/* What came. Any byte may be in it, and control characters are escaped, since strangers should not
 * be able to send commands to our terminal. */
static void answer_take(struct total *received, const char *bytes, size_t size) {
  if (received->bytes == 0) {
    printf("The first chunk received says b'");
    for (size_t i = 0; i < size && i < CHUNK; i++)
      if (bytes[i] < ' ' || bytes[i] == 0x7f || bytes[i] == '\'' || bytes[i] == '\\')
        printf("\\x%02x", (unsigned char)bytes[i]);
      else
        putchar(bytes[i]);
    printf("'\n");
  }
  total_add(received, size);
}

/* "We have no more to say": FIN. The other direction stays open, and the answers still come. */
static void half_close(int fd) {
  if (shutdown(fd, SHUT_WR) == -1)
    fail("shutdown");
}

/* Sends `bytes` bytes, half-closes, and reads until the server closes; counts what came. */
typedef void talk_function(int fd, size_t bytes, struct total *received);

static void client(const struct sockaddr_in *address, size_t bytes, talk_function *talk) {
  bytes = (bytes + CHUNK - 1) / CHUNK * CHUNK;
  printf("Sending %zu bytes of data, in chunks of %d bytes\n", bytes, CHUNK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd == -1)
    fail("socket");
  if (connect(fd, (const struct sockaddr *)address, sizeof *address) == -1)
    fail("connect");
  struct total received = {.what = "bytes received"};
  talk(fd, bytes, &received);
  total_end(&received);
  close(fd);
  if (received.bytes != bytes) {
    fprintf(stderr, "%zu bytes were sent, but %zu came back\n", bytes, received.bytes);
    exit(EXIT_FAILURE);
  }
}

/* ---- the command line ---- */

static int usage(const char *name) {
  fprintf(stderr, "Usage: %s server HOST [-p PORT]\n       %s client HOST [BYTES] [-p PORT]\n",
          name, name);
  return 2;
}

static int upper_main(int argc, char *argv[], talk_function *talk) {
  const char *words[3] = {NULL}, *port = "60000";
  int count = 0;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "-p") == 0 && i + 1 < argc)
      port = argv[++i];
    else if (count < 3)
      words[count++] = argv[i];
    else
      return usage(argv[0]);
  }
  if (count == 2 && strcmp(words[0], "server") == 0) {
    struct sockaddr_in address = look_up(words[1], port, AI_PASSIVE);
    server(&address);
    return EXIT_SUCCESS;
  }
  char *end = "";
  size_t bytes = count == 3 ? strtoul(words[2], &end, 10) : CHUNK;
  if (count < 2 || strcmp(words[0], "client") != 0 || *end != '\0')
    return usage(argv[0]);
  struct sockaddr_in address = look_up(words[1], port, 0);
  client(&address, bytes, talk);
  return EXIT_SUCCESS;
}
