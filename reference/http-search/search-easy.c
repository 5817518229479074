/* search-easy: a search, by a library that knows HTTP, TLS and proxies.
 *
 * All that is left to say is the URL. libcurl looks up the name, goes through the proxy that
 * https_proxy names, verifies the certificate, asks, understands how the reply is framed, and
 * writes the body to stdout piece by piece: 100 MB take no more memory than 1 KB. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

/* Asks for the keyword: one line, without its end. It may hold any byte, a zero too, so it has a
 * length. */
static size_t read_keyword(char **keyword) {
  printf("Input search keyword: ");
  fflush(stdout); /* or an unfinished line would stay in stdio's buffer while we wait */
  size_t size = 0;
  ssize_t length = getline(keyword, &size, stdin);
  if (length == -1) {
    fprintf(stderr, "there is no line to read\n");
    exit(EXIT_FAILURE);
  }
  if ((*keyword)[length - 1] == '\n')
    (*keyword)[--length] = '\0';
  return (size_t)length;
}

/* A & or a # in the keyword would end the query: it is encoded before it becomes part of a URL. */
static char *make_url(CURL *curl, const char *keyword, size_t length) {
  char *query = curl_easy_escape(curl, keyword, (int)length);
  static const char start[] = "https://www.google.com/?q=";
  char *url = query ? malloc(sizeof start + strlen(query)) : NULL;
  if (!url)
    fail("malloc");
  strcpy(url, start);
  strcat(url, query);
  curl_free(query);
  return url;
}

int main(int argc, char *argv[]) {
  if (argc != 1) {
    fprintf(stderr, "Usage: %s\n", argv[0]);
    return 2;
  }

  char *keyword = NULL;
  size_t length = read_keyword(&keyword);
  CURL *curl = curl_easy_init();
  if (!curl)
    fail("curl_easy_init");
  char *url = make_url(curl, keyword, length);

  /* What libcurl does by itself need not be asked for: a reply that is cut short, a certificate of
   * somebody else, a name that does not exist are all errors. Nobody should switch that off. */
  char message[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK)
    fprintf(stderr, "%s\n", *message ? message : curl_easy_strerror(code));
  curl_easy_cleanup(curl);
  free(url);
  free(keyword);

  if (fflush(stdout) == EOF)
    fail("stdout");
  return code == CURLE_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
