/* resolve: an address by the name of a host, from /etc/hosts and from a name server. */
#define LAB resolve
#include "network.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 60, DNS_PORT = 53 };

#define DEFAULT_HOST "www.baidu.com"

/* Another address in each world, and in each run: none can be known beforehand. Its last byte is
 * negative to who gives bytes a sign. */
static const char *some_address(void) {
  return say("10.%d.%d.%d", random_between(1, 254), random_between(1, 254),
             random_between(128, 254));
}

static struct program *run_resolve(const char *host) {
  struct program *resolve = host ? start("resolve", host) : start("resolve");
  await_exit(resolve, PATIENCE);
  return resolve;
}

/* ---- an address, and nothing else ---- */

static const char *swapped(const char *ip) {
  uint32_t number = address(ip, 0).ip;
  return say("%u.%u.%u.%u", number & 0xff, number >> 8 & 0xff, number >> 16 & 0xff, number >> 24);
}

/* Whether the name server was asked about other names only. Not, if it was not asked: then
 * /etc/hosts may have had the name. */
static bool asked_about_another(struct dns *dns, const char *name) {
  struct dns_queries queries = dns_queries_to(dns);
  for (size_t i = 0; i < queries.count; i++)
    if (strcasecmp(queries.list[i].name, name) == 0)
      return false;
  return queries.count > 0;
}

static const char *wrong_argument_cause(struct dns *dns, const char *host) {
  return asked_about_another(dns, host)
             ? say("the name server was asked about %s: is argv[1] used?",
                   dns_queries_to(dns).list[0].name)
             : NULL;
}

static bool all_the_same(struct lines seen) {
  for (size_t i = 1; i < seen.count; i++)
    if (strcmp(seen.list[i].text, seen.list[0].text) != 0)
      return false;
  return true;
}

static bool is_address(const char *text) {
  struct in_addr binary;
  return inet_pton(AF_INET, text, &binary) == 1;
}

static bool is_ipv6_address(const char *text) {
  struct in6_addr binary;
  return inet_pton(AF_INET6, text, &binary) == 1;
}

/* Why what was seen is not one of the addresses, and nothing else. */
static const char *answer_cause(struct program *resolve, struct dns *dns, const char *host,
                                struct lines seen) {
  enum { USAGE_ERROR = 2 };
  if (!host && await_exit(resolve, 0) && exit_status(resolve) == USAGE_ERROR)
    return "status 2 is that of a usage error: without an argument HOST is " DEFAULT_HOST;
  if (seen.count == 0 && host && asked_about_another(dns, host))
    return wrong_argument_cause(dns, host);
  if (seen.count == 0 && !host && asked_about_another(dns, DEFAULT_HOST))
    return say("the name server was asked about %s: without an argument HOST is %s",
               dns_queries_to(dns).list[0].name, DEFAULT_HOST);
  struct lines errors = lines(resolve, STDERR);
  if (seen.count == 0 && errors.count == 1 && is_address(errors.list[0].text))
    return "the address is on stderr; it belongs on stdout";
  if (seen.count == 1 && strspn(seen.list[0].text, "0123456789") == strlen(seen.list[0].text))
    return "it is one number: inet_ntop() makes dotted text of it";
  if (seen.count == 1 && seen.list[0].text[strspn(seen.list[0].text, "-.0123456789")] == '\0' &&
      strchr(seen.list[0].text, '-'))
    return "the parts of an address are bytes without a sign, 0 to 255: inet_ntop() prints them";
  if (seen.count > 1 && is_address(seen.list[0].text))
    return all_the_same(seen)
               ? "the same address several times, one for each type of socket: print the first only, or set ai_socktype"
               : "all addresses are printed: one is asked for, the first for example";
  if (seen.count > 1)
    return "one address, and nothing else: no heading";
  if (seen.count == 1 && strncmp(seen.list[0].text, "::ffff:", strlen("::ffff:")) == 0)
    return "this is an IPv4 address in the form of IPv6: ask for AF_INET";
  if (seen.count == 1 && is_ipv6_address(seen.list[0].text))
    return "this is an IPv6 address of the host: ask for AF_INET, or look at ai_family";
  const char *space = seen.count == 1 ? strrchr(seen.list[0].text, ' ') : NULL;
  return space && is_address(space + 1) ? "there is more on the line than the address" : NULL;
}

