#include "grader/sdk/certificate.h"

#include "grader/sdk/inner.h"
#include "grader/sdk/keystore.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY_S = 86400, VALID_DAYS = 30 };

struct authority {
  EVP_PKEY *key;
  X509 *certificate;
};

/* Of the present check; a check has one process. */
static struct authority known, unknown;

static _Noreturn void openssl_failed(const char *what) {
  check_error(say("OpenSSL cannot make %s: %s", what, ERR_reason_error_string(ERR_get_error())));
}

static void add_extension(X509 *certificate, X509 *issuer, int type, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, type, value);
  if (!extension || !X509_add_ext(certificate, extension, -1))
    openssl_failed("an extension of a certificate");
  X509_EXTENSION_free(extension);
}

/* Valid for 30 days before and after the world's day that is `days` away. */
static X509 *begin(const char *name, EVP_PKEY *key, int days) {
  static long serial = 1;
  X509 *certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  time_t middle = (time_t)wall_clock() + (time_t)days * DAY_S;
  ASN1_TIME_set(X509_getm_notBefore(certificate), middle - (time_t)VALID_DAYS * DAY_S);
  ASN1_TIME_set(X509_getm_notAfter(certificate), middle + (time_t)VALID_DAYS * DAY_S);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             (const unsigned char *)name, -1, -1, 0);
  return certificate;
}

static void finish(X509 *certificate, const struct authority *authority) {
  X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate));
  add_extension(certificate, authority->certificate, NID_subject_key_identifier, "hash");
  add_extension(certificate, authority->certificate, NID_authority_key_identifier, "keyid:always");
  if (!X509_sign(certificate, authority->key, EVP_sha256()))
    openssl_failed("a signature");
}

static void authority_make(struct authority *authority, const char *name) {
  if (authority->key)
    return;
  authority->key = EVP_EC_gen("P-256");
  if (!authority->key)
    openssl_failed("a key");
  X509 *certificate = authority->certificate = begin(name, authority->key, 0);
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  finish(certificate, authority);
}

/* Java's programs look here, if Java is installed at all. */
static void authority_give_java(const struct authority *authority) {
  static const char store[] = "/etc/ssl/certs/java/cacerts";
  size_t length = 0;
  unsigned char *bytes = keystore_with(authority->certificate, &length);
  if (!bytes)
    openssl_failed("a keystore");
  if (access(store, F_OK) == 0)
    put_file_of_bytes(store, bytes, length);
  free(bytes);
}

/* The trust store of programs. */
static void authority_give(const struct authority *authority) {
  static const char store[] = "/etc/ssl/certs/ca-certificates.crt";
  static const char *const variables[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
                                          "NODE_EXTRA_CA_CERTS"};
  BIO *memory = BIO_new(BIO_s_mem());
  char *text = NULL;
  PEM_write_bio_X509(memory, authority->certificate);
  long length = BIO_get_mem_data(memory, &text);
  put_file(store, say("%.*s", (int)length, text));
  BIO_free(memory);
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
    put_variable(variables[i], store);
  authority_give_java(authority);
}

void certificate_authority_give(void) {
  authority_make(&known, "Authority of the world");
  authority_give(&known);
}

SSL_CTX *certificate_context(const char *name, enum certificate kind) {
  authority_make(&known, "Authority of the world");
  if (kind == CERTIFICATE_UNTRUSTED)
    authority_make(&unknown, "Authority that nobody knows");
  const struct authority *authority = kind == CERTIFICATE_UNTRUSTED ? &unknown : &known;
  bool other = kind == CERTIFICATE_OF_OTHER_NAME; /* names that begin or end like the right one */
  const char *subject = other ? say("www.%s", name) : name;
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = begin(subject, key, kind == CERTIFICATE_EXPIRED ? -2 * VALID_DAYS : 0);
  add_extension(certificate, authority->certificate, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate, authority->certificate, NID_key_usage, "critical,digitalSignature");
  add_extension(certificate, authority->certificate, NID_ext_key_usage, "serverAuth");
  add_extension(certificate, authority->certificate, NID_subject_alt_name,
                other ? say("DNS:%s,DNS:not%s", subject, name) : say("DNS:%s", subject));
  finish(certificate, authority);
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (!context || SSL_CTX_use_certificate(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey(context, key) != 1)
    openssl_failed("a server's certificate");
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}
