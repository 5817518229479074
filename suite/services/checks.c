/* services: ports by the names of services, from the world's own /etc/services. */
#define LAB services
#include "grader/sdk/wiregrade.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 10 };

static void put_services(const char *text) {
  put_file("/etc/nsswitch.conf", "hosts: files dns\nservices: files\nprotocols: files\n");
  put_file("/etc/services", text);
}

/* As it is on most systems, only shorter. */
static void put_usual_services(void) {
  put_services("# Network services, Internet style\n"
               "\n"
               "echo\t\t7/tcp\n"
               "echo\t\t7/udp\n"
               "ftp\t\t21/tcp\n"
               "ssh\t\t22/tcp\t\t\t\t# SSH Remote Login Protocol\n"
               "telnet\t\t23/tcp\n"
               "smtp\t\t25/tcp\t\tmail\n"
               "domain\t\t53/tcp\t\t\t\t# Domain Name Server\n"
               "domain\t\t53/udp\n"
               "http\t\t80/tcp\t\twww\t\t# WorldWideWeb HTTP\n"
               "mysql\t\t3306/tcp\n"
               "zabbix-trapper\t10051/tcp\n");
}

static struct program *run_services(const char *const *arguments) {
  struct program *services = start_with(localhost(), "services", arguments);
  await_exit(services, PATIENCE);
  return services;
}

/* The arguments of run_services. */
#define ASK(...) ((const char *const[]){"services", __VA_ARGS__, NULL})

static const char *command_text(const char *const *arguments) {
  const char *text = arguments[0];
  while (*++arguments)
    text = say("%s %s", text, *arguments);
  return text;
}

static const char *const usual_lines[] = {"ssh protocol port: 22", "domain protocol port: 53",
                                          "telnet protocol port: 23", "mysql protocol port: 3306"};
enum { USUAL = sizeof usual_lines / sizeof *usual_lines };

CHECK(knows_the_usual_four, "services.1", "services") {
  put_usual_services();
  struct program *services = run_services((const char *const[]){"services", NULL});
  struct lines seen = lines(services, STDOUT);
  bool same = seen.count == USUAL, swapped = false;
  for (size_t i = 0; same && i < USUAL; i++)
    same = strcmp(seen.list[i].text, usual_lines[i]) == 0;
  for (size_t i = 0; i < seen.count; i++)
    swapped |= strcmp(seen.list[i].text, "ssh protocol port: 5632") == 0;
  EXPECT(same,
         .message = "services without arguments does not print the four lines, and nothing else",
         .expected =
             say("%s\n%s\n%s\n%s", usual_lines[0], usual_lines[1], usual_lines[2], usual_lines[3]),
         .actual = printed(services),
         .cause = swapped ? "the port is in network byte order: print ntohs(s_port)" : NULL);
  expect_success(services, "services without arguments");
}

/* The usual line for a service, from its beginning. */
static const char *line_for(const char *name) {
  for (size_t i = 0; i < USUAL; i++)
    if (strncmp(usual_lines[i], name, strlen(name)) == 0)
      return usual_lines[i];
  check_error(say("no line for %s", name));
}

