#include "grader/result/progress.h"

#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

static char drawn[4096];

/* What is drawn when stderr is a terminal of so many columns. */
static void draw(unsigned short columns, const char *what) {
  int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  cr_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
  scoped_fd int inner = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  struct winsize size = {.ws_row = 24, .ws_col = columns};
  cr_assert(inner >= 0 && ioctl(inner, TIOCSWINSZ, &size) == 0);
  int saved = dup(STDERR_FILENO);
  dup2(inner, STDERR_FILENO);
  struct progress progress = progress_begin();
  progress_show(&progress, what, 3, 17);
  progress_show(&progress, "too soon after the first", 4, 17);
  progress_end(&progress);
  dup2(saved, STDERR_FILENO);
  close(saved);
  /* What is written at one end of a terminal comes to the other a little later. */
  enum { NO_MORE_MS = 300 };
  size_t length = 0;
  struct pollfd more = {.fd = terminal, .events = POLLIN};
  while (length < sizeof drawn - 1 && poll(&more, 1, NO_MORE_MS) > 0 && (more.revents & POLLIN)) {
    ssize_t some = read(terminal, drawn + length, sizeof drawn - 1 - length);
    if (some <= 0)
      break;
    length += (size_t)some;
  }
  drawn[length] = '\0';
  close(terminal);
}

Test(progress, draws_one_line_and_wipes_it) {
  draw(80, "udp");
  cr_expect_str_eq(drawn, "\r| 3/17  udp\r\r           \r");
}

Test(progress, never_wraps) {
  draw(50, "a lab with a name that is so long that it would not fit into one line");
  char *end = strchr(drawn + 1, '\r');
  cr_assert(end);
  cr_expect_eq(end - drawn - 1, 49);
}

Test(progress, shows_nothing_but_to_a_terminal) {
  scoped_file FILE *file = tmpfile();
  int saved = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  struct progress progress = progress_begin();
  progress_show(&progress, "udp", 1, 2);
  progress_end(&progress);
  dup2(saved, STDERR_FILENO);
  close(saved);
  cr_expect_eq(lseek(fileno(file), 0, SEEK_END), 0);
}
