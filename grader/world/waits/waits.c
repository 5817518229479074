/* One program that waits in every way that the virtual clock must follow: `waits WAY` waits, and
 * prints how many seconds went by on its own clock, and what else the test is to see. Built dynamic
 * and static for clock_test.c. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
#include <time.h>
#include <unistd.h>

enum { LONG_S = 60 };

static double clock_seconds(clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double monotonic(void) {
  return clock_seconds(CLOCK_MONOTONIC);
}

static void require(bool condition, const char *what) {
  if (condition)
    return;
  printf("FAILED: %s (errno %s)\n", what, strerror(errno));
  exit(9);
}

static struct timespec span(double seconds) {
  return (struct timespec){(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
}

static struct timespec moment(clockid_t id, double after) {
  return span(clock_seconds(id) + after);
}

static int udp_socket(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  require(fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0, "socket");
  return fd;
}

static void set_timeout(int fd, int option, double seconds) {
  struct timeval value = {(time_t)seconds,
                          (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6)};
  require(setsockopt(fd, SOL_SOCKET, option, &value, sizeof value) == 0, "setsockopt");
}

static volatile sig_atomic_t handled;
static void on_signal(int number) {
  (void)number;
  handled++;
}

static void handle(int number, int flags) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
  sigaction(number, &action, NULL);
}

/* ---- sleeping ---- */

static void way_nanosleep(void) {
  struct timespec wait = span(LONG_S);
  require(nanosleep(&wait, NULL) == 0, "nanosleep");
}

static void way_clock_nanosleep_absolute(void) {
  struct timespec until = moment(CLOCK_REALTIME, LONG_S);
  require(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == 0, "clock_nanosleep");
}

static void way_nanosleep_interrupted(void) {
  handle(SIGALRM, SA_RESTART);
  alarm(20);
  struct timespec wait = span(LONG_S), left = {0};
  require(nanosleep(&wait, &left) < 0 && errno == EINTR && handled == 1,
          "nanosleep is interrupted");
  require(left.tv_sec == 39 || left.tv_sec == 40, "the remaining time is given");
  require(nanosleep(&left, NULL) == 0, "nanosleep");
}

/* ---- descriptors ---- */

static void way_poll(void) {
  struct pollfd one = {udp_socket(), POLLIN, 77};
  require(poll(&one, 1, LONG_S * 1000) == 0 && one.revents == 0, "poll");
}

static void way_ppoll(void) {
  struct pollfd one = {udp_socket(), POLLIN, 77};
  struct timespec wait = span(LONG_S);
  sigset_t none;
  sigemptyset(&none);
  require(ppoll(&one, 1, &wait, &none) == 0 && one.revents == 0, "ppoll");
}

static void way_ppoll_signal(void) { /* the signal is blocked, except while it waits */
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGALRM);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  handle(SIGALRM, 0);
  alarm(LONG_S);
  require(ppoll(NULL, 0, NULL, &before) < 0 && errno == EINTR && handled == 1, "ppoll for ever");
  alarm(LONG_S);
  struct timespec wait = span(3 * LONG_S);
  require(ppoll(NULL, 0, &wait, &before) < 0 && errno == EINTR && handled == 2,
          "ppoll with a time-out");
}

static void way_select(void) {
  fd_set set;
  int fd = udp_socket();
  FD_ZERO(&set);
  FD_SET(fd, &set);
  struct timeval wait = {LONG_S, 0};
  require(select(fd + 1, &set, NULL, NULL, &wait) == 0 && !FD_ISSET(fd, &set), "select");
  require(wait.tv_sec == 0 && wait.tv_usec == 0, "select leaves no time");
}

/* Linux leaves the time that was not slept; programs use it to keep a deadline. */
static void way_select_remaining(void) {
  int fd = udp_socket();
  struct sockaddr_in self;
  socklen_t length = sizeof self;
  getsockname(fd, (struct sockaddr *)&self, &length);
  if (fork() == 0) {
    sleep(20);
    sendto(fd, "x", 1, 0, (struct sockaddr *)&self, sizeof self);
    _exit(0);
  }
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  struct timeval wait = {LONG_S, 0};
  require(select(fd + 1, &set, NULL, NULL, &wait) == 1, "select");
  double left = (double)wait.tv_sec + (double)wait.tv_usec / 1e6;
  require(left > 39.99 && left < 40.01, "select leaves the rest of the time");
  char byte;
  recv(fd, &byte, 1, 0);
  FD_SET(fd, &set);
  require(select(fd + 1, &set, NULL, NULL, &wait) == 0, "select for the rest");
}

