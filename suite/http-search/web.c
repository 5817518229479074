#include "web.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PROXY_PORT = 3128 };

/* More than any right program needs for a reply that is there. */
static const double PATIENCE = 30;

/* ---- sites ---- */

static const struct {
  const char *name, *ip;
} sites[SITES] = {{"www.google.com", "192.0.2.10"},
                  {"www.baidu.com", "192.0.2.20"},
                  {"baidu.com", "192.0.2.30"},
                  {"google.com", "192.0.2.40"}};
static const int ports[PORTS] = {80, 443, 8080, 8443};

struct web make_web(enum certificate certificate, int lacks) {
  struct lan *lan = new_lan("LAN", 1500);
  struct host *internet = new_host("the internet");
  attach(localhost(), lan, "192.0.2.2/24");
  attach(internet, lan, "192.0.2.1/24");
  struct web web = {.dns = dns_server(internet, "192.0.2.1"),
                    .proxy = new_proxy(internet, "192.0.2.1", PROXY_PORT)};
  for (int i = 0; i < SITES; i++) {
    struct host *host = new_host(sites[i].name);
    attach(host, lan, say("%s/24", sites[i].ip));
    if (!(lacks & NOT_NAMED))
      dns_address(web.dns, sites[i].name, sites[i].ip);
    for (int k = 0; k < PORTS && !(lacks & NOT_SERVED); k++)
      web.origins[i][k] = new_origin(host, sites[i].name, sites[i].ip, ports[k], certificate);
  }
  if (!(lacks & NOT_SERVED))
    set_plain_reply(&web);
  return web;
}

bool connected_directly(void) {
  struct frames all = frames_all();
  for (size_t i = 0; i < all.count; i++) {
    const struct frame *frame = &all.list[i];
    if (frame->protocol != IPPROTO_TCP || frame->tcp_flags != TH_SYN ||
        strcmp(frame->host, "localhost") != 0)
      continue;
    for (int k = 0; k < SITES; k++)
      if (frame->destination.ip == address(sites[k].ip, 0).ip)
        return true;
  }
  return false;
}

/* ---- replies ---- */

/* Cuts the text to length, not within a character; what is missing then is filled up. */
static const char *cut(char *text, size_t length) {
  size_t end = length;
  while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
    end--;
  while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' '))
    end--;
  memset(text + end, '.', length - end);
  text[length] = '\0';
  const char *kept = say("%s", text);
  free(text);
  return kept;
}

const char *make_text(size_t length, bool ascii) {
  static const char *const phrases[] = {"naïve façade, Ω ≈ 3", "山重水复疑无路，柳暗花明又一村",
                                        "🜚 is gold, 🜛 is silver",
                                        "100 % plain, <b>&amp;</b>, \\o/"};
  enum { PHRASES = sizeof phrases / sizeof *phrases, LINE_SIZE = 2000, LONG_TEXT = 100000 };
  size_t size = length + LINE_SIZE, at = 0;
  char *text = malloc(size);
  if (!text)
    check_error("no memory for a reply");
  for (int number = 1; at <= length; number++) {
    const char *phrase = phrases[ascii ? PHRASES - 1 : number % PHRASES];
    /* A long text has long lines too. */
    int times = length < LONG_TEXT || number % 4 == 0 ? 1 : 40;
    at += (size_t)snprintf(text + at, size - at, "line %d:", number);
    while (times-- > 0)
      at += (size_t)snprintf(text + at, size - at, " %s", phrase);
    at += (size_t)snprintf(text + at, size - at, " (%x)\n", (unsigned)random_between(0, 1 << 20));
  }
  return cut(text, length);
}

/* Chunks of many lengths, in upper- and lower-case hexadecimal. */
static void write_chunks(FILE *out, const char *body, size_t length) {
  static const int longest[] = {15, 300, 40, 5000, 1, 70000};
  for (size_t at = 0, number = 0; at < length; number++) {
    size_t size = (size_t)random_between(1, longest[number % (sizeof longest / sizeof *longest)]);
    if (number == 0 && length > 26)
      size = 26; /* 1a: neither 1 nor 26 */
    if (size > length - at)
      size = length - at;
    fprintf(out, number % 2 ? "%zX\r\n" : "%zx\r\n", size);
    fwrite(body + at, 1, size, out);
    fputs("\r\n", out);
    at += size;
  }
  fputs("0\r\n\r\n", out);
}

struct reply make_reply(enum framing framing, const char *header, const char *body,
                        size_t body_length) {
  static const char *const framed[] = {"by Content-Length", "in chunks", "ended by close"};
  const char *field = framing == BY_LENGTH   ? say("Content-Length: %zu\r\n", body_length)
                      : framing == BY_CHUNKS ? "Transfer-Encoding: chunked\r\n"
                                             : "";
  struct reply reply = {
      .name = say("a body of %zu bytes, %s", body_length, framed[framing]),
      .body = body,
      .body_length = body_length,
      .header = say("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n%s%s\r\n",
                    header, field),
  };
  char *bytes = NULL;
  FILE *out = open_memstream(&bytes, &reply.length);
  fputs(reply.header, out);
  if (framing == BY_CHUNKS)
    write_chunks(out, body, body_length);
  else
    fwrite(body, 1, body_length, out);
  fclose(out);
  reply.bytes = say("%s", bytes); /* there is no zero byte in it */
  free(bytes);
  return reply;
}

