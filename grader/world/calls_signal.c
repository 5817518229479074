/* Handlers of SIGCHLD and SIGIO that are to interrupt calls (no SA_RESTART).
 *
 * A call that is notified can be interrupted until the supervisor has received the notification,
 * even one that never waits (clock_gettime, fork, a send into an empty buffer): with SA_RESTART it
 * is made again and nobody notices, without it it fails with EINTR, which no program expects. A
 * child's end comes just then, as a rule: the child gets the CPU when its parent waits for the
 * supervisor; and so may a datagram of the grader's. (Other signals come from the supervisor
 * itself, or rarely.) So such a handler is given SA_RESTART. What waits for a socket or a pipe when
 * a child ends the supervisor ends with EINTR, as the kernel would have done; who waits for one
 * when SIGIO comes gets what came. On the real clock few calls are notified, and none waits here:
 * handlers are left as they are. */
#include "grader/world/supervisor_inner.h"

#include <signal.h>

/* The kernel's struct sigaction, up to the flags. */
struct action {
  uint64_t handler;
  unsigned long flags;
};

void calls_signal_action(struct call *call) {
  struct action action;
  if (remote_read(call, call->arguments[1], &action, sizeof action) &&
      action.handler != (uintptr_t)SIG_DFL && action.handler != (uintptr_t)SIG_IGN &&
      !(action.flags & SA_RESTART)) {
    action.flags |= SA_RESTART;
    bool written = remote_write(call, call->arguments[1], &action, sizeof action);
    call->program->child_ends_interrupt |= written && (int)call->arguments[0] == SIGCHLD;
  }
  call_continue(call);
}