static void way_pselect(void) {
  fd_set set;
  int fd = udp_socket();
  FD_ZERO(&set);
  FD_SET(fd, &set);
  struct timespec wait = span(LONG_S);
  require(pselect(fd + 1, &set, NULL, NULL, &wait, NULL) == 0, "pselect");
}

static int epoll_of(int fd) {
  int epoll_fd = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  require(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
  return epoll_fd;
}

static void way_epoll(void) {
  struct epoll_event event;
  require(epoll_wait(epoll_of(udp_socket()), &event, 1, LONG_S * 1000) == 0, "epoll_wait");
}

static void way_epoll_pwait2(void) {
  struct epoll_event event;
  struct timespec wait = span(LONG_S);
  require(syscall(441, epoll_of(udp_socket()), &event, 1, &wait, NULL, 0) == 0, "epoll_pwait2");
}

static void way_poll_interrupted(void) {
  handle(SIGALRM, SA_RESTART);
  alarm(LONG_S);
  require(poll(NULL, 0, 200000) < 0 && errno == EINTR && handled == 1, "poll is never restarted");
}

/* ---- sockets ---- */

static void way_recv(void) {
  int fd = udp_socket();
  char byte;
  set_timeout(fd, SO_RCVTIMEO, LONG_S);
  struct timeval value;
  socklen_t length = sizeof value;
  require(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, &length) == 0 && value.tv_sec == LONG_S &&
              value.tv_usec == 0,
          "getsockopt gives what was set");
  require(recv(fd, &byte, 1, 0) < 0 && errno == EAGAIN, "recv");
}

static void way_read(void) {
  int fd = udp_socket();
  char byte;
  set_timeout(fd, SO_RCVTIMEO, LONG_S);
  require(read(fd, &byte, 1) < 0 && errno == EAGAIN, "read");
}

static void way_recvmsg(void) {
  int fd = udp_socket();
  char byte;
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  set_timeout(fd, SO_RCVTIMEO, LONG_S);
  require(recvmsg(fd, &message, 0) < 0 && errno == EAGAIN, "recvmsg");
}

/* With a time-out recv is not restarted, even under SA_RESTART; without one it is (signal(7)). */
static void way_recv_interrupted(void) {
  int fd = udp_socket();
  char byte;
  set_timeout(fd, SO_RCVTIMEO, 100);
  handle(SIGALRM, SA_RESTART);
  alarm(LONG_S);
  require(recv(fd, &byte, 1, 0) < 0 && errno == EINTR && handled == 1, "recv is interrupted");
}

static void way_recv_restarted(void) {
  int fd = udp_socket();
  struct sockaddr_in self;
  socklen_t length = sizeof self;
  getsockname(fd, (struct sockaddr *)&self, &length);
  handle(SIGALRM, SA_RESTART);
  alarm(20);
  if (fork() == 0) {
    sleep(LONG_S);
    sendto(fd, "x", 1, 0, (struct sockaddr *)&self, sizeof self);
    _exit(0);
  }
  char byte;
  require(recv(fd, &byte, 1, 0) == 1 && handled == 1, "recv is restarted");
}

static int tcp_listener(struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  socklen_t length = sizeof *address;
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  require(bind(fd, (struct sockaddr *)address, sizeof *address) == 0 && listen(fd, 5) == 0 &&
              getsockname(fd, (struct sockaddr *)address, &length) == 0,
          "listen");
  return fd;
}

static void way_accept(void) {
  struct sockaddr_in address;
  int fd = tcp_listener(&address);
  set_timeout(fd, SO_RCVTIMEO, LONG_S);
  require(accept(fd, NULL, NULL) < 0 && errno == EAGAIN, "accept");
}

/* An accepted socket inherits the listener's time-out. */
static void way_accept_inherits(void) {
  struct sockaddr_in address;
  int fd = tcp_listener(&address);
  set_timeout(fd, SO_RCVTIMEO, LONG_S);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  require(connect(client, (struct sockaddr *)&address, sizeof address) == 0, "connect");
  int served = accept(fd, NULL, NULL);
  char byte;
  require(served >= 0 && recv(served, &byte, 1, 0) < 0 && errno == EAGAIN, "recv");
}

/* A send that has written a part and waits for room: the part is its result; the next one gets
 * nothing in. Not by TCP: its zero-window probes are the kernel's, in real time. */
