/* mtu: how large a datagram may be. (checks_sockopts.c has how a socket's options are read and
 * set.) */
#define LAB mtu
#include "grader/sdk/wiregrade.h"

#include "calls.h"
#include "telling.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>

enum { HOME_PORT = 60000 };
enum { HEADERS = 20 + 8 }; /* of IP and UDP: they count towards the MTU */

/* ---- mtu: what the kernel knows ---- */

/* Whether the socket was forbidden to cut datagrams while it was connected; before or after. */
static bool is_forbidden_to_cut(struct option_calls calls, uint64_t socket) {
  bool forbidden = false;
  for (size_t i = 0; i < calls.count; i++) {
    const struct option_call *call = &calls.list[i];
    if (call->socket != socket || call->error)
      continue;
    if (is_call(call, true, IPPROTO_IP, IP_MTU_DISCOVER))
      forbidden = call->value == IP_PMTUDISC_DO;
    if (forbidden && call->connected)
      return true;
  }
  return false;
}

static const char *not_discovering_cause(struct option_calls calls) {
  for (size_t i = 0; i < calls.count; i++)
    if (is_call(&calls.list[i], true, IPPROTO_IP, IP_MTU_DISCOVER))
      return calls.list[i].error ? "setsockopt() fails: check what it returns"
             : calls.list[i].value != IP_PMTUDISC_DO
                 ? "the value is another one: IP_PMTUDISC_DO is 2 (0 is DONT, 1 is WANT)"
                 : "it is set on another socket than the one that IP_MTU is read of";
  return "setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, …) is missing";
}

static const char *not_read_cause(struct option_calls calls) {
  for (size_t i = 0; i < calls.count; i++)
    if (is_call(&calls.list[i], false, IPPROTO_IP, IP_MTU))
      return calls.list[i].error == ENOTCONN
                 ? "only a connected socket has an IP_MTU: connect() it to HOST and PORT first"
             : !is_of_udp_socket(&calls.list[i]) ? "the socket is not a UDP socket"
                                                 : NULL;
  return "IP_MTU is read with getsockopt(), of a connected socket; an interface's MTU "
         "(SIOCGIFMTU, `ip link`) is another thing";
}

static void expect_mtu_read(struct program *program) {
  struct option_calls calls = option_calls_of(program);
  bool read = false, discovers = false;
  for (size_t i = 0; i < calls.count; i++) {
    const struct option_call *call = &calls.list[i];
    if (is_call(call, false, IPPROTO_IP, IP_MTU) && !call->error && is_of_udp_socket(call)) {
      read = true;
      discovers |= is_forbidden_to_cut(calls, call->socket);
    }
  }
  EXPECT(read, .message = "mtu does not read IP_MTU of a connected UDP socket",
         .expected = "getsockopt() of IP_MTU, which succeeds", .actual = calls_text(calls),
         .cause = not_read_cause(calls));
  EXPECT(discovers, .message = "mtu does not set IP_MTU_DISCOVER to IP_PMTUDISC_DO",
         .expected =
             "setsockopt() of IP_MTU_DISCOVER to IP_PMTUDISC_DO (2), on the connected socket",
         .actual = calls_text(calls), .cause = not_discovering_cause(calls));
  EXPECT(reads_mtu(calls, HOME_PORT), .message = "mtu does not ask about port 60000 by default",
         .expected = "a UDP socket that is connected to port 60000 of localhost",
         .actual = say("it is connected to %s", address_text(asked_about(calls))),
         .cause = asked_about(calls).port == __builtin_bswap16(HOME_PORT)
                      ? "its two bytes are swapped: sin_port is in network byte order, htons(60000)"
                      : "where no port is given it is 60000");
}

/* What its message says of a call that failed, or of its arguments. */
static const char *complaint_cause(struct program *program) {
  static const struct {
    const char *words, *cause;
  } complaints[] = {
      {"not connected",
       "only a connected socket has an IP_MTU (ENOTCONN): connect() it to HOST and "
       "PORT first"},
      {"usage", "it takes its arguments for wrong ones: HOST may stand without PORT, and is then "
                "asked at port 60000"},
      {"too long",
       "send() fails with EMSGSIZE, which is no end but the news that it is waited for: "
       "read IP_MTU again, and try with that"},
  };
  struct lines all = lines(program, STDERR);
  for (size_t i = 0; i < all.count; i++)
    for (size_t k = 0; k < sizeof complaints / sizeof *complaints; k++)
      if (strcasestr(all.list[i].text, complaints[k].words))
        return complaints[k].cause;
  return NULL;
}

