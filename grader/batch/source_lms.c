/* Moodle's and Canvas's downloads: what their names say, and whose files belong together. */
#include "grader/batch/source_inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

void source_lms_name_free(struct source_lms_name *name) {
  free(name->name);
  free(name->number);
  free(name->file);
  *name = (struct source_lms_name){0};
}

/* [Group-]Full Name_12345_assignsubmission_file[_[FILE]], and onlinetext in place of file; the name
 * is "Participant" where marking is blind. */
bool source_moodle_name(const char *text, struct source_lms_name *name) {
  static const char mark[] = "_assignsubmission_";
  *name = (struct source_lms_name){0};
  const char *kind = NULL;
  for (const char *at = text; (at = strstr(at, mark)); at++)
    kind = at;
  const char *number = kind;
  while (number && number > text && isdigit((unsigned char)number[-1]))
    number--;
  if (!kind || number == kind || number < text + 2 || number[-1] != '_')
    return false;
  size_t length = (size_t)(number - 1 - text);
  bool blind = length == strlen("Participant") && strncmp(text, "Participant", length) == 0;
  name->name = blind ? NULL : memory_format("%.*s", (int)length, text);
  name->number = memory_format("%.*s", (int)(kind - number), number);
  kind += strlen(mark);
  name->is_file = strncmp(kind, "file", 4) == 0;
  const char *file = strchr(kind, '_');
  name->file = memory_text(file ? file + 1 : "");
  return true;
}

/* Where "_DIGITS" ends, or NULL; where marking is anonymous, "_" and five letters or digits. */
static const char *canvas_number_end(const char *at, bool anonymous) {
  enum { ANONYMOUS_LENGTH = 5 };
  const char *end = at + 1;
  if (*at != '_')
    return NULL;
  while (isdigit((unsigned char)*end) || (anonymous && isalnum((unsigned char)*end)))
    end++;
  if (anonymous)
    return end - at - 1 == ANONYMOUS_LENGTH ? end : NULL;
  return end > at + 1 ? end : NULL;
}

/* lastfirst[_LATE]_<user id>_<submission id>_<file> */
bool source_canvas_name(const char *text, struct source_lms_name *name) {
  *name = (struct source_lms_name){0};
  const char *end = text + strcspn(text, "_");
  bool anonymous = strncmp(text, "anon_", 5) == 0;
  if (end == text || *end == '\0')
    return false;
  const char *user = end;
  bool late = strncmp(end, "_LATE_", 6) == 0 || strncmp(end, "_late_", 6) == 0;
  if (late)
    user = end + 5;
  const char *user_end = canvas_number_end(user, anonymous);
  const char *submission_end = user_end ? canvas_number_end(user_end, false) : NULL;
  if (!submission_end || *submission_end != '_' || submission_end[1] == '\0')
    return false;
  name->name = anonymous ? NULL : memory_format("%.*s", (int)(end - text), text);
  name->number = memory_format("%.*s", (int)(user_end - user - 1), user + 1);
  name->file = memory_text(submission_end + 1);
  name->late = late;
  name->is_file = true;
  return true;
}

/* ---- one student's files ---- */

struct handed_in {
  struct source_lms_name name;
  const char *entry; /* its name in the folder */
};

struct student_files {
  struct handed_in *files;
  size_t count;
  bool late;
};

/* "homework-2.zip" is the third attempt at "homework.zip": how many came before it. */
static unsigned canvas_attempts_before(const char *file) {
  scoped_text char *stem = source_stem(file);
  const char *dash = strrchr(stem, '-');
  size_t digits = dash ? strspn(dash + 1, "0123456789") : 0;
  return digits > 0 && digits < 4 && dash[1 + digits] == '\0' ? (unsigned)atoi(dash + 1) : 0;
}

static bool file_copy(const char *from, int folder_fd, const char *name) {
  struct stat status;
  scoped_fd int source = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  scoped_fd int copy =
      openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (source < 0 || copy < 0 || fstat(source, &status) || !S_ISREG(status.st_mode))
    return false;
  for (off_t left = status.st_size; left > 0;) {
    ssize_t done = sendfile(copy, source, NULL, (size_t)left);
    if (done <= 0)
      return false;
    left -= done;
  }
  return true;
}

/* Loose files get a folder, by the names that the student gave them. */
static void loose_take(struct source_reading *reading, struct source_submission *submission,
                       const char *folder, const struct student_files *files) {
  scoped_text char *place = source_place(reading, "files");
  scoped_fd int place_fd =
      mkdir(place, 0755) == 0 ? open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  for (size_t i = 0; i < files->count; i++) {
    scoped_text char *from = memory_format("%s/%s", folder, files->files[i].entry);
    if (place_fd < 0 || !file_copy(from, place_fd, files->files[i].name.file)) {
      source_give_up(submission, language_sentence("the file %s cannot be put beside the others",
                                                   files->files[i].name.file));
      return;
    }
  }
  source_settle(reading, submission, steal_pointer(&place));
}

