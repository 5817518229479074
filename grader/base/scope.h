/* Resources that are released by scope: `scoped_fd int fd = open(…);`, `scoped_text char *line =
 * NULL;`. steal_fd() and steal_pointer() take the resource out of the variable, so that it outlives
 * the scope. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void scope_close_fd(int *fd) {
  if (*fd >= 0)
    close(*fd);
}
static inline void scope_free(void *pointer) {
  free(*(void **)pointer);
}
static inline void scope_close_file(FILE **file) {
  if (*file)
    fclose(*file);
}

#define scoped_fd __attribute__((cleanup(scope_close_fd)))
#define scoped_text __attribute__((cleanup(scope_free)))
#define scoped_file __attribute__((cleanup(scope_close_file)))

static inline int steal_fd(int *fd) {
  int stolen = *fd;
  *fd = -1;
  return stolen;
}

#define steal_pointer(place)                                                                       \
  __extension__({                                                                                  \
    __auto_type stolen_ = *(place);                                                                \
    *(place) = NULL;                                                                               \
    stolen_;                                                                                       \
  })