/* The one line that it printed, as a number; LONG_MIN if it is none. */
static long number_printed(struct program *program) {
  struct lines all = lines(program, STDOUT);
  char *end = NULL;
  long number = all.count == 1 ? strtol(all.list[0].text, &end, 10) : LONG_MIN;
  return end && end > all.list[0].text && !*end ? number : LONG_MIN;
}

#define ON_STDERR "the number is on stderr, where errors belong: print it on stdout"

static bool stands_on_stderr(struct program *program, long number) {
  struct lines all = lines(program, STDERR);
  const char *text = say("%ld", number);
  for (size_t i = 0; i < all.count; i++)
    if (strstr(all.list[i].text, text))
      return true;
  return false;
}

static const char *wrong_mtu_cause(struct program *program, long mtu) {
  enum { USUAL = 1500 };
  long number = number_printed(program);
  const char *complaint = complaint_cause(program);
  if (complaint)
    return complaint;
  if (telling_of(program, mtu).at_all)
    return "the number is there, but not on a line of its own; or others are beside it";
  if (tells(program, LOOPBACK + 1))
    return "65536 is the MTU of the link; IP_MTU is at most 65535, the largest IP packet";
  if (tells(program, mtu - HEADERS))
    return "that is what fits into a datagram; the headers of IP and UDP count towards the MTU";
  if (number == 0)
    return "0 is what the variable held before: did getsockopt(fd, IPPROTO_IP, IP_MTU, …) fail? "
           "Look at what it returns";
  if (number == (int16_t)mtu)
    return say("%ld is %ld in 16 bits: keep it in an int", number, mtu);
  if (number == USUAL)
    return "1500 is what an Ethernet usually has: print what the kernel says of this one";
  if (number > 0)
    return say("%ld is the MTU of another link: the socket that is connected to HOST knows its own "
               "(IP_MTU)",
               number);
  if (!printed_anything(program, STDOUT) && printed_anything(program, STDERR))
    return stands_on_stderr(program, mtu) ? ON_STDERR : "a call failed: see the message";
  return NULL;
}

CHECK(mtu_of_loopback, "mtu.1", "mtu") {
  udp_peer("silent host", "127.0.0.1", HOME_PORT);
  record_calls();
  struct program *program = start("mtu");
  await_exit(program, PATIENCE);
  struct telling telling = telling_of(program, LOOPBACK);
  EXPECT(telling.alone && !telling.ambiguous,
         .message = "mtu does not print the IP_MTU of loopback on a line of its own",
         .expected = say("%d", LOOPBACK), .actual = printed(program),
         .cause = wrong_mtu_cause(program, LOOPBACK));
  expect_mtu_read(program);
  expect_success(program, "mtu, after printing the MTU,");
}

/* The number would be the same whatever port is asked about; so only the calls show it. */
static void expect_port_used(struct program *program, const char *there, int port) {
  struct option_calls calls = option_calls_of(program);
  if (!reads_mtu(calls, 0)) /* mtu.1 has something to say */
    return;
  EXPECT(reads_mtu(calls, port), .message = say("`mtu %s %d` asks about another port", there, port),
         .expected = say("a UDP socket that is connected to %s:%d", there, port),
         .actual = say("it is connected to %s", address_text(asked_about(calls))),
         .cause = asked_about(calls).port == __builtin_bswap16((uint16_t)port)
                      ? "its two bytes are swapped: sin_port is in network byte order, htons(port)"
                      : "is PORT, the second argument, used?");
}

/* One LAN for each MTU, all of them at this host, and a silent host on each. */
CHECK(mtu_of_other_links, "mtu.2", "mtu") {
  static const struct {
    int mtu, port;
    const char *here, *there;
    bool port_given;
  } links[] = {{1280, 60000, "192.168.1.4", "192.168.1.2", false},
               {1500, 60000, "192.168.2.4", "192.168.2.2", true},
               {9000, 60000, "192.168.3.4", "192.168.3.2", false},
               {1400, 7777, "192.168.4.4", "192.168.4.2", true}};
  enum { LINKS = sizeof links / sizeof *links };
  for (size_t i = 0; i < LINKS; i++) {
    struct host *host = new_host(say("host behind %d", links[i].mtu));
    struct lan *lan = new_lan(say("LAN of MTU %d", links[i].mtu), links[i].mtu);
    attach(localhost(), lan, say("%s/24", links[i].here));
    attach(host, lan, say("%s/24", links[i].there));
    udp_peer_at(host, "silent host", links[i].there, links[i].port);
  }
  udp_peer("silent host", "127.0.0.1", 60000);
  struct program *at_home = start("mtu");
  bool ends_well = await_exit(at_home, PATIENCE) && exit_status(at_home) == 0;
  record_calls();
  for (size_t i = 0; i < LINKS; i++) {
    const char *there = links[i].there, *port = say("%d", links[i].port);
    struct program *program = links[i].port_given ? start("mtu", there, port) : start("mtu", there);
    await_exit(program, PATIENCE);
    struct telling telling = telling_of(program, links[i].mtu);
    EXPECT(telling.at_all && !telling.ambiguous,
           .message = say("`mtu %s%s%s` does not print the MTU of the link to that host", there,
                          links[i].port_given ? " " : "", links[i].port_given ? port : ""),
           .expected = say("%d", links[i].mtu), .actual = printed(program),
           .cause = tells(program, LOOPBACK) || tells(program, LOOPBACK + 1)
                        ? "that is loopback's: is the socket connected to HOST?"
                        : wrong_mtu_cause(program, links[i].mtu));
    if (links[i].port_given)
      expect_port_used(program, there, links[i].port);
    if (ends_well) /* else mtu.1 has something to say */
      expect_success(program, say("`mtu %s`, after printing the MTU,", there));
  }
}

