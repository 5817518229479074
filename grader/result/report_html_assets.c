/* The style and the script of the page: two files of their own, taken in by the assembler. */
#include "grader/result/report_html_parts.h"

#include "grader/base/memory.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

HTML_TAKE_IN(html_style, "grader/result/report_html.css");
HTML_TAKE_IN(html_script, "grader/result/report_html.js");

char *html_hash(const char *text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  unsigned char encoded[(SHA256_DIGEST_LENGTH + 2) / 3 * 4 + 1];
  SHA256((const unsigned char *)text, strlen(text), digest);
  EVP_EncodeBlock(encoded, digest, sizeof digest);
  return memory_format("sha256-%s", (const char *)encoded);
}
