/* services: ports by the names of services, from the world's own /etc/services. */
#define LAB services
#include "grader/sdk/wiregrade.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 60 };

static void put_services(const char *text) {
  put_file("/etc/nsswitch.conf", "hosts: files dns\nservices: files\nprotocols: files\n");
  put_file("/etc/services", text);
}

/* As it is on most systems, only shorter. */
#define SERVICES_BUT_MYSQL                                                                         \
  "# Network services, Internet style\n"                                                           \
  "\n"                                                                                             \
  "echo\t\t7/tcp\n"                                                                                \
  "echo\t\t7/udp\n"                                                                                \
  "ftp\t\t21/tcp\n"                                                                                \
  "ssh\t\t22/tcp\t\t\t\t# SSH Remote Login Protocol\n"                                             \
  "telnet\t\t23/tcp\n"                                                                             \
  "smtp\t\t25/tcp\t\tmail\n"                                                                       \
  "domain\t\t53/tcp\t\t\t\t# Domain Name Server\n"                                                 \
  "domain\t\t53/udp\n"                                                                             \
  "http\t\t80/tcp\t\twww\t\t# WorldWideWeb HTTP\n"                                                 \
  "zabbix-trapper\t10051/tcp\n"

static void put_usual_services(void) {
  put_services(SERVICES_BUT_MYSQL "mysql\t\t3306/tcp\n");
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
static const char *const usual_names[USUAL] = {"ssh", "domain", "telnet", "mysql"};

/* ---- why lines are not the required ones ---- */

static bool says(struct program *program, enum stream stream, const char *text) {
  struct output output = output_of(program, stream);
  return strstr((const char *)output.bytes, text) != NULL;
}

/* The last number in the line, or -1; a minus before it counts. */
static long number_in(const char *line, const char *name) {
  const char *digit = line + strlen(line);
  const char *begin = strstr(line, name);
  if (!begin)
    return -1;
  while (digit > begin && !isdigit((unsigned char)*digit))
    digit--;
  while (digit > begin && isdigit((unsigned char)digit[-1]))
    digit--;
  if (!isdigit((unsigned char)*digit))
    return -1;
  return digit > begin && digit[-1] == '-' ? -atol(digit) : atol(digit);
}

static long swapped(long port) {
  return port >> 8 | (port & 0xff) << 8;
}

/* Nothing is printed for the first of the names: who is it that it does not find? */
static const char *nothing_cause(struct program *services, const char *name) {
  if (!printed_anything(services, STDERR))
    return "it looks nothing up: the names are argv[1] to argv[argc - 1], the last one included";
  bool names_itself = says(services, STDERR, "services") && !says(services, STDERR, "Traceback");
  if (!says(services, STDERR, name) && names_itself)
    return "does it look itself up? argv[0] is the program's own name, the others begin with argv[1]";
  struct program *domain = run_services(ASK("domain"));
  if (strcmp(name, "domain") != 0 && says(domain, STDOUT, "domain"))
    return say(
        "domain is found, which is there for udp too; %s is there for tcp only: ask for any protocol, with NULL",
        name);
  return NULL;
}

/* What is wrong with a line for a name whose line should be `wanted`; NULL: nothing that is known.
 */
static const char *line_cause(const char *seen, const char *name, const char *wanted) {
  long port = number_in(wanted, name), shown = number_in(seen, name);
  if (port != swapped(port) && shown == swapped(port))
    return "the port is in network byte order: print ntohs(s_port)";
  if (shown != port)
    return NULL;
  return strstr(seen, " tcp ") || strstr(seen, " udp ")
             ? "the name of the protocol has no place in the line"
             : "the port is right, but the words around it are others";
}

static bool has_line(const char *const *wanted, size_t count, const char *line) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(wanted[i], line) == 0)
      return true;
  return false;
}

/* Whether each of the lines is there, so often as it must be. */
static bool same_in_another_order(struct lines seen, const char *const *wanted, size_t count) {
  bool same = seen.count == count;
  for (size_t i = 0; same && i < count; i++) {
    size_t left = 0, right = 0;
    for (size_t k = 0; k < count; k++) {
      left += strcmp(wanted[k], wanted[i]) == 0;
      right += strcmp(seen.list[k].text, wanted[i]) == 0;
    }
    same = left == right;
  }
  return same;
}

