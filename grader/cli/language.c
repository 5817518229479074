/* The option that all commands have: --lang. */
#include "grader/cli/cli.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* The languages that the folder has, besides English; the caller frees the text. */
static char *languages_list(const char *folder) {
  struct dirent **entries = NULL;
  int count = scandir(folder, &entries, NULL, alphasort);
  char *list = memory_text("en");
  for (int i = 0; i < count; i++) {
    scoped_text char *found =
        entries[i]->d_name[0] == '.' ? NULL : language_find(folder, entries[i]->d_name);
    if (found && strcmp(found, entries[i]->d_name) == 0) {
      char *longer = memory_format("%s, %s", list, found);
      free(list);
      list = longer;
    }
    free(entries[i]);
  }
  free(entries);
  return list;
}

/* The last --lang counts, as with any option. Behind "--" there are no options. */
static int option_take(int *argc, char **argv, const char **asked) {
  static const char option[] = "--lang";
  int kept = 0;
  for (int i = 0; i < *argc; i++) {
    if (strcmp(argv[i], "--") == 0) {
      while (i < *argc)
        argv[kept++] = argv[i++];
      break;
    }
    if (strncmp(argv[i], option, strlen(option)) != 0 ||
        (argv[i][strlen(option)] != '=' && argv[i][strlen(option)] != '\0')) {
      argv[kept++] = argv[i];
    } else if (argv[i][strlen(option)] == '=') {
      *asked = argv[i] + strlen(option) + 1;
    } else if (i + 1 < *argc) {
      *asked = argv[++i];
    } else {
      return -1;
    }
  }
  argv[kept] = NULL;
  *argc = kept;
  return 0;
}

int cli_language_choose(int *argc, char **argv) {
  const char *asked = NULL;
  int unfinished = option_take(argc, argv, &asked);
  scoped_text char *executable = realpath("/proc/self/exe", NULL);
  scoped_text char *folder = place_languages(executable ? executable : "");
  scoped_text char *name = language_find(folder, asked);
  if (name) {
    language_begin(folder, name);
    language_add_domain("wiregrade");
  }
  if (name && !unfinished)
    return 0;
  scoped_text char *list = languages_list(folder);
  scoped_text char *sentence =
      unfinished ? language_sentence("--lang wants the name of a language: %s", list)
                 : language_sentence("There is no language '%s'; there are %s", asked, list);
  cli_complain(sentence);
  return -1;
}
