/* services: a name to a port.
 *
 * People say "ssh", TCP says 22. Which port belongs to which name is written down in the system's
 * services database, /etc/services as a rule, and the C library looks it up. A program that asks
 * it, rather than know the numbers itself, is right on every system. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

static void show_port(const char *name) {
  /* NULL: with any protocol. "tcp" or "udp" would find the service only where it is offered so. */
  const struct servent *service = getservbyname(name, NULL);
  if (!service) {
    fprintf(stderr, "%s: there is no such service\n", name); /* errno says nothing about it */
    exit(EXIT_FAILURE);
  }
  /* s_port is an int that holds 16 bits as they travel: high byte first. */
  printf("%s protocol port: %d\n", name, ntohs((in_port_t)service->s_port));
}

int main(int argc, char *argv[]) {
  if (argc == 1) {
    static const char *const usual[] = {"ssh", "domain", "telnet", "mysql"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
      show_port(usual[i]);
  }
  for (int i = 1; i < argc; i++)
    show_port(argv[i]);
  return EXIT_SUCCESS;
}
