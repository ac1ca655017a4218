// Starts programs for a test: fork(2) of a process of Node's size takes ten times as long as the program then runs.
//
// Reads requests on standard input and answers on standard output, both in frames of native integers and bytes:
//
//   request   u32 length of what follows, u32 id, u32 argc, u32 envc, u32 length of the input,
//             then NUL-terminated: namespace ("" for the own), directory, arguments, environment; then the input
//   kill      u32 length, u32 id, u32 0
//   answer    u32 length, u32 id, i32 status as of waitpid(2) or -errno of the start, u32 length of its output,
//             then its standard output and its standard error
//
// An answer comes once the program has ended and both its streams are closed. Ends with its standard input.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct bytes {
  char *data;
  size_t length, room;
};

struct job {
  uint32_t id;
  pid_t process;
  int status, has_ended;
  int input, output[2];  // -1 once closed
  struct bytes text[2];
  char *frame;
  const char *left;  // of the input
  size_t length;
  struct job *next;
};

static struct job *jobs;

static void fail(const char *deed) {
  perror(deed);
  exit(125);
}

static void reserve(struct bytes *to, size_t more) {
  if (to->length + more <= to->room) return;
  to->room = 2 * to->room > to->length + more ? 2 * to->room : to->length + more;
  to->data = realloc(to->data, to->room);
  if (!to->data) fail("realloc");
}

// False at the end of the input.
static int read_fully(void *to, size_t length) {
  for (size_t had = 0; had < length;) {
    const ssize_t got = read(STDIN_FILENO, (char *)to + had, length - had);
    if (got == 0) return 0;
    if (got < 0 && errno != EINTR) fail("read");
    if (got > 0) had += (size_t)got;
  }
  return 1;
}

static void write_fully(const void *from, size_t length) {
  for (size_t had = 0; had < length;) {
    const ssize_t put = write(STDOUT_FILENO, (const char *)from + had, length - had);
    if (put < 0 && errno != EINTR) exit(0);  // the test has ended
    if (put > 0) had += (size_t)put;
  }
}

static void answer(uint32_t id, int32_t status, const struct bytes text[2]) {
  const uint32_t lengths[] = {(uint32_t)text[0].length, (uint32_t)text[1].length};
  const uint32_t head[] = {12 + lengths[0] + lengths[1], id, (uint32_t)status, lengths[0]};
  write_fully(head, sizeof head);
  write_fully(text[0].data, lengths[0]);
  write_fully(text[1].data, lengths[1]);
}

static void shut(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

// In the child of vfork(2): until it executes, it runs on the parent's memory. Answers errno.
static int become(const char *netns, const char *directory, char **argv, char **envp, const int streams[3]) {
  if (*netns) {
    const int fd = open(netns, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) {
      dprintf(streams[2], "enter %s: %s\n", netns, strerror(errno));
      _exit(1);  // as nsenter(1) does
    }
  }
  if (chdir(directory) != 0) return errno;
  // The pipes' ends are above 2, since the standard streams are open.
  for (int i = 0; i < 3; i++)
    if (dup2(streams[i], i) < 0) return errno;
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execvpe(argv[0], argv, envp);
  return errno;
}

static void start(uint32_t id, uint32_t argc, uint32_t envc, uint32_t input, char *frame, size_t length) {
  char **words = calloc(argc + envc + 2, sizeof *words);
  struct job *job = calloc(1, sizeof *job);
  if (!words || !job) fail("calloc");
  char *const netns = frame, *const directory = netns + strlen(netns) + 1;
  char *word = directory + strlen(directory) + 1;
  for (uint32_t i = 0; i < argc + envc; i++, word += strlen(word) + 1) words[i < argc ? i : i + 1] = word;

  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) fail("pipe");
  const int streams[] = {in[0], out[1], err[1]};
  volatile int error = 0;
  const pid_t process = vfork();
  if (process < 0) fail("vfork");
  if (process == 0) {
    error = become(netns, directory, words, words + argc + 1, streams);
    _exit(127);
  }
  free(words);
  for (int i = 0; i < 3; i++) close(streams[i]);
  *job = (struct job){.id = id, .process = process, .input = in[1], .output = {out[0], err[0]}, .frame = frame,
                      .left = frame + length - input, .length = input, .next = jobs};
  fcntl(job->input, F_SETFL, O_NONBLOCK);
  if (error != 0) {
    waitpid(process, NULL, 0);
    answer(id, -error, job->text);
    for (int i = 0; i < 2; i++) shut(&job->output[i]);
    shut(&job->input);
    free(frame);
    free(job);
    return;
  }
  if (input == 0) shut(&job->input);
  jobs = job;
}

