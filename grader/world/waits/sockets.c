#include "waits.h"

#include <netinet/in.h>

WAY(recv) {
  int fd = udp_socket();
  char byte;
  set_timeout(fd, SO_RCVTIMEO, LONG_S);
  struct timeval value;
  socklen_t length = sizeof value;
  require(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, &length) == 0 && value.tv_sec == LONG_S &&
              value.tv_usec == 0,
          "getsockopt gives what was set");
  require(recv(fd, &byte, 1, 0) < 0 && errno == EAGAIN, "recv");
}

WAY(read) {
  int fd = udp_socket();
  char byte;
  set_timeout(fd, SO_RCVTIMEO, LONG_S);
  require(read(fd, &byte, 1) < 0 && errno == EAGAIN, "read");
}

WAY(recvmsg) {
  int fd = udp_socket();
  char byte;
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  set_timeout(fd, SO_RCVTIMEO, LONG_S);
  require(recvmsg(fd, &message, 0) < 0 && errno == EAGAIN, "recvmsg");
}

/* With a time-out recv is not restarted, even under SA_RESTART; without one it is (signal(7)). */
WAY(recv_interrupted) {
  int fd = udp_socket();
  char byte;
  set_timeout(fd, SO_RCVTIMEO, 100);
  handle(SIGALRM, SA_RESTART);
  alarm(LONG_S);
  require(recv(fd, &byte, 1, 0) < 0 && errno == EINTR && handled == 1, "recv is interrupted");
}

WAY(recv_restarted) {
  int fd = udp_socket();
  struct sockaddr_in self;
  socklen_t length = sizeof self;
  getsockname(fd, (struct sockaddr *)&self, &length);
  handle(SIGALRM, SA_RESTART);
  alarm(20);
  if (fork() == 0) {
    sleep(LONG_S);
    sendto(fd, "x", 1, 0, (struct sockaddr *)&self, sizeof self);
    _exit(0);
  }
  char byte;
  require(recv(fd, &byte, 1, 0) == 1 && handled == 1, "recv is restarted");
}

static int tcp_listener(struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  socklen_t length = sizeof *address;
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  require(bind(fd, (struct sockaddr *)address, sizeof *address) == 0 && listen(fd, 5) == 0 &&
              getsockname(fd, (struct sockaddr *)address, &length) == 0,
          "listen");
  return fd;
}

WAY(accept) {
  struct sockaddr_in address;
  int fd = tcp_listener(&address);
  set_timeout(fd, SO_RCVTIMEO, LONG_S);
  require(accept(fd, NULL, NULL) < 0 && errno == EAGAIN, "accept");
}

/* An accepted socket inherits the listener's time-out. */
WAY(accept_inherits) {
  struct sockaddr_in address;
  int fd = tcp_listener(&address);
  set_timeout(fd, SO_RCVTIMEO, LONG_S);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  require(connect(client, (struct sockaddr *)&address, sizeof address) == 0, "connect");
  int served = accept(fd, NULL, NULL);
  char byte;
  require(served >= 0 && recv(served, &byte, 1, 0) < 0 && errno == EAGAIN, "recv");
}

/* A send that has written a part and waits for room: the part is its result; the next one gets
 * nothing in. Not by TCP: its zero-window probes are the kernel's, in real time. */
WAY(send) {
  int ends[2];
  require(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
  set_timeout(ends[0], SO_SNDTIMEO, LONG_S / 2.0);
  enum { MORE_THAN_BUFFERS = 64 << 20 };
  char *bytes = calloc(1, MORE_THAN_BUFFERS);
  ssize_t sent = send(ends[0], bytes, MORE_THAN_BUFFERS, 0);
  require(sent > 0 && sent < MORE_THAN_BUFFERS, "send writes a part");
  require(send(ends[0], bytes, MORE_THAN_BUFFERS, 0) < 0 && errno == EAGAIN, "send times out");
  free(bytes);
}
