/* The language of what people read: English, as it stands in the sources, or a translation of it.
 *
 * gettext's own files (.po, .mo) and its way to choose a language, but not its library: that gives
 * nothing where the machine has no locale but C and C.UTF-8 (a container, a CI runner), whatever
 * LANGUAGE says. A text that has no translation stays English; what is read by machines (keys,
 * protocols, what is compared) is never handed to these functions.
 *
 * Marked by hand: _("…") gives the translation, N_("…") only tells `.ci/messages` that it is looked
 * up later. failure_set and its kin, the SDK's say, language_sentence and the like look up their
 * formats themselves, and those of their arguments that are literals of this program: what a
 * student's program wrote is never taken for one.
 *
 * The process has one language, chosen at its start. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* clang-format off */
#define _(text_) language_text(text_)
#define N_(text_) text_
/* clang-format on */

/* Which language of those that `folder` has one is wanted: `asked`, or, if that is NULL, what the
 * environment says as for gettext (LC_ALL, LC_MESSAGES, LANG, and LANGUAGE where these name a
 * language; no codeset but UTF-8). `folder` has a folder for each: zh_CN/LC_MESSAGES. The caller
 * frees the name; "en" if it is English; NULL if `asked` is not there. */
char *language_find(const char *folder, const char *asked);
/* Begins with that language, of which `folder` has the files (NULL: they are named by whoever adds
 * them); "en" again: forgets all translations. */
void language_begin(const char *folder, const char *name);
/* "en", "zh_CN": of all that was looked up so far. */
const char *language_name(void);
bool language_is_english(void);
/* A file of translations: it is used from now on, after those that were added before. One that is
 * not there does no harm. */
void language_add(const char *path);
/* The same for the folder's file of this name: "wiregrade", "wiregrade-udp". */
void language_add_domain(const char *domain);
/* The files that are used, with ":" between them, for another process; the caller frees it. */
char *language_files(void);
void language_add_files(const char *files);
/* In a process that the grader started: WIREGRADE_LANG and WIREGRADE_MESSAGES say both. */
void language_inherit(void);

/* The translation, or the text itself. */
const char *language_text(const char *text) __attribute__((format_arg(1)));
/* The same, if the text is a literal of this program and not something that was made or read. */
const char *language_literal(const char *text);
/* As memory_format, with format and literal arguments in the reader's language. The caller frees
 * it. */
char *language_sentence(const char *format, ...) __attribute__((format(printf, 1, 2), malloc));
/* As fprintf, with format and literal arguments in the reader's language. */
void language_print(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As vasprintf, but it never fails, in the same way. The caller frees it. */
char *language_format(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
