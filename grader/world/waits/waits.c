#include "waits.h"

#include <netinet/in.h>

double clock_seconds(clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double monotonic(void) {
  return clock_seconds(CLOCK_MONOTONIC);
}

void require(bool condition, const char *what) {
  if (condition)
    return;
  printf("FAILED: %s (errno %s)\n", what, strerror(errno));
  exit(9);
}

struct timespec span(double seconds) {
  return (struct timespec){(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
}

struct timespec moment(clockid_t id, double after) {
  return span(clock_seconds(id) + after);
}

int udp_socket(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  require(fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0, "socket");
  return fd;
}

void set_timeout(int fd, int option, double seconds) {
  struct timeval value = {(time_t)seconds,
                          (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6)};
  require(setsockopt(fd, SOL_SOCKET, option, &value, sizeof value) == 0, "setsockopt");
}

volatile sig_atomic_t handled;
static void on_signal(int number) {
  (void)number;
  handled++;
}

void handle(int number, int flags) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
  sigaction(number, &action, NULL);
}

extern const struct way *const __start_ways[];
extern const struct way *const __stop_ways[];

int main(int count, char **arguments) {
  for (const struct way *const *way = __start_ways; count == 2 && way < __stop_ways; way++) {
    if (strcmp(arguments[1], (*way)->name) != 0)
      continue;
    double began = monotonic();
    (*way)->wait();
    printf("waited %.6f\n", monotonic() - began);
    return 0;
  }
  fputs("usage: waits WAY\n", stderr);
  return 2;
}
