#include "waits.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/wait.h>

WAY(sigtimedwait) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  struct timespec wait = span(LONG_S / 2.0);
  require(sigtimedwait(&set, NULL, &wait) < 0 && errno == EAGAIN, "sigtimedwait");
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  alarm(LONG_S / 2);
  wait = span(LONG_S);
  require(sigtimedwait(&set, NULL, &wait) == SIGALRM, "sigtimedwait takes a signal");
}

WAY(alarm) {
  handle(SIGALRM, 0);
  alarm(100);
  require(alarm(LONG_S) == 100, "alarm tells what was left");
  pause();
  require(handled == 1, "alarm");
}

WAY(setitimer) {
  handle(SIGALRM, 0);
  struct itimerval timer = {{20, 0}, {20, 0}}, left;
  setitimer(ITIMER_REAL, &timer, NULL);
  sleep(5);
  require(getitimer(ITIMER_REAL, &left) == 0 && left.it_value.tv_sec >= 14 &&
              left.it_interval.tv_sec == 20,
          "getitimer");
  while (handled < 3)
    pause();
}

WAY(timer_create) {
  handle(SIGUSR1, 0);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  timer_t timer;
  struct itimerspec setting = {.it_value = span(LONG_S)}, left;
  require(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 &&
              timer_settime(timer, 0, &setting, NULL) == 0,
          "timer_create");
  require(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec >= LONG_S - 1, "timer_gettime");
  pause();
  require(handled == 1 && timer_delete(timer) == 0, "the timer's signal");
}

static sem_t notified;
static void on_timer(union sigval value) {
  (void)value;
  sem_post(&notified);
}

WAY(timer_thread) {
  sem_init(&notified, 0, 0);
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_timer};
  timer_t timer;
  struct itimerspec setting = {.it_value = span(LONG_S)};
  require(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 &&
              timer_settime(timer, 0, &setting, NULL) == 0,
          "timer_create");
  while (sem_wait(&notified) < 0)
    ;
}

WAY(timerfd) {
  int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec setting = {.it_interval = span(20), .it_value = span(20)};
  uint64_t ticks = 0;
  require(timerfd_settime(fd, 0, &setting, NULL) == 0, "timerfd_settime");
  require(read(fd, &ticks, sizeof ticks) == sizeof ticks && ticks == 1, "read of a timerfd");
  struct timespec wait = span(39.5);
  nanosleep(&wait, NULL);
  require(read(fd, &ticks, sizeof ticks) == sizeof ticks && ticks == 1, "one expiration meanwhile");
  require(read(fd, &ticks, sizeof ticks) == sizeof ticks && ticks == 1, "and the next");
  setting = (struct itimerspec){0};
  timerfd_settime(fd, 0, &setting, NULL);
}

WAY(timerfd_ticks) {
  int fd = timerfd_create(CLOCK_REALTIME, 0);
  struct itimerspec setting = {.it_interval = span(10), .it_value = moment(CLOCK_REALTIME, 10)};
  uint64_t ticks = 0;
  require(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL) == 0, "timerfd_settime");
  struct timespec wait = span(LONG_S);
  nanosleep(&wait, NULL);
  require(read(fd, &ticks, sizeof ticks) == sizeof ticks && (ticks == 5 || ticks == 6),
          "all expirations are counted");
}

/* One that began long before it was set. */
WAY(timerfd_past) {
  int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec setting = {.it_interval = span(100),
                               .it_value = moment(CLOCK_MONOTONIC, -2050)};
  uint64_t ticks = 0;
  require(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL) == 0, "timerfd_settime");
  require(read(fd, &ticks, sizeof ticks) == sizeof ticks && ticks == 21,
          "those before are counted");
  require(read(fd, &ticks, sizeof ticks) == sizeof ticks && ticks == 1, "then one by one");
}

/* So fast, and since so long, that no two expirations could be told one after the other. */
WAY(timer_past) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  timer_t timer;
  require(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0, "timer_create");
  struct itimerspec setting = {.it_interval = {0, 1000000}, .it_value = {0, 1}};
  require(timer_settime(timer, TIMER_ABSTIME, &setting, NULL) == 0, "timer_settime");
  siginfo_t info;
  require(sigwaitinfo(&set, &info) == SIGALRM && info.si_overrun > 1000, "the signal is sent once");
  timer_delete(timer);
  struct timespec wait = span(LONG_S);
  nanosleep(&wait, NULL);
}