static void expect_one_address(struct dns *dns, const char *host, const char *const *addresses,
                               size_t count) {
  struct program *resolve = run_resolve(host);
  const char *what = host ? say("resolve %s", host) : "resolve without an argument";
  struct lines seen = lines(resolve, STDOUT);
  bool good = false, is_swapped = false;
  const char *expected = "";
  for (size_t i = 0; i < count; i++) {
    expected = say("%s%s%s", expected, i ? " or " : "", addresses[i]);
    good |= seen.count == 1 && strcmp(seen.list[0].text, addresses[i]) == 0;
    is_swapped |= seen.count == 1 && strcmp(seen.list[0].text, swapped(addresses[i])) == 0;
  }
  EXPECT(good,
         .message = say("%s does not print one address of %s, and nothing else", what,
                        host ? host : DEFAULT_HOST),
         .expected = say("%s, in one line", expected),
         .actual = say("%s\nit %s", printed(resolve), doing(resolve)),
         .cause = is_swapped
                      ? "the bytes are in the wrong order: an address is in network byte order"
                      : answer_cause(resolve, dns, host, seen));
  expect_success(resolve, what);
}

/* Where the names come from is another requirement: /etc/hosts and the name server agree here. */
static void check_addresses(const char *host, size_t count) {
  enum { MOST = 3 };
  const char *addresses[MOST], *hosts = "";
  const char *name = host ? host : DEFAULT_HOST;
  for (size_t i = 0; i < count; i++) {
    addresses[i] = some_address();
    hosts = say("%s%s\t%s\n", hosts, addresses[i], name);
  }
  struct dns *dns = begin_network(hosts);
  for (size_t i = 0; i < count; i++)
    dns_address(dns, name, addresses[i]);
  expect_one_address(dns, host, addresses, count);
}

CHECK(prints_an_address, "resolve.1", "resolve") {
  check_addresses("host.example", 1);
  fresh_world();
  check_addresses("many.example", 3);
  fresh_world();
  check_addresses("this-host-has-a-long-name.in-a-domain-with-another-one.that-is-a-part-of-a-"
                  "third.example",
                  1);
}

/* A name with addresses of both kinds, as many have today. */
CHECK(prints_no_ipv6_address, "resolve.1", "resolve") {
  const char *ip = some_address();
  struct dns *dns = begin_network(say("2001:db8::7\tdual.example\n%s\tdual.example\n", ip));
  dns_address(dns, "dual.example", ip);
  expect_one_address(dns, "dual.example", &ip, 1);
}

CHECK(looks_up_baidu_by_default, "resolve.1", "resolve") {
  check_addresses(NULL, 1);
}

/* What a program does then is open, but what it has is no IPv4 address. */
CHECK(invents_no_address, "resolve.1", "resolve") {
  begin_network("2001:db8::7\tsix.example\n");
  struct program *resolve = run_resolve("six.example");
  struct lines seen = lines(resolve, STDOUT);
  bool well = await_exit(resolve, 0) && exit_status(resolve) == 0;
  for (size_t i = 0; well && i < seen.count; i++)
    EXPECT(!is_address(seen.list[i].text),
           .message = "resolve six.example prints an IPv4 address, and that name has none",
           .expected =
               "nothing: /etc/hosts has 2001:db8::7 for it, and the name server no such name",
           .actual = printed(resolve),
           .cause = "the bytes of an IPv6 address were taken for those of one of IPv4: ask for "
                    "AF_INET, or look at ai_family");
}

/* ---- who is asked ---- */

static bool prints(struct program *resolve, const char *text) {
  size_t length = strlen(text);
  for (enum stream stream = STDOUT; stream <= STDERR; stream++) {
    const char *output = (const char *)output_of(resolve, stream).bytes;
    const char *found = strcasestr(output, text);
    while (found && (isdigit((unsigned char)found[length]) ||
                     (found > output && isdigit((unsigned char)found[-1]))))
      found = strcasestr(found + 1, text);
    if (found)
      return true;
  }
  return false;
}

/* In one order of its bytes: dotted, with signs or zeros, or as a number. */
static bool prints_somehow(struct program *resolve, uint32_t ip) {
  uint8_t part[4];
  for (int i = 0; i < 4; i++)
    part[i] = (uint8_t)(ip >> 8 * (3 - i));
  const char *const forms[] = {
      say("%u.%u.%u.%u", part[0], part[1], part[2], part[3]),
      say("%d.%d.%d.%d", (int8_t)part[0], (int8_t)part[1], (int8_t)part[2], (int8_t)part[3]),
      say("%03u.%03u.%03u.%03u", part[0], part[1], part[2], part[3]),
      say("%02x.%02x.%02x.%02x", part[0], part[1], part[2], part[3]),
      say("%x.%x.%x.%x", part[0], part[1], part[2], part[3]),
      say("%u", ip),
      say("%d", (int32_t)ip),
      say("0x%x", ip),
      say("%08x", ip),
  };
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    if (prints(resolve, forms[i]))
      return true;
  return false;
}

