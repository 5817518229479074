/* http-server: the smallest web server. To everyone who asks it says Hello World, by HTTP/1.0.
 *
 * A request of HTTP is a header, and perhaps a body, which a GET does not have. The header is lines
 * of text; an empty line ends it, and nothing else does: TCP knows no messages, so the request may
 * come byte by byte, and whatever one recv() returned says nothing about whether there is more.
 * That empty line is what we have to look for.
 *
 * The response is made the same way, and ends in two ways at once: by its Content-Length, and by
 * the connection being closed after it, as usual in HTTP/1.0.
 *
 * Clients are served one after another. One that connects meanwhile waits in the kernel's queue of
 * complete connections (the backlog). The server runs until SIGINT or SIGTERM. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  PORT = 8001,
  BACKLOG = 16,
  HEADER_MAX = 64 * 1024, /* a request of more is refused */
};

static const char BODY[] = "Hello World";

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

static int listen_at(const struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd == -1)
    fail("socket");

  /* This server closes its connections first, and the kernel then remembers each for a minute
   * (TIME_WAIT). Without SO_REUSEADDR a new run of the server could not bind() the port so long. */
  int yes = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == -1)
    fail("setsockopt");
  if (bind(fd, (const struct sockaddr *)address, sizeof *address) == -1)
    fail("bind");
  if (listen(fd, BACKLOG) == -1)
    fail("listen");
  return fd;
}

/* Whether the text has an empty line. A line ends in CR LF; many programs end it in LF alone, and
 * RFC 9112 (2.2) lets a server take that for the same. */
static bool has_empty_line(const char *text, size_t length) {
  size_t in_line = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\n') {
      if (in_line == 0)
        return true;
      in_line = 0;
    } else if (text[i] != '\r') {
      in_line++;
    }
  }
  return false;
}

/* Reads until the header is complete and returns its length; HEADER_MAX if it is still not complete
 * then; 0 if the client leaves before. */
static size_t receive_header(int fd, char *header) {
  size_t length = 0;
  while (length < HEADER_MAX) {
    ssize_t piece = recv(fd, header + length, HEADER_MAX - length, 0);
    if (piece == -1 && errno == EINTR)
      continue;
    if (piece == -1) {
      perror("recv");
      return 0;
    }
    /* The end of the stream. It stays at its end: who calls recv() again gets 0 again, for ever. */
    if (piece == 0) {
      fprintf(stderr, "The client left before its request was complete.\n");
      return 0;
    }
    length += piece;
    if (has_empty_line(header, length))
      break;
  }
  return length;
}

/* Carriage returns are not shown, and control characters are escaped: strangers should not be able
 * to send commands to our terminal. */
static void print_header(const char *header, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = header[i];
    if (byte == '\r')
      continue;
    if ((byte < ' ' && byte != '\n' && byte != '\t') || byte == 0x7f)
      printf("\\x%02x", byte);
    else
      putchar(byte);
  }
  fflush(stdout);
}

/* send() may take less than it was given. MSG_NOSIGNAL: if the client has left, we want an error to
 * look at (EPIPE), not a signal that ends us (SIGPIPE). */
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

static void respond(int fd, const char *status, const char *body) {
  /* RFC 9110, 5.6.7: in English whatever the locale, in GMT wherever we are. */
  char date[sizeof "Sun, 06 Nov 1994 08:49:37 GMT"];
  time_t now = time(NULL);
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));

  char response[512];
  int length = snprintf(response, sizeof response,
                        "HTTP/1.0 %s\r\n"
                        "Date: %s\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: %zu\r\n"
                        "\r\n"
                        "%s",
                        status, date, strlen(body), body);
  if (send_all(fd, response, length) == -1)
    perror("send");
}

/* Whatever goes wrong here concerns this one client. It is told to the user, and the next client is
 * served. */
static void serve(int fd) {
  static char header[HEADER_MAX];
  size_t length = receive_header(fd, header);
  if (length == 0)
    return;
  print_header(header, length);
  if (has_empty_line(header, length))
    respond(fd, "200 OK", BODY);
  else
    respond(fd, "431 Request Header Fields Too Large", "Too much\n");
}

int main(void) {
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int listener = listen_at(&address);
  printf("http://127.0.0.1:%d\n", PORT);
  fflush(stdout);

  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd == -1 && (errno == EINTR || errno == ECONNABORTED))
      continue;
    if (fd == -1)
      fail("accept");
    serve(fd);
    /* Sends what is still to be sent, then FIN. (Had we not read the whole request, the client
     * would get RST instead, and perhaps lose the response.) */
    close(fd);
  }
}