static void way_send(void) {
  int ends[2];
  require(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
  set_timeout(ends[0], SO_SNDTIMEO, LONG_S / 2);
  enum { MORE_THAN_BUFFERS = 64 << 20 };
  char *bytes = calloc(1, MORE_THAN_BUFFERS);
  ssize_t sent = send(ends[0], bytes, MORE_THAN_BUFFERS, 0);
  require(sent > 0 && sent < MORE_THAN_BUFFERS, "send writes a part");
  require(send(ends[0], bytes, MORE_THAN_BUFFERS, 0) < 0 && errno == EAGAIN, "send times out");
}

/* ---- locks and conditions ---- */

static void way_futex(void) {
  int word = 0;
  struct timespec wait = span(LONG_S);
  require(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &wait, NULL, 0) < 0 &&
              errno == ETIMEDOUT,
          "futex");
  require(wait.tv_sec == LONG_S, "futex leaves its argument alone");
}

static void way_condition(void) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  struct timespec until = moment(CLOCK_REALTIME, LONG_S);
  pthread_mutex_lock(&mutex);
  require(pthread_cond_timedwait(&condition, &mutex, &until) == ETIMEDOUT,
          "pthread_cond_timedwait");
}

static void way_semaphore(void) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  struct timespec until = moment(CLOCK_REALTIME, LONG_S);
  require(sem_timedwait(&semaphore, &until) < 0 && errno == ETIMEDOUT, "sem_timedwait");
}

static void way_semtimedop(void) {
  int id = semget(IPC_PRIVATE, 1, 0600);
  struct sembuf take = {0, -1, 0};
  struct timespec wait = span(LONG_S);
  int result = semtimedop(id, &take, 1, &wait), error = errno;
  semctl(id, 0, IPC_RMID);
  errno = error;
  require(result < 0 && errno == EAGAIN, "semtimedop");
}

static void way_mq_timedreceive(void) {
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
  char name[40], message[8];
  snprintf(name, sizeof name, "/waits-%d", getpid());
  mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attributes);
  require(queue >= 0, "mq_open");
  mq_unlink(name);
  struct timespec until = moment(CLOCK_REALTIME, LONG_S);
  require(mq_timedreceive(queue, message, sizeof message, NULL, &until) < 0 && errno == ETIMEDOUT,
          "mq_timedreceive");
}

static pthread_mutex_t shared_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t shared_condition = PTHREAD_COND_INITIALIZER;
static bool shared_done;

static void *wake_later(void *unused) {
  (void)unused;
  sleep(LONG_S);
  pthread_mutex_lock(&shared_mutex);
  shared_done = true;
  pthread_cond_signal(&shared_condition);
  pthread_mutex_unlock(&shared_mutex);
  return NULL;
}

static void way_condition_woken(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, wake_later, NULL);
  struct timespec until = moment(CLOCK_REALTIME, 3 * LONG_S);
  pthread_mutex_lock(&shared_mutex);
  int result = 0;
  while (!shared_done && result == 0)
    result = pthread_cond_timedwait(&shared_condition, &shared_mutex, &until);
  pthread_mutex_unlock(&shared_mutex);
  require(result == 0, "the condition is signalled before the time-out");
  pthread_join(thread, NULL);
}

/* ---- signals and timers ---- */

static void way_sigtimedwait(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  struct timespec wait = span(LONG_S / 2);
  require(sigtimedwait(&set, NULL, &wait) < 0 && errno == EAGAIN, "sigtimedwait");
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  alarm(LONG_S / 2);
  wait = span(LONG_S);
  require(sigtimedwait(&set, NULL, &wait) == SIGALRM, "sigtimedwait takes a signal");
}

static void way_alarm(void) {
  handle(SIGALRM, 0);
  alarm(100);
  require(alarm(LONG_S) == 100, "alarm tells what was left");
  pause();
  require(handled == 1, "alarm");
}

