/* What the names in an LMS's download say. */
#include "grader/batch/source_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

struct wanted {
  char text[100];
  bool is;                             /* such a name at all */
  char name[60], number[20], file[40]; /* a name of "-" is none */
  bool late, is_file;
};

static struct wanted moodle[] = {
    {"Jane Doe_12345_assignsubmission_file_", true, "Jane Doe", "12345", "", false, true},
    {"Jane Doe_12345_assignsubmission_file", true, "Jane Doe", "12345", "", false, true},
    {"Jane Doe_12345_assignsubmission_file_hw_1.zip", true, "Jane Doe", "12345", "hw_1.zip", false,
     true},
    {"Group A-Jane_12345_assignsubmission_file_", true, "Group A-Jane", "12345", "", false, true},
    {"Participant_77_assignsubmission_file_", true, "-", "77", "", false, true},
    {"Jane Doe_12345_assignsubmission_onlinetext_", true, "Jane Doe", "12345", "", false, false},
    {"Doe_1_assignsubmission_file__2_assignsubmission_file_", true, "Doe_1_assignsubmission_file_",
     "2", "", false, true},
    {"Jane Doe_assignsubmission_file_", false, "", "", "", false, false},
    {"_12345_assignsubmission_file_", false, "", "", "", false, false},
    {"Jane Doe_12345", false, "", "", "", false, false},
    {"", false, "", "", "", false, false},
};

static struct wanted canvas[] = {
    {"doejane_101_2001_hw.zip", true, "doejane", "101", "hw.zip", false, true},
    {"doejane_LATE_101_2001_hw.zip", true, "doejane", "101", "hw.zip", true, true},
    {"doejane_101_2001_hw_2_final.tar.gz", true, "doejane", "101", "hw_2_final.tar.gz", false,
     true},
    {"张伟_101_2001_hw.zip", true, "张伟", "101", "hw.zip", false, true},
    {"anon_1a2b3_2001_hw.zip", true, "-", "1a2b3", "hw.zip", false, true},
    {"doejane_101_hw.zip", false, "", "", "", false, false},
    {"doejane_101_2001_", false, "", "", "", false, false},
    {"doejane_LATE_hw.zip", false, "", "", "", false, false},
    {"_101_2001_hw.zip", false, "", "", "", false, false},
    {"alice", false, "", "", "", false, false},
};

static void name_expect(const struct wanted *wanted, bool is, struct source_lms_name *name) {
  cr_assert_eq(is, wanted->is, "'%s'", wanted->text);
  if (!is)
    return;
  cr_expect_str_eq(name->name ? name->name : "-", wanted->name);
  cr_expect_str_eq(name->number, wanted->number);
  cr_expect_str_eq(name->file, wanted->file);
  cr_expect_eq(name->late, wanted->late);
  cr_expect_eq(name->is_file, wanted->is_file);
  source_lms_name_free(name);
}

ParameterizedTestParameters(source, reads_moodles_names) {
  return cr_make_param_array(struct wanted, moodle, sizeof moodle / sizeof *moodle);
}

ParameterizedTest(struct wanted *wanted, source, reads_moodles_names) {
  struct source_lms_name name;
  bool is = source_moodle_name(wanted->text, &name);
  name_expect(wanted, is, &name);
}

ParameterizedTestParameters(source, reads_canvass_names) {
  return cr_make_param_array(struct wanted, canvas, sizeof canvas / sizeof *canvas);
}

ParameterizedTest(struct wanted *wanted, source, reads_canvass_names) {
  struct source_lms_name name;
  bool is = source_canvas_name(wanted->text, &name);
  name_expect(wanted, is, &name);
}

Test(source, reads_times) {
  static const char *const times[][2] = {
      {"2026-11-28 23:59:58.123456000 Z", "2026-11-28T23:59:58Z"},
      {"2026-11-28 23:59:58 -08:00", "2026-11-29T07:59:58Z"},
      {"2026-11-28T23:59:58+05:30", "2026-11-28T18:29:58Z"},
      {"2026-11-28T23:59:58+0100", "2026-11-28T22:59:58Z"},
      {"2026-11-28 23:59:58 UTC", "2026-11-28T23:59:58Z"},
  };
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    scoped_text char *time = source_time(times[i][0]);
    cr_assert(time, "%s", times[i][0]);
    cr_expect_str_eq(time, times[i][1]);
  }
  cr_expect_null(source_time("yesterday"));
  cr_expect_null(source_time("2026-11-28"));
  cr_expect_null(source_time("2026-11-28 23:59:58 nonsense"));
  cr_expect_null(source_time("2026-11-28 23:59:58 -- 1"));
  cr_expect_null(source_time("2026-11-28 23:59:58 +1:00"));
}

Test(source, knows_archives_by_their_names) {
  cr_expect(source_is_archive("hw.zip") && source_is_archive("HW.TAR.GZ"));
  cr_expect_not(source_is_archive("hw.c") || source_is_archive(".zip"));
  scoped_text char *stem = source_stem("alice.smith.tar.gz");
  cr_expect_str_eq(stem, "alice.smith");
}
