/* search-http: a search, with HTTP by hand (RFC 9112) on a TCP connection.
 *
 * A request is a few lines of text. A reply is a header, lines that end with an empty one, and a
 * body; the difficulty is to know where the body ends, since TCP carries bytes without any marks.
 * The header says how to find out:
 *
 *     Transfer-Encoding: chunked    a length in front of each piece, and 0 after the last
 *     Content-Length: 1270          so many bytes
 *     neither                       until the server closes the connection
 *
 * In the first two cases we can tell a whole reply from one that was cut short, and we do. */
#include <ctype.h>
#include <locale.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "www.baidu.com"
#define PORT "80"

enum {
  LINE_SIZE = 8192, /* the longest line of a header that we put up with */
  LINES_MAX = 1000, /* headers without end must not keep us for ever */
};

static _Noreturn void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

static _Noreturn void fail_because(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(EXIT_FAILURE);
}

/* Asks for the keyword: one line of UTF-8, without its end. The caller frees it. */
static char *read_keyword(void) {
  printf("Input search keyword: ");
  fflush(stdout); /* or an unfinished line would stay in stdio's buffer while we wait */
  char *keyword = NULL;
  size_t size = 0;
  ssize_t length = getline(&keyword, &size, stdin);
  if (length == -1)
    fail_because("there is no line to read");
  if (keyword[length - 1] == '\n')
    keyword[--length] = '\0';
  if (length == 0)
    fail_because("the keyword is empty");
  setlocale(LC_CTYPE, "C.UTF-8"); /* for mbstowcs */
  if (mbstowcs(NULL, keyword, 0) == (size_t)-1)
    fail_because("the keyword is not UTF-8");
  for (ssize_t i = 0; i < length; i++)
    if (iscntrl((unsigned char)keyword[i])) /* a '\0' too */
      fail_because("there is a control character in the keyword");
  return keyword;
}

/* For a query (RFC 3986, 2.1): what is not unreserved becomes %XX, a space +. Of a character that
 * has several bytes in UTF-8 each byte is encoded by itself, so that there is nothing to decode
 * here. The caller frees the text. */
static char *percent_encode(const char *bytes) {
  static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-._~";
  char *text = malloc(3 * strlen(bytes) + 1), *end = text;
  if (!text)
    fail("malloc");
  for (; *bytes; bytes++) {
    unsigned char byte = *bytes;
    if (strchr(unreserved, byte))
      *end++ = (char)byte;
    else if (byte == ' ')
      *end++ = '+';
    else
      end += sprintf(end, "%%%02X", byte);
  }
  *end = '\0';
  return text;
}

/* A name may have several addresses: the first that answers is taken. */
static int connect_to(const char *host, const char *port) {
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *addresses;
  int error = getaddrinfo(host, port, &hints, &addresses);
  if (error) {
    fprintf(stderr, "%s: %s\n", host, gai_strerror(error));
    exit(EXIT_FAILURE);
  }
  int fd = -1;
  for (struct addrinfo *address = addresses; address && fd == -1; address = address->ai_next) {
    fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (fd != -1 && connect(fd, address->ai_addr, address->ai_addrlen) == -1) {
      perror(host);
      close(fd);
      fd = -1;
    }
  }
  freeaddrinfo(addresses);
  if (fd == -1)
    fail_because("no connection");
  return fd;
}

/* The stream has ended, or failed, before the reply was whole. */
static _Noreturn void fail_cut_short(FILE *reply) {
  if (ferror(reply))
    fail("recv");
  fail_because("the reply is cut short");
}

/* One line, without its CR LF. */
static void read_line(FILE *reply, char line[LINE_SIZE]) {
  size_t length = 0;
  int byte;
  while ((byte = getc(reply)) != '\n') {
    if (byte == EOF)
      fail_cut_short(reply);
    if (length == LINE_SIZE - 1)
      fail_because("a line of the header is too long");
    line[length++] = (char)byte;
  }
  if (length > 0 && line[length - 1] == '\r')
    length--;
  line[length] = '\0';
}

/* The value of "Name: value", if the line is of that name; else NULL. Upper and lower case are the
 * same in names. */
