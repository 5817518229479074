/* SIGINT, SIGTERM and SIGHUP ask the grader to end in order; asked twice, it ends at once. */
#pragma once

#include <signal.h>

/* Not 0 once a signal has come: its number. */
extern volatile sig_atomic_t interrupt_signal;
void interrupt_watch(void);
