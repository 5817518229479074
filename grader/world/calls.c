/* Which of the trapped calls is whose, and what people call it. */
#include "grader/world/supervisor_inner.h"

#include "grader/base/language.h"

#include <sys/syscall.h>

void call_dispatch(struct call *call) {
  if (call->program->record_transfers && call_is_transfer(call->number)) {
    calls_transfer(call);
    if (call->supervisor->world->options.clock == CLOCK_REAL) {
      call_continue(call);
      return;
    }
  }
  switch (call->number) {
  case SYS_execve:
  case SYS_execveat:
    trace_exec_begin(call->task);
    call->program->tasks.changed = true;
    call->supervisor->execs_pending += call->task->exec_pending;
    call_continue(call);
    break;
#ifdef __x86_64__
  case SYS_fork:
  case SYS_vfork:
#endif
  case SYS_clone:
  case SYS_clone3:
    call->program->tasks.changed = true;
    call_continue(call);
    break;
  case SYS_clock_gettime:
  case SYS_gettimeofday:
  case SYS_times:
#ifdef __x86_64__
  case SYS_time:
#endif
    calls_time(call);
    break;
  case SYS_nanosleep:
  case SYS_clock_nanosleep:
    calls_sleep(call);
    break;
#ifdef __x86_64__
  case SYS_poll:
  case SYS_select:
  case SYS_epoll_wait:
#endif
  case SYS_ppoll:
  case SYS_pselect6:
  case SYS_epoll_pwait:
  case 441: /* epoll_pwait2, on every architecture */
    calls_poll(call);
    break;
#ifdef __x86_64__
  case SYS_alarm:
#endif
  case SYS_setitimer:
  case SYS_getitimer:
  case SYS_timer_create:
  case SYS_timer_settime:
  case SYS_timer_gettime:
  case SYS_timer_getoverrun:
  case SYS_timer_delete:
    calls_timer(call);
    break;
  case SYS_timerfd_settime:
  case SYS_timerfd_gettime:
    calls_timer_descriptor(call);
    break;
  case SYS_futex:
  case 449: /* futex_waitv */
  case SYS_rt_sigtimedwait:
  case SYS_semtimedop:
  case SYS_mq_timedsend:
  case SYS_mq_timedreceive:
    calls_kernel_wait(call);
    break;
  case SYS_rt_sigaction:
    calls_signal_action(call);
    break;
  case SYS_socket:
  case SYS_socketpair:
  case SYS_close:
  case SYS_close_range:
  case SYS_dup3:
#ifdef __x86_64__
  case SYS_dup2:
#endif
    calls_descriptor(call);
    break;
  default:
    calls_socket(call);
  }
}

const char *call_name(int number) {
  switch (number) {
  case SYS_nanosleep:
  case SYS_clock_nanosleep:
    return "sleep";
#ifdef __x86_64__
  case SYS_poll:
    return "poll";
  case SYS_select:
    return "select";
  case SYS_epoll_wait:
    return "epoll_wait";
#endif
  case SYS_ppoll:
    return "poll";
  case SYS_pselect6:
    return "select";
  case SYS_epoll_pwait:
    return "epoll_wait";
  case SYS_read:
    return "read";
  case SYS_recvfrom:
    return "recvfrom";
  case SYS_recvmsg:
    return "recvmsg";
  case SYS_accept:
  case SYS_accept4:
    return "accept";
  case SYS_futex:
    return N_("a wait for a lock or condition");
  case SYS_rt_sigtimedwait:
    return "sigtimedwait";
  default:
    return N_("a wait");
  }
}