#define LOOKED_UP                                                                                  \
  "a name is turned into an address with getaddrinfo(); inet_pton() knows addresses only"

/* A name that /etc/hosts has. Whether the address does, another check judges. */
static void expect_name_taken(void) {
  static const char name[] = "far-away.example", there[] = "192.168.7.2";
  enum { MTU = 1400 };
  put_file("/etc/hosts", say("127.0.0.1 localhost\n%s %s\n", there, name));
  struct lan *lan = new_lan("LAN", MTU);
  struct host *host = new_host("far away");
  attach(localhost(), lan, "192.168.7.4/24");
  attach(host, lan, say("%s/24", there));
  udp_peer_at(host, "silent host", there, HOME_PORT);
  struct program *by_address = start("mtu", there), *by_name = start("mtu", name);
  await_exit(by_address, PATIENCE);
  await_exit(by_name, PATIENCE);
  EXPECT(tells(by_name, MTU) || !tells(by_address, MTU),
         .message = say("`mtu %s` does not print the MTU of the link to that host", name),
         .expected = say("%d: /etc/hosts has %s for that name", MTU, there),
         .actual = say("%s\n%s", doing(by_name), printed(by_name)),
         .cause = printed_anything(by_name, STDERR)
                      ? LOOKED_UP
                      : "HOST may be any name: is another one than localhost looked up?");
}

/* A name is as good as an address. Whether what is printed for loopback is right, mtu.1 judges. */
CHECK(mtu_takes_names, "mtu.2", "mtu") {
  udp_peer("silent host", "127.0.0.1", 60000);
  struct program *without = start("mtu");
  await_exit(without, PATIENCE);
  struct program *named = start("mtu", "localhost");
  await_exit(named, PATIENCE);
  struct lines expected = lines(without, STDOUT), seen = lines(named, STDOUT);
  bool same = expected.count > 0 && expected.count == seen.count;
  for (size_t i = 0; same && i < seen.count; i++)
    same = strcmp(expected.list[i].text, seen.list[i].text) == 0;
  EXPECT(same || tells(named, LOOPBACK),
         .message = "`mtu localhost` does not print the MTU of loopback",
         .expected = say("%d", LOOPBACK), .actual = printed(named),
         .cause = complaint_cause(named)              ? complaint_cause(named)
                  : stands_on_stderr(named, LOOPBACK) ? ON_STDERR
                                                      : LOOKED_UP);
  fresh_world();
  expect_name_taken();
}

CHECK(mtu_of_unknown_name, "mtu.3", "mtu") {
  static const char *const names[] = {"no-such-host.invalid", "nosuchhost"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct program *program = i ? start("mtu", names[i], "60000") : start("mtu", names[i]);
    await_exit(program, PATIENCE);
    expect_failure(
        program, say("`mtu %s%s`, of a name that does not resolve,", names[i], i ? " 60000" : ""));
  }
  udp_peer("silent host", "127.0.0.1", HOME_PORT);
  struct program *known = start("mtu", "--probe", "127.0.0.1", "60000");
  if (!await_exit(known, PATIENCE) || exit_status(known) != 0)
    return; /* whether there is a --probe is another requirement */
  struct program *unknown = start("mtu", "--probe", names[0], "60000");
  await_exit(unknown, PATIENCE);
  expect_failure(unknown,
                 say("`mtu --probe %s 60000`, of a name that does not resolve,", names[0]));
}

/* ---- mtu --probe: what the whole path lets through ---- */

enum { FAR_PORT = 7001, LINKS_MAX = 4 };

