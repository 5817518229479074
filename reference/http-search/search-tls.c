/* search-tls: a search, with every byte of HTTP written by hand, on TLS, on a TCP socket.
 *
 * TLS keeps three promises, and the third is only as good as the program: nobody reads along,
 * nobody changes anything, and the one at the other end is the one we meant. A certificate says who
 * that is; we verify that an authority that we trust has signed it, that it is valid today, and
 * that it is for this name. All three, and before the first byte of the request is sent. */
#include <ctype.h>
#include <locale.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "baidu.com"
#define PORT "443"

static _Noreturn void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

static _Noreturn void fail_because(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(EXIT_FAILURE);
}

/* OpenSSL keeps a list of what went wrong. */
static _Noreturn void fail_tls(const char *what) {
  fprintf(stderr, "%s:\n", what);
  ERR_print_errors_fp(stderr);
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

/* The handshake, on a connected socket. When this returns, the server is who it should be. */
static SSL *begin_tls(int fd, const char *host) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (!context)
    fail_tls("SSL_CTX_new");
  /* Without SSL_VERIFY_PEER anybody's certificate will do: that is OpenSSL's default. */
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  if (SSL_CTX_set_default_verify_paths(context) != 1)
    fail_tls("cannot read the authorities that this machine trusts");
  SSL *tls = SSL_new(context);
  SSL_CTX_free(context); /* tls keeps its own reference */
  if (!tls || SSL_set_fd(tls, fd) != 1)
    fail_tls("SSL_new");
  /* Twice the name. SSL_set1_host: the certificate must be for it. SNI (RFC 6066, 3): tells the
   * server which of its certificates we want to see. */
  if (SSL_set1_host(tls, host) != 1 || SSL_set_tlsext_host_name(tls, host) != 1)
    fail_tls("cannot set the server's name");
  if (SSL_connect(tls) != 1) {
    long result = SSL_get_verify_result(tls);
    if (result != X509_V_OK)
      fprintf(stderr, "the certificate of %s: %s\n", host, X509_verify_cert_error_string(result));
    fail_tls("no TLS connection");
  }
  return tls;
}

static void send_request(SSL *tls, const char *query) {
  static const char before[] = "GET /search?q=";
  static const char after[] =
      " HTTP/1.1\r\n"
      "Host: " HOST "\r\n"
      "User-Agent: Foundations of Python Network Programming example search4.py\r\n"
      "Connection: close\r\n"
      "\r\n";
  size_t size = strlen(before) + strlen(query) + strlen(after) + 1;
  char *request = malloc(size);
  if (!request)
    fail("malloc");
  int length = snprintf(request, size, "%s%s%s", before, query, after);
  if (SSL_write(tls, request, length) != length) /* all or nothing, on a blocking socket */
    fail_tls("SSL_write");
  free(request);
}

/* Looks at the beginning of the reply, to find the end of its header, the first empty line. A
 * header without end must not keep us for ever. */
struct header {
  size_t length, line_length;
  bool ended;
};

static void header_look(struct header *header, const char *bytes, int count) {
  enum { LENGTH_MAX = 1 << 20 };
  for (int i = 0; i < count && !header->ended; i++) {
    if (++header->length > LENGTH_MAX)
      fail_because("the header of the reply is too long");
    if (bytes[i] == '\n') {
      header->ended = header->line_length == 0;
      header->line_length = 0;
    } else if (bytes[i] != '\r') {
      header->line_length++;
    }
  }
}

/* Prints all that comes until the server says that this is all: TLS has an end of its own,
 * close_notify. The end of the TCP connection will not do, since anybody on the way can forge that
 * and so cut the reply short; OpenSSL reports it as an error ("unexpected eof"). */
static void print_reply(SSL *tls) {
  static char bytes[16384]; /* a TLS record has no more */
  struct header header = {0};
  int length;
  while ((length = SSL_read(tls, bytes, sizeof bytes)) > 0) {
    header_look(&header, bytes, length);
    fwrite(bytes, 1, (size_t)length, stdout);
  }
  switch (SSL_get_error(tls, length)) {
  case SSL_ERROR_ZERO_RETURN:
    if (!header.ended)
      fail_because("the reply is cut short");
    break;
  case SSL_ERROR_SYSCALL:
    fail("recv");
    break;
  default:
    fail_tls("the reply is cut short");
  }
}

int main(int argc, char *argv[]) {
  if (argc != 1) {
    fprintf(stderr, "Usage: %s\n", argv[0]);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN); /* writing to a closed connection is then an error like any other */

  char *keyword = read_keyword();
  char *query = percent_encode(keyword);

  int fd = connect_to(HOST, PORT);
  SSL *tls = begin_tls(fd, HOST);
  send_request(tls, query);
  print_reply(tls);

  SSL_shutdown(tls); /* our close_notify */
  SSL_free(tls);
  close(fd);
  free(query);
  free(keyword);
  if (fflush(stdout) == EOF)
    fail("stdout");
}
