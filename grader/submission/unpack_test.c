/* What becomes of an archive's entries, and that nothing comes out of the folder. Whole archives as
 * files are in fixtures/hostile/archives. */
#include "grader/submission/unpack_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/sandbox/sandbox.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static char place[64], folder[80];
static int archive_fd = -1;
static struct archive *writer;
static struct unpack_limits limits;
static struct failure failure;
static char *notes;

static void place_make(void) {
  snprintf(place, sizeof place, "/tmp/unpack-test-XXXXXX");
  cr_assert(mkdtemp(place));
  cr_assert_eq(chmod(place, 0755), 0);
  snprintf(folder, sizeof folder, "%s/to", place);
  limits = (struct unpack_limits){.bytes = 1 << 20, .files = 100, .cpu_seconds = 5, .seconds = 10};
  archive_fd = memfd_create("archive", MFD_CLOEXEC);
  writer = archive_write_new();
  cr_assert_eq(archive_write_set_format_pax(writer), ARCHIVE_OK);
  cr_assert_eq(archive_write_set_bytes_in_last_block(writer, 1), ARCHIVE_OK);
  cr_assert_eq(archive_write_open_fd(writer, archive_fd), ARCHIVE_OK);
}

static int path_remove(const char *path, const struct stat *status, int kind, struct FTW *at) {
  (void)status, (void)kind, (void)at;
  return remove(path);
}

