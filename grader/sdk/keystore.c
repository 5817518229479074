#include "grader/sdk/keystore.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Of sun.security.provider.JavaKeyStore: all numbers are big-endian; a text has its length, in two
 * bytes, before it. */
static const uint32_t MAGIC = 0xfeedfeed;
enum { VERSION = 2, TRUSTED_CERTIFICATE = 2 };
static const char PASSWORD[] = "changeit", SALT[] = "Mighty Aphrodite";

static void put_number(FILE *out, uint64_t number, int bytes) {
  while (bytes-- > 0)
    fputc((int)(number >> (8 * bytes) & 0xff), out);
}

static void put_text(FILE *out, const char *text) {
  put_number(out, strlen(text), 2);
  fputs(text, out);
}

static void put_certificate(FILE *out, const unsigned char *der, size_t length) {
  put_number(out, TRUSTED_CERTIFICATE, 4);
  put_text(out, "authority");
  put_number(out, 0, 8); /* since when it has been here */
  put_text(out, "X.509");
  put_number(out, length, 4);
  fwrite(der, 1, length, out);
}

/* The digest of the password, in UTF-16, of the salt, and of all that stands before it. */
static void digest_of(const char *store, size_t length, unsigned char digest[SHA_DIGEST_LENGTH]) {
  char *salted = NULL;
  size_t salted_length = 0;
  FILE *out = open_memstream(&salted, &salted_length);
  for (const char *letter = PASSWORD; *letter; letter++)
    put_number(out, (unsigned char)*letter, 2);
  fputs(SALT, out);
  fwrite(store, 1, length, out);
  fclose(out);
  SHA1((const unsigned char *)salted, salted_length, digest);
  free(salted);
}

unsigned char *keystore_with(X509 *certificate, size_t *length) {
  unsigned char *der = NULL, digest[SHA_DIGEST_LENGTH];
  int der_length = i2d_X509(certificate, &der);
  if (der_length < 0)
    return NULL;
  char *store = NULL;
  FILE *out = open_memstream(&store, length);
  put_number(out, MAGIC, 4);
  put_number(out, VERSION, 4);
  put_number(out, 1, 4); /* so many entries */
  put_certificate(out, der, (size_t)der_length);
  OPENSSL_free(der);
  fflush(out);
  digest_of(store, *length, digest);
  fwrite(digest, 1, sizeof digest, out);
  fclose(out);
  return (unsigned char *)store;
}
