// Runs a program and stops it at one of its system calls: killed there, or given an errno in place of the call.
//
//   inject REPORT trace [SYSCALL...]             -- PROGRAM ARG...   lists the calls: "name n thread"
//   inject REPORT kill SYSCALL N                 -- PROGRAM ARG...   SIGKILL as the N-th is entered; it does not run
//   inject REPORT killgroup SYSCALL N            -- PROGRAM ARG...   as kill, for the whole process group
//   inject REPORT error SYSCALL N ERRNO          -- PROGRAM ARG...   the N-th does not run and returns -ERRNO
//   inject REPORT run SYSCALL N COMMAND          -- PROGRAM ARG...   the N-th waits until the shell has run COMMAND
//
// SYSCALL `deed` stands for all calls that change something outside the process, exit included: between two of them,
// it does not matter where it dies.
//
// Counts over all threads of the program, each system call by itself: calls of the runtime's other threads, which
// come at any moment, do not move the others. (strace --inject counts in each thread, so that a thread which comes
// first hides the point of the main one.) Processes that the program starts are not counted, but with killgroup.
// REPORT holds the list, or "hit" where the point was reached. Streams and exit status are the program's.
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

struct name {
  const char *name;
  int number;
};

// Calls that change something outside the process, or wait for something outside it.
#define CALL(x) {#x, __NR_##x}
static const struct name names[] = {
    CALL(read), CALL(write), CALL(close), CALL(openat), CALL(pread64), CALL(pwrite64), CALL(writev), CALL(preadv),
    CALL(pwritev), CALL(ioctl), CALL(fcntl), CALL(flock), CALL(fsync), CALL(fdatasync), CALL(ftruncate),
    CALL(fallocate), CALL(getdents64), CALL(mkdirat), CALL(unlinkat), CALL(renameat2), CALL(linkat), CALL(symlinkat),
    CALL(readlinkat), CALL(fchmod), CALL(fchmodat), CALL(fchown), CALL(fchownat), CALL(utimensat), CALL(faccessat),
    CALL(fstat), CALL(statx), CALL(openat2), CALL(socket), CALL(bind), CALL(connect), CALL(accept4), CALL(sendto),
    CALL(sendmsg), CALL(sendmmsg), CALL(recvfrom), CALL(recvmsg), CALL(recvmmsg), CALL(setsockopt), CALL(getsockopt),
    CALL(getsockname), CALL(setns), CALL(unshare), CALL(mount), CALL(umount2), CALL(execve), CALL(clone), CALL(clone3),
    CALL(statfs), CALL(fstatfs), CALL(copy_file_range), CALL(sendfile), CALL(truncate), CALL(exit_group),
#ifdef __NR_open  // What newer architectures lack.
    CALL(open), CALL(creat), CALL(mkdir), CALL(unlink), CALL(rmdir), CALL(rename), CALL(renameat), CALL(link),
    CALL(symlink), CALL(chmod), CALL(chown), CALL(vfork), CALL(fork), CALL(stat), CALL(lstat), CALL(access),
    CALL(readlink), CALL(newfstatat),
#endif
};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

// Deeds whatever their arguments; of the others, is_deed() tells.
static const char *const deeds[] = {
    "pwrite64", "pwritev", "writev", "sendto", "sendmsg", "sendmmsg", "ioctl", "ftruncate", "truncate", "fallocate",
    "mkdirat", "unlinkat", "renameat2", "linkat", "symlinkat", "fchmod", "fchmodat", "fchown", "fchownat", "utimensat",
    "mount", "umount2", "copy_file_range", "sendfile", "exit_group", "creat", "mkdir", "unlink", "rmdir", "rename",
    "renameat", "link", "symlink", "chmod", "chown",
};
// What stands for all of them: a number that no system call has.
#define DEED 1023

static int number_of(const char *name) {
  if (strcmp(name, "deed") == 0) return DEED;
  for (size_t i = 0; i < COUNT(names); i++)
    if (strcmp(names[i].name, name) == 0) return names[i].number;
  fprintf(stderr, "inject: no system call %s in the table\n", name);
  exit(2);
}

static const char *name_of(long number) {
  static char other[24];
  for (size_t i = 0; i < COUNT(names); i++)
    if (names[i].number == number) return names[i].name;
  snprintf(other, sizeof other, "syscall_%ld", number);
  return other;
}

static void fail(const char *deed) {
  perror(deed);
  exit(125);
}

static void filter(const int *numbers, size_t count) {
  struct sock_filter program[COUNT(names) + 4];
  size_t n = 0;
  program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < count; i++)
    program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)numbers[i], (unsigned char)(count - i), 0);
  program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  const struct sock_fprog whole = {(unsigned short)n, program};
  // A process with CAP_SYS_ADMIN may install a filter without giving up privileges by exec.
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole) == 0) return;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole) != 0) fail("seccomp");
}

static void refuse(pid_t thread, int error) {
#if defined(__x86_64__)
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, thread, 0, &registers) != 0) return;
  registers.orig_rax = (unsigned long long)-1;
  registers.rax = (unsigned long long)-(long long)error;
  ptrace(PTRACE_SETREGS, thread, 0, &registers);
#elif defined(__aarch64__)
  struct user_regs_struct registers;
  struct iovec general = {&registers, sizeof registers};
  if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &general) != 0) return;
  registers.regs[0] = (unsigned long long)-(long long)error;
  ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &general);
  int none = -1;
  struct iovec call = {&none, sizeof none};
  ptrace(PTRACE_SETREGSET, thread, NT_ARM_SYSTEM_CALL, &call);