static const char *too_few_cause(struct lines seen, const char *const *wanted, size_t count) {
  size_t same = 0;
  while (same < seen.count && same < count && strcmp(seen.list[same].text, wanted[same]) == 0)
    same++;
  if (same == seen.count)
    return same == 1
               ? "only the first name is looked up: they are argv[1] to argv[argc - 1]"
               : say("only %zu of %zu names are looked up: they are argv[1] to argv[argc - 1]",
                     same, count);
  return has_line(wanted, same, wanted[same]) ? "a name that comes again gets a line again" : NULL;
}

/* Chosen by the lines that were printed, for these names, where `wanted` should stand. */
static const char *lines_cause(struct program *services, const char *const *names,
                               const char *const *wanted, size_t count) {
  struct lines seen = lines(services, STDOUT);
  if (seen.count == 0)
    return nothing_cause(services, names[0]);
  const char *cause = line_cause(seen.list[0].text, names[0], wanted[0]);
  if (strcmp(seen.list[0].text, wanted[0]) != 0 && cause)
    return cause;
  if (same_in_another_order(seen, wanted, count))
    return strcmp(seen.list[0].text, wanted[count - 1]) == 0
               ? "the lines are the right ones, but come from the last to the first"
               : "the lines are the right ones, but not in this order";
  if (seen.count == USUAL + count && strcmp(seen.list[0].text, usual_lines[0]) == 0)
    return "the usual four are printed too: they are for when there is no argument";
  if (seen.count < count)
    return too_few_cause(seen, wanted, count);
  if (seen.count > count)
    return "there are more lines than names: no heading, nothing else";
  for (size_t i = 0; i < count; i++)
    if (!has_line(wanted, count, seen.list[i].text))
      return say("“%s” was not asked for; it is %s", seen.list[i].text, names[i]);
  return NULL;
}

/* ---- the usual four ---- */

CHECK(knows_the_usual_four, "services.1", "services") {
  put_usual_services();
  struct program *services = run_services((const char *const[]){"services", NULL});
  struct lines seen = lines(services, STDOUT);
  bool same = seen.count == USUAL;
  for (size_t i = 0; same && i < USUAL; i++)
    same = strcmp(seen.list[i].text, usual_lines[i]) == 0;
  EXPECT(
      same, .message = "services without arguments does not print the four lines, and nothing else",
      .expected =
          say("%s\n%s\n%s\n%s", usual_lines[0], usual_lines[1], usual_lines[2], usual_lines[3]),
      .actual = printed(services), .cause = lines_cause(services, usual_names, usual_lines, USUAL));
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
  enum { MOST = 64 };
  struct program *services = run_services(arguments);
  const char *const *names = arguments + 1;
  const char *expected = "", *seen = "", *wanted[MOST] = {""};
  size_t count = 0;
  for (; names[count] && count < MOST; count++) {
    wanted[count] = line_for(names[count]);
    expected = say("%s%s%s", expected, count ? "\n" : "", wanted[count]);
  }
  struct lines all = lines(services, STDOUT);
  for (size_t i = 0; i < all.count; i++)
    if (strstr(all.list[i].text, " protocol port: "))
      seen = say("%s%s%s", seen, *seen ? "\n" : "", all.list[i].text);
  EXPECT(strcmp(seen, expected) == 0,
         .message = say("\"%s\" does not print one line for each name, in their order",
                        command_text(arguments)),
         .expected = expected, .actual = printed(services),
         .cause = lines_cause(services, names, wanted, count));
  expect_success(services, say("\"%s\"", command_text(arguments)));
}

CHECK(takes_names, "services.2", "services") {
  put_usual_services();
  expect_lines_for(ASK("telnet"));
  expect_lines_for(ASK("mysql", "ssh"));
  expect_lines_for(ASK("domain", "mysql", "telnet", "ssh"));
  expect_lines_for(ASK("ssh", "ssh", "domain", "ssh", "telnet", "mysql", "domain", "telnet",
                       "mysql", "domain", "ssh", "mysql", "telnet"));
  enum { MANY = 41 };
  const char *many[1 + MANY + 1] = {"services"};
  for (size_t i = 0; i < MANY; i++)
    many[1 + i] = usual_names[i * 3 % USUAL];
  expect_lines_for(many);
}

/* ---- the world's own /etc/services ---- */

/* The number in the first line that holds the name, or -1: how the line is worded, and in which
 * byte order the port is, is the business of other requirements. */
static long port_shown(struct program *services, const char *name) {
  struct lines all = lines(services, STDOUT);
  for (size_t i = 0; i < all.count; i++) {
    long number = number_in(all.list[i].text, name);
    if (number != -1)
      return number;
  }
  return -1;
}

static bool is_port(long shown, long port) {
  return shown == port || shown == swapped(port);
}

