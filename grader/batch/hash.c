#include "grader/batch/hash.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
  DEPTH_MOST = 64,      /* as copy_folder() */
  ENTRIES_MOST = 20001, /* one more than a submission may have */
};
static const uint64_t bytes_most = 257ull << 20; /* likewise */

struct hashing {
  EVP_MD_CTX *digest;
  uint64_t bytes;
  unsigned entries;
};

/* SHA-256 fails only without memory. */
static void digest_check(int outcome) {
  if (outcome != 1) {
    fputs("wiregrade: SHA-256 cannot be computed\n", stderr);
    exit(3);
  }
}

static void hashing_begin(struct hashing *hashing) {
  *hashing = (struct hashing){.digest = EVP_MD_CTX_new()};
  digest_check(EVP_DigestInit_ex(hashing->digest, EVP_sha256(), NULL));
}

static void bytes_add(struct hashing *hashing, const void *bytes, size_t length) {
  digest_check(EVP_DigestUpdate(hashing->digest, bytes, length));
}

static struct hash hashing_end(struct hashing *hashing) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  struct hash hash;
  digest_check(EVP_DigestFinal_ex(hashing->digest, bytes, &length));
  EVP_MD_CTX_free(hashing->digest);
  for (unsigned i = 0; i < length && i < 32; i++)
    snprintf(hash.text + (size_t)2 * i, 3, "%02x", bytes[i]);
  return hash;
}

/* With the length in front, so that no two different lists of texts are the same bytes. */
static void text_add(struct hashing *hashing, char kind, const char *text, size_t length) {
  char head[40];
  bytes_add(hashing, head, (size_t)snprintf(head, sizeof head, "%c%zu:", kind, length));
  bytes_add(hashing, text, length);
}

static void number_add(struct hashing *hashing, char kind, uint64_t number) {
  char text[40];
  bytes_add(hashing, text, (size_t)snprintf(text, sizeof text, "%c%ju;", kind, (uintmax_t)number));
}

/* At most what a submission may have; -1 if the file cannot be read. */
static int file_add(struct hashing *hashing, int fd) {
  char block[65536];
  ssize_t got = 0;
  uint64_t length = 0;
  while (hashing->bytes < bytes_most && (got = read(fd, block, sizeof block)) != 0) {
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -1;
    bytes_add(hashing, block, (size_t)got);
    hashing->bytes += (uint64_t)got;
    length += (uint64_t)got;
  }
  number_add(hashing, 'l', length);
  return 0;
}

/* ---- folders ---- */

struct names {
  char **names;
  size_t count, room;
};

static int name_compare(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

static void names_read(struct names *names, int folder_fd) {
  DIR *entries = fdopendir(dup(folder_fd));
  for (const struct dirent *entry; entries && (entry = readdir(entries));) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".git") == 0 ||
        names->count > ENTRIES_MOST)
      continue;
    if (names->count == names->room) {
      names->room = names->room ? 2 * names->room : 32;
      names->names = memory_resize(names->names, names->room * sizeof *names->names);
    }
    names->names[names->count++] = memory_text(name);
  }
  if (entries)
    closedir(entries);
  if (names->count > 0)
    qsort(names->names, names->count, sizeof *names->names, name_compare);
}

static void folder_add(struct hashing *hashing, int folder_fd, unsigned depth);

static void entry_add(struct hashing *hashing, int folder_fd, const char *name, unsigned depth) {
  struct stat status;
  text_add(hashing, 'n', name, strlen(name));
  if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW)) {
    number_add(hashing, '?', (uint64_t)errno);
    return;
  }
  number_add(hashing, 'm', status.st_mode & (S_IFMT | 0777));
  if (S_ISLNK(status.st_mode)) {
    char target[PATH_MAX];
    ssize_t length = readlinkat(folder_fd, name, target, sizeof target);
    text_add(hashing, 't', target, length > 0 ? (size_t)length : 0);
  } else if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) {
    scoped_fd int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
      number_add(hashing, '?', (uint64_t)errno);
    else if (S_ISDIR(status.st_mode))
      folder_add(hashing, fd, depth + 1);
    else if (file_add(hashing, fd))
      number_add(hashing, '?', (uint64_t)errno);
  }
}

static void folder_add(struct hashing *hashing, int folder_fd, unsigned depth) {
  struct names names = {0};
  if (depth <= DEPTH_MOST)
    names_read(&names, folder_fd);
  for (size_t i = 0; i < names.count; i++) {
    if (++hashing->entries <= ENTRIES_MOST && hashing->bytes < bytes_most)
      entry_add(hashing, folder_fd, names.names[i], depth);
    free(names.names[i]);
  }
  free(names.names);
  number_add(hashing, 'e', names.count);
}

int hash_contents(const char *path, struct hash *hash, struct failure *failure) {
  struct stat status;
  scoped_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status))
    return failure_errno(failure, "cannot read the submission");
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
    return failure_set(failure, "the submission is neither a folder nor an archive");
  struct hashing hashing;
  hashing_begin(&hashing);
  number_add(&hashing, 'k', status.st_mode & S_IFMT);
  if (S_ISDIR(status.st_mode))
    folder_add(&hashing, fd, 0);
  else if (file_add(&hashing, fd))
    number_add(&hashing, '?', (uint64_t)errno);
  *hash = hashing_end(&hashing);
  return 0;
}

struct hash hash_bytes(const void *bytes, size_t length) {
  struct hashing hashing;
  hashing_begin(&hashing);
  bytes_add(&hashing, bytes, length);
  return hashing_end(&hashing);
}

int hash_files(const char *const *paths, size_t count, struct hash *hash, struct failure *failure) {
  struct hashing hashing;
  int outcome = 0;
  hashing_begin(&hashing);
  for (size_t i = 0; i < count && outcome == 0; i++) {
    const char *name = strrchr(paths[i], '/');
    name = name ? name + 1 : paths[i];
    text_add(&hashing, 'n', name, strlen(name));
    hashing.bytes = 0;
    scoped_fd int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || file_add(&hashing, fd))
      outcome = failure_errno(failure, "Cannot read %s", paths[i]);
  }
  *hash = hashing_end(&hashing);
  return outcome;
}