#else
#error "inject: which register holds the result of a system call here?"
#endif
}

static long call_of(pid_t thread) {
  struct __ptrace_syscall_info info;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0) return -1;
  return (long)info.seccomp.nr;
}

// A request of rtnetlink that only asks: the kinds of message come in fours, new, del, get and set.
static int is_question(pid_t thread, const struct __ptrace_syscall_info *info) {
  struct nlmsghdr header;
  struct iovec here = {&header, sizeof header}, there = {(void *)info->seccomp.args[1], sizeof header};
  if (process_vm_readv(thread, &here, 1, &there, 1, 0) != (ssize_t)sizeof header) return 0;
  return header.nlmsg_len == info->seccomp.args[2] && header.nlmsg_type >= RTM_BASE &&
         header.nlmsg_type <= RTM_MAX && header.nlmsg_type % 4 == 2;
}

static int is_deed(pid_t thread) {
  struct __ptrace_syscall_info info;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0) return 0;
  const char *name = name_of((long)info.seccomp.nr);
  if (strcmp(name, "write") == 0) return !is_question(thread, &info);
  if (strcmp(name, "openat") == 0) return (info.seccomp.args[2] & (O_CREAT | O_TRUNC)) != 0;
  if (strcmp(name, "open") == 0) return (info.seccomp.args[1] & (O_CREAT | O_TRUNC)) != 0;
  for (size_t i = 0; i < COUNT(deeds); i++)
    if (strcmp(name, deeds[i]) == 0) return 1;
  return 0;
}

static pid_t group_of(pid_t thread) {
  char path[64], line[256];
  pid_t group = -1;
  snprintf(path, sizeof path, "/proc/%d/status", thread);
  FILE *status = fopen(path, "re");
  if (!status) return -1;
  while (fgets(line, sizeof line, status))
    if (sscanf(line, "Tgid: %d", &group) == 1) break;
  fclose(status);
  return group;
}

enum mode { TRACE, KILL, KILL_GROUP, ERROR, RUN };

int main(int argc, char **argv) {
  int split = 1;
  while (split < argc && strcmp(argv[split], "--") != 0) split++;
  if (split < 3 || split + 1 >= argc) {
    fprintf(stderr, "inject: want REPORT trace|kill|killgroup|error|run ... -- PROGRAM ARG...\n");
    return 2;
  }
  const char *word = argv[2];
  const enum mode mode = strcmp(word, "kill") == 0        ? KILL
                         : strcmp(word, "killgroup") == 0 ? KILL_GROUP
                         : strcmp(word, "error") == 0     ? ERROR
                         : strcmp(word, "run") == 0       ? RUN
                                                          : TRACE;
  const int last = mode == TRACE ? split : 4;
  int wanted[COUNT(names)];
  size_t count = 0;
  for (int i = 3; i < last && i < split; i++) wanted[count++] = number_of(argv[i]);
  const int by_deed = count == 1 && wanted[0] == DEED;
  if (by_deed) count = 0;
  if ((mode == TRACE || by_deed) && count == 0)
    for (; count < COUNT(names); count++) wanted[count] = names[count].number;
  const long point = mode == TRACE ? 0 : atol(argv[4]);
  const int error = mode == ERROR ? atoi(argv[5]) : 0;
  FILE *report = fopen(argv[1], "we");
  if (!report) fail(argv[1]);

  int gate[2];
  if (pipe(gate) != 0) fail("pipe");
  const pid_t leader = fork();
  if (leader < 0) fail("fork");
  if (leader == 0) {
    char byte;
    close(gate[1]);
    setpgid(0, 0);
    if (read(gate[0], &byte, 1) != 1) _exit(125);
    close(gate[0]);
    filter(wanted, count);
    execvp(argv[split + 1], argv + split + 1);
    fail(argv[split + 1]);
  }
  const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                       PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  if (ptrace(PTRACE_SEIZE, leader, 0, options) != 0) fail("ptrace");
  close(gate[0]);
  if (write(gate[1], "", 1) != 1) fail("start");
  close(gate[1]);

  static long seen[1024];
  int started = 0, result = 125;
  for (;;) {
    int status;
    const pid_t thread = waitpid(-1, &status, __WALL);
    if (thread < 0) break;
    if (!WIFSTOPPED(status)) {
      if (thread == leader) result = status;
      continue;
    }
    const int event = status >> 16;
    if (event == PTRACE_EVENT_EXEC && thread == leader) started = 1;
    if (event == PTRACE_EVENT_SECCOMP && started) {
      const long number = !by_deed ? call_of(thread) : is_deed(thread) ? DEED : -1;
      const int ours = mode == KILL_GROUP || group_of(thread) == leader;
      if (ours && number >= 0 && number < 1024) {
        seen[number]++;
        if (mode == TRACE) {
          fprintf(report, "%s %ld %s\n", name_of(call_of(thread)), seen[number], thread == leader ? "main" : "other");
        } else if (seen[number] == point) {
          fputs("hit\n", report);
          if (mode == ERROR) refuse(thread, error);
          else if (mode != RUN) kill(mode == KILL_GROUP ? -leader : leader, SIGKILL);
          else if (system(argv[5]) != 0) fail(argv[5]);
        }
      }
    }
    if (event == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP) ptrace(PTRACE_LISTEN, thread, 0, 0);
    else ptrace(PTRACE_CONT, thread, 0, event == 0 ? WSTOPSIG(status) : 0);
  }
  fclose(report);
  if (WIFSIGNALED(result)) return 128 + WTERMSIG(result);
  return WIFEXITED(result) ? WEXITSTATUS(result) : result;
}