/* What stands in the same file, and is no port of ssh. */
enum { SSH_IN_COMMENT = 222, SSHELL = 614, X_SSH = 615 };

/* Why the port of /etc/services is not shown. */
static const char *port_cause(struct program *services, const char *name, long port) {
  enum { SYSTEM_PORTS = 1024 };
  long shown = port_shown(services, name);
  if (shown == -1) {
    const char *cause = nothing_cause(services, name);
    if (cause || port < SYSTEM_PORTS)
      return cause;
    put_usual_services();
    return port_shown(run_services(ASK("ssh")), "ssh") != -1
               ? say("with port 22 in /etc/services ssh is found, %s with port %ld is not: any port up to 65535 is one",
                     name, port)
               : NULL;
  }
  if (shown == SSH_IN_COMMENT)
    return say("%d stands in a comment of /etc/services: what follows a # does not count",
               SSH_IN_COMMENT);
  if (shown == SSHELL || shown == X_SSH)
    return say("%ld is the port of %s, which has “ssh” in its name: compare whole names", shown,
               shown == SSHELL ? "sshell" : "x-ssh");
  if (shown == (int16_t)port)
    return "a port is 16 bits without a sign: an int16_t, or a short, is negative from 32768 on";
  for (size_t i = 0; i < USUAL; i++)
    if (strcmp(usual_names[i], name) == 0 && is_port(shown, number_in(usual_lines[i], name)))
      return say(
          "%ld is the usual port of %s, but not the one in this /etc/services: does the program have a table of its own?",
          shown, name);
  return NULL;
}

static void expect_port(const char *name, long port) {
  struct program *services = run_services(ASK(name));
  EXPECT(is_port(port_shown(services, name), port),
         .message = say("services does not find %s where /etc/services has it", name),
         .expected = say("%s protocol port: %ld, since /etc/services says so here", name, port),
         .actual = printed(services), .cause = port_cause(services, name, port));
}

/* Which of its names is printed is another requirement. */
static void expect_alias(const char *name, const char *alias, long port) {
  struct program *services = run_services(ASK(alias));
  struct lines all = lines(services, STDOUT);
  bool found = false;
  for (size_t i = 0; i < all.count; i++)
    found |= is_port(number_in(all.list[i].text, ""), port);
  EXPECT(found,
         .message =
             say("services does not find %s, another name of %s in /etc/services", alias, name),
         .expected = say("port %ld, since /etc/services says so here", port),
         .actual = printed(services),
         .cause = "in a line of /etc/services more names may follow the port: each of them counts");
}

/* Without an argument, too; the usual four have the ports from `first` on. Which services are shown
 * then is another requirement's business. */
static void expect_usual_ports(long first) {
  struct program *services = run_services((const char *const[]){"services", NULL});
  for (long i = 0; i < USUAL; i++) {
    long shown = port_shown(services, usual_names[i]);
    EXPECT(shown == -1 || is_port(shown, first + i),
           .message = say("services without arguments does not find %s where /etc/services has it",
                          usual_names[i]),
           .expected = say("%s protocol port: %ld, since /etc/services says so here",
                           usual_names[i], first + i),
           .actual = printed(services),
           .cause = "are the lines for no argument written into the program? They are looked up "
                    "like any other");
  }
}