static struct source_submission *submission_of(struct source_reading *reading,
                                               const struct student_files *files,
                                               const struct handed_in *first) {
  struct source_submission *submission = source_add(reading, first->entry, first->name.number);
  struct source_student *student = &submission->students[0];
  student->number = memory_text(first->name.number);
  student->name = first->name.name ? memory_text(first->name.name) : NULL;
  submission->late = files->late;
  return submission;
}

/* All archives, and each with another number of attempts before it. */
static bool are_attempts(const struct student_files *files) {
  for (size_t i = 0; i < files->count; i++) {
    if (!source_is_archive(files->files[i].name.file))
      return false;
    for (size_t k = 0; k < i; k++)
      if (canvas_attempts_before(files->files[i].name.file) ==
          canvas_attempts_before(files->files[k].name.file))
        return false;
  }
  return files->count > 1;
}

static void attempts_take(struct source_reading *reading, const char *folder,
                          const struct student_files *files) {
  for (size_t i = 0; i < files->count; i++) {
    const struct handed_in *file = &files->files[i];
    struct source_submission *submission = submission_of(reading, files, file);
    submission->late = file->name.late;
    submission->attempt = 1 + canvas_attempts_before(file->name.file);
    source_settle(reading, submission, memory_format("%s/%s", folder, file->entry));
  }
}

static void student_take(struct source_reading *reading, const char *folder,
                         const struct student_files *files) {
  const struct handed_in *first = &files->files[0];
  if (are_attempts(files)) {
    attempts_take(reading, folder, files);
    return;
  }
  struct source_submission *submission = submission_of(reading, files, first);
  scoped_text char *path = memory_format("%s/%s", folder, first->entry);
  if (!first->name.is_file) {
    source_give_up(submission, memory_text(_("it is a text that was typed in, without any file")));
  } else if (source_is_folder(path)) {
    source_settle(reading, submission, steal_pointer(&path));
  } else if (files->count == 1 && source_is_archive(first->name.file)) {
    submission->attempt = first->name.file[0] ? 1 + canvas_attempts_before(first->name.file) : 0;
    source_settle(reading, submission, steal_pointer(&path));
  } else {
    loose_take(reading, submission, folder, files);
  }
}

/* ---- all of a folder ---- */

/* Files before typed texts; the rest stays as it is. */
static int handed_in_compare(const void *left, const void *right) {
  const struct handed_in *one = left, *other = right;
  if (one->name.is_file != other->name.is_file)
    return one->name.is_file ? -1 : 1;
  return strcmp(one->entry, other->entry);
}

/* The files of all with the number of the first one left; their names are taken out. */
static struct student_files student_files_of(struct handed_in *all, size_t count, size_t from) {
  struct student_files files = {.files = memory_zeroed(count, sizeof *files.files)};
  for (size_t i = from; i < count; i++) {
    if (!all[i].entry || strcmp(all[i].name.number, all[from].name.number) != 0)
      continue;
    files.late = files.late || all[i].name.late;
    files.files[files.count++] = all[i];
  }
  qsort(files.files, files.count, sizeof *files.files, handed_in_compare);
  /* A typed text beside files is a remark. */
  while (files.count > 1 && !files.files[files.count - 1].name.is_file)
    files.count--;
  return files;
}

static void students_take(struct source_reading *reading, const char *folder, struct handed_in *all,
                          size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!all[i].entry)
      continue;
    struct student_files files = student_files_of(all, count, i);
    student_take(reading, folder, &files);
    free(files.files);
    for (size_t k = count; k-- > i;)
      if (all[k].entry && strcmp(all[k].name.number, all[i].name.number) == 0)
        all[k].entry = NULL;
  }
}

static bool lms_read(struct source_reading *reading, const char *folder, struct source_names *names,
                     bool (*parse)(const char *text, struct source_lms_name *name),
                     bool files_only) {
  struct handed_in *all = memory_zeroed(names->count, sizeof *all);
  char **entries = memory_zeroed(names->count, sizeof *entries);
  size_t count = 0, left = 0;
  for (size_t i = 0; i < names->count; i++) {
    scoped_text char *path = memory_format("%s/%s", folder, names->names[i]);
    if ((!files_only || source_is_file(path)) && parse(names->names[i], &all[count].name)) {
      entries[count] = names->names[i];
      all[count].entry = entries[count];
      count++;
    } else {
      names->names[left++] = names->names[i];
    }
  }
  names->count = left;
  students_take(reading, folder, all, count);
  for (size_t i = 0; i < count; i++) {
    source_lms_name_free(&all[i].name);
    free(entries[i]);
  }
  free(entries);
  free(all);
  return count > 0;
}

bool source_moodle(struct source_reading *reading, const char *folder, struct source_names *names) {
  return lms_read(reading, folder, names, source_moodle_name, false);
}

bool source_canvas(struct source_reading *reading, const char *folder, struct source_names *names) {
  return lms_read(reading, folder, names, source_canvas_name, true);
}
