/* broadcast: the options, which mean the same as the positions. */
#include "server.h"

/* ---- the server ---- */

/* A server with these arguments, in a world of its own. */
static struct program *start_server_with(const char *const *arguments) {
  fresh_world();
  return start_with(new_network(1).servers[0], "broadcast", arguments);
}

/* Why an option has not the effect of the argument. */
static const char *option_cause(struct program *server, const char *bound, struct address wanted) {
  struct address swapped = {.ip = 0, .port = __builtin_bswap16(wanted.port)};
  if (!bound && await_bound_to(server, swapped))
    return say("it is bound to port %u, which is %u with its two bytes swapped: the option's text "
               "is to be converted as the argument's is, with htons()",
               swapped.port, wanted.port);
  if (!bound && await_exit(server, 0) && printed_anything(server, STDERR))
    return "it ended with a message on stderr: is it taken for a wrong argument? --serverIp and "
           "--serverPort, in these letters, may stand together or alone, for server and client";
  return bound ? "the option is read and not used, or taken for something else" : NULL;
}

/* Ends the check unless the server is bound to that in one of the forms that options may have. */
static void expect_options_bind(const char *ip, const char *port, enum option_order order,
                                struct address wanted) {
  struct option_forms forms = option_forms("server", ip, port, order);
  for (size_t i = 0; i < OPTION_FORMS; i++)
    if (await_bound_to(start_server_with(forms.arguments[i]), wanted))
      return;
  struct program *server = start_server_with(forms.arguments[0]);
  await_exit(server, 1);
  const char *bound = udp_bound_besides(server, address("0.0.0.1", PORT));
  check_fail((struct failure_report){
      .message = say("the server does not do what %s", !port ? "--serverIp says"
                                                       : !ip ? "--serverPort says"
                                                             : "--serverIp and --serverPort say"),
      .expected = say("`%s` is bound to %s", option_command(&forms),
                      wanted.ip ? address_text(wanted) : say("port %d", wanted.port)),
      .actual = bound ? say("it is bound to %s", bound)
                      : say("it is not; the program %s\n%s", doing(server), printed(server)),
      .cause = option_cause(server, bound, wanted)});
}

CHECK(server_takes_options, "broadcast.9", "broadcast") {
  /* An address that it takes as an argument: which ones it must take is another requirement. */
  const char *const ips[] = {server_ip(0), EVERYBODY_HERE, EVERYBODY};
  const char *ip = NULL, *port = say("%d", OTHER_PORT);
  for (size_t i = 0; i < sizeof ips / sizeof *ips && !ip; i++) {
    const char *const arguments[] = {"broadcast", "server", ips[i], NULL};
    if (await_bound_to(start_server_with(arguments), address(ips[i], PORT)))
      ip = ips[i];
  }
  if (!ip)
    ip = server_ip(0);
  expect_options_bind(ip, NULL, IP_FIRST, address(ip, PORT));
  expect_options_bind(NULL, port, IP_FIRST, address("0.0.0.0", OTHER_PORT));
  expect_options_bind(ip, port, IP_FIRST, address(ip, OTHER_PORT));
  expect_options_bind(ip, port, PORT_FIRST, address(ip, OTHER_PORT));
  const char *const named[] = {"broadcast", "server", "<broadcast>", NULL};
  struct address limited = address(EVERYBODY_HERE, PORT);
  if (await_bound_to(start_server_with(named), limited))
    expect_options_bind("<broadcast>", NULL, IP_FIRST, limited);
}

/* ---- the client ---- */

/* Where a client with these arguments sends its first datagram, in a world of its own; 0.0.0.0 if
 * it sends none. */
static struct address asked_with(const char *const *arguments, struct program **client) {
  fresh_world();
  struct network network = new_network(1);
  *client = start_with(network.client, "broadcast", arguments);
  double began = now();
  while (datagrams_sent_by("client").count == 0 && now() < began + 5 && !await_exit(*client, 0))
    pass(0.05);
  struct datagrams_sent sent = datagrams_sent_by("client");
  return sent.count ? sent.list[0].destination : address("0.0.0.0", 0);
}

/* Whether one of the forms that options may have does what the positions do: `wanted`, or, if these
 * have a fault of their own, `positions`. */
static bool options_do(const struct option_forms *forms, struct address wanted,
                       struct address positions) {
  struct program *client;
  for (size_t i = 0; i < OPTION_FORMS; i++) {
    struct address asked = asked_with(forms->arguments[i], &client);
    if (address_equal(asked, wanted) || (asked.ip && address_equal(asked, positions)))
      return true;
  }
  return false;
}

static struct address asked_at(const char *ip, const char *port) {
  struct program *client;
  return asked_with((const char *const[]){"broadcast", "client", ip, port, NULL}, &client);
}

static void expect_options_asked(const char *ip, const char *port, enum option_order order,
                                 struct address wanted, struct address positions) {
  struct option_forms forms = option_forms("client", ip, port, order);
  if (options_do(&forms, wanted, positions))
    return;
  struct program *client;
  struct address asked = asked_with(forms.arguments[0], &client);
  check_fail((struct failure_report){
      .message = port ? "the client does not do what --serverIp and --serverPort say"
                      : "the client does not do what --serverIp says",
      .expected = say("`%s` sends a datagram to %s", option_command(&forms), address_text(wanted)),
      .actual = asked.ip ? say("it sends one to %s", address_text(asked))
                         : say("none is sent; the program %s\n%s", doing(client), printed(client)),
      .cause =
          asked.ip && asked.port == __builtin_bswap16(wanted.port)
              ? say("%u is %u with its two bytes swapped: the option's text is to be converted "
                    "as the argument's is, with htons()",
                    asked.port, wanted.port)
          : asked.ip ? "the option is read and not used"
          : await_exit(client, 0) && printed_anything(client, STDERR)
              ? "it ended with a message on stderr: is it taken for a wrong argument? "
                "--serverIp and --serverPort are written in these letters"
              : NULL});
}

CHECK(client_takes_options, "broadcast.9", "broadcast") {
  /* Those that it takes as arguments. That it can broadcast, and where to, are other requirements;
   * that it can ask one host is none. */
  const char *const ips[] = {EVERYBODY, server_ip(0)};
  const char *port = say("%d", OTHER_PORT);
  bool any = false;
  for (int i = 0; i < 2; i++) {
    struct address with_ip = asked_at(ips[i], NULL), both = address(ips[i], OTHER_PORT);
    if (with_ip.ip != both.ip && (i == 0 || any))
      continue;
    any = true;
    expect_options_asked(ips[i], NULL, IP_FIRST, address(ips[i], PORT), with_ip);
    struct address with_both = asked_at(ips[i], port);
    struct address both_by_position = both;
    bool port_has_effect = !address_equal(with_ip, with_both);
    if (port_has_effect)
      both_by_position = with_both;
    expect_options_asked(ips[i], port, IP_FIRST, both, both_by_position);
    expect_options_asked(ips[i], port, PORT_FIRST, both, both_by_position);
  }
}
