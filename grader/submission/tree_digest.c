#include "grader/submission/tree_digest.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MOST = 64 };

struct tree_digest {
  EVP_MD_CTX *context;
  bool spoilt;
};

struct tree_digest *tree_digest_begin(void) {
  struct tree_digest *digest = memory_zeroed(1, sizeof *digest);
  digest->context = EVP_MD_CTX_new();
  if (digest->context && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1)
    return digest;
  EVP_MD_CTX_free(digest->context);
  free(digest);
  return NULL;
}

void tree_digest_add(struct tree_digest *digest, const void *bytes, size_t length) {
  digest->spoilt |= EVP_DigestUpdate(digest->context, bytes, length) != 1;
}

void tree_digest_text(struct tree_digest *digest, const char *text) {
  tree_digest_add(digest, text, strlen(text) + 1);
}

static void number_add(struct tree_digest *digest, uint64_t number) {
  tree_digest_add(digest, &number, sizeof number);
}

static void time_add(struct tree_digest *digest, const struct timespec *time) {
  number_add(digest, (uint64_t)time->tv_sec);
  number_add(digest, (uint64_t)time->tv_nsec);
}

void tree_digest_state(struct tree_digest *digest, const char *path) {
  struct stat status;
  tree_digest_text(digest, path);
  bool there = stat(path, &status) == 0;
  number_add(digest, there);
  if (!there)
    return;
  number_add(digest, status.st_dev);
  number_add(digest, status.st_ino);
  number_add(digest, (uint64_t)status.st_size);
  time_add(digest, &status.st_mtim);
  time_add(digest, &status.st_ctim);
}

/* ---- folders ---- */

static void file_add(struct tree_digest *digest, int folder_fd, const char *name) {
  char block[65536];
  uint64_t total = 0;
  ssize_t length = -1;
  scoped_fd int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  while (fd >= 0 && (length = read(fd, block, sizeof block)) != 0) {
    if (length < 0 && errno == EINTR)
      continue;
    if (length < 0)
      break;
    tree_digest_add(digest, block, (size_t)length);
    total += (uint64_t)length;
  }
  digest->spoilt |= length != 0;
  number_add(digest, total); /* so that what follows is not taken for contents */
}

static void link_add(struct tree_digest *digest, int folder_fd, const char *name) {
  char target[PATH_MAX];
  ssize_t length = readlinkat(folder_fd, name, target, sizeof target - 1);
  if (length < 0) {
    digest->spoilt = true;
    return;
  }
  target[length] = '\0';
  tree_digest_text(digest, target);
}

static int is_entry(const struct dirent *entry) {
  return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **one, const struct dirent **other) {
  return strcmp((*one)->d_name, (*other)->d_name);
}

static void entries_add(struct tree_digest *digest, int folder_fd, const char *name, int depth);

/* A copy lacks .git, what is neither file nor folder nor link, special bits, and further links to a
 * file; and its owner can read and write all of it. */
static void entry_add(struct tree_digest *digest, int folder_fd, const char *name, int depth) {
  enum { FILE_BITS = 0600, FOLDER_BITS = 0700, ALL_BITS = 0777 };
  struct stat status;
  if (strcmp(name, ".git") == 0 || fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW)) {
    digest->spoilt = true;
    return;
  }
  tree_digest_text(digest, name);
  number_add(digest, status.st_mode);
  mode_t bits = status.st_mode & ~(mode_t)S_IFMT;
  if (S_ISLNK(status.st_mode)) {
    link_add(digest, folder_fd, name);
    return;
  }
  time_add(digest, &status.st_mtim);
  if (S_ISREG(status.st_mode)) {
    digest->spoilt |= bits != ((bits & ALL_BITS) | FILE_BITS) || status.st_nlink != 1;
    file_add(digest, folder_fd, name);
  } else if (S_ISDIR(status.st_mode)) {
    digest->spoilt |= bits != ((bits & ALL_BITS) | FOLDER_BITS);
    entries_add(digest, folder_fd, name, depth + 1);
  } else {
    digest->spoilt = true;
  }
}

static void entries_add(struct tree_digest *digest, int folder_fd, const char *name, int depth) {
  scoped_fd int fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct dirent **list = NULL;
  int count = fd < 0 || depth > DEPTH_MOST ? -1 : scandirat(fd, ".", &list, is_entry, by_bytes);
  digest->spoilt |= count < 0;
  for (int i = 0; i < count; i++) {
    if (!digest->spoilt)
      entry_add(digest, fd, list[i]->d_name, depth);
    free(list[i]);
  }
  free(list);
  number_add(digest, (uint64_t)count); /* the end of the folder */
}

void tree_digest_folder(struct tree_digest *digest, const char *path) {
  entries_add(digest, AT_FDCWD, path, 0);
}

char *tree_digest_end(struct tree_digest *digest) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  char *text = NULL;
  if (EVP_DigestFinal_ex(digest->context, bytes, &length) == 1 && !digest->spoilt) {
    text = memory_zeroed(2 * length + 1, 1);
    for (unsigned i = 0; i < length; i++)
      snprintf(text + 2 * (size_t)i, 3, "%02x", bytes[i]);
  }
  EVP_MD_CTX_free(digest->context);
  free(digest);
  return text;
}
