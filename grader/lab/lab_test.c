#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/lab/catalogue.h"
#include "grader/lab/place.h"
#include "grader/lab/points.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char whole[] = "lab: udp\n"
                            "title: a promiscuous client\n"
                            "section: \"1.1.1\"\n"
                            "points: 20\n"
                            "programs: [udp-server, udp-client]\n"
                            "requirements:\n"
                            "  - number: 1\n"
                            "    level: core\n"
                            "    programs: [udp-server]\n"
                            "    text: >\n"
                            "      The server binds\n"
                            "      127.0.0.1 only.\n"
                            "    hint: INADDR_ANY\n"
                            "    read: \"1.1.1; ip(7)\"\n"
                            "  - number: 6\n"
                            "    level: stretch\n"
                            "    text: An empty datagram.\n";

static char folder[64];

static void folder_make(void) {
  strcpy(folder, "/tmp/wiregrade-test-XXXXXX");
  cr_assert(mkdtemp(folder));
}

static void folder_remove(void) {
  scoped_text char *command = memory_format("rm -r %s", folder);
  cr_assert(system(command) == 0);
}

static char *file_write(const char *lab, const char *contents) {
  char *path = memory_format("%s/%s", folder, lab);
  mkdir(path, 0700);
  free(path);
  path = memory_format("%s/%s/lab.yaml", folder, lab);
  scoped_file FILE *file = fopen(path, "w");
  fputs(contents, file);
  return path;
}

TestSuite(lab, .init = folder_make, .fini = folder_remove);

Test(lab, is_loaded) {
  struct failure failure;
  scoped_text char *path = file_write("udp", whole);
  struct lab *lab = lab_load(path, &failure);
  cr_assert(lab, "%s", failure.sentence);
  cr_assert_str_eq(lab->name, "udp");
  cr_assert_eq(lab->at_once, 1);
  cr_assert_eq(lab->requirement_count, 2);
  cr_assert_str_eq(lab->requirements[0].text, "The server binds 127.0.0.1 only.");
  cr_assert_str_eq(lab->requirements[0].programs[0], "udp-server");
  cr_assert_eq(lab_requirement(lab, 6)->level, LEVEL_STRETCH);
  cr_assert_str_eq(lab_requirement(lab, 6)->hint, "");
  cr_assert_null(lab_requirement(lab, 2));
  unsigned points[2];
  lab_points(lab, points);
  cr_assert_eq(points[0], 15);
  cr_assert_eq(points[1], 5);
  lab_free(lab);
}

static void expect_complaint(const char *contents, const char *place, const char *what) {
  struct failure failure;
  scoped_text char *path = file_write("udp", contents);
  cr_assert_null(lab_load(path, &failure));
  cr_expect(strstr(failure.sentence, place), "no '%s' in: %s", place, failure.sentence);
  cr_expect(strstr(failure.sentence, what), "no '%s' in: %s", what, failure.sentence);
}

Test(lab, errors_name_the_line) {
  expect_complaint("lab: udp\ntitle: x\nsection: '1'\npoints: many\n", "lab.yaml:4:", "many");
  scoped_text char *hasty = memory_format("at-once: 100\n%s", whole);
  expect_complaint(hasty, "lab.yaml", "at-once is 100");
  expect_complaint("lab: udp\ncolour: red\n", "lab.yaml:2:", "colour");
  expect_complaint("lab: udp\ntitle: ]\n", "lab.yaml:2:", "");
  expect_complaint("lab: udp\n", "lab.yaml:1:", "Missing required mapping field: title");
  expect_complaint("", "lab.yaml", "");
}

Test(lab, errors_beyond_the_schema) {
  scoped_text char *twice = memory_format("%s  - {number: 6, level: core, text: x}\n", whole);
  expect_complaint(twice, "lab.yaml", "two requirements with the number 6");
  scoped_text char *unknown =
      memory_format("%s  - {number: 7, level: core, text: x, programs: [nc]}\n", whole);
  expect_complaint(unknown, "lab.yaml", "'nc'");
  struct failure failure;
  cr_assert_null(lab_load("/nonexistent/lab.yaml", &failure));
  cr_expect(strstr(failure.sentence, "No such file"), "%s", failure.sentence);
}