static void place_remove(void) {
  cr_assert_eq(nftw(place, path_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
  close(archive_fd);
  free(notes);
}

TestSuite(unpack, .init = place_make, .fini = place_remove);

/* ---- writing one ---- */

static void entry_write(const char *name, mode_t kind, mode_t mode, const char *link,
                        const char *contents) {
  struct archive_entry *entry = archive_entry_new();
  archive_entry_set_pathname(entry, name);
  archive_entry_set_mode(entry, kind | mode);
  archive_entry_set_size(entry, contents ? (int64_t)strlen(contents) : 0);
  archive_entry_set_mtime(entry, 1000000000, 0);
  if (kind == AE_IFLNK)
    archive_entry_set_symlink(entry, link);
  else if (link)
    archive_entry_set_hardlink(entry, link);
  cr_assert_geq(archive_write_header(writer, entry), ARCHIVE_WARN, "%s",
                archive_error_string(writer));
  if (contents)
    cr_assert_eq(archive_write_data(writer, contents, strlen(contents)), (ssize_t)strlen(contents));
  archive_entry_free(entry);
}

static void add_file(const char *name, const char *contents) {
  entry_write(name, AE_IFREG, 0644, NULL, contents);
}

static void add_link(const char *name, const char *target) {
  entry_write(name, AE_IFLNK, 0777, target, NULL);
}

static void add_hard_link(const char *name, const char *target) {
  entry_write(name, AE_IFREG, 0644, target, NULL);
}

static void add_folder(const char *name) {
  entry_write(name, AE_IFDIR, 0755, NULL, NULL);
}

/* ---- what comes of it ---- */

/* What a fork of this process found out. */
struct outcome {
  enum unpack_fault fault;
  struct failure failure;
  bool has_notes;
  char notes[4096];
};

/* In a fork, since Criterion's process has a second thread, which may be in the middle of malloc.
 */
static void outcome_find(struct outcome *outcome) {
  pid_t pid = fork();
  if (pid == 0) {
    struct unpack_spec spec = {.archive_fd = archive_fd, .folder = folder, .limits = limits};
    char *text;
    outcome->fault = unpack_archive(&spec, &text, &outcome->failure);
    outcome->has_notes = text != NULL;
    snprintf(outcome->notes, sizeof outcome->notes, "%s", text ? text : "");
    _exit(0);
  }
  int status;
  cr_assert(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static enum unpack_fault unpack(void) {
  enum sandbox_mode mode;
  cr_assert_eq(sandbox_enter(&mode, &failure), 0, "%s", failure.sentence);
  if (writer)
    cr_assert_eq(archive_write_free(writer), ARCHIVE_OK);
  writer = NULL;
  cr_assert_eq(lseek(archive_fd, 0, SEEK_SET), 0);
  struct outcome *outcome =
      mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  cr_assert_neq(outcome, MAP_FAILED);
  outcome_find(outcome);
  failure = outcome->failure;
  notes = outcome->has_notes ? memory_text(outcome->notes) : NULL;
  enum unpack_fault fault = outcome->fault;
  munmap(outcome, sizeof *outcome);
  return fault;
}

static void expect_unpacked(const char *wanted_notes) {
  cr_assert_eq(unpack(), UNPACK_DONE, "%s", failure.sentence);
  cr_assert_str_eq(notes, wanted_notes);
}

/* Refused with these words; and nothing is beside the folder. */
static void expect_refused(const char *words) {
  cr_assert_eq(unpack(), UNPACK_REFUSED, "%s", failure.sentence);
  cr_assert(strstr(failure.sentence, words), "%s", failure.sentence);
  cr_assert_null(notes);
  struct stat status;
  cr_assert(lstat(place, &status) == 0 && status.st_nlink == 3);
  scoped_text char *escaped = memory_format("%s/escaped", place);
  cr_assert_neq(lstat(escaped, &status), 0);
}

static char *in_folder(const char *name) {
  return memory_format("%s/%s", folder, name);
}

static struct stat status_of(const char *name) {
  scoped_text char *path = in_folder(name);
  struct stat status = {0};
  cr_assert_eq(lstat(path, &status), 0, "%s is not there", path);
  return status;
}

static void expect_none(const char *name) {
  scoped_text char *path = in_folder(name);
  struct stat status;
  cr_assert(lstat(path, &status) && errno == ENOENT, "%s is there", path);
}

static void expect_contents(const char *name, const char *wanted) {
  scoped_text char *path = in_folder(name);
  char contents[100] = "";
  scoped_file FILE *file = fopen(path, "re");
  cr_assert(file, "%s", path);
  size_t length = fread(contents, 1, sizeof contents - 1, file);
  contents[length] = '\0';
  cr_assert_str_eq(contents, wanted);
}

Test(unpack, keeps_files_folders_links_modes_and_times) {
  add_folder("./");
  entry_write("sub/program", AE_IFREG, 0755, NULL, "one");
  entry_write("secret", AE_IFREG, 0000, NULL, "two");
  entry_write("closed", AE_IFDIR, 0000, NULL, NULL);
  add_file("closed//./inner", "three");
  add_link("link", "sub/../sub/program");
  add_link("nowhere", "sub/none");
  add_hard_link("same", "./sub/program");
  expect_unpacked("");
  expect_contents("sub/program", "one");
  expect_contents("closed/inner", "three");
  expect_contents("link", "one");
  struct stat program = status_of("sub/program"), same = status_of("same");
  cr_assert(program.st_mode == (S_IFREG | 0755) && program.st_mtime == 1000000000);
  cr_assert(program.st_ino == same.st_ino && program.st_uid == status_of("").st_uid);
  cr_assert_eq(status_of("secret").st_mode, S_IFREG | 0600);
  cr_assert_eq(status_of("closed").st_mode, S_IFDIR | 0700);
  cr_assert(S_ISLNK(status_of("nowhere").st_mode));
}

/* ---- names ---- */

Test(unpack, names_that_lead_out_are_refused) {
  add_file("good", "x");
  add_file("sub/../../escaped", "x");
  expect_refused("its entry sub/../../escaped would be written outside");
}

Test(unpack, names_that_only_pass_by_outside_are_refused) {
  add_folder("sub/..");
  expect_refused("its entry sub/../ would be written outside");
}

Test(unpack, absolute_names_are_refused) {
  scoped_text char *name = memory_format("%s/escaped", place);
  add_file(name, "x");
  expect_refused("has an absolute path");
}

Test(unpack, names_have_their_limit) {
  char name[UNPACK_NAME_MOST + 2];
  memset(name, 'n', sizeof name);
  name[UNPACK_NAME_MOST] = '\0';
  add_file(name, "x");
  name[UNPACK_NAME_MOST] = 'n';
  name[UNPACK_NAME_MOST + 1] = '\0';
  add_file(name, "x");
  expect_refused("is too long");
  status_of((name[UNPACK_NAME_MOST] = '\0', name));
}

Test(unpack, odd_names_are_kept_and_noted) {
  add_file("-rf", "x");
  add_file("Case", "1");
  add_file("case", "2");
  add_file("a\x1b[2J\nb", "3");
  add_file("bidi\u202e", "4");
  expect_unpacked("a\\x1b[2J\\nb, bidi\\u202e: unpacked under a name that has characters which "
                  "cannot be shown\n");
  expect_contents("Case", "1");
  expect_contents("case", "2");
  expect_contents("a\x1b[2J\nb", "3");
  status_of("-rf");
}

Test(unpack, what_is_refused_is_named_safely) {
  add_file("../\x1b]0;x\x07\n\u202e", "x");
  expect_refused("its entry ../\\x1b]0;x\\x07\\n\\u202e would");
}

/* ---- links ---- */

Test(unpack, links_out_are_left_out) {
  add_link("absolute", "/etc/passwd");
  add_link("sub/up", "../../x");
  add_link("later", "none/../../x"); /* as soon as `none` is there */
  add_link("sub/fine", "../good");
  add_file("good", "x");
  expect_unpacked(
      "absolute, sub/up, later: left out, since links must not lead out of the archive\n");
  expect_none("absolute");
  expect_none("sub/up");
  expect_contents("sub/fine", "x");
}

Test(unpack, links_out_through_each_other_are_left_out) {
  add_link("sub/up", "..");
  add_link("out", "sub/up/../..");
  expect_unpacked("out: left out, since links must not lead out of the archive\n");
  expect_none("out");
  status_of("sub/up");
}

Test(unpack, nothing_is_written_through_a_link) {
  add_link("sub", "..");
  add_file("sub/escaped", "x");
  expect_refused("it holds sub as a link and as something else");
}

Test(unpack, nothing_is_written_through_a_link_that_leads_inside) {
  add_folder("real");
  add_link("sub", "real");
  add_file("sub/file", "x");
  expect_refused("it holds sub as a link and as something else");
}

Test(unpack, no_link_is_made_through_a_link) {
  add_folder("real");
  add_link("sub", "real");
  add_link("sub/inner", "x");
  expect_refused("it holds sub/inner as a link and as something else");
}

Test(unpack, a_link_does_not_replace_a_file) {
  add_file("name", "x");
  add_link("name", "other");
  expect_refused("it holds name as a link and as something else");
}

Test(unpack, hard_links_do_not_lead_out) {
  add_hard_link("stolen", "../../../etc/passwd");
  expect_refused("its hard link stolen leads out of it, to ../../../etc/passwd");
}

Test(unpack, hard_links_are_to_files_that_are_there) {
  add_hard_link("stolen", "etc/passwd");
  expect_refused("its hard link stolen is one to etc/passwd, which is not a file before it");
}

Test(unpack, hard_links_are_not_to_folders) {
  add_folder("sub");
  add_hard_link("other", "sub");
  expect_refused("its hard link other is one to sub, which is not a file before it");
}

Test(unpack, a_hard_link_to_a_link_is_such_a_link) {
  add_file("file", "x");
  add_link("first", "file");
  add_hard_link("second", "first");
  expect_unpacked("");
  cr_assert(S_ISLNK(status_of("second").st_mode));
}

Test(unpack, a_file_that_replaces_a_hard_link_leaves_the_other) {
  add_file("one", "1");
  add_hard_link("two", "one");
  add_file("two", "2");
  expect_unpacked("two: there more than once, of which the last one counts\n");
  expect_contents("one", "1");
  expect_contents("two", "2");
}

/* ---- kinds ---- */

Test(unpack, devices_and_fifos_are_left_out) {
  add_file("good", "x");
  entry_write("disk", AE_IFBLK, 0666, NULL, NULL);
  entry_write("terminal", AE_IFCHR, 0666, NULL, NULL);
  entry_write("pipe", AE_IFIFO, 0666, NULL, NULL);
  expect_unpacked("disk, terminal, pipe: left out, since only files, folders and links are "
                  "unpacked\n");
  expect_none("disk");
  expect_none("pipe");
}

Test(unpack, set_user_id_is_taken_away) {
  entry_write("shell", AE_IFREG, 06755, NULL, "x");
  entry_write("group", AE_IFDIR, 02775, NULL, NULL);
  expect_unpacked("shell: unpacked without its set-user-ID, set-group-ID or sticky bit\n");
  cr_assert_eq(status_of("shell").st_mode, S_IFREG | 0755);
  cr_assert_eq(status_of("group").st_mode, S_IFDIR | 0775);
}

Test(unpack, what_others_put_beside_is_left_out) {
  add_file("__MACOSX/sub/._file", "x");
  add_file("sub/.DS_Store", "x");
  add_file("sub/._file", "x");
  add_file("sub/.git/config", "x");
  add_file("sub/.gitignore", "x");
  add_file("sub/__MACOSX.c", "x");
  expect_unpacked("__MACOSX/sub/._file, sub/.DS_Store, sub/._file: left out, since it is what "
                  "macOS packs beside the files\n");
  expect_none("__MACOSX");
  expect_none("sub/.git");
  expect_contents("sub/.gitignore", "x");
  expect_contents("sub/__MACOSX.c", "x");
}

Test(unpack, a_file_is_no_folder) {
  add_file("name", "x");
  add_file("name/inner", "x");
  expect_refused("it holds name/inner both as a file and as a folder");
}

/* ---- limits ---- */

Test(unpack, bytes_have_their_limit) {
  limits.bytes = 10;
  add_file("first", "123456");
  add_file("second", "1234");
  add_file("third", "1");
  expect_refused("too large when unpacked: more than 0 MiB with third");
}

Test(unpack, what_is_left_out_has_its_limit_too) {
  limits.bytes = 10;
  char contents[42] = "";
  memset(contents, 'x', sizeof contents - 1);
  add_file(".DS_Store", contents);
  expect_refused("too large when unpacked: more than 0 MiB with .DS_Store");
}

Test(unpack, entries_have_their_limit) {
  limits.files = 5;
  add_file("a/b/c/d", "x"); /* itself, and three folders */
  add_file("e", "x");
  add_file("f", "x");
  expect_refused("too many files: more than 5; the last was f");
}

Test(unpack, folders_have_their_limit) {
  char name[2 * UNPACK_DEPTH_MOST + 4] = "";
  for (int depth = 0; depth < UNPACK_DEPTH_MOST; depth++)
    strcat(name, "d/");
  strcat(name, "f");
  add_file(name, "x");
  strcpy(name + strlen(name) - 1, "d/");
  add_folder(name);
  expect_refused("nested too deeply: more than 64");
}

/* ---- as a whole ---- */

static void archive_set(const char *bytes) {
  archive_write_free(writer);
  writer = NULL;
  cr_assert_eq(ftruncate(archive_fd, 0), 0);
  cr_assert_eq(pwrite(archive_fd, bytes, strlen(bytes), 0), (ssize_t)strlen(bytes));
}

Test(unpack, what_is_no_archive_is_refused) {
  archive_set("int main(void) { return 0; }\n");
  expect_refused("it is not a folder, and not an archive that can be read");
}

Test(unpack, nothing_at_all_is_refused) {
  archive_set("");
  expect_refused("it is empty");
}

Test(unpack, an_archive_of_nothing_to_be_graded_is_refused) {
  add_file("__MACOSX/x", "x");
  add_link("out", "/etc");
  expect_refused("it is empty");
}

Test(unpack, a_cut_archive_is_refused) {
  add_file("first", "x");
  add_file("second", "a text of some length");
  cr_assert_eq(archive_write_free(writer), ARCHIVE_OK);
  writer = NULL;
  struct stat status;
  cr_assert(fstat(archive_fd, &status) == 0 && ftruncate(archive_fd, status.st_size / 4) == 0);
  expect_refused("it is damaged, or was cut off, at ");
}

Test(unpack, folders_around_are_taken_away) {
  add_file("one/one/--two/file", "x");
  expect_unpacked("");
  cr_assert_eq(unpack_unwrap(folder, &failure), 0, "%s", failure.sentence);
  expect_contents("file", "x");
}

Test(unpack, the_folder_of_programs_is_not_around) {
  add_file("homework/bin/udp-server", "x");
  expect_unpacked("");
  cr_assert_eq(unpack_unwrap(folder, &failure), 0, "%s", failure.sentence);
  expect_contents("bin/udp-server", "x");
}

Test(unpack, a_link_to_a_folder_is_not_around) {
  add_link("loop", ".");
  expect_unpacked("");
  cr_assert_eq(unpack_unwrap(folder, &failure), 0, "%s", failure.sentence);
  cr_assert(S_ISLNK(status_of("loop").st_mode));
}
