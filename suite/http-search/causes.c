#include "causes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

/* ---- requests ---- */

const char *url_cause(const struct search *search, const char *url) {
  const struct question *first = search->count > 0 ? &search->questions[0] : &search->rest[0];
  if (strcmp(first->url, url) == 0)
    return NULL;
  if (begins(url, "https:") && !first->request.tls)
    return say("it asked %s, without TLS: %s is required", first->url, url);
  return say("it asked %s: %s is required", first->url, url);
}

const char *get_cause(const struct search *search, const char *url, const char *path,
                      const char *keyword) {
  const struct question *first = search->count > 0 ? &search->questions[0] : &search->rest[0];
  const char *line = request_line(&first->request), *got = request_target(&first->request);
  if (search->count == 0)
    return "an empty line ends the header: \\r\\n after the last line, and once more";
  if (begins(line, "HEAD "))
    return "it asks with HEAD first: no trial request, one GET is all";
  if (begins(line, "POST "))
    return "it sends the query with POST: it belongs into the URL of a GET";
  if (search->count > 1)
    return "one call of the library, or one write to one socket, is one request";
  if (url_cause(search, url))
    return url_cause(search, url);
  if (begins(got, "http://") || begins(got, "https://"))
    return "the whole URL is what a proxy is asked for; a server is asked for the path: /?q=…";
  if (begins(got, path) && strcasestr(got, say("%s%%0", keyword)))
    return "the line's end is a part of the keyword: take the newline off";
  size_t directory = strcspn(path, "?");
  if (strncmp(got, path, directory) != 0 || got[directory] != '?')
    return say("the path is not %.*s: “%s” was asked for", (int)directory, path, got);
  return begins(got, path) ? NULL
                           : say("the keyword's name in the query is not q: “%s”", got + directory);
}

enum { LINES_MOST = 16 };

/* The lines of a header, without their ends and the empty one. */
static size_t header_lines(const char *header, const char *lines[LINES_MOST]) {
  size_t count = 0;
  while (*header && *header != '\r' && *header != '\n' && count < LINES_MOST) {
    size_t length = strcspn(header, "\r\n");
    lines[count++] = say("%.*s", (int)length, header);
    header += length;
    header += *header == '\r';
    header += *header == '\n';
  }
  return count;
}

static bool has_line(const char *const *lines, size_t count, const char *line) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(lines[i], line) == 0)
      return true;
  return false;
}

const char *request_cause(const struct request *request, const char *required) {
  const char *got[LINES_MOST], *wanted[LINES_MOST];
  size_t got_count = header_lines((const char *)request->bytes, got);
  size_t wanted_count = header_lines(required, wanted);
  size_t same = 0, known = 0;
  while (same < got_count && same < wanted_count && strcmp(got[same], wanted[same]) == 0)
    same++;
  for (size_t i = 0; i < wanted_count; i++)
    known += has_line(got, got_count, wanted[i]);
  if (got_count > wanted_count && known == wanted_count)
    return say("the line “%s” is one too many", got[same]);
  if (same == wanted_count || got_count == 0)
    return NULL;
  if (got_count == wanted_count && known == wanted_count)
    return say("the lines are the right ones, in another order: “%s” comes too early", got[same]);
  return same < got_count && got_count == wanted_count
             ? say("there is “%s” where “%s” is required", got[same], wanted[same])
             : say("the line “%s” is missing", wanted[same]);
}

/* ---- replies ---- */

const char *no_end_cause(const struct search *search, bool left_open) {
  if (search->count == 0 && search->rest_count > 0)
    return "the server still waits for the rest of the request: an empty line ends its header";
  if (left_open)
    return "the reply is whole, and the server waits for another request: end when the last byte of "
           "the reply has come, not when the connection is closed";
  return "it waits for more than the reply: has it understood where the reply ends?";
}

static const uint8_t *find(struct output in, const char *text) {
  return memmem(in.bytes, in.length, text, strlen(text));
}

/* How many bytes of the text's beginning are printed. */
static size_t printed_of(struct output output, const char *bytes, size_t length) {
  const uint8_t *text = (const uint8_t *)bytes;
  size_t most = 0;
  for (size_t at = 0; at < output.length; at++) {
    size_t same = 0;
    while (same < length && at + same < output.length && output.bytes[at + same] == text[same])
      same++;
    if (same > most)
      most = same;
  }
  return most;
}

/* The length of a reply's first chunk. */
static size_t first_chunk(const struct reply *reply) {
  return strtoul(reply->bytes + strlen(reply->header), NULL, 16);
}

static const char *chunks_cause(struct output output, const struct reply *reply) {
  size_t came = printed_of(output, reply->body, reply->body_length), chunk = first_chunk(reply);
  if (find(output, say("%zx\r\n", chunk)))
    return "the lengths in front of the chunks are no part of the body: look for Transfer-Encoding: "
           "chunked, in upper or lower case";
  if (came == chunk)
    return say("only the first chunk is printed, of %zu bytes: go on until one of length 0", chunk);
  if (came == strtoul(say("%zx", chunk), NULL, 10))
    return say("of the first chunk, whose length is %zx, only %zu came: lengths of chunks are "
               "hexadecimal, so this one is %zu",
               chunk, came, chunk);
  return NULL;
}

const char *framing_cause(const struct search *search, enum framing framing,
                          const struct reply *reply, size_t piece) {
  struct output output = output_of(search->program, STDOUT);
  const char *cause = framing == BY_CHUNKS ? chunks_cause(output, reply) : NULL;
  if (cause)
    return cause;
  size_t of_body = printed_of(output, reply->body, reply->body_length);
  size_t of_reply = printed_of(output, reply->bytes, reply->length);
  size_t came = of_reply > of_body ? of_reply : of_body;
  if (framing == BY_CLOSE && of_body == 0)
    return "the reply has neither a Content-Length nor chunks: it ends when the server closes";
  if (piece == 1 && of_reply > 1 && of_reply < reply->length)
    return say("it ends after %zu bytes, which came one by one: is the number of reads limited?",
               of_reply);
  if (piece == 0 && came > 1000 && of_body < reply->body_length)
    return say("it ends after %zu bytes: has a buffer a fixed size, or is it filled only once?",
               came);
  if (output.length < reply->body_length)
    return "one read is not one reply: go on until all of it is there";
  return NULL;
}

const char *cut_cause(const struct search *search, enum framing framing,
                      const struct reply *reply) {
  struct output output = output_of(search->program, STDOUT);
  if (search->count > 0 && strcmp(search->name, "search-tls") == 0)
    return search->questions[0].request.tls
               ? say("the body should have %zu bytes, and the connection ended before, without "
                     "close_notify: of SSL_read()'s errors only SSL_ERROR_ZERO_RETURN is a good end",
                     reply->body_length)
               : "there is no TLS: only its close_notify tells a whole reply from one that was cut";
  if (framing == BY_LENGTH)
    return say("Content-Length says %zu, and fewer bytes came before the connection ended: count "
               "them, and fail",
               reply->body_length);
  const char *cause = chunks_cause(output, reply);
  return cause
             ? cause
             : "the last chunk, of length 0, has not come: the end of the connection before it is "
               "a failure";
}
