/* The name server, origins and the proxy, asked by real clients: glibc's resolver, Python, libcurl.
 */
#include "grader/sandbox/sandbox.h"
#include "grader/sdk/inner.h"

#include <stdio.h>
#include <string.h>

static struct host *internet;

static void begin(void) {
  enum sandbox_mode mode;
  struct failure failure;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  the_check = (struct context){.clock = CLOCK_VIRTUAL, .seed = 1};
  if (setjmp(the_check.end) != 0)
    cr_assert_fail("%s: %s", the_check.report.message, the_check.report.actual);
  world_begin();
  struct lan *lan = new_lan("LAN", 1500);
  internet = new_host("the internet");
  attach(localhost(), lan, "10.0.0.2/24");
  attach(internet, lan, "10.0.0.1/24");
}

static void end(void) {
  world_end();
}

TestSuite(internet, .init = begin, .fini = end);

static struct program *run(const char *const *argv) {
  struct failure failure;
  struct program_spec spec = {.name = argv[0], .folder = "/usr/share", .argv = (char *const *)argv};
  surroundings_give(&spec);
  struct program *program = program_start(localhost(), &spec, &failure);
  cr_assert(program, "%s", failure.sentence);
  cr_assert(await_exit(program, 100), "%s %s", argv[0], doing(program));
  return program;
}

static const char *python(const char *script) {
  return printed(run((const char *const[]){"python3", "-c", script, NULL}));
}

static struct dns *name_server(void) {
  struct dns *dns = dns_server(internet, "10.0.0.1");
  dns_address(dns, "host.example", "10.0.0.7");
  return dns;
}

/* ---- names ---- */

#define RESOLVE(name_)                                                                             \
  "import socket\n"                                                                                \
  "try: print(sorted({a[4][0] for a in socket.getaddrinfo('" name_ "', 80, socket.AF_INET)}))\n"   \
  "except OSError as e: print(e)"

Test(internet, names_have_addresses) {
  struct dns *dns = name_server();
  dns_address(dns, "two.example", "10.0.0.8");
  dns_address(dns, "Two.Example.", "10.0.0.9");
  cr_assert_str_eq(python(RESOLVE("HOST.example")), "['10.0.0.7']");
  cr_assert_str_eq(python(RESOLVE("two.example")), "['10.0.0.8', '10.0.0.9']");
  struct dns_queries queries = dns_queries_to(dns);
  cr_assert_eq(queries.count, 2);
  cr_assert_str_eq(queries.list[0].name, "host.example");
  cr_assert(queries.list[0].type == 1 && !queries.list[0].tcp);
}

Test(internet, aliases_are_followed) {
  struct dns *dns = name_server();
  dns_alias(dns, "a.example", "b.example");
  dns_alias(dns, "b.example", "host.example");
  dns_alias(dns, "dangling.example", "nowhere.example");
  cr_assert_str_eq(python(RESOLVE("a.example")), "['10.0.0.7']");
  cr_assert(strstr(python(RESOLVE("dangling.example")), "[Errno"));
}

Test(internet, failures_are_told_apart) {
  struct dns *dns = name_server();
  dns_code(dns, "broken.example", 2);
  cr_assert(strstr(python(RESOLVE("nobody.example")), "Name or service not known"));
  cr_assert(strstr(python(RESOLVE("broken.example")), "Temporary failure"));
  dns_silence(dns);
  double began = now();
  cr_assert(strstr(python(RESOLVE("host.example")), "Temporary failure"));
  cr_assert(now() - began > 5 && now() - began < 60);
}

Test(internet, what_is_truncated_comes_by_tcp) {
  struct dns *dns = name_server();
  dns_truncate(dns, "host.example");
  cr_assert_str_eq(python(RESOLVE("host.example")), "['10.0.0.7']");
  struct dns_queries queries = dns_queries_to(dns);
  cr_assert_eq(queries.count, 2);
  cr_assert(!queries.list[0].tcp && queries.list[1].tcp);
}

/* ---- the web ---- */

#define REPLY(text_) ((struct origin_reply){.bytes = (text_), .length = sizeof(text_) - 1})
#define GET(url_)                                                                                  \
  "import urllib.request as u\n"                                                                   \
  "try: print(u.urlopen('" url_ "', timeout=20).read().decode())\n"                                \
  "except OSError as e: print(e)"

