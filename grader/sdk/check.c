/* Running one check: its world, its verdict. And the main program of every suite. */
#include "grader/sdk/inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct context the_check;

/* ---- worlds ---- */

/* Each world begins in another second, at another fraction of it: programs may seed generators with
 * either. */
static int64_t epoch_shift(void) {
  if (the_check.next_shift_ns)
    return the_check.next_shift_ns;
  return ((int64_t)(the_check.seed % 1000) * 10000 + the_check.world_number * 7) * SECONDS +
         random_between(1, 999999999) + the_check.later_ns;
}

void world_begin(void) {
  struct world_options options = {
      .clock = the_check.clock,
      .seed = the_check.seed + (uint64_t)random_between(1, 1 << 20),
      .epoch_shift_ns = epoch_shift(),
  };
  struct failure failure;
  the_check.shift_ns = options.epoch_shift_ns;
  the_check.world_number++;
  the_check.surroundings = NULL;
  the_check.awaited = NULL;
  the_check.stood_still_at = -1;
  the_check.world = world_create(&options, &failure);
  if (!the_check.world)
    check_error(say("%s", failure.sentence));
  the_check.host = host_create(the_check.world, "localhost", &failure);
  if (!the_check.host)
    check_error(say("%s", failure.sentence));
}

static void findings_keep(void) {
  const char *finding = NULL;
  for (size_t i = 0; (finding = world_finding(the_check.world, i)); i++) {
    bool known = false;
    for (size_t k = 0; k < the_check.finding_count; k++)
      known |= strcmp(the_check.findings[k], finding) == 0;
    if (!known && the_check.finding_count < sizeof the_check.findings / sizeof *the_check.findings)
      the_check.findings[the_check.finding_count++] = memory_text(finding);
  }
}

/* Frames that a script was given point into the log, and it may look at them in its next world:
 * they are its own, and vanish with the check. But not hundreds of megabytes for each world. */
static void log_keep(void) {
  enum { KEPT_MOST = LOG_FRAME_BYTES_MAX / 4 };
  struct log *log = world_log(the_check.world);
  if (the_check.past_bytes + log->frame_bytes > KEPT_MOST)
    return;
  struct past_log *past = memory_zeroed(1, sizeof *past);
  past->log = *log;
  past->next = the_check.past;
  the_check.past = past;
  the_check.past_bytes += log->frame_bytes;
  *log = (struct log){0};
}

static void past_forget(void) {
  while (the_check.past) {
    struct past_log *past = the_check.past;
    the_check.past = past->next;
    log_clear(&past->log);
    free(past);
  }
  the_check.past_bytes = 0;
}

void world_end(void) {
  if (!the_check.world)
    return;
  the_check.virtual_s += (double)world_now(the_check.world) / 1e9;
  the_check.real_s += (double)world_real_now(the_check.world) / 1e9;
  findings_keep();
  peers_end();
  log_keep();
  world_destroy(the_check.world);
  the_check.world = NULL;
  the_check.host = NULL;
  the_check.served_count = 0;
}

void fresh_world(void) {
  double before = the_check.clock == CLOCK_REAL ? (double)world_real_now(the_check.world) / 1e9 : 0;
  world_end();
  if (the_check.clock == CLOCK_REAL && before < 1.1)
    usleep((useconds_t)((1.1 - before) * 1e6)); /* another second on the wall clock */
  world_begin();
}

void fresh_world_later(void) {
  world_end();
  usleep(1100000);
  world_begin();
}

static void begin_after(int seconds, bool really) {
  enum { EARLY_NS = 300 * MILLISECONDS, LATEST_NS = 500 * MILLISECONDS };
  enum { REAL_MOST = 2, REAL_US = 1100000 };
  world_end();
  if (really)
    usleep((useconds_t)(seconds < REAL_MOST ? seconds : REAL_MOST) * REAL_US);
  if (the_check.clock == CLOCK_VIRTUAL)
    the_check.next_shift_ns =
        (the_check.shift_ns / SECONDS + seconds) * SECONDS + random_between(EARLY_NS, LATEST_NS);
  world_begin();
  the_check.next_shift_ns = 0;
}

void fresh_world_after(int seconds) {
  begin_after(seconds, the_check.clock == CLOCK_REAL);
}

void fresh_world_really_after(int seconds) {
  begin_after(seconds, true);
}

/* From `moment` until it is that time on that day of a month. */
static int64_t seconds_until(time_t moment, int day, int hour, int minute, int second) {
  struct tm wanted;
  time_t found;
  gmtime_r(&moment, &wanted);
  do {
    wanted.tm_mday = day;
    wanted.tm_hour = hour;
    wanted.tm_min = minute;
    wanted.tm_sec = second;
    found = timegm(&wanted);
    wanted.tm_mon++;
  } while (found < moment);
  return found - moment;
}

static void begin_later(int64_t seconds) {
  the_check.later_ns = seconds * SECONDS;
  the_check.world_number--; /* the same world, later */
  world_end();
  world_begin();
  the_check.later_ns = 0;
}

void fresh_world_at(int day, int hour, int minute, int second) {
  fresh_world();
  if (the_check.clock == CLOCK_VIRTUAL)
    begin_later(seconds_until((time_t)wall_clock(), day, hour, minute, second));
}

