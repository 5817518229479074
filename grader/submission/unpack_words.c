/* What was said in the sandbox, in words for people. None of it is believed beyond that. */
#include "grader/submission/unpack_inner.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/result/safe_text.h"

#include <string.h>

#define KINDS "zip, tar, tar.gz, tar.bz2, tar.xz, tar.zst or 7z"

/* In front of the entry's name, behind it, and behind the detail; NULL: without. */
static const struct words {
  const char *begin, *middle, *end;
} sentences[UNPACK_WORDS] = {
    [UNPACK_WORD_NO_ARCHIVE] = {"it is not a folder, and not an archive that can be read (" KINDS
                                ")"},
    [UNPACK_WORD_RAR] = {"it is a RAR archive, which is not read here: pack it as " KINDS},
    [UNPACK_WORD_CUT] = {"it is a zip archive without its end, so that it was cut off or is "
                         "damaged: pack and hand it in again"},
    [UNPACK_WORD_EMPTY] = {"it is empty: there is nothing to grade in it"},
    [UNPACK_WORD_DAMAGED] = {"it is damaged, or was cut off, at ", " (",
                             "): pack and hand it in again"},
    [UNPACK_WORD_ENCRYPTED] = {"it is encrypted (", "): pack it again, without a password"},
    [UNPACK_WORD_OUTSIDE] = {"it is refused: its entry ", " would be written outside of it"},
    [UNPACK_WORD_ABSOLUTE] = {"it is refused: its entry ", " has an absolute path"},
    [UNPACK_WORD_LONG_NAME] = {"it is refused: the name of its entry ", " is too long"},
    [UNPACK_WORD_LINK] = {"it is refused: it holds ",
                          " as a link and as something else, or something below it, which would "
                          "be written through the link"},
    [UNPACK_WORD_FILE_AND_FOLDER] = {"it is refused: it holds ", " both as a file and as a folder"},
    [UNPACK_WORD_HARD_OUTSIDE] = {"it is refused: its hard link ", " leads out of it, to ", ""},
    [UNPACK_WORD_HARD_MISSING] = {"it is damaged: its hard link ", " is one to ",
                                  ", which is not a file before it"},
    [UNPACK_WORD_UNWRITABLE] = {"it cannot be unpacked: ", " cannot be written: ", ""},
    [UNPACK_WORD_UNCONFINED] = {"it cannot be unpacked: what reads it cannot be confined: ", ""},
};

static const char *const remarks[UNPACK_NOTES] = {
    [UNPACK_NOTE_LINK] = "left out, since links must not lead out of the archive",
    [UNPACK_NOTE_SPECIAL] = "left out, since only files, folders and links are unpacked",
    [UNPACK_NOTE_APPLE] = "left out, since it is what macOS packs beside the files",
    [UNPACK_NOTE_MODE] = "unpacked without its set-user-ID, set-group-ID or sticky bit",
    [UNPACK_NOTE_TWICE] = "there more than once, of which the last one counts",
    [UNPACK_NOTE_NAME] = "unpacked under a name that has characters which cannot be shown",
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
  char *longer = memory_format("%s and %u more", all, count - named);
  free(all);
  return longer;
}

char *unpack_notes(const struct unpack_report *report) {
  char *notes = memory_text("");
  for (enum unpack_note note = 0; note < UNPACK_NOTES; note++) {
    if (report->notes[note].count == 0)
      continue;
    scoped_text char *names = names_join(report, note);
    char *longer = memory_format("%s%s: %s\n", notes, names, remarks[note]);
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
  const char *entry = *name ? name : "its beginning";
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
      words_set(&sentences[report->word], entry, detail, failure);
    else
      failure_set(failure, "it cannot be unpacked: what reads it made no sense");
  }
  return report->word == UNPACK_WORD_UNWRITABLE || report->word == UNPACK_WORD_UNCONFINED
             ? UNPACK_IMPOSSIBLE
             : UNPACK_REFUSED;
}
