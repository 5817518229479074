/* Likely causes that labs share: see causes.h. */
#include "grader/sdk/inner.h"

#include "grader/base/language.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* ---- addresses ---- */

static uint16_t port_swapped(uint16_t port) {
  return __builtin_bswap16(port);
}

static const char *ip_text(uint32_t ip) {
  const char *text = address_text((struct address){ip, 0});
  return scrap_text(text, strcspn(text, ":"));
}

const char *address_cause(struct address wanted, struct address shown) {
  bool same_ip = wanted.ip == shown.ip;
  if (same_ip && shown.port == port_swapped(wanted.port))
    return say("the port is in network byte order: %u is %u with its two bytes swapped; print "
               "ntohs(sin_port)",
               shown.port, wanted.port);
  if (shown.port == 0)
    return N_(
        "port 0 is none: the socket had no port yet when it was asked; it gets one by bind(), "
        "connect() or the first sendto(), so call getsockname() after that");
  if (!same_ip && shown.ip == __builtin_bswap32(wanted.ip))
    return say("the address has its four bytes in the wrong order: %s is %s backwards; sin_addr is "
               "in network byte order, as inet_ntop() takes it",
               ip_text(shown.ip), ip_text(wanted.ip));
  if (!same_ip && wanted.ip == 0)
    return say("the address is %s where 0.0.0.0 is required: is the socket connected with "
               "connect(), or bound to an address?",
               ip_text(shown.ip));
  if (!same_ip && shown.ip == 0)
    return say("the address is 0.0.0.0, which means every interface, and not %s: is it that of a "
               "socket that is bound to INADDR_ANY or '', or not connected?",
               ip_text(wanted.ip));
  if (same_ip)
    return say("the port is %u and should be %u: is it that of another socket, or of somebody who "
               "came before?",
               shown.port, wanted.port);
  return say("the address is %s and should be %s: is it that of the other end, or of somebody who "
             "came before?",
             address_text(shown), address_text(wanted));
}

const char *bound_cause(struct address wanted, struct address bound) {
  if (bound.ip == 0 && wanted.ip)
    return say("it is bound to every interface (0.0.0.0: INADDR_ANY, or an empty host), so any "
               "machine can reach it: bind it to %s",
               ip_text(wanted.ip));
  if (bound.ip == __builtin_bswap32(wanted.ip) && wanted.ip)
    return say("%s is %s with its four bytes in the wrong order: sin_addr is in network byte order "
               "(htonl(INADDR_LOOPBACK), inet_pton())",
               ip_text(bound.ip), ip_text(wanted.ip));
  return say("bind() was given %s and not %s", address_text(bound), address_text(wanted));
}

/* ---- texts ---- */

enum {
  WORDS_SHOWN = 60,
  LEAST_ALIKE = 8, /* so few bytes in common are an accident, if they are less than half */
};

