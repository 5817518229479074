#include "grader/cli/interrupt.h"

volatile sig_atomic_t interrupt_signal;

static void interrupt_note(int signal_number) {
  interrupt_signal = signal_number;
}

void interrupt_watch(void) {
  /* Without SA_RESTART, so that what waits looks up; once, so that a second signal ends it. */
  struct sigaction action = {.sa_handler = interrupt_note, .sa_flags = (int)SA_RESETHAND};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
}
