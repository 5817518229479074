#include "grader/world/processor.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* The descriptor that holds the claim, or -1: somebody else has it, or claims cannot be made. */
static int claim(int cpu) {
  char path[64];
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d", cpu);
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
    close(fd);
    fd = -1;
  }
  return fd;
}

int processor_take(struct processor *processor, bool claims) {
  *processor = (struct processor){.number = sched_getcpu(), .claim_fd = -1};
  if (processor->number < 0 ||
      sched_getaffinity(0, sizeof processor->set_before, &processor->set_before) < 0)
    return -1;
  int here = processor->number;
  for (int i = 0; i < CPU_SETSIZE && claims && processor->claim_fd < 0; i++) {
    int cpu = (here + i) % CPU_SETSIZE;
    if (!CPU_ISSET((size_t)cpu, &processor->set_before))
      continue;
    processor->claim_fd = claim(cpu);
    if (processor->claim_fd >= 0)
      processor->number = cpu;
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET((size_t)processor->number, &one);
  if (sched_setaffinity(0, sizeof one, &one) == 0)
    return 0;
  processor_share(processor);
  return -1;
}

void processor_share(struct processor *processor) {
  if (processor->claim_fd < 0)
    return;
  flock(processor->claim_fd, LOCK_UN); /* a child that was forked meanwhile may have it open, too */
  close(processor->claim_fd);
  processor->claim_fd = -1;
}

void processor_leave(struct processor *processor) {
  processor_share(processor);
  sched_setaffinity(0, sizeof processor->set_before, &processor->set_before);
}