/* A piece of a text in quotes, shortened. */
static const char *piece(const char *text, size_t length) {
  bool cut = length > WORDS_SHOWN;
  size_t shown = cut ? WORDS_SHOWN : length;
  while (cut && shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
    shown--;
  return say("\"%.*s%s\"", (int)shown, text, cut ? "…" : "");
}

struct common {
  size_t front, back; /* bytes that two texts have in common at their ends */
};

static struct common common_of(const char *one, const char *other) {
  struct common common = {0};
  size_t lengths[] = {strlen(one), strlen(other)};
  size_t shorter = lengths[0] < lengths[1] ? lengths[0] : lengths[1];
  while (common.front < shorter && one[common.front] == other[common.front])
    common.front++;
  while (common.back < shorter - common.front &&
         one[lengths[0] - 1 - common.back] == other[lengths[1] - 1 - common.back])
    common.back++;
  return common;
}

/* Whole words differ: "at" and "on", not "at" and "o". */
static struct common common_words(const char *text, struct common common) {
  size_t length = strlen(text);
  while (common.front > 0 && !isspace((unsigned char)text[common.front - 1]))
    common.front--;
  while (common.back > 0 && !isspace((unsigned char)text[length - common.back]))
    common.back--;
  return common;
}

size_t words_in_common(const char *wanted, const char *text) {
  struct common common = common_of(wanted, text);
  return strstr(text, wanted) ? strlen(wanted) : common.front + common.back;
}

/* Punctuation and spaces only. */
static bool is_wordless(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (isalnum((unsigned char)text[i]) || (unsigned char)text[i] >= 0x80)
      return false;
  return true;
}

/* Whether a word begins or ends there. */
static bool is_between_words(const char *text, size_t place) {
  return isspace((unsigned char)text[place]) || isspace((unsigned char)text[place - 1]);
}

const char *words_cause(const char *expected, const char *actual) {
  size_t wanted = strlen(expected), seen = strlen(actual);
  struct common common = common_of(expected, actual);
  size_t shared = common.front + common.back;
  if (shared == wanted && shared == seen)
    return NULL;
  if (wanted == seen && strcasecmp(expected, actual) == 0)
    return say("upper and lower case differ: %s where %s is required", piece(actual, seen),
               piece(expected, wanted));
  if (shared < wanted && strstr(actual, expected))
    return N_("more stands in front of it and behind it: it must be a line of its own");
  if (2 * shared < wanted && (shared < seen || seen < LEAST_ALIKE))
    return NULL;
  if (shared == seen && common.back == 0)
    return say("%s is missing at its end", piece(expected + common.front, wanted - common.front));
  if (shared == seen && common.front == 0)
    return say("%s is missing in front of it", piece(expected, wanted - common.back));
  if (shared == seen && (is_between_words(expected, common.front) ||
                         is_wordless(expected + common.front, wanted - shared)))
    return say("%s is missing in the middle of it",
               piece(expected + common.front, wanted - shared));
  if (shared == wanted && common.back == 0)
    return say("%s too much stands at its end", piece(actual + common.front, seen - wanted));
  if (shared == wanted && common.front == 0)
    return say("%s too much stands in front of it", piece(actual, seen - wanted));
  if (shared == wanted && is_between_words(actual, common.front))
    return say("%s too much stands in the middle of it",
               piece(actual + common.front, seen - wanted));
  common = common_words(expected, common_words(actual, common));
  return say("there is %s where %s is required",
             piece(actual + common.front, seen - common.front - common.back),
             piece(expected + common.front, wanted - common.front - common.back));
}

/* ---- bytes ---- */

static bool is_filled(const uint8_t *bytes, size_t length, uint8_t with) {
  for (size_t i = 0; i < length; i++)
    if (bytes[i] != with)
      return false;
  return true;
}

const char *bytes_cause(const void *expected, size_t expected_length, const void *actual,
                        size_t actual_length) {
  const uint8_t *seen = actual;
  bool begins = actual_length > expected_length && memcmp(expected, actual, expected_length) == 0;
  size_t more = begins ? actual_length - expected_length : 0;
  const uint8_t *rest = seen + expected_length;
  if (more == 1 && *rest == 0)
    return say("%zu bytes came, and the last is 0: is the C string's terminating NUL sent too? "
               "Send strlen(text) bytes",
               actual_length);
  if (begins && is_filled(rest, more, 0))
    return say(
        "%zu zero bytes follow the text: is the whole buffer sent? Send as many bytes as the "
        "text has",
        more);
  if (begins && (*rest == '\n' || *rest == '\r') && more <= 2)
    return N_("a newline is sent behind the text: it does not belong to it");
  if (actual_length < expected_length && memcmp(expected, actual, actual_length) == 0)
    return say("it is cut: only the first %s of %zu came", counted(actual_length, "byte"),
               expected_length);
  if (memchr(actual, 0, actual_length) && !memchr(expected, 0, expected_length))
    return N_(
        "there is a 0 byte in it: is the terminating NUL of a C string sent, or more of a buffer "
        "than its text?");
  return words_cause(scrap_text(expected, expected_length), scrap_text(actual, actual_length));
}

/* ---- programs that say nothing ---- */

const char *silence_cause(struct program *program) {
  const char *name = program_name(program);
  if (program_ended(program, NULL)) {
    int status = exit_status(program);
    if (status == -SIGPIPE)
      return say(
          "%s was killed by SIGPIPE, which comes to who writes to a connection that the other "
          "side broke off: send with MSG_NOSIGNAL, or ignore the signal",
          name);
    if (status < 0)
      return say("%s %s: run it under gdb, or build it with -fsanitize=address", name,
                 doing(program));
    return printed_anything(program, STDERR)
               ? say("%s ended too early, with exit status %d: what it says on stderr tells why",
                     name, status)
               : say("%s ended too early, with exit status %d, and says on stderr nothing of why",
                     name, status);
  }
  struct address peer = udp_connected_to(program);
  if (peer.port)
    return say("the socket is connected to %s, so the kernel drops what comes from anybody else: a "
               "server does not connect() the socket that all its clients send to",
               address_text(peer));
  return NULL;
}

/* What interpreters and the dynamic linker say of such a mistake, at the beginning of a line. */
static bool tells_own_mistake(const char *line) {
  static const char *const words[] = {"ModuleNotFoundError:",
                                      "ImportError:",
                                      "SyntaxError:",
                                      "IndentationError:",
                                      "TabError:",
                                      "NameError:",
                                      "TypeError:",
                                      "AttributeError:",
                                      "UnboundLocalError:",
                                      "ReferenceError:",
                                      "Can't locate ",
                                      "Error: Cannot find module",
                                      "panic: runtime error",
                                      "Error: Could not find or load main class"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strncmp(line, words[i], strlen(words[i])) == 0)
      return true;
  return strstr(line, ": error while loading shared libraries: ");
}

/* Why a program never began. */
static const char *not_executed_cause(const struct program *program, int error) {
  const char *name = program_name(program);
  switch (error) {
  case ENOEXEC:
    return say("%s cannot be executed: it is no program for this machine; was it built on another "
               "system, or for another processor? It must be built here",
               name);
  case ENOENT:
    return say("%s cannot be executed: it is not there, or what its first line (#!) names is not "
               "(of a file with Windows' line ends, that name ends with a CR)",
               name);
  default:
    return say("%s cannot be executed: %s", name, strerror(error));
  }
}

const char *own_mistake_cause(void) {
  struct world *world = the_check.world;
  for (struct program *program = NULL; world && (program = program_before(world, program));) {
    if (program_exec_error(program))
      return not_executed_cause(program, program_exec_error(program));
    if (!program_ended(program, NULL) || exit_status(program) <= 0) /* negative: by a signal */
      continue;
    struct lines all = lines(program, STDERR);
    for (size_t i = 0; i < all.count; i++)
      if (tells_own_mistake(all.list[i].text))
        return say("%s ended by a mistake of its own: %s", program_name(program), all.list[i].text);
  }
  return NULL;
}

const char *no_answer_cause(struct program *program, struct address server, struct address client) {
  struct frames all = frames_all();
  for (size_t i = all.count; i-- > 0;) { /* what was sent since the question came */
    const struct frame *sent = &all.list[i];
    if (address_equal(sent->source, client))
      break;
    if (sent->protocol != IPPROTO_UDP || sent->source.port != server.port ||
        address_equal(sent->destination, client))
      continue;
    if (sent->destination.port == port_swapped(client.port))
      return say("it was sent to port %u, which is %u with its two bytes swapped: the port that "
                 "recvfrom() gives is in network byte order already",
                 sent->destination.port, client.port);
    return say("an answer went to %s, and %s had asked: give sendto() the address that this very "
               "recvfrom() returned",
               address_text(sent->destination), address_text(client));
  }
  return silence_cause(program);
}

const char *port_taken_cause(struct program *first, struct program *second) {
  struct option_calls calls = option_calls_of(first), again = option_calls_of(second);
  bool set = false, on_connection = false;
  for (size_t i = 0; i < calls.count; i++)
    if (calls.list[i].set && calls.list[i].option == SO_REUSEADDR) {
      set = true;
      on_connection |= calls.list[i].connected;
    }
  for (size_t i = 0; i < again.count; i++)
    if (again.list[i].set && again.list[i].option == SO_REUSEADDR)
      return N_("SO_REUSEADDR is set, and the port is taken all the same: is the value 1, and the "
                "socket the one that is bound?");
  if (on_connection)
    return N_("SO_REUSEADDR was set on the socket that accept() returned: set it on the listening "
              "one, before bind()");
  if (set)
    return N_("SO_REUSEADDR was set too late: bind() had failed before; set it before bind()");
  return calls.count > 0
             ? N_("setsockopt() was called for another option than SO_REUSEADDR: that one is "
                  "missing")
             : N_("SO_REUSEADDR was never set: set it on the listening socket, before bind()");
}
