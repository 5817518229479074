/* Deadlines, and what it costs to miss them. */
#include "grader/course/course.h"

enum { DAY_S = 86400 };

static unsigned penalty_of(const struct course *course, long long days) {
  long long penalty = days * course->per_day;
  return penalty > course->most ? course->most : (unsigned)penalty;
}

struct course_lateness course_lateness(const struct course *course, bool marked, time_t submitted) {
  if (!course->has_deadline || submitted < 0)
    return (struct course_lateness){marked, -1, marked ? penalty_of(course, 1) : 0};
  long long late_s = (long long)(submitted - course->deadline) - course->grace_s;
  if (late_s <= 0)
    return (struct course_lateness){false, 0, 0};
  return (struct course_lateness){true, late_s, penalty_of(course, (late_s + DAY_S - 1) / DAY_S)};
}
