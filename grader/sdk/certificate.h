/* Certificates for a world's web servers: RFC 5280, by OpenSSL. */
#pragma once

#include "grader/sdk/wiregrade.h"

#include <openssl/ssl.h>

/* A server's side of TLS, with a certificate of that kind for `name`, signed by the world's
 * authority, which is made and given to programs (put_file, put_variable) when it is needed first.
 * The caller frees it. Ends the check if OpenSSL fails. */
SSL_CTX *certificate_context(const char *name, enum certificate kind);
