#include "waits.h"

#include <linux/futex.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/sem.h>
#include <sys/syscall.h>

WAY(futex) {
  int word = 0;
  struct timespec wait = span(LONG_S);
  require(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &wait, NULL, 0) < 0 &&
              errno == ETIMEDOUT,
          "futex");
  require(wait.tv_sec == LONG_S, "futex leaves its argument alone");
}

struct handover {
  int word;
  struct timespec wait; /* as on the waiter's stack */
};

static void *wake(void *argument) {
  struct handover *handover = argument;
  __atomic_store_n(&handover->word, 1, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, &handover->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  return NULL;
}

/* Woken at once; what stands where the time-out stood is the program's own again. */
WAY(futex_woken) {
  for (int i = 0; i < LONG_S; i++) {
    struct handover handover = {0, span(4)};
    pthread_t other;
    pthread_create(&other, NULL, wake, &handover);
    syscall(SYS_futex, &handover.word, FUTEX_WAIT_PRIVATE, 0, &handover.wait, NULL, 0);
    handover.wait = (struct timespec){77, 88};
    pthread_join(other, NULL);
    struct timespec rest = span(1);
    nanosleep(&rest, NULL);
    require(handover.wait.tv_sec == 77 && handover.wait.tv_nsec == 88, "memory is left alone");
  }
}

/* Woken, and then used again without being set again. */
WAY(futex_used_again) {
  struct handover handover = {0, span(LONG_S)};
  pthread_t other;
  pthread_create(&other, NULL, wake, &handover);
  syscall(SYS_futex, &handover.word, FUTEX_WAIT_PRIVATE, 0, &handover.wait, NULL, 0);
  pthread_join(other, NULL);
  require(syscall(SYS_futex, &handover.word, FUTEX_WAIT_PRIVATE, 1, &handover.wait, NULL, 0) < 0 &&
              errno == ETIMEDOUT,
          "futex");
}

WAY(condition) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  struct timespec until = moment(CLOCK_REALTIME, LONG_S);
  pthread_mutex_lock(&mutex);
  require(pthread_cond_timedwait(&condition, &mutex, &until) == ETIMEDOUT,
          "pthread_cond_timedwait");
}

WAY(semaphore) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  struct timespec until = moment(CLOCK_REALTIME, LONG_S);
  require(sem_timedwait(&semaphore, &until) < 0 && errno == ETIMEDOUT, "sem_timedwait");
}

WAY(semtimedop) {
  int id = semget(IPC_PRIVATE, 1, 0600);
  struct sembuf take = {0, -1, 0};
  struct timespec wait = span(LONG_S);
  int result = semtimedop(id, &take, 1, &wait), error = errno;
  semctl(id, 0, IPC_RMID);
  errno = error;
  require(result < 0 && errno == EAGAIN, "semtimedop");
}

WAY(mq_timedreceive) {
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

WAY(condition_woken) {
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
