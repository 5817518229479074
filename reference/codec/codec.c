/* codec: text to bytes and back.
 *
 * Text is characters, a network carries bytes, and an encoding says which bytes stand for which
 * character. Here text is UTF-32, four bytes for each character, so that a character can be
 * counted; everything else is bytes. Whatever the program reads, it decodes; whatever it writes, it
 * encodes.
 *
 *     codec           shows two examples
 *     codec ENC DEC   decodes stdin as UTF-8, encodes it as ENC, decodes that as DEC, writes UTF-8
 */
#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct bytes {
  char *data;
  size_t length;
};

#define TEXT "UTF-32LE" /* "UTF-32" would put a byte order mark in front */
enum { CHARACTER_SIZE = 4 };

static const struct encoding {
  const char *name, *iconv_name;
} encodings[] = {
    {"ascii", "ASCII"}, {"latin-1", "ISO-8859-1"}, {"utf-8", "UTF-8"}, {"utf-16le", "UTF-16LE"},
    {"gbk", "GBK"},
};

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

static const struct encoding *find_encoding(const char *name) {
  for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
    if (strcasecmp(name, encodings[i].name) == 0)
      return &encodings[i];
  fprintf(stderr, "unknown encoding %s; there are:", name);
  for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
    fprintf(stderr, " %s", encodings[i].name);
  fprintf(stderr, "\n");
  exit(2);
}

/* Converts all of it, or up to what cannot be converted: *converted says how much that was. */
static struct bytes convert(struct bytes from, const char *from_name, const char *to_name,
                            size_t *converted) {
  iconv_t conversion = iconv_open(to_name, from_name); /* the order is no slip: "to" comes first */
  if (conversion == (iconv_t)-1)
    fail("iconv_open");
  /* A byte is at most one character, and a character at most four bytes. */
  size_t room = from.length * CHARACTER_SIZE + 1, left = from.length;
  struct bytes to = {.data = malloc(room)};
  if (!to.data)
    fail("malloc");

  /* EILSEQ: there is no such character, or these bytes are none. EINVAL: they are the beginning of
   * one, and the end is missing. In both cases `in` stays before them. */
  char *in = from.data, *out = to.data;
  if (iconv(conversion, &in, &left, &out, &room) == (size_t)-1 && errno != EILSEQ &&
      errno != EINVAL)
    fail("iconv");
  iconv_close(conversion);
  to.length = out - to.data;
  *converted = in - from.data;
  return to;
}

static struct bytes encode(struct bytes text, const struct encoding *encoding) {
  size_t converted;
  struct bytes bytes = convert(text, TEXT, encoding->iconv_name, &converted);
  if (converted < text.length) {
    fprintf(stderr, "%s cannot encode the character at position %zu\n", encoding->name,
            converted / CHARACTER_SIZE);
    exit(EXIT_FAILURE);
  }
  return bytes;
}

static struct bytes decode(struct bytes bytes, const struct encoding *encoding) {
  size_t converted;
  struct bytes text = convert(bytes, encoding->iconv_name, TEXT, &converted);
  if (converted < bytes.length) {
    fprintf(stderr, "%s cannot decode the byte 0x%02x at position %zu\n", encoding->name,
            (unsigned char)bytes.data[converted], converted);
    exit(EXIT_FAILURE);
  }
  return text;
}

/* All of it: who converts a piece at a time must not cut a character in two. */
static struct bytes read_input(void) {
  struct bytes input = {0};
  size_t room = 0;
  do {
    if (input.length == room) {
      room = room ? 2 * room : 4096;
      input.data = realloc(input.data, room);
      if (!input.data)
        fail("realloc");
    }
    input.length += fread(input.data + input.length, 1, room - input.length, stdin);
  } while (!feof(stdin) && !ferror(stdin));
  if (ferror(stdin))
    fail("stdin");
  return input;
}

/* `input` and what is printed are UTF-8. Nothing is printed before all went well. */
static void show(struct bytes input, const char *encoder, const char *decoder, const char *end) {
  const struct encoding *utf_8 = find_encoding("utf-8");
  const struct encoding *as = find_encoding(encoder), *read_as = find_encoding(decoder);
  struct bytes text = decode(input, utf_8);
  struct bytes wire = encode(text, as); /* this is what would go through a socket */
  struct bytes seen = decode(wire, read_as);
  struct bytes output = encode(seen, utf_8);
  fwrite(output.data, 1, output.length, stdout);
  fputs(end, stdout);
  free(text.data);
  free(wire.data);
  free(seen.data);
  free(output.data);
}

int main(int argc, char *argv[]) {
  if (argc != 1 && argc != 3) {
    fprintf(stderr, "Usage: %s [ENC DEC]\n", argv[0]);
    return 2;
  }

  if (argc == 1) {
    static char hello[] = "Hello World!", hello_in_chinese[] = "你好，世界！";
    show((struct bytes){hello, strlen(hello)}, "ascii", "ascii", "\n");
    /* Wrong, and no error: nearly all bytes mean something in GBK. */
    show((struct bytes){hello_in_chinese, strlen(hello_in_chinese)}, "utf-8", "gbk", "\n");
  } else {
    struct bytes input = read_input();
    show(input, argv[1], argv[2], "");
    free(input.data);
  }
  if (fflush(stdout) != 0 || ferror(stdout))
    fail("stdout");
  return EXIT_SUCCESS;
}
