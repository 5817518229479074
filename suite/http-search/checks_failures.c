/* http-search: servers that are not to be trusted, or not there, or leave in the middle. */
#define LAB http_search
#include "causes.h"

#include <string.h>

#define KEYWORD "kingfisher"

#define AS_USUAL ((struct failure_causes){0})

/* A program that never gets as far as to say anything has refused nothing. Returns whether it asks
 * by HTTP/1.0. */
static bool expect_normal_search(const char *name) {
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  struct search one = search(&web, name, KEYWORD);
  const struct question *question = expect_question(&one);
  bool old = strstr(request_line(&question->request), " HTTP/1.0") != NULL;
  fresh_world();
  return old;
}

static void expect_error(const struct search *search, const char *with,
                         struct failure_causes causes) {
  EXPECT(!search->endless, .message = say("%s does not end, %s", search->name, with),
         .expected = "an exit status that is not 0, and a message on stderr",
         .actual = say("%s\n%s", search->waits_for, printed(search->program)),
         .cause = no_end_cause(search, false));
  expect_failure_because(search->program, say("%s, %s,", search->name, with), causes);
}

/* ---- certificates ---- */

/* Why the request was sent; `usual`: if all that was seen is that it was. */
static const char *certificate_cause(const struct search *search, const char *usual) {
  const struct question *first = search->count > 0 ? &search->questions[0] : &search->rest[0];
  if (!first->request.tls)
    return "it asks without TLS: where there is no certificate, nobody is verified";
  if (!search->endless && exit_status(search->program) != 0)
    return "it ends with an error, but the request was sent already: verify before you send";
  return usual;
}

static void check_certificates(const char *name) {
  static const struct {
    enum certificate kind;
    const char *what, *cause;
  } bad[] = {
      {CERTIFICATE_UNTRUSTED, "that nobody whom it trusts has signed",
       "is verification switched off (or, in C, never switched on: SSL_CTX_set_verify)?"},
      {CERTIFICATE_EXPIRED, "that has expired",
       "one that nobody has signed is refused, one that has expired is not: is it the check of dates "
       "that is switched off?"},
      {CERTIFICATE_OF_OTHER_NAME, "for another name",
       "a valid certificate says who somebody is, not that it is the one you meant: SSL_set1_host, "
       "check_hostname"},
  };
  expect_normal_search(name);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (i > 0)
      fresh_world();
    struct web web = make_web(bad[i].kind, 0);
    struct search one = search(&web, name, KEYWORD);
    const char *with = say("with a server whose certificate is one %s", bad[i].what);
    EXPECT(one.count + one.rest_count == 0,
           .message = say("%s talks to a server whose certificate is one %s", name, bad[i].what),
           .expected = "not one byte of the request is sent", .actual = asked(&one),
           .cause = certificate_cause(&one, bad[i].cause));
    expect_error(&one, with, AS_USUAL);
  }
}

CHECK(easy_refuses_bad_certificates, "http-search.9", "search-easy") {
  check_certificates("search-easy");
}

CHECK(tls_refuses_bad_certificates, "http-search.9", "search-tls") {
  check_certificates("search-tls");
}

/* ---- nobody there ---- */

static void check_nobody_there(const char *name) {
  fresh_world();
  struct web nameless = make_web(CERTIFICATE_GOOD, NOT_NAMED);
  struct search unknown = search(&nameless, name, KEYWORD);
  expect_error(&unknown, "with a name that does not resolve", AS_USUAL);

  fresh_world();
  struct web deserted = make_web(CERTIFICATE_GOOD, NOT_SERVED);
  struct search refused = search(&deserted, name, KEYWORD);
  expect_error(&refused, "with a connection that is refused", AS_USUAL);
}

/* ---- replies that are cut short ---- */

/* A body that came by its length is printed, and something behind it. */
static const char *silent_cause(const struct search *search, const struct reply *reply,
                                enum framing framing, size_t length) {
  struct output output = output_of(search->program, STDOUT);
  size_t body = length - strlen(reply->header);
  const uint8_t *begin =
      framing == BY_LENGTH ? memmem(output.bytes, output.length, reply->body, body) : NULL;
  size_t rest = begin ? output.length - (size_t)(begin - output.bytes) - body : 0;
  return rest > 1
             ? say("a message seems to stand on stdout, behind the body: %s; errors go to stderr",
                   quoted(begin + body, rest))
             : NULL;
}

static void check_cut(const char *name, enum framing framing, size_t missing, enum origin_end end,
                      const char *with) {
  fresh_world();
  struct web web = make_web(CERTIFICATE_GOOD, 0);
  const char *body = make_text(1000, true);
  struct reply reply = make_reply(framing, "Connection: close\r\n", body, strlen(body));
  set_reply(&web, &reply, reply.length - missing, (struct pace){0, 0}, end);
  struct search one = search(&web, name, KEYWORD);
  bool says_it = printed_anything(one.program, STDERR);
  expect_error(&one, with,
               (struct failure_causes){
                   .succeeds = says_it ? NULL : cut_cause(&one, framing, &reply),
                   .silent = silent_cause(&one, &reply, framing, reply.length - missing),
               });
}

static void check_cut_replies(const char *name, bool old) {
  static const char last[] = "0\r\n\r\n";
  check_cut(name, BY_LENGTH, 300, ORIGIN_CLOSES, "with 700 bytes of a body of 1000");
  if (old)
    return; /* a server may not send chunks to who asks by HTTP/1.0 */
  check_cut(name, BY_CHUNKS, strlen(last), ORIGIN_CLOSES, "with a body that has no last chunk");
  check_cut(name, BY_CHUNKS, strlen(last) + strlen("\r\n") + 1, ORIGIN_CLOSES,
            "with a body that ends within a chunk");
}

CHECK(easy_reports_failures, "http-search.10", "search-easy") {
  bool old = expect_normal_search("search-easy");
  check_nobody_there("search-easy");
  check_cut_replies("search-easy", old);
}

CHECK(http_reports_failures, "http-search.10", "search-http") {
  bool old = expect_normal_search("search-http");
  check_nobody_there("search-http");
  check_cut_replies("search-http", old);
}

CHECK(tls_reports_failures, "http-search.10", "search-tls") {
  expect_normal_search("search-tls");
  check_nobody_there("search-tls");
  check_cut("search-tls", BY_LENGTH, 300, ORIGIN_CUTS,
            "with 700 bytes of a body of 1000, and no close_notify after them");
}
