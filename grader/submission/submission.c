#include "grader/submission/submission.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/submission/build_cache.h"
#include "grader/submission/build_log.h"
#include "grader/submission/copy.h"
#include "grader/submission/find.h"
#include "grader/submission/manifest.h"
#include "grader/submission/step.h"
#include "grader/submission/unpack.h"
#include "grader/submission/work.h"
#include "grader/submission/written_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
  BUILD_LIMIT_S = 120,
  UNPACK_CPU_S = 30,
  UNPACK_LIMIT_S = 60,
  YAML_MOST = 64 * 1024,
};

#define COMPILED ".wiregrade" /* the folder for what is compiled from NAME.c */

static const uint64_t copy_bytes = 256ull << 20, copy_files = 20000;
static const uint64_t work_bytes = 768ull << 20,
                      work_files = 100000; /* the copy, and what a build adds */

struct submission {
  char *work, *folder, *manifest_path;
  int folder_fd;
  struct manifest *manifest;
  struct own_commands own;
  char **attempted; /* missing, but with something for them in the folder */
  size_t attempted_count;
  bool has_makefile;
  struct build_log log;
  bool built;
  double build_s;
};

void submission_close(struct submission *submission) {
  if (!submission)
    return;
  scope_close_fd(&submission->folder_fd);
  manifest_free(submission->manifest);
  own_commands_free(&submission->own);
  for (size_t i = 0; i < submission->attempted_count; i++)
    free(submission->attempted[i]);
  free(submission->attempted);
  build_log_free(&submission->log);
  work_remove(submission->work);
  free(submission->folder);
  free(submission->manifest_path);
  free(submission);
}

struct submission_build submission_build(const struct submission *submission) {
  return (struct submission_build){.ok = submission->built,
                                   .log = build_log_text(&submission->log),
                                   .duration_s = submission->build_s};
}

const char *submission_missing(const struct submission *submission, const char *program) {
  const char *missing = NULL;
  return manifest_find(submission->manifest, program, &missing) ? NULL : missing;
}

bool submission_attempts(const struct submission *submission, const char *program) {
  for (size_t i = 0; i < submission->attempted_count; i++)
    if (strcmp(submission->attempted[i], program) == 0)
      return true;
  return !submission_missing(submission, program);
}

static void attempted_add(struct submission *submission, const char *program) {
  submission->attempted = memory_resize(submission->attempted, (submission->attempted_count + 1) *
                                                                   sizeof *submission->attempted);
  submission->attempted[submission->attempted_count++] = memory_text(program);
}

const char *submission_manifest(const struct submission *submission) {
  return submission->manifest_path;
}

/* ---- the copy ---- */

static enum submission_fault folder_copy(struct submission *submission, const char *folder,
                                         struct failure *failure) {
  switch (copy_folder(folder, submission->folder, sandbox_user(),
                      (struct copy_limits){copy_bytes, copy_files}, failure)) {
  case COPY_DONE:
    return SUBMISSION_READY;
  case COPY_UNREADABLE:
    return SUBMISSION_UNREADABLE;
  case COPY_UNWRITABLE:
    break;
  }
  return SUBMISSION_IMPOSSIBLE;
}

static enum submission_fault archive_unpack(struct submission *submission, int archive_fd,
                                            const struct submission_spec *spec,
                                            struct failure *failure) {
  const struct unpack_spec unpack = {
      .archive_fd = archive_fd,
      .folder = submission->folder,
      .limits = {copy_bytes, copy_files, UNPACK_CPU_S, UNPACK_LIMIT_S},
      .stop = spec->stop,
  };
  scoped_text char *notes = NULL;
  enum unpack_fault fault = unpack_archive(&unpack, &notes, failure);
  if (fault) {
    failure_prefix(failure, "the submission %s", spec->folder);
    return fault == UNPACK_REFUSED ? SUBMISSION_UNREADABLE : SUBMISSION_IMPOSSIBLE;
  }
  build_log_note(&submission->log, _("unpacking the archive"), notes);
  return unpack_unwrap(submission->folder, failure) ? SUBMISSION_IMPOSSIBLE : SUBMISSION_READY;
}