static void request(void) {
  uint32_t length, head[4];
  if (!read_fully(&length, sizeof length) || !read_fully(head, 2 * sizeof *head)) exit(0);
  if (head[1] == 0) {
    for (struct job *job = jobs; job; job = job->next)
      if (job->id == head[0] && !job->has_ended) kill(job->process, SIGKILL);
    return;
  }
  const size_t rest = length - sizeof head;
  char *frame = malloc(rest);
  if (!frame) fail("malloc");
  if (!read_fully(head + 2, 2 * sizeof *head) || !read_fully(frame, rest)) exit(0);
  start(head[0], head[1], head[2], head[3], frame, rest);
}

static void reap(void) {
  int status;
  for (pid_t process; (process = waitpid(-1, &status, WNOHANG)) > 0;)
    for (struct job *job = jobs; job; job = job->next)
      if (job->process == process && !job->has_ended) job->status = status, job->has_ended = 1;
}

static void feed(struct job *job) {
  const ssize_t put = write(job->input, job->left, job->length);
  if (put > 0) job->left += put, job->length -= (size_t)put;
  // A program may end without reading its input.
  if (job->length == 0 || (put < 0 && errno != EAGAIN && errno != EINTR)) shut(&job->input);
}

static void drain(struct job *job, int stream) {
  struct bytes *text = &job->text[stream];
  reserve(text, 65536);
  const ssize_t got = read(job->output[stream], text->data + text->length, 65536);
  if (got > 0) text->length += (size_t)got;
  else if (got == 0 || errno != EINTR) shut(&job->output[stream]);
}

static void finish_ended(void) {
  for (struct job **at = &jobs; *at;) {
    struct job *job = *at;
    if (!job->has_ended || job->output[0] >= 0 || job->output[1] >= 0) {
      at = &job->next;
      continue;
    }
    answer(job->id, job->status, job->text);
    shut(&job->input);
    *at = job->next;
    for (int i = 0; i < 2; i++) free(job->text[i].data);
    free(job->frame);
    free(job);
  }
}

int main(void) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  signal(SIGPIPE, SIG_IGN);
  const int ended = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  if (ended < 0) fail("signalfd");
  struct pollfd *polls = NULL;
  for (;;) {
    size_t count = 2, n = 2;
    for (struct job *job = jobs; job; job = job->next) count += 3;
    polls = realloc(polls, count * sizeof *polls);
    if (!polls) fail("realloc");
    polls[0] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
    polls[1] = (struct pollfd){ended, POLLIN, 0};
    for (struct job *job = jobs; job; job = job->next) {  // poll(2) passes by what is -1
      polls[n++] = (struct pollfd){job->input, POLLOUT, 0};
      for (int i = 0; i < 2; i++) polls[n++] = (struct pollfd){job->output[i], POLLIN, 0};
    }
    if (poll(polls, count, -1) < 0 && errno != EINTR) fail("poll");
    n = 2;
    for (struct job *job = jobs; job; job = job->next) {
      if (polls[n++].revents) feed(job);
      for (int i = 0; i < 2; i++)
        if (polls[n++].revents) drain(job, i);
    }
    if (polls[1].revents) {
      struct signalfd_siginfo info;
      while (read(ended, &info, sizeof info) > 0) continue;
      reap();
    }
    finish_ended();
    if (polls[0].revents) request();
  }
}
