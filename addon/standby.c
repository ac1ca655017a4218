// Hands a plugin's call to a process that stands by for it (src/standby/worker.ts, whose side of the protocol that is).
//
// It connects, waits for the word READY, and sends one message: which file the runtime is, then its own name and the
// environment, with standard input, output, error, the working directory and a pipe as descriptors. The answer is DONE
// with the exit status, or REFUSED. Whatever does not go this way is nobody's loss: the caller then executes the
// runtime. Until READY nobody has begun, so that giving up is safe; after that only an answer ends the wait, and the
// end of this process, which ends the call by the other end of the pipe: who kills a plugin must have killed it.
#include "freestanding.h"
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/socket.h>
#include <linux/time_types.h>
#include <linux/un.h>
#include "standby.h"

enum { READY = 'A', DONE = 'D' };
enum { AF_UNIX_ = 1, SOCK_SEQPACKET_ = 5, SOCK_NONBLOCK_ = O_NONBLOCK, SOCK_CLOEXEC_ = O_CLOEXEC };
enum { SOL_SOCKET_ = 1, SO_PEERCRED_ = 17, SCM_RIGHTS_ = 1 };
// As long as a busy process takes for the calls of a node that stops its pods: beginning anew takes longer than that
// wait. And not so long that a stopped one holds anybody up.
enum { PATIENCE_MS = 400 };
enum { HANDED = 5 };

static const char path[] = "/run/tnet/standby";

struct credentials {
  int pid, uid, gid;
};
struct vector {
  const void *base;
  size_t size;
};
struct message {
  void *name;
  int name_size;
  struct vector *vectors;
  size_t vector_count;
  void *control;
  size_t control_size;
  int flags;
};
struct rights {
  size_t size;
  int level, type;
  int descriptors[HANDED];
};

// What only this process can do: to follow a path that leads through its own entry in /proc, to run without a stream.
static int is_own_affair(const char *name, char *const *environment) {
  const char *base = name;
  for (; *name; name++) {
    if (*name == '/') base = name + 1;
  }
  const char *rest = after(base, "tnet");
  if (rest && *rest == 0) return 1;
  int is_call = 0;
  for (; *environment; environment++) {
    if (after(*environment, "CNI_COMMAND=")) is_call = 1;
    const char *netns = after(*environment, "CNI_NETNS=");
    if (netns && (contains(netns, "self") || after(netns, "/dev/"))) return 1;
  }
  if (!is_call) return 1;
  for (int fd = 0; fd < 3; fd++) {
    if (call(__NR_fcntl, fd, F_GETFD, 0, 0, 0, 0) < 0) return 1;
  }
  return 0;
}

// A socket of a process that belongs to the same user; -1 where nobody listens.
static int open_connection(void) {
  static struct sockaddr_un address = {.sun_family = AF_UNIX_};
  copy(address.sun_path, path);
  const long fd = call(__NR_socket, AF_UNIX_, SOCK_SEQPACKET_ | SOCK_NONBLOCK_ | SOCK_CLOEXEC_, 0, 0, 0, 0);
  if (fd < 0) return -1;
  struct credentials peer;
  int size = sizeof peer;
  if (call(__NR_connect, fd, (long)&address, sizeof address, 0, 0, 0) == 0 &&
      call(__NR_getsockopt, fd, SOL_SOCKET_, SO_PEERCRED_, (long)&peer, (long)&size, 0) == 0 &&
      peer.uid == (int)call(__NR_geteuid, 0, 0, 0, 0, 0, 0)) {
    return (int)fd;
  }
  call(__NR_close, fd, 0, 0, 0, 0, 0);
  return -1;
}

// Reads a message of at most two bytes; its size, or what is no size.
static long receive(int fd, unsigned char *answer, long patience_ms) {
  struct __kernel_timespec patience = {patience_ms / 1000, patience_ms % 1000 * 1000000};
  struct pollfd wanted = {.fd = fd, .events = POLLIN};
  long count;
  do {
    count = call(__NR_ppoll, (long)&wanted, 1, patience_ms < 0 ? 0 : (long)&patience, 0, 0, 0);
  } while (count == -EINTR);
  return count == 1 ? call(__NR_read, fd, (long)answer, 2, 0, 0, 0) : -1;
}

static int send_call(int fd, const char *runtime, const char *name, char *const *environment) {
  struct stat file;
  if (call(__NR_newfstatat, AT_FDCWD, (long)runtime, (long)&file, 0, 0, 0) < 0) return -1;
  size_t size = length(name) + 1;
  for (char *const *each = environment; *each; each++) size += length(*each) + 1;
  const long memory = call(__NR_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory < 0 && memory > -4096) return -1;
  char *text = copy((char *)memory, name) + 1;
  for (; *environment; environment++) text = copy(text, *environment) + 1;
  const long folder = call(__NR_openat, AT_FDCWD, (long)".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);
  int pipe[2];
  if (folder < 0 || call(__NR_pipe2, (long)pipe, O_CLOEXEC, 0, 0, 0, 0) < 0) return -1;
  const unsigned long long identity[2] = {file.st_dev, file.st_ino};
  struct vector vectors[] = {{identity, sizeof identity}, {(void *)memory, size}};
  struct rights rights = {offsetof(struct rights, descriptors[HANDED]), SOL_SOCKET_, SCM_RIGHTS_, {0, 1, 2, (int)folder, pipe[0]}};
  struct message message = {.vectors = vectors, .vector_count = 2, .control = &rights, .control_size = sizeof rights};
  const long sent = call(__NR_sendmsg, fd, (long)&message, 0, 0, 0, 0);
  call(__NR_close, pipe[0], 0, 0, 0, 0, 0);
  return sent < 0 ? -1 : 0;
}

void ask_standby(const char *runtime, const char *name, char *const *environment) {
  if (is_own_affair(name, environment)) return;
  const int fd = open_connection();
  if (fd < 0) return;
  unsigned char answer[2];
  if (receive(fd, answer, PATIENCE_MS) == 1 && answer[0] == READY && send_call(fd, runtime, name, environment) == 0) {
    const long size = receive(fd, answer, -1);
    if (size == 2 && answer[0] == DONE) call(__NR_exit_group, answer[1], 0, 0, 0, 0, 0);
    static const char died[] = "tnet: the process that stood by for this call has ended before the call did\n";
    if (size == 0) {
      call(__NR_write, 2, (long)died, sizeof died - 1, 0, 0, 0);
      call(__NR_exit_group, 1, 0, 0, 0, 0, 0);
    }
  }
  call(__NR_close, fd, 0, 0, 0, 0, 0);
}