static void expect_lines_for(const char *const *arguments) {
  struct program *services = run_services(arguments);
  const char *expected = "", *seen = "";
  for (const char *const *name = arguments + 1; *name; name++)
    expected = say("%s%s\n", expected, line_for(*name));
  struct lines all = lines(services, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    if (strstr(all.list[i].text, " protocol port: "))
      seen = say("%s%s\n", seen, all.list[i].text);
  EXPECT(strcmp(seen, expected) == 0,
         .message = say("\"%s\" does not print one line for each name, in their order",
                        command_text(arguments)),
         .expected = expected, .actual = printed(services));
  expect_success(services, say("\"%s\"", command_text(arguments)));
}

CHECK(takes_names, "services.2", "services") {
  put_usual_services();
  expect_lines_for(ASK("telnet"));
  expect_lines_for(ASK("mysql", "ssh"));
  expect_lines_for(ASK("domain", "mysql", "telnet", "ssh"));
  expect_lines_for(ASK("ssh", "ssh", "domain", "ssh", "telnet", "mysql", "domain", "telnet",
                       "mysql", "domain", "ssh", "mysql", "telnet"));
}

/* ---- the world's own /etc/services ---- */

/* The last number in the first line that holds the name, or -1: how the line is worded, and in
 * which byte order the port is, is the business of other requirements. */
static long port_shown(struct program *services, const char *name) {
  struct lines all = lines(services, STDOUT);
  for (size_t i = 0; i < all.count; i++) {
    const char *begin = strstr(all.list[i].text, name);
    const char *digit = begin ? begin + strlen(begin) : NULL;
    while (begin && digit > begin && !isdigit((unsigned char)*digit))
      digit--;
    while (begin && digit > begin && isdigit((unsigned char)digit[-1]))
      digit--;
    if (begin && isdigit((unsigned char)*digit))
      return digit > begin && digit[-1] == '-' ? -atol(digit) : atol(digit);
  }
  return -1;
}

static bool is_port(long shown, long port) {
  return shown == port || shown == (port >> 8 | (port & 0xff) << 8);
}

static void expect_port(const char *name, long port) {
  struct program *services = run_services(ASK(name));
  long shown = port_shown(services, name);
  EXPECT(
      is_port(shown, port),
      .message = say("services does not find %s where /etc/services has it", name),
      .expected = say("%s protocol port: %ld, since /etc/services says so here", name, port),
      .actual = printed(services),
      .cause =
          shown == (int16_t)port
              ? "a port is 16 bits without a sign: an int16_t, or a short, is negative from 32768 on"
          : shown >= 0 ? "does the program have a table of its own?"
                       : NULL);
}

CHECK(reads_etc_services, "services.3", "services") {
  int ssh = random_between(1024, 9999), odd = random_between(10000, 32000);
  static const char *const both[] = {"tcp", "udp"};
  const char *file = "# ssh\t\t22/tcp, as it used to be\n"
                     "sshell\t\t614/tcp\t\t\t# has ssh in it\n"
                     "x-ssh\t\t615/tcp\n";
  for (size_t i = 0; i < 2; i++)
    file =
        say("%s"
            "domain\t\t%d/%s\n"
            "ssh\t\t%d/%s\t\t\t\t# not 22\n"
            "telnet %d/%s\n"
            "wiregrade-odd\t%d/%s\n"
            "wiregrade-high\t47808/%s\t\t\t# more than 32767\n"
            "wiregrade-last\t65535/%s\n",
            file, ssh + 1, both[i], ssh, both[i], ssh + 2, both[i], odd, both[i], both[i], both[i]);
  put_services(say("%smysql\t\t%d/tcp\nmysql\t\t%d/udp\n", file, ssh + 3, ssh + 3));
  expect_port("ssh", ssh);
  expect_port("domain", ssh + 1);
  expect_port("telnet", ssh + 2);
  expect_port("mysql", ssh + 3);
  expect_port("wiregrade-odd", odd);
  expect_port("wiregrade-high", 47808);
  expect_port("wiregrade-last", 65535);
  /* Not telnet: Go's library knows a few ports of its own, ssh's and telnet's among them, that
   * /etc/services can change but not take away. */
  put_services(file);
  struct program *services = run_services(ASK("mysql"));
  EXPECT(!is_port(port_shown(services, "mysql"), 3306),
         .message = "services knows a port for mysql, which is not in /etc/services",
         .expected = "no port: the system's database decides", .actual = printed(services),
         .cause = "the program has a table of its own beside the database");
}

/* ---- unknown services ---- */

/* Whether each name of the command line has a line of its own, in order: if not, it is another
 * requirement's business which lines come before an unknown name. */
static bool answers_each(struct program *services, const char *const *arguments) {
  struct lines seen = lines(services, STDOUT);
  size_t count = 0;
  while (arguments[1 + count] && count < seen.count &&
         strstr(seen.list[count].text, arguments[1 + count]))
    count++;
  return !arguments[1 + count] && await_exit(services, 0) && exit_status(services) == 0;
}

static void expect_unknown(struct program *services, const char *what, const char *unknown) {
  expect_failure(services, what);
  struct output message = output_of(services, STDERR);
  EXPECT(strstr((const char *)message.bytes, unknown),
         .message = say("%s does not say which service is unknown", what),
         .expected = say("a message on stderr that names %s", unknown), .actual = printed(services),
         .cause = "what getservbyname() leaves behind does not name it: the program must");
}

/* What it prints for `known` alone must be printed too if an unknown name follows. */
static void expect_lines_before_unknown(const char *const *known, const char *const *arguments,
                                        const char *unknown) {
  struct program *services = run_services(known);
  if (!answers_each(services, known))
    return;
  struct lines before = lines(services, STDOUT);
  const char *what = say("\"%s\"", command_text(arguments));
  services = run_services(arguments);
  expect_unknown(services, what, unknown);
  struct lines seen = lines(services, STDOUT);
  for (size_t i = 0; i < before.count; i++)
    EXPECT(
        i < seen.count && strcmp(seen.list[i].text, before.list[i].text) == 0,
        .message = say("%s does not print the lines of the names before the unknown one", what),
        .expected = before.list[i].text, .actual = printed(services),
        .cause =
            "are they still in stdout's buffer when the program ends? exit() writes it out, _exit() and abort() do not");
}

CHECK(says_what_is_unknown, "services.4", "services") {
  put_usual_services();
  struct program *services = run_services(ASK("no-such-service"));
  expect_unknown(services, "\"services no-such-service\"", "no-such-service");
  services = run_services(ASK("telne")); /* the beginning of a name is no name */
  expect_unknown(services, "\"services telne\"", "telne");
  expect_lines_before_unknown(ASK("ssh", "domain"), ASK("ssh", "domain", "wiregrade-unheard-of"),
                              "wiregrade-unheard-of");
  expect_lines_before_unknown(ASK("mysql", "telnet", "ssh"),
                              ASK("mysql", "telnet", "ssh", "no-such-service", "domain"),
                              "no-such-service");
}