/* The submission in the work folder, whichever it is. */
static enum submission_fault contents_take(struct submission *submission,
                                           const struct submission_spec *spec,
                                           struct failure *failure) {
  struct stat status;
  scoped_fd int fd = open(spec->folder, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status)) {
    failure_errno(failure, "cannot read the submission %s", spec->folder);
    return SUBMISSION_UNREADABLE;
  }
  if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
    failure_set(failure, "the submission %s is not a folder, and not an archive", spec->folder);
    return SUBMISSION_UNREADABLE;
  }
  submission->work = work_create(work_bytes, work_files, failure);
  if (!submission->work)
    return SUBMISSION_IMPOSSIBLE;
  submission->folder = memory_format("%s/" WORK_FOLDER "/submission", submission->work);
  submission->manifest_path = memory_format("%s/manifest.json", submission->work);
  return S_ISDIR(status.st_mode) ? folder_copy(submission, spec->folder, failure)
                                 : archive_unpack(submission, fd, spec, failure);
}

static enum submission_fault folder_open(struct submission *submission, struct failure *failure) {
  scope_close_fd(&submission->folder_fd);
  submission->folder_fd = open(submission->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (submission->folder_fd >= 0)
    return SUBMISSION_READY;
  failure_errno(failure, "cannot open %s", submission->folder);
  return SUBMISSION_IMPOSSIBLE;
}

static enum submission_fault copy_make(struct submission *submission,
                                       const struct submission_spec *spec,
                                       struct failure *failure) {
  enum submission_fault fault = contents_take(submission, spec, failure);
  return fault ? fault : folder_open(submission, failure);
}

static enum submission_fault own_commands_load(struct submission *submission,
                                               struct failure *failure) {
  size_t length;
  scoped_text char *text =
      find_contents(submission->folder_fd, "wiregrade.yaml", YAML_MOST, &length);
  if (!text && errno == ENOENT)
    return SUBMISSION_READY;
  if (!text)
    failure_errno(failure, "cannot read the submission's wiregrade.yaml");
  else if (own_commands_read(text, length, &submission->own, failure) == 0)
    return SUBMISSION_READY;
  return SUBMISSION_UNREADABLE;
}

/* ---- the build ---- */

struct building {
  struct submission *submission;
  const struct submission_spec *spec;
  struct step_plan plan;
  struct failure *failure;
  bool is_built; /* it was taken from the cache: its steps went well */
};

static void building_tick(void *context, const struct step *running) {
  const struct submission_spec *spec = context;
  if (spec->progress)
    spec->progress(spec->context, running->argv[0]);
}

/* Runs the steps, and writes down what they say. */
static enum submission_fault steps_do(struct building *building, struct step *steps, size_t count) {
  struct submission *submission = building->submission;
  if (building->is_built) {
    for (size_t i = 0; i < count; i++)
      steps[i].end = STEP_DONE;
    return SUBMISSION_READY;
  }
  double begun_s = steps_now_s();
  int outcome = steps_run(&building->plan, steps, count, building->failure);
  submission->build_s += steps_now_s() - begun_s;
  for (size_t i = 0; i < count && outcome == 0; i++) {
    build_log_add(&submission->log, &steps[i]);
    if (steps[i].end == STEP_NO_COMMAND)
      outcome =
          failure_set(building->failure,
                      "cannot build the submission: %s is not on this machine (`wiregrade doctor` "
                      "says how to install what is missing)",
                      steps[i].argv[0]);
    submission->built = submission->built && steps[i].end == STEP_DONE;
  }
  if (outcome == 0 && building->spec->stop && *building->spec->stop)
    outcome = failure_set(building->failure, "stopped while the submission was being built");
  return outcome ? SUBMISSION_IMPOSSIBLE : SUBMISSION_READY;
}

/* Keeps going after an error: what does not depend on it can still be graded. */
static enum submission_fault make_do(struct building *building, char **complaint) {
  static const char *const argv[] = {"make", "-k", NULL};
  struct step make = {.argv = argv};
  enum submission_fault fault = steps_do(building, &make, 1);
  /* What a build has closed to its own user would be closed to an ordinary user's grader. */
  (void)!fchmod(building->submission->folder_fd, 0755);
  if (!fault && make.end != STEP_DONE)
    *complaint = build_log_complaint(&make);
  free(make.log);
  return fault;
}

struct compilation {
  const char *program;
  char *source, *output;
  const char *argv[12];
};

static void compilation_fill(struct compilation *compilation, const char *program, char *source) {
  compilation->program = program;
  compilation->source = source;
  compilation->output = memory_format(COMPILED "/%s", program);
  const char *const words[] = {"cc",   "-std=gnu17", "-O2",   "-pthread", "-o", compilation->output,
                               source, "-lcurl",     "-lssl", "-lcrypto", NULL};
  memcpy(compilation->argv, words, sizeof words);
}

static void compilation_enlist(struct manifest *manifest, const struct compilation *compilation,
                               const struct step *step) {
  if (step->end == STEP_DONE) {
    scoped_text char *command = memory_format("./%s", compilation->output);
    manifest_add(manifest, compilation->program, (const char *const[]){command, NULL});
    return;
  }
  scoped_text char *complaint = build_log_complaint(step);
  scoped_text char *sentence =
      language_sentence("%s could not be compiled: %s", compilation->source, complaint);
  manifest_add_missing(manifest, compilation->program, sentence);
}

static enum submission_fault sources_compile(struct building *building,
                                             struct compilation *compilations, size_t count) {
  struct submission *submission = building->submission;
  if (count == 0)
    return SUBMISSION_READY;
  if (mkdirat(submission->folder_fd, COMPILED, 0755) && errno != EEXIST) {
    failure_errno(building->failure, "cannot make a folder in the copy of the submission");
    return SUBMISSION_IMPOSSIBLE;
  }
  (void)!fchownat(submission->folder_fd, COMPILED, sandbox_user(), sandbox_user(),
                  AT_SYMLINK_NOFOLLOW); /* refused where there is one user only, whose it is */
  struct step *steps = memory_zeroed(count, sizeof *steps);
  for (size_t i = 0; i < count; i++)
    steps[i].argv = compilations[i].argv;
  enum submission_fault fault = steps_do(building, steps, count);
  for (size_t i = 0; i < count; i++) {
    if (!fault)
      compilation_enlist(submission->manifest, &compilations[i], &steps[i]);
    free(steps[i].log);
  }
  free(steps);
  return fault;
}

static bool language_is_allowed(const struct submission_spec *spec, const char *language) {
  for (unsigned i = 0; i < spec->language_count; i++)
    if (strcmp(spec->languages[i], language) == 0)
      return true;
  return spec->language_count == 0;
}

/* A program in a language that the course does not take becomes a missing one. */
static void language_check(const struct building *building, const char *program,
                           struct found *found) {
  const struct submission_spec *spec = building->spec;
  if (spec->language_count == 0 || found->kind == FOUND_MISSING)
    return;
  const char *language = found->kind == FOUND_SOURCE
                             ? "c"
                             : written_in_command(building->submission->folder_fd, found->argv);
  if (language_is_allowed(spec, language))
    return;
  scoped_text char *allowed = memory_text("");
  for (unsigned i = 0; i < spec->language_count; i++) {
    char *longer = memory_format("%s%s%s", allowed, i ? ", " : "", spec->languages[i]);
    free(allowed);
    allowed = longer;
  }
  char *sentence =
      *language
          ? language_sentence("%s is written in %s, and this course takes only: %s", program,
                              language, allowed)
          : language_sentence("%s is written in a language that cannot be told, and this course "
                              "takes only: %s",
                              program, allowed);
  found_free(found);
  *found = (struct found){.kind = FOUND_MISSING, .attempted = true, .text = sentence};
}

/* Finds every program, now that make has run; compiles those that are a single C file. */
static enum submission_fault programs_find(struct building *building, const char *make_complaint) {
  struct submission *submission = building->submission;
  const struct submission_spec *spec = building->spec;
  struct compilation *compilations = memory_zeroed(spec->program_count, sizeof *compilations);
  size_t count = 0;
  struct find_place place = {.folder_fd = submission->folder_fd,
                             .has_makefile = submission->has_makefile,
                             .own = &submission->own};
  for (size_t i = 0; i < spec->program_count; i++) {
    struct found found = find_program(&place, spec->programs[i]);
    language_check(building, spec->programs[i], &found);
    if (found.kind == FOUND_COMMAND) {
      manifest_add(submission->manifest, spec->programs[i], (const char *const *)found.argv);
    } else if (found.kind == FOUND_SOURCE) {
      compilation_fill(&compilations[count++], spec->programs[i], steal_pointer(&found.text));
      attempted_add(submission, spec->programs[i]);
    } else {
      scoped_text char *sentence =
          memory_format("%s%s%s", found.text, make_complaint ? _("; make failed: ") : "",
                        make_complaint ? make_complaint : "");
      manifest_add_missing(submission->manifest, spec->programs[i], sentence);
      if (found.attempted)
        attempted_add(submission, spec->programs[i]);
    }
    found_free(&found);
  }
  enum submission_fault fault = sources_compile(building, compilations, count);
  for (size_t i = 0; i < count; i++) {
    free(compilations[i].source);
    free(compilations[i].output);
  }
  free(compilations);
  return fault;
}

static struct sandbox_limits limits_of(const struct submission_spec *spec) {
  return spec->limits.memory_bytes ? spec->limits : sandbox_default_limits();
}

static enum submission_fault build(struct submission *submission,
                                   const struct submission_spec *spec, bool is_built,
                                   struct failure *failure) {
  double limit_s = spec->build_limit_s > 0 ? spec->build_limit_s : BUILD_LIMIT_S;
  struct patience patience = {.limit_s = limit_s, .begun_s = steps_now_s()};
  struct building building = {
      .submission = submission,
      .spec = spec,
      .plan = {.folder = submission->folder,
               .limits = limits_of(spec),
               .jobs = spec->jobs,
               .patience = &patience,
               .stop = spec->stop,
               .tick = building_tick,
               .context = (void *)spec},
      .failure = failure,
      .is_built = is_built,
  };
  submission->log.limit_s = limit_s;
  submission->built = true;
  scoped_text char *make_complaint = NULL;
  enum submission_fault fault = SUBMISSION_READY;
  if (submission->has_makefile)
    fault = make_do(&building, &make_complaint);
  if (!fault)
    fault = programs_find(&building, make_complaint);
  return fault;
}

/* The submission with all that was built, from the cache, in place of its copy. False: it is not
 * there. */
static bool built_take(struct submission *submission, const char *cached) {
  scoped_text char *folder = memory_format("%s/" WORK_FOLDER "/built", submission->work);
  scoped_text char *log = NULL;
  if (!build_cache_take(cached, folder, &log))
    return false;
  free(submission->folder);
  submission->folder = steal_pointer(&folder);
  build_log_again(&submission->log, log);
  return true;
}

/* Builds it, or takes what was built of the very same. */
static enum submission_fault build_or_reuse(struct submission *submission,
                                            const struct submission_spec *spec,
                                            struct failure *failure) {
  struct sandbox_limits limits = limits_of(spec);
  const struct build_cache_key key = {.folder = submission->folder,
                                      .programs = spec->programs,
                                      .program_count = spec->program_count,
                                      .languages = spec->languages,
                                      .language_count = spec->language_count,
                                      .limits = &limits};
  scoped_text char *cached = spec->reuse ? build_cache_path(&key) : NULL;
  size_t said_before = submission->log.length;
  submission->has_makefile = find_makefile(submission->folder_fd);
  bool is_built = cached && built_take(submission, cached);
  if (is_built && folder_open(submission, failure))
    return SUBMISSION_IMPOSSIBLE;
  submission->manifest = manifest_new(submission->folder);
  enum submission_fault fault = build(submission, spec, is_built, failure);
  if (!fault && cached && !is_built && submission->built)
    build_cache_keep(cached, submission->folder, build_log_text(&submission->log) + said_before);
  return fault;
}

static enum submission_fault submission_fill(struct submission *submission,
                                             const struct submission_spec *spec,
                                             struct failure *failure) {
  enum submission_fault fault = copy_make(submission, spec, failure);
  if (!fault)
    fault = own_commands_load(submission, failure);
  if (fault)
    return fault;
  fault = build_or_reuse(submission, spec, failure);
  if (!fault && manifest_save(submission->manifest, submission->manifest_path, failure))
    fault = SUBMISSION_IMPOSSIBLE;
  return fault;
}

enum submission_fault submission_open(const struct submission_spec *spec,
                                      struct submission **submission, struct failure *failure) {
  *submission = memory_zeroed(1, sizeof **submission);
  (*submission)->folder_fd = -1;
  enum submission_fault fault = submission_fill(*submission, spec, failure);
  if (fault) {
    submission_close(*submission);
    *submission = NULL;
  }
  return fault;
}
