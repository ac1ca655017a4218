// The traffic of the tests: echo requests, and TCP and UDP servers that tell each client its own address.
//
//   probe ping ADDRESS MILLISECONDS                exit status 0: answered
//   probe serve tcp|udp|sctp ADDRESS PORT          prints "ready", then serves until it is killed
//   probe ask tcp|udp|sctp ADDRESS PORT MILLISECONDS [FROM]
//                                                  prints the address that the server saw; exit status 1: no answer
//   probe sink ADDRESS PORT                        prints "ready", reads one connection to its end, prints bits a second
//   probe pour ADDRESS PORT MILLISECONDS           sends as much as it can over one connection
//
// FROM is the port to ask from; by default the kernel chooses one.
// A ping or a question is repeated until the time is over: the first may find no neighbour entry yet.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *deed) {
  perror(deed);
  exit(2);
}

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static struct addrinfo *resolve(const char *address, const char *port, int type) {
  const struct addrinfo wanted = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = type};
  struct addrinfo *found;
  const int error = getaddrinfo(address, port, &wanted, &found);
  if (error == 0) return found;
  fprintf(stderr, "probe: %s: %s\n", address, gai_strerror(error));
  exit(2);
}

static void tell(const struct sockaddr_storage *from, socklen_t length, char *text, size_t size) {
  if (getnameinfo((const struct sockaddr *)from, length, text, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0) *text = 0;
  if (strncmp(text, "::ffff:", 7) == 0) memmove(text, text + 7, strlen(text + 7) + 1);
}

static unsigned short checksum(const unsigned char *bytes, size_t length) {
  unsigned long sum = 0;
  for (size_t i = 0; i + 1 < length; i += 2) sum += (unsigned long)(bytes[i] | bytes[i + 1] << 8);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (unsigned short)~sum;
}

static int ping(const char *address, long milliseconds) {
  const struct addrinfo *to = resolve(address, NULL, SOCK_RAW);
  const int six = to->ai_family == AF_INET6;
  const int fd = socket(to->ai_family, SOCK_RAW | SOCK_CLOEXEC, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
  if (fd < 0) fail("raw socket");
  unsigned char request[16] = {six ? ICMP6_ECHO_REQUEST : ICMP_ECHO};
  memcpy(request + 4, &(pid_t){getpid()}, 2);
  memcpy(request + 8, &(long){now()}, 8);
  if (!six) memcpy(request + 2, &(unsigned short){checksum(request, sizeof request)}, 2);
  for (const long end = now() + milliseconds; now() < end;) {
    // Refusals (no route, no neighbour) are repeated too: what is waited for may still come.
    sendto(fd, request, sizeof request, 0, to->ai_addr, to->ai_addrlen);
    for (const long again = now() + 200; now() < again && now() < end;) {
      struct pollfd poller = {fd, POLLIN, 0};
      if (poll(&poller, 1, 20) <= 0) continue;
      unsigned char answer[512];
      const ssize_t length = recv(fd, answer, sizeof answer, 0);
      const unsigned char *icmp = six ? answer : answer + (answer[0] & 15) * 4;
      if (length < icmp - answer + (ssize_t)sizeof request) continue;
      if (icmp[0] == (six ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) && memcmp(icmp + 4, request + 4, 12) == 0) return 0;
    }
  }
  return 1;
}

/** IPPROTO_SCTP, or 0 for what the type of the socket means. */
static int protocol;

_Noreturn static void serve(int type, const char *address, const char *port) {
  const struct addrinfo *at = resolve(address, port, type);
  const int fd = socket(at->ai_family, type | SOCK_CLOEXEC, protocol);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  if (fd < 0 || bind(fd, at->ai_addr, at->ai_addrlen) != 0) fail("bind");
  if (type == SOCK_STREAM && listen(fd, 64) != 0) fail("listen");
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    char text[NI_MAXHOST];
    if (type == SOCK_STREAM) {
      const int client = accept4(fd, (struct sockaddr *)&from, &length, SOCK_CLOEXEC);
      if (client < 0) continue;
      tell(&from, length, text, sizeof text);
      if (write(client, text, strlen(text)) < 0) perror("answer");
      close(client);
    } else if (recvfrom(fd, text, sizeof text, 0, (struct sockaddr *)&from, &length) >= 0) {
      tell(&from, length, text, sizeof text);
      sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&from, length);
    }
  }
}

