/* A trust store as Java reads it: its programs take no PEM files. Called by certificate.c; knows
 * bytes only. */
#pragma once

#include <openssl/x509.h>
#include <stddef.h>

/* A keystore ("JKS") that holds the certificate as one to be trusted, under Java's usual password;
 * the caller frees it. NULL if OpenSSL fails. */
unsigned char *keystore_with(X509 *certificate, size_t *length);
