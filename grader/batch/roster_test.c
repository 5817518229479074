/* Rosters as people have them, and whom a download means. */
#include "grader/batch/roster.h"

#include "grader/batch/csv.h"

#include <criterion/criterion.h>
#include <string.h>

static struct failure failure;

static struct roster read_it(const char *text) {
  struct roster roster;
  cr_assert_eq(roster_read(text, strlen(text), "class.csv", &roster, &failure), 0, "%s",
               failure.sentence);
  return roster;
}

Test(roster, moodles_worksheet) {
  struct roster roster =
      read_it("\xef\xbb\xbf"
              "Identifier,\"Full name\",\"Email address\",Status,Grade\r\n"
              "\"Participant 12345\",\"Doe, \"\"J\"\" Jane\",jane@example.edu,Submitted,\r\n\r\n"
              "Participant 12346,Ömer Ça,omer@example.edu,\"No\nsubmission\",\r\n");
  cr_assert_eq(roster.count, 2);
  cr_expect_str_eq(roster.kind, "moodle");
  cr_expect_str_eq(roster.students[0].key, "12345");
  cr_expect_str_eq(roster.students[0].name, "Doe, \"J\" Jane");
  cr_expect(strstr(roster.students[0].row, "\"Identifier\":\"Participant 12345\""));
  cr_expect_str_eq(roster.students[1].email, "omer@example.edu");
  cr_expect_eq(roster_find(&roster, "12346", "12346", NULL, "Group A-Ömer Ça"),
               &roster.students[1]);
  cr_expect_null(roster_find(&roster, "99999", "99999", NULL, "Ömer Ça"), "another of that name");
  roster_free(&roster);
}

Test(roster, canvass_gradebook) {
  struct roster roster = read_it("Student,ID,SIS User ID,SIS Login ID,Section,Lab 1 (77)\n"
                                 "    Points Possible,,,,,100\n"
                                 "\"Doe, Jane\",101,s101,jdoe,A,\n"
                                 "\"Student, Test\",,,x,A,\n");
  cr_assert_eq(roster.count, 1);
  cr_expect_str_eq(roster.kind, "canvas");
  cr_expect_str_eq(roster.students[0].key, "101", "Canvas's id is what its downloads have");
  cr_expect_str_eq(roster.students[0].login, "jdoe");
  cr_expect_str_eq(roster.students[0].section, "A");
  cr_expect_eq(roster_find(&roster, "101", "101", NULL, "doejane"), &roster.students[0]);
  cr_expect_eq(roster_find(&roster, "s101", "s101", NULL, NULL), &roster.students[0]);
  cr_expect_eq(roster_find(&roster, "anything", NULL, NULL, "doejane"), &roster.students[0]);
  roster_free(&roster);
}

Test(roster, of_any_other_kind) {
  struct roster roster = read_it("First name;Last_Name;E-Mail\n"
                                 "Jane;Doe;jane@example.edu\n"
                                 "John;Roe;john@example.edu\n");
  cr_assert_eq(roster.count, 2);
  cr_expect_str_eq(roster.students[1].name, "John Roe");
  cr_expect_eq(roster_find(&roster, "john", NULL, NULL, NULL), &roster.students[1]);
  cr_expect_eq(roster_find(&roster, "JANE@example.edu", NULL, NULL, NULL), &roster.students[0]);
  roster_free(&roster);
}

Test(roster, a_name_that_two_have_means_nobody) {
  struct roster roster = read_it("id,name\n1,Li Wei\n2,Li Wei\n");
  cr_expect_null(roster_find(&roster, "Li Wei", NULL, NULL, NULL));
  cr_expect_eq(roster_find(&roster, "2", NULL, NULL, "Li Wei"), &roster.students[1]);
  roster_free(&roster);
}

static void expect_complaint(const char *text, size_t length, const char *says) {
  struct roster roster;
  cr_assert_neq(roster_read(text, length, "class.csv", &roster, &failure), 0, "'%s'", text);
  cr_expect(strstr(failure.sentence, says), "%s", failure.sentence);
}

Test(roster, complains_of_what_is_none) {
  expect_complaint("", 0, "is empty");
  expect_complaint("colour,size\n1,2\n", 15, "class.csv:1: no column");
  expect_complaint("id,name\n1,a\n1,b\n", 16, "class.csv:3: 1 is on the roster already");
  expect_complaint("id,name\n,\n", 10, "class.csv:2: this line names nobody");
  expect_complaint("i\0d,name\n", 9, "zero bytes");
}
