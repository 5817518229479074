/* search-easy: a search, by a library that knows HTTP, TLS and proxies.
 *
 * All that is left to say is the URL. libcurl looks up the name, goes through the proxy that
 * https_proxy names, verifies the certificate, asks, understands how the reply is framed, and
 * writes the body to stdout piece by piece: 100 MB take no more memory than 1 KB. */
#include <ctype.h>
#include <curl/curl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

static _Noreturn void fail_because(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(EXIT_FAILURE);
}

/* Asks for the keyword: one line of UTF-8, without its end. The caller frees it. */
static char *read_keyword(void) {
  printf("Input search keyword: ");
  fflush(stdout); /* or an unfinished line would stay in stdio's buffer while we wait */
  char *keyword = NULL;
  size_t size = 0;
  ssize_t length = getline(&keyword, &size, stdin);
  if (length == -1)
    fail_because("there is no line to read");
  if (keyword[length - 1] == '\n')
    keyword[--length] = '\0';
  if (length == 0)
    fail_because("the keyword is empty");
  setlocale(LC_CTYPE, "C.UTF-8"); /* for mbstowcs */
  if (mbstowcs(NULL, keyword, 0) == (size_t)-1)
    fail_because("the keyword is not UTF-8");
  for (ssize_t i = 0; i < length; i++)
    if (iscntrl((unsigned char)keyword[i])) /* a '\0' too */
      fail_because("there is a control character in the keyword");
  return keyword;
}

/* A & or a # in the keyword would end the query: it is encoded before it becomes part of a URL. */
static char *make_url(CURL *curl, const char *keyword) {
  char *query = curl_easy_escape(curl, keyword, 0);
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

  char *keyword = read_keyword();
  CURL *curl = curl_easy_init();
  if (!curl)
    fail("curl_easy_init");
  char *url = make_url(curl, keyword);

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
