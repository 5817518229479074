/* A real HTTP client, libcurl, in a world: its sockets are made on a host, and its waiting is done
 * by the world's loop (curl_multi_socket_action(3)). */
#include "grader/sdk/inner.h"

#include "grader/base/memory.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct transfer {
  struct host *host;
  CURLM *multi;
  struct peer *peer;
  struct watch *watch;
  curl_socket_t socket;
  int running;
  bool timer_due;
  FILE *header, *body;
};

static curl_socket_t open_socket(void *context, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
  (void)purpose;
  const struct transfer *transfer = context;
  struct failure failure;
  int fd =
      host_socket(transfer->host, address->family, address->socktype, address->protocol, &failure);
  return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static void on_ready(void *context, uint32_t events) {
  struct transfer *transfer = context;
  int mask = (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
             (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
  curl_multi_socket_action(transfer->multi, transfer->socket, mask, &transfer->running);
}

/* It wants to know when one of its sockets is ready, or not any more. */
static int on_interest(CURL *easy, curl_socket_t socket, int what, void *context, void *unused) {
  (void)easy, (void)unused;
  struct transfer *transfer = context;
  world_unwatch(transfer->watch);
  transfer->watch = NULL;
  if (what == CURL_POLL_REMOVE)
    return 0;
  uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
  struct sockaddr_in local = {0};
  socklen_t length = sizeof local;
  if (getsockname(socket, (struct sockaddr *)&local, &length) == 0)
    transfer->peer->address = address_from_socket(&local);
  transfer->socket = socket;
  transfer->watch = world_watch(the_check.world, socket, events, on_ready, transfer);
  return 0;
}

/* Its own time-outs would be in real time: it has none but "at once". */
static int on_timer(CURLM *multi, long milliseconds, void *context) {
  (void)multi;
  struct transfer *transfer = context;
  transfer->timer_due = milliseconds >= 0;
  return 0;
}

static bool is_over(void *context) {
  struct transfer *transfer = context;
  for (int i = 0; transfer->timer_due && i < 8; i++) {
    transfer->timer_due = false;
    curl_multi_socket_action(transfer->multi, CURL_SOCKET_TIMEOUT, 0, &transfer->running);
  }
  return transfer->running == 0;
}

static size_t keep(char *bytes, size_t size, size_t count, void *file) {
  return fwrite(bytes, size, count, file);
}

static CURL *request(struct transfer *transfer, const char *url, char error[CURL_ERROR_SIZE]) {
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, keep);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer->header);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer->body);
  return easy;
}

static CURLcode result_of(CURLM *multi) {
  int left = 0;
  const CURLMsg *message = curl_multi_info_read(multi, &left);
  return message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_OPERATION_TIMEDOUT;
}

struct http_response http_get_at(struct host *host, const char *url, double within) {
  char *header = NULL, *body = NULL, error[CURL_ERROR_SIZE] = "";
  size_t header_length = 0, body_length = 0;
  struct transfer transfer = {.host = host,
                              .multi = curl_multi_init(),
                              .peer = peer_create(host, "libcurl", -1),
                              .running = 1,
                              .header = open_memstream(&header, &header_length),
                              .body = open_memstream(&body, &body_length)};
  CURL *easy = request(&transfer, url, error);
  curl_multi_setopt(transfer.multi, CURLMOPT_SOCKETFUNCTION, on_interest);
  curl_multi_setopt(transfer.multi, CURLMOPT_SOCKETDATA, &transfer);
  curl_multi_setopt(transfer.multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(transfer.multi, CURLMOPT_TIMERDATA, &transfer);
  curl_multi_add_handle(transfer.multi, easy);
  run_until(now() + within, is_over, &transfer);

  CURLcode result = result_of(transfer.multi);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_multi_remove_handle(transfer.multi, easy);
  curl_easy_cleanup(easy);
  curl_multi_cleanup(transfer.multi);
  world_unwatch(transfer.watch);
  fclose(transfer.header);
  fclose(transfer.body);
  struct http_response response = {
      .ok = result == CURLE_OK,
      .error = result == CURLE_OK ? "" : say("%s", *error ? error : curl_easy_strerror(result)),
      .status = (int)status,
      .header = scrap_text(header, header_length),
      .body = (const uint8_t *)scrap_text(body, body_length),
      .body_length = body_length};
  free(header);
  free(body);
  return response;
}