static void way_setitimer(void) {
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

static void way_timer_create(void) {
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

static void way_timer_thread(void) {
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

static void way_timerfd(void) {
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

static void way_timerfd_ticks(void) {
  int fd = timerfd_create(CLOCK_REALTIME, 0);
  struct itimerspec setting = {.it_interval = span(10), .it_value = moment(CLOCK_REALTIME, 10)};
  uint64_t ticks = 0;
  require(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL) == 0, "timerfd_settime");
  struct timespec wait = span(LONG_S);
  nanosleep(&wait, NULL);
  require(read(fd, &ticks, sizeof ticks) == sizeof ticks && (ticks == 5 || ticks == 6),
          "all expirations are counted");
}

static void way_timerfd_epoll(void) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct itimerspec setting = {.it_value = span(LONG_S)};
  struct epoll_event event;
  uint64_t ticks = 0;
  timerfd_settime(fd, 0, &setting, NULL);
  require(epoll_wait(epoll_of(fd), &event, 1, -1) == 1, "epoll_wait for a timerfd");
  require(read(fd, &ticks, sizeof ticks) == sizeof ticks, "read");
}

static void way_signalfd(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  int fd = signalfd(-1, &set, 0);
  struct signalfd_siginfo info;
  alarm(LONG_S);
  require(read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGALRM, "signalfd");
}

/* ---- processes ---- */

static void way_child(void) {
  pid_t child = fork();
  if (child == 0) {
    sleep(LONG_S);
    _exit(0);
  }
  require(waitpid(child, NULL, 0) == child, "waitpid");
}

static void
way_stopped(void) { /* a sleep goes on to its old end when the process is stopped and continued */
  pid_t child = fork();
  if (child == 0) {
    sleep(LONG_S);
    _exit(0);
  }
  sleep(10);
  kill(child, SIGSTOP);
  sleep(10);
  kill(child, SIGCONT);
  require(waitpid(child, NULL, 0) == child, "waitpid");
}

static void way_sigchld(void) { /* select, interrupted by a child's end */
  handle(SIGCHLD, 0);
  if (fork() == 0) {
    sleep(LONG_S);
    _exit(0);
  }
  struct timeval wait = {3 * LONG_S, 0};
  require(select(0, NULL, NULL, NULL, &wait) < 0 && errno == EINTR && handled == 1, "select");
}

static void way_spin(void) { /* asks for the time until it has come */
  double end = monotonic() + 0.5;
  while (monotonic() < end)
    ;
}

static void way_millisleep(void) { /* many short sleeps */
  for (int i = 0; i < 1000; i++)
    usleep(1000);
}

static void way_clocks(void) {
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

static const struct {
  const char *name;
  void (*wait)(void);
} ways[] = {
    {"nanosleep", way_nanosleep},
    {"clock_nanosleep_absolute", way_clock_nanosleep_absolute},
    {"nanosleep_interrupted", way_nanosleep_interrupted},
    {"poll", way_poll},
    {"ppoll", way_ppoll},
    {"ppoll_signal", way_ppoll_signal},
    {"select", way_select},
    {"select_remaining", way_select_remaining},
    {"pselect", way_pselect},
    {"epoll", way_epoll},
    {"epoll_pwait2", way_epoll_pwait2},
    {"poll_interrupted", way_poll_interrupted},
    {"recv", way_recv},
    {"read", way_read},
    {"recvmsg", way_recvmsg},
    {"recv_interrupted", way_recv_interrupted},
    {"recv_restarted", way_recv_restarted},
    {"accept", way_accept},
    {"accept_inherits", way_accept_inherits},
    {"futex", way_futex},
    {"condition", way_condition},
    {"condition_woken", way_condition_woken},
    {"semaphore", way_semaphore},
    {"semtimedop", way_semtimedop},
    {"mq_timedreceive", way_mq_timedreceive},
    {"send", way_send},
    {"sigtimedwait", way_sigtimedwait},
    {"alarm", way_alarm},
    {"setitimer", way_setitimer},
    {"timer_create", way_timer_create},
    {"timer_thread", way_timer_thread},
    {"timerfd", way_timerfd},
    {"timerfd_ticks", way_timerfd_ticks},
    {"timerfd_epoll", way_timerfd_epoll},
    {"signalfd", way_signalfd},
    {"child", way_child},
    {"stopped", way_stopped},
    {"sigchld", way_sigchld},
    {"spin", way_spin},
    {"millisleep", way_millisleep},
    {"clocks", way_clocks},
};

int main(int count, char **arguments) {
  for (size_t i = 0; count == 2 && i < sizeof ways / sizeof *ways; i++) {
    if (strcmp(arguments[1], ways[i].name) != 0)
      continue;
    double began = monotonic();
    ways[i].wait();
    printf("waited %.6f\n", monotonic() - began);
    return 0;
  }
  fputs("usage: waits WAY\n", stderr);
  return 2;
}
