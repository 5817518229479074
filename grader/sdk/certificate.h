/* Certificates for a world's web servers: RFC 5280, by OpenSSL. */
#pragma once

#include "grader/sdk/wiregrade.h"

#include <openssl/ssl.h>

/* The world's authority is made, when it is needed first, and given to the programs that start from
 * now on (put_file, put_variable). Ends the check if OpenSSL fails. */
void certificate_authority_give(void);
/* A server's side of TLS, with a certificate of that kind for `name`, signed by the world's
 * authority. The caller frees it. Ends the check if OpenSSL fails. */
SSL_CTX *certificate_context(const char *name, enum certificate kind);