CHECK(reads_etc_services, "services.3", "services") {
  int ssh = random_between(1024, 9999), odd = random_between(10000, 32000);
  static const char *const both[] = {"tcp", "udp"};
  const char *file = say("# ssh\t\t%d/tcp, as it used to be\n"
                         "sshell\t\t%d/tcp\t\t\t# has ssh in it\n"
                         "x-ssh\t\t%d/tcp\n",
                         SSH_IN_COMMENT, SSHELL, X_SSH);
  for (size_t i = 0; i < 2; i++)
    file =
        say("%s"
            "domain\t\t%d/%s\n"
            "ssh\t\t%d/%s\t\t\t\t# not 22\n"
            "telnet %d/%s\n"
            "wiregrade-odd\t%d/%s\twiregrade-strange wiregrade-queer\n"
            "wiregrade-high\t47808/%s\t\t\t# more than 32767\n"
            "wiregrade-last\t65535/%s\n",
            file, ssh + 1, both[i], ssh, both[i], ssh + 2, both[i], odd, both[i], both[i], both[i]);
  put_services(say("%smysql\t\t%d/tcp\nmysql\t\t%d/udp\n", file, ssh + 3, ssh + 3));
  expect_port("ssh", ssh);
  expect_port("domain", ssh + 1);
  expect_port("telnet", ssh + 2);
  expect_port("mysql", ssh + 3);
  expect_port("wiregrade-odd", odd);
  expect_alias("wiregrade-odd", "wiregrade-strange", odd);
  expect_alias("wiregrade-odd", "wiregrade-queer", odd);
  expect_port("wiregrade-high", 47808);
  expect_port("wiregrade-last", 65535);
  expect_usual_ports(ssh);
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
  bool silent = !printed_anything(services, EITHER);
  expect_failure_because(
      services, what,
      (struct failure_causes){
          .crashes = "getservbyname() returns NULL for it: look at that before you use the result",
          .succeeds = silent ? nothing_cause(services, unknown)
                      : says(services, STDOUT, unknown)
                          ? "a line is printed for it as if it had a port: there is none"
                          : NULL});
  EXPECT(
      says(services, STDERR, unknown),
      .message = say("%s does not say which service is unknown", what),
      .expected = say("a message on stderr that names %s", unknown), .actual = printed(services),
      .cause =
          says(services, STDERR, "Success")
              ? "getservbyname() does not set errno, so perror() says “Success”: print a message that names the service"
          : says(services, STDERR, "services") ? nothing_cause(services, unknown)
          : says(services, STDERR, say("%.8s", unknown))
              ? "only a part of the name is there: is the text that it is copied to too short?"
              : "what getservbyname() leaves behind does not name it: the program must");
}

/* Why no line came before the unknown name: asked for so many names that their lines do not fit
 * into a buffer, it prints some if it prints each in its turn. */
static const char *lines_before_cause(void) {
  enum { NAMES = 1000 };
  const char *names[NAMES + 3] = {"services"};
  for (size_t i = 0; i < NAMES; i++)
    names[1 + i] = "domain";
  names[1 + NAMES] = "no-such-service";
  return printed_anything(run_services(names), STDOUT)
             ? "the lines are in stdout's buffer when the program ends: exit() and the return from main write it out, _exit() and abort() do not"
             : "are all names looked up before the first line is printed? print each when its turn comes";
}

static bool has_line_like(struct lines all, const char *wanted) {
  for (size_t i = 0; i < all.count; i++)
    if (strcmp(all.list[i].text, wanted) == 0)
      return true;
  return false;
}

static const char *line_of(struct lines all, const char *name) {
  for (size_t i = 0; i < all.count; i++)
    if (strstr(all.list[i].text, name))
      return all.list[i].text;
  return NULL;
}

/* What it prints for each of the `known` must be printed too if an unknown name follows. Which
 * lines it prints besides is the business of other requirements. */
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
  for (size_t i = 1; known[i]; i++) {
    const char *wanted = line_of(before, known[i]);
    EXPECT(!wanted || has_line_like(seen, wanted),
           .message = say("%s does not print the lines of the names before the unknown one", what),
           .expected = wanted, .actual = printed(services),
           .cause = seen.count == 0 ? lines_before_cause() : NULL);
  }
}

/* None of the usual four is there by right. That the program has a table of its own, or shows other
 * services, is the business of other requirements. */
static void expect_usual_unknown(void) {
  static const char *const alone[] = {"services", NULL};
  put_usual_services();
  struct program *services = run_services(alone);
  for (size_t i = 0; i < USUAL; i++)
    if (!is_port(port_shown(services, usual_names[i]), number_in(usual_lines[i], "")))
      return;
  put_services(SERVICES_BUT_MYSQL);
  services = run_services(alone);
  if (is_port(port_shown(services, "mysql"), 3306))
    return;
  const char *what = "services without arguments, where /etc/services has no mysql,";
  expect_unknown(services, what, "mysql");
  for (size_t i = 0; i + 1 < USUAL; i++)
    EXPECT(port_shown(services, usual_names[i]) != -1,
           .message = say("%s does not print the lines of the names before it", what),
           .expected = usual_lines[i], .actual = printed(services),
           .cause = lines(services, STDOUT).count == 0 ? lines_before_cause() : NULL);
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
  static const char long_name[] = "wiregrade-has-never-heard-of-any-service-that-has-this-name";
  services = run_services(ASK(long_name));
  expect_unknown(services, say("\"services %s\"", long_name), long_name);
  expect_lines_before_unknown(
      ASK("ssh", "domain", "mysql", "telnet", "ssh", "domain", "mysql"),
      ASK("ssh", "domain", "mysql", "telnet", "ssh", "domain", "mysql", "no-such-service"),
      "no-such-service");
  expect_usual_unknown();
}
