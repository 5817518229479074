/* resolve: a name to an address.
 *
 * Sockets want addresses, people have names. getaddrinfo() asks the system's resolver, which looks
 * into /etc/hosts, then asks the name servers of /etc/resolv.conf, and follows aliases on the way.
 * A name can have many addresses; this program shows the first. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char *argv[]) {
  if (argc > 2) {
    fprintf(stderr, "Usage: %s [HOST]\n", argv[0]);
    return 2;
  }
  const char *host = argc == 2 ? argv[1] : "www.baidu.com";

  /* Without a type there would be one entry for each type of socket that an address is good for. */
  const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  struct addrinfo *list;
  int error = getaddrinfo(host, NULL, &hints, &list);
  if (error) {
    /* Its errors are not those of errno, and do not say which name it was. */
    fprintf(stderr, "%s: %s\n", host, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    return EXIT_FAILURE;
  }

  char text[INET_ADDRSTRLEN];
  const struct sockaddr_in *first = (const struct sockaddr_in *)list->ai_addr;
  puts(inet_ntop(AF_INET, &first->sin_addr, text, sizeof text));
  freeaddrinfo(list);
  return EXIT_SUCCESS;
}
