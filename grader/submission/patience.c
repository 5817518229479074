#include "grader/submission/patience.h"

#include <math.h>

enum { LOOK_LEAST_S = 1, LOOK_MOST_S = 10, LOOK_OF_LIMIT = 10 };

static const double ANY = 0.01; /* of a processor: less is waiting */

static bool is_over(const struct patience *patience, struct patience_look *look,
                    const struct sandbox *sandbox, double now_s) {
  double taken_s = now_s - patience->begun_s, limit_s = patience->limit_s;
  double between_s = fmin(LOOK_MOST_S, fmax(LOOK_LEAST_S, limit_s / LOOK_OF_LIMIT));
  if (taken_s > PATIENCE_MOST * limit_s)
    return true;
  if (taken_s < limit_s - between_s || now_s - look->time_s < between_s)
    return false;
  double before_s = look->processor_s, since_s = look->time_s;
  *look = (struct patience_look){now_s, sandbox_processor_time(sandbox)};
  if (taken_s < limit_s || since_s == 0)
    return false;
  return look->processor_s > limit_s || look->processor_s - before_s < ANY * (now_s - since_s);
}

bool patience_ends(struct patience *patience, struct patience_look *look,
                   const struct sandbox *sandbox, double now_s) {
  bool over = is_over(patience, look, sandbox, now_s);
  patience->is_over |= over;
  return over;
}