/* A path from this host, over links of these MTUs (0 ends them) with a router between each two, to
 * a far host, which is silent. */
struct path {
  int mtus[LINKS_MAX + 1];
};

static int narrowest(struct path path) {
  int least = path.mtus[0];
  for (int i = 1; path.mtus[i]; i++)
    least = path.mtus[i] < least ? path.mtus[i] : least;
  return least;
}

static const char *path_text(struct path path) {
  const char *text = say("a path over links of %d", path.mtus[0]);
  for (int i = 1; path.mtus[i]; i++)
    text = say("%s%s %d", text, path.mtus[i + 1] ? "," : " and", path.mtus[i]);
  return say("%s bytes", text);
}

/* The far host's address. */
static const char *end_of(struct path path) {
  int links = 1;
  while (path.mtus[links])
    links++;
  return say("10.0.%d.2", links);
}

/* The i-th link's network is 10.0.i.0/24; there is a router at its end, .1, and at its beginning,
 * .254. Reports take 2 ms to come, as they would anywhere: who reads IP_MTU at once reads the old
 * one. */
static struct peer *make_path(struct path path) {
  struct lan *lan = new_lan("link 1", path.mtus[0]);
  int last = 1;
  attach(localhost(), lan, "10.0.1.2/24");
  default_route(localhost(), "10.0.1.1");
  for (; path.mtus[last]; last++) {
    struct lan *next = new_lan(say("link %d", last + 1), path.mtus[last]);
    new_router(say("router %d", last), lan, say("10.0.%d.1/24", last), next,
               say("10.0.%d.254/24", last + 1));
    lan = next;
  }
  struct host *far_host = new_host("far host");
  attach(far_host, lan, say("%s/24", end_of(path)));
  default_route(far_host, say("10.0.%d.254", last));
  treat_frames_to(localhost(), (struct treatment){.delay = 0.002});
  return udp_peer_at(far_host, "far host", end_of(path), FAR_PORT);
}

/* What became of the datagrams that were sent to the far host: lengths with headers. */
struct probing {
  size_t sent, largest; /* how many, and the largest of them */
  size_t largest_there; /* of those that came there */
  size_t reports;       /* "fragmentation needed", by a router */
};

static struct probing probing_seen(struct peer *far) {
  struct frames all = frames_all(), sent = frames_to_port(FAR_PORT);
  struct probing seen = {.sent = sent.count};
  for (size_t i = 0; i < sent.count; i++)
    if (sent.list[i].length + HEADERS > seen.largest)
      seen.largest = sent.list[i].length + HEADERS;
  for (size_t i = 0; i < all.count; i++)
    seen.reports += all.list[i].protocol == IPPROTO_ICMP &&
                    all.list[i].icmp_type == ICMP_DEST_UNREACH &&
                    all.list[i].icmp_code == ICMP_FRAG_NEEDED;
  struct datagram datagram;
  while (udp_receive(far, 0, &datagram))
    if (datagram.length + HEADERS > seen.largest_there)
      seen.largest_there = datagram.length + HEADERS;
  return seen;
}

static const char *probing_text(const struct probing *seen) {
  if (!seen->sent)
    return "no datagram was sent to HOST and PORT";
  return say("the largest packet that was sent to HOST and PORT had %zu bytes, the largest that "
             "came there %zu; routers reported \"fragmentation needed\" %s",
             seen->largest, seen->largest_there, counted(seen->reports, "time"));
}

static const char *wrong_probe_cause(struct program *program, const struct probing *seen,
                                     struct path path, bool by_name) {
  int mtu = narrowest(path);
  const char *complaint = complaint_cause(program);
  if (complaint)
    return complaint;
  if (tells(program, LOOPBACK))
    return "that is loopback's: is the socket connected to HOST?";
  if (!await_exit(program, 0))
    return say("the host is silent, and a report comes soon or not at all: it %s, for ever",
               doing(program));
  if (!seen->sent && by_name && printed_anything(program, STDERR))
    return LOOKED_UP;
  if (!seen->sent)
    return "no datagram left: is each larger than the first link lets through? Of its MTU the "
           "headers of IP and UDP take 28 bytes; or was IP_MTU not read?";
  if (path.mtus[0] > (int)seen->largest && number_printed(program) == (long)seen->largest)
    return say("no datagram was larger than %zu bytes with its headers: begin with as many as "
               "IP_MTU says, however many that are",
               seen->largest);
  if (tells(program, mtu - HEADERS))
    return "that is what fits into a datagram; the headers of IP and UDP count towards the MTU";
  for (int i = 1; path.mtus[i]; i++)
    if (path.mtus[i] > mtu && path.mtus[i] < path.mtus[0] && tells(program, path.mtus[i]))
      return "behind the router that objected comes another one: send again, until nobody objects "
             "(a send() that fails has sent nothing; its error may be the report on the one "
             "before)";
  long number = number_printed(program);
  if (seen->reports > 0 && number > 0 && number < mtu)
    return say(
        "%ld is less than the path lets through: is it from a table of usual MTUs? After the "
        "router's report IP_MTU is the one that it named",
        number);
  if (mtu == path.mtus[0] || !tells(program, path.mtus[0]))
    return NULL;
  if ((int)seen->largest_there == mtu)
    return "a datagram of the right size was tried in the end, and got through, but the MTU that it "
           "began with is printed";
  if (seen->reports > 0)
    return "the router's report comes some time after the datagram was sent: wait for it (the "
           "socket then has an error, EMSGSIZE), and read IP_MTU again";
  return (int)seen->largest == path.mtus[0]
             ? "the datagram may be cut, so no router objects: IP_MTU_DISCOVER is not set"
             : "that is the first link's MTU; only a datagram of that size finds out about others";
}

