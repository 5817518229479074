/* printf with a translated format, in which the arguments may come in another order, and with
 * translated literals among the arguments: the arguments are taken as the English format has them,
 * then printed one by one as the translation wants them. */
#include "grader/base/language.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ARGUMENTS_MAX = 24 };

enum argument_type {
  TYPE_NONE,
  TYPE_INT,
  TYPE_LONG,
  TYPE_SIZE,
  TYPE_DOUBLE,
  TYPE_TEXT,
  TYPE_POINTER
};

struct argument {
  enum argument_type type;
  union {
    long long number;
    double real;
    const char *text;
    const void *pointer;
  };
};

/* %[position$][flags][width][.precision][length]conversion */
struct directive {
  const char *begin; /* of flags, width and precision */
  size_t length;     /* of these */
  unsigned position; /* from 1; 0: the next one */
  unsigned stars;    /* widths and precisions that are arguments */
  enum argument_type type;
  char conversion;
  const char *after;
};

static enum argument_type type_of(const char **format) {
  const char *length = *format;
  *format += strspn(*format, "hljztL");
  switch (**format) {
  case 's':
    return TYPE_TEXT;
  case 'p':
    return TYPE_POINTER;
  case 'a':
  case 'e':
  case 'f':
  case 'g':
    return TYPE_DOUBLE;
  case '%':
  case 'm':
    return TYPE_NONE;
  default:
    return *length == 'l' || *length == 'j'   ? TYPE_LONG
           : *length == 'z' || *length == 't' ? TYPE_SIZE
                                              : TYPE_INT;
  }
}

static struct directive directive_read(const char *percent) {
  struct directive directive = {.begin = percent + 1};
  size_t digits = strspn(directive.begin, "0123456789");
  if (digits > 0 && directive.begin[digits] == '$') {
    directive.position = (unsigned)strtoul(directive.begin, NULL, 10);
    directive.begin += digits + 1;
  }
  const char *end = directive.begin;
  while (*end && strchr("-+ #0123456789.*", *end))
    directive.stars += *end++ == '*';
  directive.length = (size_t)(end - directive.begin);
  directive.type = type_of(&end);
  directive.conversion = *end;
  directive.after = *end ? end + 1 : end;
  return directive;
}

static void argument_take(struct argument *argument, const struct directive *directive,
                          va_list *list) {
  argument->type = directive->type;
  bool is_signed = strchr("dic", directive->conversion) != NULL;
  switch (directive->type) {
  case TYPE_INT:
    argument->number = is_signed ? va_arg(*list, int) : (long long)va_arg(*list, unsigned);
    break;
  case TYPE_LONG: /* as wide as long long, wherever this is built */
    argument->number = va_arg(*list, long long);
    break;
  case TYPE_SIZE:
    argument->number = (long long)va_arg(*list, size_t);
    break;
  case TYPE_DOUBLE:
    argument->real = va_arg(*list, double);
    break;
  case TYPE_TEXT:
    argument->text = va_arg(*list, const char *);
    break;
  case TYPE_POINTER:
    argument->pointer = va_arg(*list, const void *);
    break;
  case TYPE_NONE:
    break;
  }
}

_Static_assert(sizeof(long) == sizeof(long long), "a long is taken as a long long");

/* All arguments, as the format that they were written for has them. */
static size_t arguments_take(const char *format, va_list *list, struct argument *arguments) {
  size_t count = 0;
  while ((format = strchr(format, '%'))) {
    struct directive directive = directive_read(format);
    for (unsigned i = 0; i < directive.stars && count < ARGUMENTS_MAX; i++)
      arguments[count++] = (struct argument){.type = TYPE_INT, .number = va_arg(*list, int)};
    if (directive.type != TYPE_NONE && count < ARGUMENTS_MAX)
      argument_take(&arguments[count++], &directive, list);
    format = directive.after;
  }
  return count;
}

static void argument_print(FILE *file, const char *flags, const struct argument *argument,
                           char conversion) {
  bool is_number = argument->type == TYPE_LONG || argument->type == TYPE_SIZE ||
                   (argument->type == TYPE_INT && conversion != 'c');
  scoped_text char *format = memory_format("%%%s%s%c", flags, is_number ? "ll" : "", conversion);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  if (is_number)
    fprintf(file, format, argument->number);
  else if (argument->type == TYPE_INT)
    fprintf(file, format, (int)argument->number);
  else if (argument->type == TYPE_DOUBLE)
    fprintf(file, format, argument->real);
  else if (argument->type == TYPE_TEXT)
    fprintf(file, format, language_literal(argument->text));
  else
    fprintf(file, format, argument->pointer);
#pragma GCC diagnostic pop
}

/* Flags, width and precision, with the numbers that stars stand for. */
static char *flags_write(const struct directive *directive, const struct argument *arguments,
                         size_t count, size_t *next) {
  char *flags = memory_text("");
  for (size_t i = 0; i < directive->length; i++) {
    char *longer = directive->begin[i] != '*' ? memory_format("%s%c", flags, directive->begin[i])
                   : *next < count ? memory_format("%s%lld", flags, arguments[(*next)++].number)
                                   : memory_text(flags);
    free(flags);
    flags = longer;
  }
  return flags;
}

static void format_print(FILE *file, const char *format, const struct argument *arguments,
                         size_t count) {
  size_t next = 0;
  int error = errno;
  for (const char *percent; (percent = strchr(format, '%'));) {
    fwrite(format, 1, (size_t)(percent - format), file);
    struct directive directive = directive_read(percent);
    format = directive.after;
    if (directive.conversion == '%')
      fputc('%', file);
    if (directive.conversion == 'm')
      fputs(language_text(strerror(error)), file);
    if (directive.type == TYPE_NONE)
      continue;
    if (directive.position > 0) {
      next = directive.position - 1;
      next -= next >= directive.stars ? directive.stars : 0;
    }
    scoped_text char *flags = flags_write(&directive, arguments, count, &next);
    if (next < count)
      argument_print(file, flags, &arguments[next++], directive.conversion);
  }
  fputs(format, file);
}

static void print(FILE *file, const char *format, va_list *list) {
  struct argument arguments[ARGUMENTS_MAX];
  size_t count = arguments_take(format, list, arguments);
  format_print(file, language_text(format), arguments, count);
}

/* Measured first: texts of megabytes are written once, into memory that is not moved. */
static char *format_in_english(const char *format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  if (length < 0)
    return memory_text(format);
  char *text = memory_resize(NULL, (size_t)length + 1);
  vsnprintf(text, (size_t)length + 1, format, arguments);
  return text;
}

char *language_format(const char *format, va_list arguments) {
  if (language_is_english())
    return format_in_english(format, arguments);
  char *text = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&text, &size);
  if (!file)
    return memory_text(format);
  va_list list;
  va_copy(list, arguments);
  print(file, format, &list);
  va_end(list);
  fclose(file);
  return text;
}

char *language_sentence(const char *format, ...) {
  va_list list;
  va_start(list, format);
  char *text = language_format(format, list);
  va_end(list);
  return text;
}

void language_print(FILE *file, const char *format, ...) {
  va_list list;
  va_start(list, format);
  scoped_text char *text = language_format(format, list);
  va_end(list);
  fputs(text, file);
}