static int ask(int type, const char *address, const char *port, long milliseconds, const char *from) {
  const struct addrinfo *to = resolve(address, port, type);
  for (const long end = now() + milliseconds; now() < end;) {
    const int fd = socket(to->ai_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (from != NULL) {
      const struct addrinfo *at = resolve(to->ai_family == AF_INET6 ? "::" : "0.0.0.0", from, type);
      if (bind(fd, at->ai_addr, at->ai_addrlen) != 0) fail("bind");
    }
    char text[NI_MAXHOST];
    struct pollfd poller = {fd, POLLIN, 0};
    connect(fd, to->ai_addr, to->ai_addrlen);
    if (type == SOCK_DGRAM) send(fd, "?", 1, 0);
    // A lost SYN is sent again by the kernel only after a second, so a fresh connection is tried sooner.
    if (poll(&poller, 1, 300) > 0) {
      const ssize_t length = recv(fd, text, sizeof text, 0);
      if (length > 0) {
        printf("%.*s\n", (int)length, text);
        return 0;
      }
      usleep(20000);
    }
    close(fd);
  }
  return 1;
}

// The rate counts from some time after the first byte: until then bursts and buffers fill.
static int sink(const char *address, const char *port) {
  const struct addrinfo *at = resolve(address, port, SOCK_STREAM);
  const int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  if (fd < 0 || bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, 1) != 0) fail("bind");
  puts("ready");
  fflush(stdout);
  const int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
  if (client < 0) fail("accept");
  static char bytes[1 << 16];
  long long counted = 0;
  long first = 0, last = 0;
  for (ssize_t length; (length = read(client, bytes, sizeof bytes)) > 0;) {
    last = now();
    if (first == 0) first = last + 700;
    if (last >= first) counted += length;
  }
  printf("%lld\n", last > first ? counted * 8000 / (last - first) : 0);
  return 0;
}

static int pour(const char *address, const char *port, long milliseconds) {
  const struct addrinfo *to = resolve(address, port, SOCK_STREAM);
  const int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) != 0) fail("connect");
  static char bytes[1 << 16];
  for (const long end = now() + milliseconds; now() < end;) {
    struct pollfd poller = {fd, POLLOUT, 0};
    if (poll(&poller, 1, 50) > 0 && send(fd, bytes, sizeof bytes, MSG_DONTWAIT) < 0 && errno != EAGAIN) fail("send");
  }
  return 0; // what the kernel still holds is sent, and counts
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc == 4 && strcmp(argv[1], "ping") == 0) return ping(argv[2], atol(argv[3]));
  const int type = argc > 2 && strcmp(argv[2], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
  if (argc > 2 && strcmp(argv[2], "sctp") == 0) protocol = IPPROTO_SCTP;
  if (argc == 5 && strcmp(argv[1], "serve") == 0) serve(type, argv[3], argv[4]);
  if ((argc == 6 || argc == 7) && strcmp(argv[1], "ask") == 0) {
    return ask(type, argv[3], argv[4], atol(argv[5]), argv[6]);
  }
  if (argc == 4 && strcmp(argv[1], "sink") == 0) return sink(argv[2], argv[3]);
  if (argc == 5 && strcmp(argv[1], "pour") == 0) return pour(argv[2], argv[3], atol(argv[4]));
  fprintf(stderr, "probe: want ping, serve, ask, sink or pour\n");
  return 2;
}