Test(internet, an_origin_keeps_requests_and_says_what_it_is_told) {
  dns_address(name_server(), "www.example", "10.0.0.1");
  struct origin *origin = new_origin(internet, "www.example", "10.0.0.1", 80, NO_TLS);
  struct origin_reply reply = REPLY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    "2\r\nHe\r\n3\r\nllo\r\n0\r\n\r\n");
  reply.piece = 1;
  reply.pause = 0.1;
  origin_reply(origin, reply);
  double began = now();
  cr_assert_str_eq(python(GET("http://www.example/?q=1")), "Hello");
  cr_assert(now() - began > 5);
  struct requests requests = requests_to(origin);
  cr_assert_eq(requests.count, 1);
  cr_assert(strstr((const char *)requests.list[0].bytes, "GET /?q=1 HTTP/1.1\r\n"));
  cr_assert_eq(connections_to(origin), 1);
  cr_assert_eq(fragments_to(origin).count, 0);
}

/* None of them waits for its reply. */
Test(internet, an_origin_takes_many_requests_at_once) {
  enum { REQUESTS = 300000 };
  struct origin *origin = new_origin(internet, "www.example", "10.0.0.1", 80, NO_TLS);
  origin_reply(origin, (struct origin_reply){.bytes = "", .end = ORIGIN_STAYS_OPEN});
  python("import socket, time; s = socket.create_connection(('10.0.0.1', 80))\n"
         "s.sendall(b'a\\n\\n' * 300000); time.sleep(1)");
  cr_assert_eq(requests_to(origin).count, REQUESTS);
  cr_assert_eq(fragments_to(origin).count, 0);
}

static const char *get_by_tls(enum certificate kind, struct origin **origin) {
  dns_address(name_server(), "www.example", "10.0.0.1");
  *origin = new_origin(internet, "www.example", "10.0.0.1", 443, kind);
  origin_reply(*origin, REPLY("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello"));
  return python(GET("https://www.example/"));
}

Test(internet, a_good_certificate_is_believed) {
  struct origin *origin;
  const char *said = get_by_tls(CERTIFICATE_GOOD, &origin);
  cr_assert_str_eq(said, "Hello", "%s", said);
  struct requests requests = requests_to(origin);
  cr_assert_eq(requests.count, 1);
  cr_assert(requests.list[0].tls);
  cr_assert_str_eq(requests.list[0].server_name, "www.example");
  struct program *curl = run((const char *const[]){"curl", "-sS", "https://www.example/", NULL});
  cr_assert_str_eq(printed(curl), "Hello");
}