/* Somewhere, and in whichever form: how addresses are printed is another requirement. */
static bool prints_address(struct program *resolve, const char *ip) {
  uint32_t number = address(ip, 0).ip;
  return prints_somehow(resolve, number) || prints_somehow(resolve, htonl(number));
}

/* One that has other names too. That it is found at all is another requirement. */
CHECK(prints_no_other_name, "resolve.1", "resolve") {
  const char *ip = some_address();
  struct dns *dns = begin_network(say("%s\thost.example alias.example\n", ip));
  dns_alias(dns, "alias.example", "host.example");
  dns_address(dns, "host.example", ip);
  if (prints_address(run_resolve("alias.example"), ip))
    expect_one_address(dns, "alias.example", &ip, 1);
}

/* Why a name is not found that only the name server knows. */
static const char *not_asked_cause(struct dns *dns, const char *host) {
  if (dns_queries_to(dns).count > 0)
    return wrong_argument_cause(dns, host);
  struct frames queries = frames_to_port(DNS_PORT);
  if (queries.count > 0)
    return say(
        "another name server was asked, %s: ask the system's resolver, which reads /etc/resolv.conf",
        address_text(queries.list[0].destination));
  return "no name server was asked: /etc/hosts does not have every name";
}

/* Why a name has not the address that /etc/hosts gives it; `commented` and `longer` stand in other
 * places there. */
static const char *hosts_cause(struct program *resolve, const char *in_dns, const char *commented,
                               const char *longer) {
  if (prints_address(resolve, in_dns))
    return "the name server was asked, though the name is in /etc/hosts";
  if (prints_address(resolve, commented))
    return "that stands in a comment of /etc/hosts: what follows a # does not count";
  return prints_address(resolve, longer)
             ? "that is the address of a name which has this one in it: compare whole names"
             : NULL;
}

CHECK(asks_etc_hosts_first, "resolve.2", "resolve") {
  const char *in_hosts = some_address(), *in_dns = some_address(), *commented = some_address(),
             *longer = some_address();
  struct dns *dns = begin_network(say("#%s\tboth.example both\n"
                                      "%s\tboth.example.net not-both.example bother # both both\n"
                                      "%s\tboth.example both\n"
                                      "%s\t" DEFAULT_HOST "\n",
                                      commented, longer, in_hosts, in_hosts));
  dns_address(dns, "both.example", in_dns);
  dns_address(dns, DEFAULT_HOST, in_dns);
  struct program *resolve = run_resolve("both.example");
  EXPECT(prints_address(resolve, in_hosts) && !prints_address(resolve, in_dns),
         .message = "resolve does not find a name where /etc/hosts has it",
         .expected = say("%s, as /etc/hosts says", in_hosts), .actual = printed(resolve),
         .cause = hosts_cause(resolve, in_dns, commented, longer));
  resolve = run_resolve("both");
  EXPECT(
      prints_address(resolve, in_hosts),
      .message = "resolve does not find the second name of a line in /etc/hosts",
      .expected = say("%s: the line is \"%s both.example both\"", in_hosts, in_hosts),
      .actual = printed(resolve),
      .cause =
          dns_queries_to(dns).count > 0
              ? "the name server was asked: in a line of /etc/hosts each name counts, not only the first"
              : "the first name of the line is found: is the second taken for an alias, as of DNS?");
}

CHECK(asks_the_name_server, "resolve.2", "resolve") {
  const char *ip = some_address(), *other = some_address();
  struct dns *dns = begin_network("");
  dns_address(dns, "host.example", ip);
  dns_address(dns, "other.example", other);
  struct program *resolve = run_resolve("host.example");
  EXPECT(prints_address(resolve, ip),
         .message = "resolve does not find a name that the name server knows",
         .expected = say("%s, as the name server of /etc/resolv.conf says", ip),
         .actual = say("%s\nit %s; the name server was asked %s", printed(resolve), doing(resolve),
                       counted(dns_queries_to(dns).count, "time")),
         .cause = not_asked_cause(dns, "host.example"));
  resolve = run_resolve("other.example");
  EXPECT(prints_address(resolve, other),
         .message = "resolve does not find another name that the name server knows",
         .expected = other, .actual = printed(resolve));
}