WAY(timerfd_epoll) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct itimerspec setting = {.it_value = span(LONG_S)};
  struct epoll_event event;
  uint64_t ticks = 0;
  timerfd_settime(fd, 0, &setting, NULL);
  require(epoll_wait(epoll_of(fd), &event, 1, -1) == 1, "epoll_wait for a timerfd");
  require(read(fd, &ticks, sizeof ticks) == sizeof ticks, "read");
}

WAY(signalfd) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  int fd = signalfd(-1, &set, 0);
  struct signalfd_siginfo info;
  alarm(LONG_S);
  require(read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGALRM, "signalfd");
}

/* ---- a signalfd among what is waited for up to a time-out ---- */

static int alarm_descriptor(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  return signalfd(-1, &set, SFD_NONBLOCK);
}

static void require_alarm(int fd) {
  struct signalfd_siginfo info;
  require(read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGALRM, "the alarm");
}

/* First half of the time without a signal, then until there is one. */
WAY(signalfd_poll) {
  int fd = alarm_descriptor();
  struct pollfd list[] = {{fd, POLLIN, 7}, {STDIN_FILENO, 0, 0}};
  require(poll(list, 2, LONG_S * 500) == 0 && list[0].revents == 0, "poll without a signal");
  alarm(LONG_S / 2);
  require(poll(list, 2, LONG_S * 1000) == 1 && list[0].revents == POLLIN, "poll with a signal");
  require(list[1].revents == 0, "of the signalfd only");
  require_alarm(fd);
}

WAY(signalfd_ppoll) {
  struct pollfd list = {alarm_descriptor(), POLLIN, 7};
  struct timespec half = span(LONG_S * 0.5), whole = span(LONG_S);
  require(ppoll(&list, 1, &half, NULL) == 0 && list.revents == 0, "ppoll without a signal");
  alarm(LONG_S / 2);
  require(ppoll(&list, 1, &whole, NULL) == 1 && list.revents == POLLIN, "ppoll with a signal");
  require_alarm(list.fd);
}

WAY(signalfd_select) {
  int fd = alarm_descriptor();
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  struct timeval half = {LONG_S / 2, 0}, whole = {LONG_S, 0};
  require(select(fd + 1, &set, NULL, NULL, &half) == 0 && !FD_ISSET(fd, &set), "no signal");
  require(half.tv_sec == 0 && half.tv_usec == 0, "no time is left");
  FD_SET(fd, &set);
  alarm(LONG_S / 2);
  require(select(fd + 1, &set, NULL, NULL, &whole) == 1 && FD_ISSET(fd, &set), "a signal");
  require_alarm(fd);
}

static void epoll_waits(int epoll, int fd) {
  struct epoll_event event;
  require(epoll_wait(epoll, &event, 1, LONG_S * 250) == 0, "epoll_wait without a signal");
  alarm(LONG_S / 4);
  require(epoll_wait(epoll, &event, 1, LONG_S * 1000) == 1, "epoll_wait with a signal");
  require_alarm(fd);
}

WAY(signalfd_epoll) {
  int fd = alarm_descriptor();
  int epoll = epoll_of(fd);
  epoll_waits(epoll, fd);
  epoll_waits(epoll, fd);
}

WAY(signalfd_nested) {
  int fd = alarm_descriptor();
  int epoll = epoll_of(epoll_of(fd));
  epoll_waits(epoll, fd);
  epoll_waits(epoll, fd);
}

static void caught(int number) {
  (void)number;
}

/* A signal with a handler ends the wait, as always, and nothing of it stays. */
WAY(signalfd_interrupted) {
  int fd = alarm_descriptor();
  struct itimerspec setting = {.it_value = span(LONG_S * 0.5)};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct sigaction action = {.sa_handler = caught};
  timer_t timer;
  sigaction(SIGUSR1, &action, NULL);
  require(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
  timer_settime(timer, 0, &setting, NULL);
  struct pollfd list = {fd, POLLIN, 0};
  require(poll(&list, 1, LONG_S * 1000) == -1 && errno == EINTR, "poll is interrupted");
  alarm(LONG_S / 2);
  require(poll(&list, 1, -1) == 1, "poll without an end");
  require_alarm(fd);
}
