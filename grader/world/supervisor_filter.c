/* Which system calls are notified to the supervisor. The filter is made once, from the table below;
 * what is not in it runs at full speed. */
#include "grader/world/supervisor_inner.h"

#include <linux/futex.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

enum condition {
  NEVER, /* but where calls are recorded */
  ALWAYS,
  POINTER,        /* argument is not NULL: there is a time-out */
  NOT_NEGATIVE,   /* argument, an int of milliseconds, is not "for ever" */
  FLAG_ABSENT,    /* MSG_DONTWAIT is not among the flags in the argument */
  NOT_STANDARD,   /* argument, a descriptor, is not stdin, stdout or stderr */
  FUTEX_WAITING,  /* a waiting operation with a time-out */
  UNASKED_SIGNAL, /* argument, a signal, is SIGCHLD or SIGIO */
  SOCKET_TIMEOUT  /* SOL_SOCKET with one of the time-out options, or IPPROTO_TCP with TCP_INFO */
};

static const struct {
  int number;
  enum condition condition;
  unsigned argument;
} rules[] = {
    {SYS_clock_gettime, ALWAYS, 0},
    {SYS_gettimeofday, ALWAYS, 0},
    {SYS_times, ALWAYS, 0},
    {SYS_nanosleep, ALWAYS, 0},
    {SYS_clock_nanosleep, ALWAYS, 0},
    {SYS_ppoll, POINTER, 2},
    {SYS_pselect6, POINTER, 4},
    {SYS_epoll_pwait, NOT_NEGATIVE, 3},
    {SYS_epoll_pwait2, POINTER, 3},
    {SYS_read, NOT_STANDARD, 0},
    {SYS_readv, NOT_STANDARD, 0},
    {SYS_write, NOT_STANDARD, 0},
    {SYS_writev, NOT_STANDARD, 0},
    {SYS_recvfrom, FLAG_ABSENT, 3},
    {SYS_recvmsg, FLAG_ABSENT, 2},
    {SYS_recvmmsg, ALWAYS, 0},
    {SYS_sendto, FLAG_ABSENT, 3},
    {SYS_sendmsg, FLAG_ABSENT, 2},
    {SYS_sendmmsg, FLAG_ABSENT, 3},
    {SYS_accept, ALWAYS, 0},
    {SYS_accept4, ALWAYS, 0},
    {SYS_connect, ALWAYS, 0},
    {SYS_setsockopt, SOCKET_TIMEOUT, 0},
    {SYS_getsockopt, SOCKET_TIMEOUT, 0},
    {SYS_socket, NEVER, 0},
    {SYS_socketpair, NEVER, 0},
    {SYS_close, NEVER, 0},
    {SYS_close_range, NEVER, 0},
    {SYS_dup3, NEVER, 0},
    {SYS_futex, FUTEX_WAITING, 0},
    {SYS_futex_waitv, POINTER, 3},
    {SYS_rt_sigtimedwait, POINTER, 2},
    {SYS_semtimedop, POINTER, 3},
    {SYS_mq_timedsend, POINTER, 4},
    {SYS_mq_timedreceive, POINTER, 4},
    {SYS_rt_sigaction, UNASKED_SIGNAL, 0},
    {SYS_setitimer, ALWAYS, 0},
    {SYS_getitimer, ALWAYS, 0},
    {SYS_timer_create, ALWAYS, 0},
    {SYS_timer_settime, ALWAYS, 0},
    {SYS_timer_gettime, ALWAYS, 0},
    {SYS_timer_getoverrun, ALWAYS, 0},
    {SYS_timer_delete, ALWAYS, 0},
    {SYS_timerfd_settime, ALWAYS, 0},
    {SYS_timerfd_gettime, ALWAYS, 0},
    {SYS_execve, ALWAYS, 0},
    {SYS_execveat, ALWAYS, 0},
    {SYS_clone, ALWAYS, 0},
    {SYS_clone3, ALWAYS, 0},
#ifdef __x86_64__ /* the older calls, which newer architectures never had */
    {SYS_time, ALWAYS, 0},
    {SYS_poll, NOT_NEGATIVE, 2},
    {SYS_select, POINTER, 4},
    {SYS_epoll_wait, NOT_NEGATIVE, 3},
    {SYS_alarm, ALWAYS, 0},
    {SYS_dup2, NEVER, 0},
    {SYS_fork, ALWAYS, 0},
    {SYS_vfork, ALWAYS, 0},
#endif
};

enum { FILTER_MAX = 1024 };

/* One for each answer to: on the virtual clock? with calls recorded? with transfers? */
static struct sock_filter instructions[2][2][2][FILTER_MAX];
static struct sock_fprog filters[2][2][2];
static struct sock_fprog *filter; /* the one that is being made */

