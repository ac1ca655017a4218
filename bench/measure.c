// Runs programs and measures each: from spawn to exit; memory and CPU time of the process and of those it waited for.
//
//   measure PARALLEL        jobs on standard input, a line for each on standard output
//
// A job is fields that end in NUL: the program, what it reads on standard input, its environment, an empty field.
// A line is "STATUS NANOSECONDS KIBIBYTES CPU-MICROSECONDS"; after the last one comes "all NANOSECONDS".
// A small program of its own, for two reasons: a JavaScript runtime adds milliseconds of its own to each spawn and
// wait; and the kernel counts the memory of the process that forks as memory of the child, up to its exec.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_JOBS = 4096, MAX_ENVIRONMENT = 64 };

struct job {
  char *program, *input, *environment[MAX_ENVIRONMENT];
  pid_t pid;
  int output, status;
  long long began, took;
  long memory, cpu;
};

static struct job jobs[MAX_JOBS];

static void fail(const char *deed) {
  perror(deed);
  exit(1);
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static size_t read_jobs(void) {
  size_t size = 0, room = 1 << 16, count = 0;
  char *text = malloc(room);
  for (ssize_t length; (length = read(0, text + size, room - size)) > 0;) {
    size += (size_t)length;
    if (size == room) text = realloc(text, room *= 2);
    if (!text) fail("read the jobs");
  }
  for (char *at = text; at < text + size && count < MAX_JOBS; at++) {
    struct job *job = &jobs[count++];
    job->program = at;
    job->input = at += strlen(at) + 1;
    at += strlen(at) + 1;
    for (int n = 0; *at && n < MAX_ENVIRONMENT - 1; at += strlen(at) + 1) job->environment[n++] = at;
  }
  return count;
}

// Input and output are small and fit into a pipe: nobody has to serve them while the clock runs.
static void start(struct job *job) {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) fail("pipe");
  if (write(in[1], job->input, strlen(job->input)) < 0) fail("write the input");
  close(in[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, out[1], 2);
  char *argv[] = {job->program, NULL};
  job->began = now();
  const int error = posix_spawn(&job->pid, job->program, &actions, NULL, argv, job->environment);
  if (error != 0) {
    errno = error;
    fail(job->program);
  }
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  job->output = out[0];
}

static void finish(size_t count) {
  int status;
  struct rusage usage;
  const pid_t pid = wait4(-1, &status, 0, &usage);
  const long long ended = now();
  if (pid < 0) fail("wait");
  for (size_t i = 0; i < count; i++) {
    struct job *job = &jobs[i];
    if (job->pid != pid) continue;
    job->took = ended - job->began;
    job->memory = usage.ru_maxrss;
    job->cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    job->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    char text[4096];
    const ssize_t length = read(job->output, text, sizeof text - 1);
    if (job->status != 0 && length > 0) fprintf(stderr, "%s: status %d: %.*s\n", job->program, job->status, (int)length, text);
    close(job->output);
  }
}

int main(int argc, char **argv) {
  const size_t count = read_jobs();
  const size_t parallel = argc > 1 ? (size_t)atol(argv[1]) : 1;
  const long long began = now();
  size_t started = 0;
  for (size_t ended = 0; ended < count; ended++) {
    while (started < count && started - ended < parallel) start(&jobs[started++]);
    finish(started);
  }
  const long long took = now() - began;
  for (size_t i = 0; i < count; i++) printf("%d %lld %ld %ld\n", jobs[i].status, jobs[i].took, jobs[i].memory, jobs[i].cpu);
  printf("all %lld\n", took);
  return 0;
}
