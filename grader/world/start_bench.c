/* What a sandbox costs: start_bench [RUNS]. Starts /bin/true in the network of a world, again and
 * again, and prints how long it took until the program was about to be executed, until it had
 * ended, and until all of it was gone. */
#include "grader/sandbox/sandbox.h"
#include "grader/world/inner.h"

#include "grader/base/memory.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 500, WARMING = 20, POINTS = 3 };

static const char *const points[POINTS] = {"until execve", "until its end", "until it is gone"};

static _Noreturn void give_up(const char *sentence) {
  fprintf(stderr, "start_bench: %s\n", sentence);
  exit(3);
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void start_once(const struct host *host, double took_ms[POINTS]) {
  struct sandbox_spec spec = {
      .folder = "/usr/share",
      .folder_mode = SANDBOX_FOLDER_SCRATCH,
      .argv = (char *const *)(const char *const[]){"/bin/true", NULL},
      .netns_fd = host->netns_fd,
      .stdin_fd = -1,
      .stdout_fd = -1,
      .stderr_fd = -1,
      .cpu = host->world->processor.number,
  };
  struct sandbox sandbox;
  struct failure failure;
  double began = now_ms();
  if (sandbox_start(&spec, &sandbox, &failure) < 0)
    give_up(failure.sentence);
  took_ms[0] = now_ms() - began;
  struct sandbox_status status = {.wait_status = -1};
  if (read(sandbox.status_fd, &status, sizeof status) != sizeof status || status.wait_status != 0)
    give_up("/bin/true did not end with status 0");
  took_ms[1] = now_ms() - began;
  sandbox_kill(&sandbox);
  took_ms[2] = now_ms() - began;
}

static int by_size(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv) {
  size_t runs = argc > 1 ? (size_t)atoi(argv[1]) : RUNS;
  if (runs == 0)
    give_up("the number of runs is no number");
  enum sandbox_mode mode;
  struct failure failure;
  if (sandbox_enter(&mode, &failure) < 0)
    give_up(failure.sentence);
  cgroup_share(1ull << 30, 1000); /* as suite programs do */
  struct world_options options = {.clock = CLOCK_VIRTUAL, .seed = 1};
  struct world *world = world_create(&options, &failure);
  struct host *host = world ? host_create(world, "host", &failure) : NULL;
  if (!host)
    give_up(failure.sentence);
  double *took[POINTS], once[POINTS];
  for (size_t k = 0; k < POINTS; k++)
    took[k] = memory_zeroed(runs, sizeof **took);
  for (size_t i = 0; i < WARMING; i++)
    start_once(host, once);
  for (size_t i = 0; i < runs; i++) {
    start_once(host, once);
    for (size_t k = 0; k < POINTS; k++)
      took[k][i] = once[k];
  }
  printf("a program's start in a sandbox, %s, %zu runs:\n",
         mode == SANDBOX_ROOT ? "root" : "rootless", runs);
  for (size_t k = 0; k < POINTS; k++) {
    qsort(took[k], runs, sizeof **took, by_size);
    printf("  %-17s %5.2f ms at the median, %5.2f ms at the 95th percentile\n", points[k],
           took[k][runs / 2], took[k][runs * 95 / 100]);
    free(took[k]);
  }
  world_destroy(world);
}