static void emit(uint16_t code, uint32_t value, uint8_t jump_true, uint8_t jump_false) {
  filter->filter[filter->len++] =
      (struct sock_filter){.code = code, .jt = jump_true, .jf = jump_false, .k = value};
}

static void emit_load_low(unsigned argument) {
  emit(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + argument * 8), 0,
       0);
}

static void emit_load_high(unsigned argument) {
  emit(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + argument * 8 + 4),
       0, 0);
}

static void emit_notify(void) {
  emit(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF, 0, 0);
}

static void emit_allow(void) {
  emit(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

/* Notifies if the 64-bit argument is not 0, else allows. */
static void emit_pointer(unsigned argument) {
  emit_load_low(argument);
  emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
  emit_load_high(argument);
  emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
  emit_notify();
  emit_allow();
}

static void emit_condition(enum condition condition, unsigned argument) {
  static const uint32_t futex_operations[] = {FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_LOCK_PI,
                                              FUTEX_LOCK_PI2, FUTEX_WAIT_REQUEUE_PI};
  static const uint32_t socket_options[] = {20, 21, 66,
                                            67}; /* SO_RCVTIMEO, SO_SNDTIMEO: old, new */
  enum { OPERATIONS = sizeof futex_operations / sizeof *futex_operations };
  switch (condition) {
  case NEVER:
    emit_allow();
    break;
  case ALWAYS:
    emit_notify();
    break;
  case POINTER:
    emit_pointer(argument);
    break;
  case NOT_NEGATIVE:
    emit_load_low(argument);
    emit(BPF_JMP | BPF_JSET | BPF_K, 0x80000000u, 1, 0);
    emit_notify();
    emit_allow();
    break;
  case FLAG_ABSENT:
    emit_load_low(argument);
    emit(BPF_JMP | BPF_JSET | BPF_K, MSG_DONTWAIT, 1, 0);
    emit_notify();
    emit_allow();
    break;
  case NOT_STANDARD:
    emit_load_low(argument);
    emit(BPF_JMP | BPF_JGT | BPF_K, 2, 0, 1);
    emit_notify();
    emit_allow();
    break;
  case FUTEX_WAITING:
    emit_load_low(1);
    emit(BPF_ALU | BPF_AND | BPF_K, FUTEX_CMD_MASK, 0, 0);
    for (unsigned i = 0; i < OPERATIONS; i++)
      emit(BPF_JMP | BPF_JEQ | BPF_K, futex_operations[i], (uint8_t)(OPERATIONS - i), 0);
    emit_allow();
    emit_pointer(3);
    break;
  case UNASKED_SIGNAL:
    emit_load_low(argument);
    emit(BPF_JMP | BPF_JEQ | BPF_K, SIGCHLD, 1, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, SIGIO, 0, 1);
    emit_notify();
    emit_allow();
    break;
  case SOCKET_TIMEOUT:
    emit_load_low(1);
    emit(BPF_JMP | BPF_JEQ | BPF_K, SOL_SOCKET, 3, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 7);
    emit_load_low(2);
    emit(BPF_JMP | BPF_JEQ | BPF_K, TCP_INFO, 6, 5);
    emit_load_low(2);
    for (unsigned i = 0; i < 4; i++)
      emit(BPF_JMP | BPF_JEQ | BPF_K, socket_options[i], (uint8_t)(4 - i), 0);
    emit_allow();
    emit_notify();
    break;
  }
}

/* What a check may want to see is in the table for that alone, or is about a socket's options. */
static bool is_recorded(enum condition condition) {
  return condition == NEVER || condition == SOCKET_TIMEOUT;
}

const struct sock_fprog *supervisor_filter(bool virtual_clock, bool record_calls,
                                           bool record_transfers) {
  if (!virtual_clock && !record_calls && !record_transfers)
    return NULL;
  filter = &filters[virtual_clock][record_calls][record_transfers];
  if (filter->len > 0)
    return filter;
  filter->filter = instructions[virtual_clock][record_calls][record_transfers];
  emit(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
  for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++) {
    bool recorded = (record_calls && is_recorded(rules[i].condition)) ||
                    (record_transfers && call_is_transfer(rules[i].number));
    if (!recorded && (!virtual_clock || rules[i].condition == NEVER))
      continue;
    unsigned short jump = filter->len;
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rules[i].number, 0, 0);
    emit_condition(recorded ? ALWAYS : rules[i].condition, rules[i].argument);
    filter->filter[jump].jf = (uint8_t)(filter->len - jump - 1);
  }
  emit_allow();
  return filter;
}
