#include "grader/world/supervisor_inner.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the registers of an architecture ---- */

#if defined(__x86_64__)
typedef struct user_regs_struct registers;
static uint64_t registers_stack(const registers *r) {
  return r->rsp;
}
/* Makes a call that was interrupted return `result`; false if it was not interrupted but has come
 * back. */
static bool registers_end_call(registers *r, int number, int64_t result) {
  int64_t now = (int64_t)r->rax;
  if (number != (int)r->orig_rax ||
      (now != -EINTR && now != -RESTART_SYSTEM_CALL && now != -RESTART_NO_INTERRUPT &&
       now != -RESTART_NO_HANDLER && now != -RESTART_BLOCK))
    return false;
  r->rax = (uint64_t)result;
  return true;
}
static void registers_set_argument(registers *r, int argument, uint64_t value) {
  unsigned long long *const places[] = {&r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8, &r->r9};
  *places[argument] = value;
}
#elif defined(__aarch64__)
typedef struct user_regs_struct registers; /* glibc's name for the kernel's user_pt_regs */
static uint64_t registers_stack(const registers *r) {
  return r->sp;
}
/* arm64 winds the program counter back to the call before the stop, so that x0 shows no restart
 * code: a call that is about to be made again is one to end, by stepping over its instruction.
 * EINTR is final and shows in x0. */
static bool registers_end_call(registers *r, int number, int64_t result) {
  enum { INSTRUCTION_LENGTH = 4 };
  int64_t now = (int64_t)r->regs[0];
  if (number != (int)r->regs[8] || (now < 0 && now != -EINTR))
    return false;
  if (now != -EINTR)
    r->pc += INSTRUCTION_LENGTH;
  r->regs[0] = (uint64_t)result;
  return true;
}
static void registers_set_argument(registers *r, int argument, uint64_t value) {
  r->regs[argument] = value;
}
#else
#error "wiregrade knows the registers of x86-64 and arm64 only"
#endif

static bool registers_get(pid_t thread, registers *r) {
  struct iovec into = {r, sizeof *r};
  return ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &into) == 0;
}

static bool registers_set(pid_t thread, registers *r) {
  struct iovec from = {r, sizeof *r};
  return ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &from) == 0;
}

/* ---- execve: hide the vDSO ---- */

/* At the exec stop the stack holds argc, argv, NULL, envp, NULL, and the auxiliary vector, in
 * words. Turns the entry that says where the vDSO is into one that libc ignores. */
static void vdso_hide(pid_t thread) {
  registers r;
  if (!registers_get(thread, &r))
    return;
  uint64_t words[512];
  uint64_t address = registers_stack(&r);
  enum { ARGUMENTS, ENVIRONMENT, VECTOR } part = ARGUMENTS;
  bool first = true, key = true;
  for (;;) {
    size_t left_of_page =
        sizeof words - address % sizeof words; /* the next page may be the stack's end */
    struct iovec local = {words, left_of_page}, remote = {(void *)(uintptr_t)address, left_of_page};
    ssize_t length = process_vm_readv(thread, &local, 1, &remote, 1, 0);
    if (length < (ssize_t)sizeof *words)
      return;
    size_t count = (size_t)length / sizeof *words;
    for (size_t i = 0; i < count; i++) {
      uint64_t word = words[i];
      if (first) {
        first = false; /* argc */
      } else if (part != VECTOR) {
        part += word == 0;
      } else if (!key) {
        key = true;
      } else if (word == AT_NULL) {
        return;
      } else if (word == AT_SYSINFO_EHDR) {
        uint64_t ignore = AT_IGNORE;
        struct iovec from = {&ignore, sizeof ignore};
        struct iovec to = {(void *)(uintptr_t)(address + i * sizeof word), sizeof ignore};
        process_vm_writev(thread, &from, 1, &to, 1, 0);
        return;
      } else {
        key = false;
      }
    }
    address += count * sizeof *words;
  }
}

void trace_exec_begin(struct known_task *task) {
  if (!task->traced && ptrace(PTRACE_SEIZE, task->thread, 0, PTRACE_O_TRACEEXEC) == 0)
    task->traced = true;
  task->exec_pending = task->traced;
}

bool trace_exec_step(struct known_task *task) {
  int status = 0;
  pid_t stopped = waitpid(task->thread, &status, WNOHANG | __WALL);
  if (stopped <= 0 &&
      task->process != task->thread) /* a thread that calls execve becomes its leader */
    stopped = waitpid(task->process, &status, WNOHANG | __WALL);
  if (stopped == 0)
    return false;
  task->traced = false;
  if (stopped < 0 || !WIFSTOPPED(status)) /* it has died */
    return true;
  bool by_signal = status >> 16 == 0;
  if (status >> 16 == PTRACE_EVENT_EXEC)
    vdso_hide(stopped);
  ptrace(PTRACE_DETACH, stopped, 0, by_signal ? (long)WSTOPSIG(status) : 0);
  return true;
}

void trace_release(struct known_task *task) {
  ptrace(PTRACE_INTERRUPT, task->thread, 0,
         0); /* stops as soon as its present call ends; then trace_exec_step */
}

/* Waits for the stop that PTRACE_INTERRUPT asked for. False if the task has died, or if a signal
 * was first: that ends the call by the kernel's own rules. */
static bool interrupted(pid_t thread) {
  int status = 0;
  while (waitpid(thread, &status, __WALL) < 0 && errno == EINTR)
    ;
  if (!WIFSTOPPED(status))
    return false;
  if (status >> 16 == PTRACE_EVENT_STOP)
    return true;
  ptrace(PTRACE_DETACH, thread, 0, (long)WSTOPSIG(status));
  return false;
}

bool trace_repeat_call(struct call *call, int argument, uint64_t value) {
  pid_t thread = call->task->thread;
  if (ptrace(PTRACE_SEIZE, thread, 0, 0) != 0)
    return false;
  ptrace(PTRACE_INTERRUPT, thread, 0, 0);
  call_answer(call, -RESTART_NO_HANDLER);
  if (!interrupted(thread))
    return true;
  registers r;
  if (registers_get(thread, &r)) {
    registers_set_argument(&r, argument, value);
    registers_set(thread, &r);
  }
  ptrace(PTRACE_DETACH, thread, 0, 0);
  return true;
}

void trace_interrupt_call(const struct known_task *task, int number, int error) {
  if (ptrace(PTRACE_SEIZE, task->thread, 0, 0) != 0)
    return;
  ptrace(PTRACE_INTERRUPT, task->thread, 0, 0);
  if (!interrupted(task->thread))
    return;
  registers r;
  if (registers_get(task->thread, &r) && registers_end_call(&r, number, -error))
    registers_set(task->thread, &r);
  ptrace(PTRACE_DETACH, task->thread, 0, 0);
}