/* So long does a plain reply keep a program waiting. */
static const double MOMENT = 0.05;

static void set_reply_later(const struct web *web, const struct reply *reply, size_t length,
                            struct pace pace, enum origin_end end, double delay) {
  origins_reply(web->origins[0], (size_t)SITES * PORTS,
                (struct origin_reply){.bytes = reply->bytes,
                                      .length = length,
                                      .piece = pace.piece,
                                      .pause = pace.pause,
                                      .delay = delay,
                                      .end = end});
}

void set_reply(const struct web *web, const struct reply *reply, size_t length, struct pace pace,
               enum origin_end end) {
  set_reply_later(web, reply, length, pace, end, 0);
}

void set_plain_reply(const struct web *web) {
  static const char body[] = "All is well.";
  struct reply reply = make_reply(BY_LENGTH, "Connection: close\r\n", body, strlen(body));
  set_reply_later(web, &reply, reply.length, (struct pace){0, 0}, ORIGIN_CLOSES, MOMENT);
}

/* ---- asking ---- */

static int by_time(const void *one, const void *other) {
  const struct question *a = one, *b = other;
  return (a->request.time > b->request.time) - (a->request.time < b->request.time);
}

/* Where it was asked, as a URL. */
static const char *url_of(const struct request *request, const char *site, int port) {
  const char *scheme = request->tls ? "https" : "http";
  return port == (request->tls ? 443 : 80) ? say("%s://%s", scheme, site)
                                           : say("%s://%s:%d", scheme, site, port);
}

static size_t gather(struct requests from, bool whole, const char *site, int port, double since,
                     struct question questions[QUESTIONS_MAX], size_t count) {
  for (size_t n = 0; n < from.count && count < QUESTIONS_MAX; n++)
    if (from.list[n].time >= since)
      questions[count++] = (struct question){.request = from.list[n],
                                             .whole = whole,
                                             .site = site,
                                             .url = url_of(&from.list[n], site, port)};
  return count;
}

/* What was asked since `since`, of all sites. */
static void gather_all(const struct web *web, struct search *search, double since) {
  settle();
  for (int i = 0; i < SITES; i++)
    for (int k = 0; k < PORTS && web->origins[i][k]; k++) {
      struct origin *origin = web->origins[i][k];
      search->count = gather(requests_so_far(origin), true, sites[i].name, ports[k], since,
                             search->questions, search->count);
      search->rest_count = gather(fragments_so_far(origin), false, sites[i].name, ports[k], since,
                                  search->rest, search->rest_count);
    }
  qsort(search->questions, search->count, sizeof *search->questions, by_time);
  qsort(search->rest, search->rest_count, sizeof *search->rest, by_time);
}

struct search search_with_input(const struct web *web, const char *name, const char *input) {
  struct search search = {.name = name};
  next_input(input, strlen(input));
  pass(0.01); /* so that a request of this search is later than all of the one before */
  double began = now();
  search.program = start_with(localhost(), name, (const char *const[]){name, NULL});
  search.endless = !await_exit(search.program, PATIENCE);
  search.did = doing(search.program);
  if (search.endless) {
    search.waits_for = why_standing_still();
    kill_at_once(search.program);
  }
  gather_all(web, &search, began);
  return search;
}

struct search search(const struct web *web, const char *name, const char *keyword) {
  return search_with_input(web, name, say("%s\n", keyword));
}

const struct question *expect_question(const struct search *search) {
  EXPECT(search->count + search->rest_count > 0,
         .message = say("%s makes no request", search->name),
         .expected = "a request to one of the sites", .actual = asked(search));
  return search->count > 0 ? &search->questions[0] : &search->rest[0];
}

const char *asked(const struct search *search) {
  const char *text = "", *newline = "";
  for (size_t i = 0; i < search->count; i++, newline = "\n")
    text = say("%s%s%s, %s", text, newline, search->questions[i].url,
               request_line(&search->questions[i].request));
  for (size_t i = 0; i < search->rest_count; i++, newline = "\n") {
    const struct request *rest = &search->rest[i].request;
    text = say("%s%s%s, bytes that are no whole request: %s", text, newline, search->rest[i].url,
               quoted(rest->bytes, rest->length));
  }
  return *text ? text : say("nothing; it %s\n%s", search->did, printed(search->program));
}

/* ---- requests ---- */

const char *request_line(const struct request *request) {
  const char *text = (const char *)request->bytes;
  return say("%.*s", (int)strcspn(text, "\r\n"), text);
}

const char *request_target(const struct request *request) {
  const char *line = request_line(request), *space = strchr(line, ' ');
  if (!space)
    return "";
  const char *end = strrchr(space + 1, ' ');
  if (!end || strncmp(end, " HTTP/", strlen(" HTTP/")) != 0)
    end = space + strlen(space);
  return say("%.*s", (int)(end - space - 1), space + 1);
}

size_t request_field(const struct request *request, const char *name, const char **value) {
  size_t count = 0, length = strlen(name);
  const char *line = strchr((const char *)request->bytes, '\n');
  for (; line; line = strchr(line, '\n')) {
    line++;
    if (strncasecmp(line, name, length) != 0 || line[length] != ':')
      continue;
    const char *text = line + length + 1;
    text += strspn(text, " \t");
    size_t size = strcspn(text, "\r\n");
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
      size--;
    if (count++ == 0)
      *value = say("%.*s", (int)size, text);
  }
  return count;
}
