/* What was said in the sandbox, in words for people. None of it is believed beyond that. */
#include "grader/submission/unpack_inner.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <string.h>

#define KINDS "zip, tar, tar.gz, tar.bz2, tar.xz, tar.zst or 7z"

/* In front of the entry's name, behind it, and behind the detail; NULL: without. */
static const struct words {
  const char *begin, *middle, *end;
} sentences[UNPACK_WORDS] = {
    [UNPACK_WORD_NO_ARCHIVE] = {N_("it is not a folder, and not an archive that can be read (" KINDS
                                   ")")},
    [UNPACK_WORD_RAR] = {N_("it is a RAR archive, which is not read here: pack it as " KINDS)},
    [UNPACK_WORD_CUT] = {N_("it is a zip archive without its end, so that it was cut off or is "
                            "damaged: pack and hand it in again")},
    [UNPACK_WORD_EMPTY] = {N_("it is empty: there is nothing to grade in it")},
    [UNPACK_WORD_DAMAGED] = {N_("it is damaged, or was cut off, at "), " (",
                             N_("): pack and hand it in again")},
    [UNPACK_WORD_ENCRYPTED] = {N_("it is encrypted ("), N_("): pack it again, without a password")},
    [UNPACK_WORD_OUTSIDE] = {N_("it is refused: its entry "),
                             N_(" would be written outside of it")},
    [UNPACK_WORD_ABSOLUTE] = {N_("it is refused: its entry "), N_(" has an absolute path")},
    [UNPACK_WORD_LONG_NAME] = {N_("it is refused: the name of its entry "), N_(" is too long")},
    [UNPACK_WORD_LINK] = {N_("it is refused: it holds "),
                          N_(" as a link and as something else, or something below it, which would "
                             "be written through the link")},
    [UNPACK_WORD_FILE_AND_FOLDER] = {N_("it is refused: it holds "),
                                     N_(" both as a file and as a folder")},
    [UNPACK_WORD_HARD_OUTSIDE] = {N_("it is refused: its hard link "), N_(" leads out of it, to "),
                                  ""},
    [UNPACK_WORD_HARD_MISSING] = {N_("it is damaged: its hard link "), N_(" is one to "),
                                  N_(", which is not a file before it")},
    [UNPACK_WORD_UNWRITABLE] = {N_("it cannot be unpacked: "), N_(" cannot be written: "), ""},
    [UNPACK_WORD_UNCONFINED] = {N_("it cannot be unpacked: what reads it cannot be confined: "),
                                ""},
};

static const char *const remarks[UNPACK_NOTES] = {
    [UNPACK_NOTE_LINK] = N_("left out, since links must not lead out of the archive"),
    [UNPACK_NOTE_SPECIAL] = N_("left out, since only files, folders and links are unpacked"),
    [UNPACK_NOTE_APPLE] = N_("left out, since it is what macOS packs beside the files"),
    [UNPACK_NOTE_MODE] = N_("unpacked without its set-user-ID, set-group-ID or sticky bit"),
    [UNPACK_NOTE_TWICE] = N_("there more than once, of which the last one counts"),
    [UNPACK_NOTE_NAME] = N_("unpacked under a name that has characters which cannot be shown"),
};

static char *shown(const char text[UNPACK_SHOWN]) {
  return safe_text(text, strnlen(text, UNPACK_SHOWN));
}

/* "a, b, c and 4 more" */
static char *names_join(const struct unpack_report *report, enum unpack_note note) {
  uint32_t count = report->notes[note].count, named = count < UNPACK_NAMED ? count : UNPACK_NAMED;
  char *all = memory_text("");
  for (uint32_t i = 0; i < named; i++) {
    scoped_text char *name = shown(report->notes[note].names[i]);
    char *longer = memory_format("%s%s%s", all, i ? ", " : "", name);
    free(all);
    all = longer;
  }
  if (count <= named)
    return all;
  char *longer = language_sentence("%s and %u more", all, count - named);
  free(all);
  return longer;
}

char *unpack_notes(const struct unpack_report *report) {
  char *notes = memory_text("");
  for (enum unpack_note note = 0; note < UNPACK_NOTES; note++) {
    if (report->notes[note].count == 0)
      continue;
    scoped_text char *names = names_join(report, note);
    char *longer = memory_format("%s%s: %s\n", notes, names, _(remarks[note]));
    free(notes);
    notes = longer;
  }
  return notes;
}

static void words_set(const struct words *words, const char *entry, const char *detail,
                      struct failure *failure) {
  failure_set(failure, "%s%s%s%s%s", words->begin, words->middle ? entry : "",
              words->middle ? words->middle : "", words->end ? detail : "",
              words->end ? words->end : "");
}

enum unpack_fault unpack_explain(const struct unpack_report *report,
                                 const struct unpack_limits *limits, struct failure *failure) {
  scoped_text char *name = shown(report->name), *detail = shown(report->detail);
  const char *entry = *name ? _(name) : _("its beginning");
  switch (report->word) {
  case UNPACK_WORD_DONE:
    return UNPACK_DONE;
  case UNPACK_WORD_MEMORY:
    failure_set(failure, "it needs more than %d MiB of memory to be unpacked", UNPACK_MEMORY_MIB);
    break;
  case UNPACK_WORD_MANY:
    failure_set(failure, "it is refused: too many files: more than %ju; the last was %s",
                (uintmax_t)limits->files, entry);
    break;
  case UNPACK_WORD_LARGE:
    failure_set(failure, "it is refused: too large when unpacked: more than %ju MiB with %s",
                (uintmax_t)limits->bytes >> 20, entry);
    break;
  case UNPACK_WORD_DEPTH:
    failure_set(failure, "it is refused: folders are nested too deeply: more than %d at %s",
                UNPACK_DEPTH_MOST, entry);
    break;
  default:
    if (report->word < UNPACK_WORDS)
      words_set(&sentences[report->word], entry, _(detail), failure);
    else
      failure_set(failure, "it cannot be unpacked: what reads it made no sense");
  }
  return report->word == UNPACK_WORD_UNWRITABLE || report->word == UNPACK_WORD_UNCONFINED
             ? UNPACK_IMPOSSIBLE
             : UNPACK_REFUSED;
}
