/* What `wiregrade try deadlock` opens. */
#include "service.h"

SCENE(
    server,
    "A server at 127.0.0.1:60000 answers as it reads, one client after another; try: upper client "
    "127.0.0.1 65536, and then with 99999999 bytes (Ctrl-C ends what does not end).") {
  leave_out_data(localhost());
  struct program *server = start_answering(&(struct answering){0});
  open_shell(localhost());
  while (shell_is_open())
    if (await_exit(server, 0))
      server = start_answering(&(struct answering){0});
}
