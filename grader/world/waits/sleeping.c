#include "waits.h"

#include <sys/time.h>
#include <sys/times.h>

WAY(nanosleep) {
  struct timespec wait = span(LONG_S);
  require(nanosleep(&wait, NULL) == 0, "nanosleep");
}

WAY(clock_nanosleep_absolute) {
  struct timespec until = moment(CLOCK_REALTIME, LONG_S);
  require(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == 0, "clock_nanosleep");
}

WAY(nanosleep_interrupted) {
  handle(SIGALRM, SA_RESTART);
  alarm(20);
  struct timespec wait = span(LONG_S), left = {0};
  require(nanosleep(&wait, &left) < 0 && errno == EINTR && handled == 1,
          "nanosleep is interrupted");
  require(left.tv_sec == 39 || left.tv_sec == 40, "the remaining time is given");
  require(nanosleep(&left, NULL) == 0, "nanosleep");
}

WAY(spin) { /* asks for the time until it has come */
  double end = monotonic() + 0.5;
  while (monotonic() < end)
    ;
}

WAY(spin_lines) { /* again and again, with something to show before each */
  for (int i = 0; i < 5; i++) {
    puts("line");
    fflush(stdout);
    double end = monotonic() + 0.3;
    while (monotonic() < end)
      ;
  }
}

WAY(slow_lines) { /* computes for 30 ms before each line, as a runtime that compiles may */
  for (int i = 0; i < 10; i++) {
    double end = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) + 0.03;
    while (clock_seconds(CLOCK_PROCESS_CPUTIME_ID) < end)
      for (volatile int j = 0; j < 1000000; j++) /* each look at the time costs a microsecond */
        ;
    puts("line");
    fflush(stdout);
  }
}

WAY(millisleep) { /* many short sleeps */
  for (int i = 0; i < 1000; i++)
    usleep(1000);
}

WAY(clocks) {
  double realtime = clock_seconds(CLOCK_REALTIME), coarse = clock_seconds(CLOCK_REALTIME_COARSE);
  double boot = clock_seconds(CLOCK_BOOTTIME), raw = clock_seconds(CLOCK_MONOTONIC_RAW);
  struct timeval day;
  gettimeofday(&day, NULL);
  time_t second = time(NULL);
  struct tms used;
  clock_t ticks = times(&used);
  sleep(LONG_S);
  require(clock_seconds(CLOCK_REALTIME) - realtime >= LONG_S, "CLOCK_REALTIME");
  require(clock_seconds(CLOCK_REALTIME_COARSE) - coarse >= LONG_S - 0.01, "CLOCK_REALTIME_COARSE");
  require(clock_seconds(CLOCK_BOOTTIME) - boot >= LONG_S, "CLOCK_BOOTTIME");
  require(clock_seconds(CLOCK_MONOTONIC_RAW) - raw >= LONG_S, "CLOCK_MONOTONIC_RAW");
  require(time(NULL) - second >= LONG_S && (double)second >= (double)day.tv_sec, "time");
  require(times(&used) - ticks >= LONG_S * sysconf(_SC_CLK_TCK), "times");
  require(clock_seconds(CLOCK_PROCESS_CPUTIME_ID) < 5, "CPU time is not waiting");
}