CHECK(follows_aliases, "resolve.2", "resolve") {
  const char *ip = some_address();
  struct dns *dns = begin_network("");
  dns_alias(dns, "alias.example", "host.example");
  dns_alias(dns, "www.example", "cdn.example.net");
  dns_alias(dns, "cdn.example.net", "edge.cdn.example.org");
  dns_alias(dns, "edge.cdn.example.org", "host.example");
  dns_address(dns, "host.example", ip);
  static const char *const names[] = {"alias.example", "www.example"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct program *resolve = run_resolve(names[i]);
    EXPECT(prints_address(resolve, ip),
           .message = say("resolve does not follow %s to an address",
                          i ? "aliases of aliases" : "an alias"),
           .expected = ip, .actual = say("%s\nit %s", printed(resolve), doing(resolve)),
           .cause = dns_queries_to(dns).count == 0 || asked_about_another(dns, names[i])
                        ? not_asked_cause(dns, names[i])
                        : "the answer holds CNAME records before the address: they are no error");
  }
}

/* ---- no answer, or a bad one ---- */

static const char list_unchecked[] =
    "is the list of addresses used where getaddrinfo() failed, and made none? look at what it returns first";

/* Why the message does not name the host. */
static const char *not_named_cause(struct output message) {
  if (strstr((const char *)message.bytes, "Success"))
    return "getaddrinfo() does not set errno, so perror() says “Success”: use gai_strerror(), and name the host";
  if (strstr((const char *)message.bytes, "(null)"))
    return "without an argument argv[1] is NULL: name the host that was looked up";
  if (strstr((const char *)message.bytes, DEFAULT_HOST))
    return "it names " DEFAULT_HOST ": print the name that was asked for";
  return "gai_strerror(), herror() and Python's gaierror do not name it: the program must";
}

static void expect_no_such_name(struct dns *dns, const char *host) {
  struct program *resolve = run_resolve(host);
  const char *what = host ? say("resolve %s, which does not exist,", host)
                          : "resolve, when there is no " DEFAULT_HOST ",";
  host = host ? host : DEFAULT_HOST;
  expect_failure_because(resolve, what,
                         (struct failure_causes){.crashes = list_unchecked,
                                                 .succeeds = wrong_argument_cause(dns, host)});
  struct output out = output_of(resolve, STDOUT), message = output_of(resolve, STDERR);
  EXPECT(strstr((const char *)message.bytes, host),
         .message = say("%s does not say which name it is", what),
         .expected = say("a message on stderr that names %s", host), .actual = printed(resolve),
         .cause = not_named_cause(message));
  EXPECT(out.length == 0, .message = say("%s prints something on stdout", what),
         .expected = "nothing on stdout", .actual = printed(resolve),
         .cause = "stdout is for the address: where there is none, the message on stderr is all");
}

/* The same for the name that is asked for without an argument; which one that is, is another
 * requirement. */
static void expect_no_default_host(void) {
  struct dns *dns = begin_network("");
  run_resolve(NULL);
  if (dns_queries_to(dns).count > 0 && !asked_about_another(dns, DEFAULT_HOST))
    expect_no_such_name(dns, NULL);
}

CHECK(says_what_does_not_exist, "resolve.3", "resolve") {
  struct dns *dns = begin_network("");
  dns_address(dns, DEFAULT_HOST, some_address());
  dns_address(dns, "example", some_address());
  expect_no_such_name(dns, "no-such-host.example");
  expect_no_such_name(dns, "unheard-of");
  fresh_world();
  expect_no_default_host();
}

CHECK(gives_up, "resolve.4", "resolve") {
  /* Two attempts of 5 s are usual; other resolvers have other limits, and who asks for IPv6 too, or
   * once more with a domain behind the name, waits several times. */
  enum { LIMIT = 120, OFTEN = 12 };
  struct dns *dns = begin_network("");
  dns_silence(dns);
  struct program *resolve = start("resolve", "host.example");
  await_exit(resolve, LIMIT);
  size_t asked = dns_queries_to(dns).count;
  expect_failure_because(
      resolve, "resolve, when the name server never answers,",
      (struct failure_causes){
          .crashes = list_unchecked,
          .still_runs =
              asked > OFTEN
                  ? say("it has asked %zu times in %d s: getaddrinfo() has given up more than once, and is called again",
                        asked, LIMIT)
                  : NULL});
}