Test(lab, catalogue_finds_and_suggests) {
  struct failure failure;
  free(file_write("udp", whole));
  struct catalogue catalogue;
  cr_assert(catalogue_load(folder, &catalogue, &failure) == 0, "%s", failure.sentence);
  const struct lab *lab;
  const struct requirement *requirement;
  cr_expect(catalogue_requirement(&catalogue, "udp.6", &lab, &requirement, &failure) == 0);
  cr_expect(catalogue_requirement(&catalogue, "udp.6/empty", &lab, &requirement, &failure) == 0);
  cr_expect_eq(requirement->number, 6);
  cr_expect(catalogue_requirement(&catalogue, "udp.7", &lab, &requirement, &failure) == -1);
  cr_expect(strstr(failure.sentence, "udp.1 to udp.6"), "%s", failure.sentence);
  cr_expect(catalogue_requirement(&catalogue, "udp", &lab, &requirement, &failure) == -1);
  cr_expect(catalogue_requirement(&catalogue, "udp.x", &lab, &requirement, &failure) == -1);
  cr_expect_null(catalogue_lab(&catalogue, "upd", &failure));
  cr_expect_null(catalogue_lab(&catalogue, "ud", &failure));
  cr_expect(strstr(failure.sentence, "did you mean udp?"), "%s", failure.sentence);
  catalogue_free(&catalogue);
}

Test(lab, folder_must_have_the_labs_name) {
  struct failure failure;
  free(file_write("tcp", whole));
  struct catalogue catalogue;
  cr_assert(catalogue_load(folder, &catalogue, &failure) == -1);
  cr_expect(strstr(failure.sentence, "'udp' here, but its folder 'tcp'"), "%s", failure.sentence);
}

Test(lab, places_of_an_installation_and_of_a_build_tree) {
  scoped_text char *command =
      memory_format("cd %s && mkdir -p usr/bin usr/share/wiregrade/suite source/suite build && "
                    "echo %s/source > build/source-root",
                    folder, folder);
  cr_assert(system(command) == 0);
  struct failure failure;
  struct places places;
  scoped_text char *installed = memory_format("%s/usr/bin/wiregrade", folder);
  cr_assert(places_find_for(installed, NULL, &places, &failure) == 0, "%s", failure.sentence);
  cr_expect(strstr(places.suite, "/usr/share/wiregrade/suite"));
  scoped_text char *program = place_program(&places, "udp");
  cr_expect(strstr(program, "/usr/lib/wiregrade/suite/udp"));
  places_free(&places);

  scoped_text char *built = memory_format("%s/build/wiregrade", folder);
  cr_assert(places_find_for(built, NULL, &places, &failure) == 0, "%s", failure.sentence);
  cr_expect(strstr(places.suite, "/source/suite"), "%s", places.suite);
  places_free(&places);

  scoped_text char *neither = memory_format("%s/usr/wiregrade", folder);
  cr_assert(places_find_for(neither, NULL, &places, &failure) == -1);
}

Test(points, add_up) {
  unsigned shares[3];
  points_divide(10, (unsigned[]){1, 1, 1}, 3, shares);
  cr_expect(shares[0] == 4 && shares[1] == 3 && shares[2] == 3);
  points_divide(7, (unsigned[]){3, 1}, 2, shares);
  cr_expect(shares[0] == 5 && shares[1] == 2);
  points_divide(1, (unsigned[]){1, 1, 1}, 3, shares);
  cr_expect(shares[0] == 1 && shares[1] == 0 && shares[2] == 0);
  points_divide(5, (unsigned[]){0, 0}, 2, shares);
  cr_expect(shares[0] == 0 && shares[1] == 0);
}
