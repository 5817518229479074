/* All that is made of a class, in its folder. */
#include "grader/class/class.h"

#include "grader/base/file.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdlib.h>
#include <string.h>

struct output {
  const char *name;
  void (*write)(const struct class_book *class, FILE *file);
};

static int contents_put(const char *out, const char *name, const char *text, size_t length,
                        struct failure *failure) {
  scoped_text char *path = memory_format("%s/%s", out, name);
  return file_replace(path, text, length, failure);
}

static int output_write(const struct class_book *class, const char *out,
                        const struct output *output, struct failure *failure) {
  scoped_text char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  output->write(class, file);
  fclose(file);
  return contents_put(out, output->name, text, length, failure);
}

static int canvas_write(const struct class_book *class, const char *out, const char *assignment,
                        struct failure *failure) {
  scoped_text char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  if (!assignment)
    assignment = *class->about.course ? class->about.course : "wiregrade";
  class_write_canvas(class, assignment, file);
  fclose(file);
  return contents_put(out, "canvas.csv", text, length, failure);
}

static int outputs_write(const struct class_book *class, const char *out, const char *assignment,
                         struct failure *failure) {
  static const struct output outputs[] = {
      {"grades.csv", class_write_csv},
      {"grades.json", class_write_json},
      {"junit.xml", class_write_junit},
      {"index.html", class_write_page},
  };
  static const struct output moodle = {"moodle.csv", class_write_moodle};
  const char *kind = class->about.roster_kind;
  if (strcmp(kind, "moodle") != 0 && canvas_write(class, out, assignment, failure))
    return -1;
  if (strcmp(kind, "canvas") != 0 && output_write(class, out, &moodle, failure))
    return -1;
  for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
    if (output_write(class, out, &outputs[i], failure))
      return -1;
  return 0;
}

int class_write_all(struct gradebook *book, const char *out, const char *assignment,
                    const struct class_reading *reading, struct failure *failure) {
  scoped_text char *pages = memory_format("%s/students", out);
  struct class_reading with_pages = *reading;
  with_pages.pages = pages;
  if (file_make_folder(pages, failure))
    return -1;
  struct class_book *class = class_read(book, &with_pages, failure);
  if (!class)
    return -1;
  int outcome = outputs_write(class, out, assignment, failure);
  class_free(class);
  return outcome;
}