static const char *field_value(const char *line, const char *name) {
  size_t length = strlen(name);
  if (strncasecmp(line, name, length) != 0 || line[length] != ':')
    return NULL;
  line += length + 1;
  return line + strspn(line, " \t");
}

/* strtoull takes a sign and white space too: the length that a stranger tells us may not. */
static unsigned long long read_number(const char *text, int base) {
  if (!isxdigit((unsigned char)*text))
    fail_because("the reply has a length that is no number");
  return strtoull(text, NULL, base);
}

struct header {
  int status;
  bool chunked, has_length;
  unsigned long long length;
};

/* The next line of a header, or of what follows the last chunk; false if it is the empty one. */
static bool read_field(FILE *reply, char line[LINE_SIZE]) {
  static int count;
  if (++count > LINES_MAX)
    fail_because("the header has too many lines");
  read_line(reply, line);
  return *line != '\0';
}

static struct header read_header(FILE *reply) {
  char line[LINE_SIZE] = "";
  struct header header = {0};
  if (!read_field(reply, line) || sscanf(line, "HTTP/1.%*1d %3d", &header.status) != 1)
    fail_because("the reply is not HTTP/1");
  while (read_field(reply, line)) {
    const char *value;
    if ((value = field_value(line, "Transfer-Encoding"))) {
      if (strcasecmp(value, "chunked") != 0)
        fail_because("the reply has an encoding that was not asked for");
      header.chunked = true;
    } else if ((value = field_value(line, "Content-Length"))) {
      header.has_length = true;
      header.length = read_number(value, 10);
    }
  }
  return header;
}

/* Goes on after a short read: how the bytes were cut into segments says nothing. */
static void print_bytes(FILE *reply, unsigned long long count) {
  static char bytes[65536];
  while (count > 0) {
    size_t length = fread(bytes, 1, count < sizeof bytes ? count : sizeof bytes, reply);
    if (length == 0)
      fail_cut_short(reply);
    fwrite(bytes, 1, length, stdout);
    count -= length;
  }
}

static void print_chunks(FILE *reply) {
  char line[LINE_SIZE] = "";
  unsigned long long size;
  while (read_line(reply, line), (size = read_number(line, 16)) > 0) { /* "1a;note" is 26 */
    print_bytes(reply, size);
    read_line(reply, line);
    if (*line)
      fail_because("a chunk is longer than it says");
  }
  while (read_field(reply, line)) /* the header may have a second part here */
    ;
}

static void print_until_close(FILE *reply) {
  static char bytes[65536];
  size_t length;
  while ((length = fread(bytes, 1, sizeof bytes, reply)) > 0)
    fwrite(bytes, 1, length, stdout);
  if (ferror(reply)) /* a reset is no end */
    fail("recv");
}

static void print_body(FILE *reply) {
  struct header header;
  do
    header = read_header(reply);
  while (header.status < 200); /* 1xx: the reply itself is still to come */
  if (header.status == 204 || header.status == 304)
    return; /* these have no body, whatever the header says */
  if (header.chunked)
    print_chunks(reply);
  else if (header.has_length)
    print_bytes(reply, header.length);
  else
    print_until_close(reply);
}

int main(int argc, char *argv[]) {
  if (argc != 1) {
    fprintf(stderr, "Usage: %s\n", argv[0]);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN); /* writing to a closed connection is then an error like any other */

  char *keyword = read_keyword();
  char *query = percent_encode(keyword);

  /* One server at one address may serve many names: Host says which is meant. There will be no
   * second request: Connection: close lets the server close when it has said all. */
  int fd = connect_to(HOST, PORT);
  if (dprintf(fd,
              "GET /?q=%s HTTP/1.1\r\n"
              "Host: " HOST "\r\n"
              "Connection: close\r\n"
              "\r\n",
              query) < 0)
    fail("send");
  free(query);
  free(keyword);

  FILE *reply = fdopen(fd, "r"); /* stdio turns segments into bytes and lines */
  if (!reply)
    fail("fdopen");
  print_body(reply);
  fclose(reply);
  if (fflush(stdout) == EOF)
    fail("stdout");
}