static const char *untried_cause(const struct probing *seen, int mtu) {
  if (!seen->sent)
    return frames_sent().count > 0
               ? "datagrams were sent, but not to PORT: is the argument used, in "
                 "network byte order (htons)?"
               : "it sends nothing: only a datagram finds out about the path";
  if (seen->largest_there > 0 && (int)seen->largest_there < mtu)
    return say("the datagram lacks %d bytes: its text is to have as many as the MTU but 28, 20 for "
               "the header of IP and 8 for that of UDP",
               mtu - (int)seen->largest_there);
  return "after a refusal try again, with the new IP_MTU: a narrower link may come after the first "
         "narrow one";
}

static void check_probe_of(struct path path, struct peer *far, const char *host) {
  int mtu = narrowest(path);
  struct program *program = start("mtu", "--probe", host, say("%d", FAR_PORT));
  bool ended = await_exit(program, PATIENCE);
  struct probing seen = probing_seen(far);
  EXPECT(tells(program, mtu),
         .message = say("`mtu --probe` does not find the MTU of %s", path_text(path)),
         .expected = say("%d", mtu), .actual = say("%s\n%s", printed(program), probing_text(&seen)),
         .cause = wrong_probe_cause(program, &seen, path, strcmp(host, end_of(path)) != 0));
  EXPECT((int)seen.largest_there == mtu,
         .message = say("`mtu --probe` does not try what it prints on %s", path_text(path)),
         .expected = say("in the end a datagram that fills %d bytes with its headers", mtu),
         .actual = probing_text(&seen), .cause = untried_cause(&seen, mtu));
  EXPECT(ended, .message = "`mtu --probe` does not end by itself",
         .expected = "it ends when no datagram is refused any more, though nobody answers",
         .actual = say("it %s", doing(program)),
         .cause = "the host is silent: wait for a report for a second or so, not for ever");
  expect_success(program, "`mtu --probe`, after printing the MTU,");
}

static void check_probe(struct path path) {
  check_probe_of(path, make_path(path), end_of(path));
}

static void check_probes(const struct path *paths, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (i > 0)
      fresh_world();
    check_probe(paths[i]);
  }
}

CHECK(mtu_of_path, "mtu.4", "mtu") {
  static const struct path paths[] = {
      {{1500, 1280}}, {{9000, 1400}}, {{1500, 1492}}, {{1500, ODD_MTU}}};
  check_probes(paths, sizeof paths / sizeof *paths);
  fresh_world(); /* a name is as good as an address */
  put_file("/etc/hosts", say("127.0.0.1 localhost\n%s far-away.example\n", end_of(paths[0])));
  struct peer *far = make_path(paths[0]);
  struct program *without = start("mtu", "far-away.example");
  if (await_exit(without, PATIENCE) &&
      exit_status(without) == 0) /* else mtu.2 has something to say */
    check_probe_of(paths[0], far, "far-away.example");
}

CHECK(mtu_of_path_that_is_nowhere_narrower, "mtu.4", "mtu") {
  static const struct path paths[] = {{{1500, 1500}}, {{1400, 9000}}, {{9000, 9000}}};
  check_probes(paths, sizeof paths / sizeof *paths);
}

CHECK(mtu_of_path_that_narrows_step_by_step, "mtu.4", "mtu") {
  static const struct path paths[] = {{{1500, 1400, 1280}}, {{9000, 1500, 1492, 1280}}};
  check_probes(paths, sizeof paths / sizeof *paths);
}
