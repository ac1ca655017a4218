// dist/bin/tnet, and under its other names every plugin: cleans the environment and executes tnet-runtime beside it.
//
// The runtime obeys BUN_*, JSC_*, NODE_*, LD_* and TMPDIR of its environment, and a plugin runs as root with an
// environment that somebody else chose. So variables that tnet itself reads pass as they are, and all others travel
// as CALLER.<NAME>, which no library reads; src/sys/environment.ts gives them back to the programs that tnet starts.
// It sets one of them itself: a call is over before compiled code could pay for its compilation.
// Where processes stand by for calls (src/standby/), one of them is asked to do it instead: standby.c.
// Every call waits for this program, so it does without libc, whose start alone takes longer than all of it; and
// LD_PRELOAD and its like have no hold on it.
#include "freestanding.h"
#include <limits.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include "standby.h"

static const char *const own[] = {"CNI_", "TNET_", "TRACEPARENT=", "TRACESTATE=", "BAGGAGE=", "PATH=",  "HOME=",
                                  "TERM=", "COLUMNS=", "NO_COLOR=", "FORCE_COLOR=", "DBUS_SYSTEM_BUS_ADDRESS=", NULL};
static const char prefix[] = "CALLER.";
static const char runtime[] = "tnet-runtime";
static char interpret[] = "BUN_JSC_useJIT=0";

#if defined(__x86_64__)
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x29, 0\n mov x0, sp\n b start\n");
#endif

static void fail(const char *deed, const char *thing) {
  const char *const words[] = {"tnet: ", deed, thing, "\n"};
  for (int i = 0; i < 4; i++) call(__NR_write, 2, (long)words[i], (long)length(words[i]), 0, 0, 0);
  call(__NR_exit_group, 127, 0, 0, 0, 0, 0);
  __builtin_unreachable();
}

// The runtime lies where this program lies, whatever link it was called by.
static void find_runtime(char *path, size_t room) {
  const long size = call(__NR_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)path, (long)room, 0, 0);
  if (size < 0 || (size_t)size >= room) fail("cannot read ", "/proc/self/exe");
  char *end = path + size;
  while (end > path && end[-1] != '/') end--;
  if ((size_t)(end - path) + sizeof runtime > room) fail("path too long: ", runtime);
  copy(end, runtime);
}

static char **clean(char **environment) {
  size_t count = 0, bytes = 0;
  for (; environment[count]; count++) bytes += length(environment[count]) + sizeof prefix;
  const size_t table = (count + 2) * sizeof(char *);
  const long memory = call(__NR_mmap, 0, (long)(table + bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory < 0 && memory > -4096) fail("no memory for ", "the environment");
  char **result = (char **)memory;
  char *text = (char *)memory + table;
  size_t kept = 0;
  result[kept++] = interpret;
  for (size_t i = 0; i < count; i++) {
    const char *const *name = own;
    while (*name && !after(environment[i], *name)) name++;
    if (*name) {
      result[kept++] = environment[i];
    } else if (!after(environment[i], prefix)) {
      result[kept++] = text;
      text = copy(copy(text, prefix), environment[i]) + 1;
    }
  }
  result[kept] = NULL;
  return result;
}

// The kernel's stack at the start: argc, argv, NULL, environment, NULL.
__attribute__((used)) void start(long *stack) {
  static char *nameless[] = {"tnet", NULL};
  char path[PATH_MAX];
  const long argc = stack[0];
  char **argv = (char **)(stack + 1);
  // The runtime does not start in a directory that has been removed, or unmounted: "(unreachable)/...".
  if (call(__NR_getcwd, (long)path, sizeof path, 0, 0, 0, 0) == -ENOENT || path[0] != '/') call(__NR_chdir, (long)"/", 0, 0, 0, 0, 0);
  find_runtime(path, sizeof path);
  char **environment = clean(argv + argc + 1);
  ask_standby(path, argc > 0 ? argv[0] : nameless[0], environment + 1);
  call(__NR_execve, (long)path, (long)(argc > 0 ? argv : nameless), (long)environment, 0, 0, 0);
  fail("cannot execute ", path);
}
