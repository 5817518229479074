/* The gradebook's tables. gradebook.c includes it; it is a page of its own so that people who use
 * the file by themselves (`sqlite3 gradebook.sqlite`) find out what is in it.
 *
 * A later version adds steps to the end of GRADEBOOK_STEPS and changes none: a gradebook of version
 * N (PRAGMA user_version) is brought up to date by the steps from N on, in one transaction. */
#pragma once

#define GRADEBOOK_APPLICATION 0x77677264 /* PRAGMA application_id: "wgrd" */

static const char *const GRADEBOOK_STEPS[] = {
    /* version 1 */
    "CREATE TABLE suite ("
    "  id INTEGER PRIMARY KEY,"
    "  hash TEXT NOT NULL UNIQUE," /* of the suite's programs and lab.yaml files */
    "  wiregrade TEXT NOT NULL,"   /* version */
    "  labs TEXT NOT NULL);"       /* JSON: names in order */
    "CREATE TABLE course ("
    "  id INTEGER PRIMARY KEY,"
    "  hash TEXT NOT NULL UNIQUE," /* of what a document depends on; '': no course */
    "  name TEXT NOT NULL,"
    "  file TEXT NOT NULL);" /* its text */
    "CREATE TABLE run ("
    "  id INTEGER PRIMARY KEY,"
    "  suite INTEGER NOT NULL REFERENCES suite,"
    "  course INTEGER NOT NULL REFERENCES course,"
    "  regrade INTEGER NOT NULL," /* 1: everything once more */
    "  roster_kind TEXT NOT NULL,"
    "  roster_columns TEXT NOT NULL," /* JSON */
    "  begun TEXT NOT NULL,"
    "  ended TEXT NOT NULL);" /* '': not yet, or killed */
    "CREATE TABLE student ("
    "  id INTEGER PRIMARY KEY,"
    "  key TEXT NOT NULL UNIQUE," /* what the student is found again by */
    "  name TEXT NOT NULL DEFAULT '',"
    "  email TEXT NOT NULL DEFAULT '',"
    "  number TEXT NOT NULL DEFAULT '',"
    "  login TEXT NOT NULL DEFAULT '',"
    "  section TEXT NOT NULL DEFAULT '',"
    "  roster TEXT NOT NULL DEFAULT '');" /* JSON: the row of the roster; '': not on it */
    "CREATE TABLE submission ("
    "  id INTEGER PRIMARY KEY,"
    "  student INTEGER NOT NULL REFERENCES student,"
    "  hash TEXT NOT NULL," /* of its contents */
    "  attempt INTEGER NOT NULL,"
    "  counts INTEGER NOT NULL," /* 1: the student's last */
    "  source TEXT NOT NULL,"    /* as on the command line */
    "  file TEXT NOT NULL,"      /* in it */
    "  late INTEGER NOT NULL,"
    "  late_s INTEGER NOT NULL,"  /* -1: not known */
    "  submitted TEXT NOT NULL,"  /* ISO 8601; '': not known */
    "  penalty INTEGER NOT NULL," /* percent */
    "  note TEXT NOT NULL,"
    "  run INTEGER NOT NULL REFERENCES run," /* that met it last */
    "  UNIQUE (student, hash));"
    "CREATE TABLE grading ("
    "  id INTEGER PRIMARY KEY," /* of several of the same hash the largest counts */
    "  hash TEXT NOT NULL,"
    "  run INTEGER NOT NULL REFERENCES run,"
    "  state TEXT NOT NULL CHECK (state IN ('graded', 'unreadable', 'error')),"
    "  reason TEXT NOT NULL,"
    "  score INTEGER NOT NULL,"
    "  max_score INTEGER NOT NULL,"
    "  passed INTEGER NOT NULL,"
    "  failed INTEGER NOT NULL,"
    "  missing INTEGER NOT NULL,"
    "  skipped INTEGER NOT NULL,"
    "  errors INTEGER NOT NULL," /* of the grader: in checks, and faults beside them */
    "  tries INTEGER NOT NULL,"
    "  graded TEXT NOT NULL,"
    "  duration_s REAL NOT NULL,"
    "  document BLOB);" /* JSON by zlib */
    "CREATE INDEX grading_of_hash ON grading (hash, id);"
    "CREATE TABLE mishap ("
    "  id INTEGER PRIMARY KEY,"
    "  hash TEXT NOT NULL,"
    "  run INTEGER NOT NULL REFERENCES run,"
    "  try INTEGER NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  at TEXT NOT NULL);"
    /* What each student gets, for whoever asks by hand. */
    "CREATE VIEW grade AS"
    "  SELECT student.key, student.name, student.email, student.number,"
    "    submission.id AS submission, submission.attempt, submission.late, submission.penalty,"
    "    CASE WHEN submission.id IS NULL THEN 'no submission'"
    "         ELSE coalesce(grading.state, 'waiting') END AS state,"
    "    coalesce(grading.reason, '') AS reason,"
    "    CASE grading.state WHEN 'graded' THEN grading.score WHEN 'unreadable' THEN 0 END AS score,"
    "    CASE grading.state WHEN 'graded' THEN grading.max_score END AS max_score,"
    "    CASE grading.state WHEN 'graded'"
    "      THEN (grading.score * (100 - submission.penalty) + 50) / 100"
    "      WHEN 'unreadable' THEN 0 END AS points,"
    "    grading.id AS grading"
    "  FROM student"
    "  LEFT JOIN submission ON submission.student = student.id AND submission.counts = 1"
    "  LEFT JOIN grading ON grading.id ="
    "    (SELECT max(id) FROM grading WHERE hash = submission.hash);",
};
