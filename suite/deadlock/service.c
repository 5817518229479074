/* Programs of this lab, what they print, and the grader's own server. */
#include "service.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct address at_home(void) {
  return address("127.0.0.1", PORT);
}

struct program *start_server_of(const char *name) {
  struct program *server =
      start_with(localhost(), name, (const char *const[]){name, "server", "127.0.0.1", NULL});
  await_tcp_listening(server, PORT);
  return server;
}

struct program *start_client_of(const char *name, const char *bytes) {
  return start_with(localhost(), name,
                    (const char *const[]){name, "client", "127.0.0.1", bytes, NULL});
}

/* ---- totals ---- */

double last_total(struct program *program, const char *pattern) {
  struct output output = output_of(program, STDOUT);
  double last = -1;
  for (size_t begin = 0; begin < output.length;) {
    size_t length = 0;
    while (begin + length < output.length && output.bytes[begin + length] != '\r' &&
           output.bytes[begin + length] != '\n')
      length++;
    const char *drawn = say("%.*s", (int)(length < 200 ? length : 200), output.bytes + begin);
    drawn += strspn(drawn, " \t");
    size_t end = strlen(drawn);
    while (end > 0 && (drawn[end - 1] == ' ' || drawn[end - 1] == '\t'))
      end--;
    double number = 0;
    if (end > 0 && line_matches(say("%.*s", (int)end, drawn), pattern, &number))
      last = number;
    begin += length + 1;
  }
  return last;
}

double await_total(struct program *program, const char *pattern, double wanted, double within) {
  double until = now() + within;
  while (last_total(program, pattern) != wanted && !await_exit(program, 0) && now() < until)
    pass(0.1);
  return last_total(program, pattern);
}

const char *nearly_cause(struct lines seen, const char *wanted) {
  for (size_t i = 0; i < seen.count; i++) {
    const char *line = seen.list[i].text;
    if (strncmp(line, wanted, strcspn(wanted, " ")) != 0)
      continue;
    const char *cause = words_cause(wanted, line);
    return cause ? say("the line “%s” is almost right: %s", line, cause)
                 : "the words must be exactly these";
  }
  return NULL;
}

const char *refused_cause(void) {
  struct frames all = frames_all();
  for (size_t i = 0; i < all.count; i++)
    if (all.list[i].protocol == IPPROTO_TCP && all.list[i].destination.port == PORT &&
        (all.list[i].tcp_flags & TH_RST))
      return "the client's kernel answers bytes of the server with RST: was the connection closed, or "
             "shut in both directions (SHUT_RDWR), before the whole answer was read?";
  return NULL;
}

const char *total_cause(double total, double wanted, double before) {
  enum { SIXTEEN_BITS = 65536 };
  if (total < 0)
    return "the words must be exactly these; the line may be drawn over itself with \\r";
  if (wanted >= SIXTEEN_BITS && total == (double)((uint64_t)wanted % SIXTEEN_BITS))
    return say("%.0f is what is left of %.0f in 16 bits: count in a size_t", total, wanted);
  if (before > 0 && total == wanted + before)
    return "it goes on from the client before: count anew for each one";
  return total < wanted ? say("the last total is %.0f, which is not all: add up what each recv() "
                              "returned, and print it once more at the end",
                              total)
                        : "count what recv() returned, and nothing else";
}

/* ---- the grader's own server: it may do nothing but system calls ---- */

static void tell(const char *text) {
  ssize_t ignored = write(1, text, strlen(text));
  (void)ignored;
}

static void tell_total(size_t bytes) {
  char text[100];
  snprintf(text, sizeof text, "has answered %zu bytes\n", bytes);
  tell(text);
}

static void tell_other(size_t at) {
  char text[100];
  snprintf(text, sizeof text, "has been told something else at byte %zu\n", at);
  tell(text);
}

static bool send_whole(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes += sent;
    length -= (size_t)sent;
  }
  return true;
}

static int accept_one(void) {
  int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in own = {
      .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&own, sizeof own) < 0 || listen(listener, 1) < 0)
    return -1;
  return accept(listener, NULL, NULL);
}

static void pause_here(const char *text) {
  tell(text);
  tell("\n");
  kill(getpid(), SIGSTOP);
}

static int answer(const void *context) {
  const struct answering *answering = context;
  char piece[PIECE];
  size_t total = 0, answered = 0;
  ssize_t length = 0;
  bool paused = false, is_other = false;
  int fd = accept_one();
  if (fd >= 0 && answering->begins_paused)
    pause_here(PAUSED);
  while ((length = recv(fd, piece, sizeof piece, 0)) > 0) {
    size_t due = (size_t)length;
    for (size_t i = 0; i < due; i++) {
      if (!is_other && piece[i] != CHUNK_TEXT[(total + i) % CHUNK]) {
        is_other = true;
        tell_other(total + i);
      }
      if (piece[i] >= 'a' && piece[i] <= 'z')
        piece[i] = (char)(piece[i] - 'a' + 'A');
    }
    total += due;
    if (answering->hold_last && answered + due > answering->hold_last - CHUNK)
      due = answering->hold_last - CHUNK - answered;
    if (!send_whole(fd, piece, due))
      break;
    answered += due;
    if (answering->limit && total > answering->limit)
      break;
    if (answering->pause_at && total >= answering->pause_at && !paused) {
      paused = true;
      pause_here(PAUSED);
    }
  }
  if (answering->hold_last && total == answering->hold_last && length == 0) {
    pause_here(HOLDING);
    send_whole(fd, ANSWER_TEXT, CHUNK);
  }
  tell_total(total);
  return length == 0 ? 0 : 1;
}

struct program *start_answering(const struct answering *answering) {
  struct program *server = start_function(localhost(), "the grader's server", answer, answering);
  await_tcp_listening(server, PORT);
  return server;
}

double bytes_answered(struct program *server) {
  double bytes = -1;
  await_line(server, STDOUT, 2, "has answered %n bytes", &bytes);
  return bytes;
}

double other_text_at(struct program *server) {
  double at = -1;
  await_line(server, STDOUT, 0, "has been told something else at byte %n", &at);
  return at;
}