Test(internet, bad_certificates_are_not) {
  static const struct {
    enum certificate kind;
    const char *why;
  } bad[] = {{CERTIFICATE_EXPIRED, "expired"},
             {CERTIFICATE_OF_OTHER_NAME, "mismatch"},
             {CERTIFICATE_UNTRUSTED, "unable to get"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct origin *origin;
    if (i > 0) {
      end();
      begin();
    }
    const char *said = get_by_tls(bad[i].kind, &origin);
    cr_assert(strstr(said, bad[i].why), "%s", said);
    cr_assert_eq(requests_to(origin).count, 0);
    cr_assert_eq(fragments_to(origin).count, 0);
    cr_assert_eq(failed_handshakes_with(origin), 1);
  }
}

Test(internet, ends_of_replies) {
  dns_address(name_server(), "www.example", "10.0.0.1");
  struct origin *origin = new_origin(internet, "www.example", "10.0.0.1", 80, NO_TLS);
  struct origin_reply reply = REPLY("HTTP/1.1 200 OK\r\n\r\nHello");
  origin_reply(origin, reply);
  cr_assert_str_eq(python(GET("http://www.example/")), "Hello");
  reply = REPLY("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nHello");
  reply.end = ORIGIN_RESETS;
  origin_reply(origin, reply);
  const char *said = python(GET("http://www.example/"));
  cr_assert(strstr(said, "reset") || strstr(said, "IncompleteRead"), "%s", said);
  reply.end = ORIGIN_STAYS_OPEN;
  origin_reply(origin, reply);
  said = python(GET("http://www.example/"));
  cr_assert(strstr(said, "timed out"), "%s", said);
}

#define SEND(bytes_)                                                                               \
  "import socket, time\n"                                                                          \
  "s = socket.create_connection(('10.0.0.1', 443))\n"                                              \
  "for part in " bytes_ ": s.sendall(part); time.sleep(0.01)\n"                                    \
  "s.shutdown(socket.SHUT_WR); s.settimeout(9); s.recv(99)"

Test(internet, an_origin_hears_what_is_no_request) {
  struct origin *origin = new_origin(internet, "www.example", "10.0.0.1", 443, CERTIFICATE_GOOD);
  struct origin_reply reply = REPLY("HTTP/1.1 204 No Content\r\n\r\n");
  reply.delay = 0.1;
  origin_reply(origin, reply);
  python(SEND("(b'GET / HTTP/1.1\\r\\n', b'Host: a\\r\\n')"));
  cr_assert_eq(requests_to(origin).count, 0);
  cr_assert_str_eq((const char *)fragments_to(origin).list[0].bytes,
                   "GET / HTTP/1.1\r\nHost: a\r\n");
  python(SEND("(b'\\r\\nPOST / HTTP/1.1\\r\\n\\r\\n', b'the body')"));
  struct requests requests = requests_to(origin), fragments = fragments_to(origin);
  cr_assert_eq(requests.count, 1);
  cr_assert_not(requests.list[0].tls);
  cr_assert_str_eq((const char *)requests.list[0].bytes, "\r\nPOST / HTTP/1.1\r\n\r\n");
  cr_assert_eq(fragments.count, 2);
  cr_assert_str_eq((const char *)fragments.list[1].bytes, "the body");
}

Test(internet, a_megabyte_is_whole) {
  dns_address(name_server(), "www.example", "10.0.0.1");
  struct origin *origin = new_origin(internet, "www.example", "10.0.0.1", 443, CERTIFICATE_GOOD);
  static char body[(1 << 20) + 100];
  int length =
      snprintf(body, sizeof body, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 1 << 20);
  memset(body + length, 'x', 1 << 20);
  origin_reply(origin, (struct origin_reply){.bytes = body, .length = (size_t)length + (1 << 20)});
  cr_assert_str_eq(python("import urllib.request as u\n"
                          "print(len(u.urlopen('https://www.example/').read()))"),
                   "1048576");
}

Test(internet, a_proxy_tunnels_and_passes_on) {
  struct dns *dns = name_server();
  dns_address(dns, "proxy.example", "10.0.0.1");
  struct origin *proxy = new_proxy(internet, "10.0.0.1", 3128);
  struct origin *origin = new_origin(internet, "www.example", "10.0.0.1", 443, CERTIFICATE_GOOD);
  struct origin *plain = new_origin(internet, "plain.example", "10.0.0.1", 80, NO_TLS);
  origin_reply(origin, REPLY("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello"));
  origin_reply(plain, REPLY("HTTP/1.0 200 OK\r\n\r\nplain"));
  put_variable("https_proxy", "http://proxy.example:3128");
  put_variable("http_proxy", "http://proxy.example:3128");
  const char *said = python(GET("https://www.example/"));
  cr_assert_str_eq(said, "Hello", "%s", said);
  said = python(GET("http://plain.example/x"));
  cr_assert_str_eq(said, "plain", "%s", said);
  cr_assert_eq(requests_to(origin).count, 1);
  cr_assert_eq(requests_to(plain).count, 1);
  struct requests requests = requests_to(proxy);
  cr_assert_eq(requests.count, 2);
  cr_assert(strstr((const char *)requests.list[0].bytes, "CONNECT www.example:443"));
  said = python(GET("https://nobody.example/"));
  cr_assert(strstr(said, "502"), "%s", said);
}

Test(internet, a_variable_replaces_the_usual_one) {
  const char *usual = python("import os; print(os.environ['TZ'])");
  cr_assert_str_eq(usual, "UTC");
  put_variable("TZ", "<here>-8");
  const char *given = python("import os; print(os.environ['TZ'])");
  cr_assert_str_eq(given, "<here>-8");
}