/* Whether the day is in a week of another year (ISO 8601). */
static bool is_in_other_year(time_t moment) {
  enum { DIGITS = 32 };
  char year[DIGITS], year_of_week[DIGITS];
  struct tm when;
  gmtime_r(&moment, &when);
  strftime(year, sizeof year, "%Y", &when);
  strftime(year_of_week, sizeof year_of_week, "%G", &when);
  return strcmp(year, year_of_week) != 0;
}

void fresh_world_at_new_year(int hour, int minute, int second) {
  fresh_world();
  if (the_check.clock == CLOCK_REAL)
    return;
  time_t begin = (time_t)wall_clock(), moment = begin;
  do
    moment += 1 + seconds_until(moment + 1, 1, hour, minute, second);
  while (!is_in_other_year(moment));
  begin_later(moment - begin);
}

/* ---- verdicts ---- */

void check_fail(struct failure_report report) {
  const char *mistake = own_mistake_cause();
  if (mistake)
    report.cause = mistake;
  the_check.status = VERDICT_FAIL;
  the_check.report = (struct failure_report){
      .message = language_literal(report.message),
      .expected = language_literal(report.expected),
      .actual = language_literal(report.actual),
      .cause = language_literal(report.cause),
  };
  longjmp(the_check.end, 1);
}

void check_error(const char *sentence) {
  the_check.status = VERDICT_ERROR;
  the_check.report = (struct failure_report){.message = language_literal(sentence)};
  longjmp(the_check.end, 1);
}

int random_between(int low, int high) {
  /* splitmix64 */
  uint64_t z = the_check.random_state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return low + (int)(z % (uint64_t)((int64_t)high - low + 1));
}

static uint64_t seed_of(const char *name, uint64_t seed) {
  uint64_t hash = 14695981039346656037u ^ seed; /* FNV-1a */
  for (; *name; name++)
    hash = (hash ^ (uint8_t)*name) * 1099511628211u;
  return hash;
}

/* Runs the script once; the_check.status is its verdict then. */
static void check_attempt(enum world_clock clock) {
  the_check.clock = clock;
  the_check.status = VERDICT_PASS;
  the_check.report = (struct failure_report){0};
  the_check.retry_on_real_clock = false;
  the_check.record_calls = the_check.record_transfers = the_check.long_output = false;
  the_check.random_state = seed_of(the_check.check->name, the_check.seed);
  if (setjmp(the_check.end) == 0) {
    world_begin();
    the_check.check->script();
  }
}

static bool programs_are_there(void) {
  for (const char *const *name = the_check.check->programs; *name; name++) {
    const char *missing = NULL;
    if (!manifest_find(the_check.manifest, *name, &missing)) {
      the_check.status = VERDICT_MISSING;
      the_check.report =
          (struct failure_report){.message = missing ? missing : _("the program is not there")};
      return false;
    }
  }
  return true;
}

static void context_begin(const struct check *check) {
  language_inherit();
  const char *clock = getenv("WIREGRADE_CLOCK"), *seed = getenv("WIREGRADE_SEED");
  const char *path = getenv("WIREGRADE_MANIFEST");
  the_check = (struct context){.check = check, .seed = seed ? strtoull(seed, NULL, 10) : 1};
  the_check.clock = clock && strcmp(clock, "real") == 0 ? CLOCK_REAL : CLOCK_VIRTUAL;
  struct failure failure;
  if (!path)
    failure_set(
        &failure,
        "WIREGRADE_MANIFEST is not set: a suite program is run by `wiregrade grade`, or by `make check`");
  else
    the_check.manifest = manifest_load(path, &failure);
  if (!the_check.manifest) {
    the_check.status = VERDICT_ERROR;
    the_check.report.message = say("%s", failure.sentence);
  }
}

static void context_end(void) {
  world_end();
  past_forget();
  while (the_check.scraps) {
    struct scrap *block = the_check.scraps;
    the_check.scraps = block->next;
    free(block);
  }
  for (size_t i = 0; i < the_check.finding_count; i++)
    free(the_check.findings[i]);
  manifest_free(the_check.manifest);
}

int check_perform(const struct check *check) {
  context_begin(check);
  if (the_check.manifest)
    check_attempt(CLOCK_REAL);
  bool good = the_check.status == VERDICT_PASS;
  if (!good)
    fprintf(stderr, "wiregrade: %s\n", the_check.report.message);
  context_end();
  return good ? 0 : -1;
}

bool check_judge(const struct check *check) {
  scoped_fd int verdict_fd = verdict_open();
  context_begin(check);
  if (the_check.manifest && programs_are_there()) {
    check_attempt(the_check.clock);
    if (the_check.status == VERDICT_ERROR && the_check.retry_on_real_clock) {
      world_end();
      check_attempt(CLOCK_REAL);
    }
  }
  capture_keep();
  verdict_send(verdict_fd);
  snprintf(the_check.line, sizeof the_check.line, "%s%s",
           the_check.status == VERDICT_ERROR ? "error of the grader: " : "",
           the_check.report.message ? the_check.report.message : "");
  context_end();
  return the_check.status == VERDICT_PASS;
}
