/* When contents are the same. */
#include "grader/batch/hash.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char place[64];
static struct failure failure;

static void place_make(void) {
  strcpy(place, "/tmp/hash-test-XXXXXX");
  cr_assert(mkdtemp(place) && chdir(place) == 0);
}

static void place_remove(void) {
  scoped_text char *command = memory_format("rm -rf '%s'", place);
  cr_expect_eq(system(command), 0);
}

TestSuite(hash, .init = place_make, .fini = place_remove);

static void shell(const char *command) {
  cr_assert_eq(system(command), 0, "%s", command);
}

static struct hash hash_of(const char *path) {
  struct hash hash;
  cr_assert_eq(hash_contents(path, &hash, &failure), 0, "%s", failure.sentence);
  return hash;
}

static void expect(bool same, const char *one, const char *other) {
  cr_expect_eq(strcmp(hash_of(one).text, hash_of(other).text) == 0, same, "%s and %s", one, other);
}

Test(hash, knows_a_copy) {
  shell("mkdir -p a/x && echo 1 >a/x/f && echo 2 >a/g && ln -s g a/link && cp -R a b"
        " && touch -d 2001-01-01 b/g && mkdir b/.git && echo >b/.git/config");
  cr_expect_eq(strlen(hash_of("a").text), 64);
  expect(true, "a", "b");
}

Test(hash, knows_each_change) {
  static const char *const changes[] = {"echo 3 >b/g",
                                        "chmod +x b/g",
                                        "mv b/g b/h",
                                        "mv b/g b/x/g",
                                        "mkdir b/y",
                                        "ln -sf x b/link",
                                        "rm b/link && cp b/g b/link"};
  shell("mkdir -p a/x && echo 1 >a/x/f && echo 2 >a/g && ln -s g a/link");
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    shell("rm -rf b && cp -R a b");
    expect(true, "a", "b");
    shell(changes[i]);
    expect(false, "a", "b");
  }
}

Test(hash, does_not_mistake_names_for_contents) {
  shell("mkdir a b && printf 'xn1:y' >a/f && printf x >b/f && printf '' >b/y");
  expect(false, "a", "b");
}

Test(hash, reads_no_link_and_no_pipe) {
  struct hash hash;
  shell("mkdir a && mkfifo a/pipe pipe && ln -s a link");
  hash_of("a");
  cr_expect_neq(hash_contents("link", &hash, &failure), 0);
  cr_expect_neq(hash_contents("pipe", &hash, &failure), 0);
  cr_expect_neq(hash_contents("nothing", &hash, &failure), 0);
}

Test(hash, is_sha_256) {
  cr_expect_str_eq(hash_bytes("abc", 3).text,
                   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
