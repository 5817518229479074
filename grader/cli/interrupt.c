#include "grader/cli/interrupt.h"

#include <stddef.h>

volatile sig_atomic_t interrupt_signal;

static void interrupt_note(int signal_number) {
  interrupt_signal = signal_number;
}

void interrupt_watch(void) {
  /* Without SA_RESTART, so that what waits looks up; once, so that a second signal ends it. */
  struct sigaction action = {.sa_handler = interrupt_note, .sa_flags = (int)SA_RESETHAND};
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    /* Under nohup SIGHUP is ignored, and stays so. SIGINT is ignored in the background jobs of a
     * script, which nobody means. */
    struct sigaction before = {0};
    sigaction(signals[i], NULL, &before);
    if (signals[i] != SIGHUP || before.sa_handler != SIG_IGN)
      sigaction(signals[i], &action, NULL);
  }
}
