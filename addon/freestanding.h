// What the launcher has in place of libc: system calls and strings. A negative result of `call` is -errno.
#ifndef TNET_FREESTANDING_H
#define TNET_FREESTANDING_H
#include <asm/errno.h>
#include <asm/unistd.h>
#include <stddef.h>

#if defined(__x86_64__)
static inline long call(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return number;
}
#elif defined(__aarch64__)
static inline long call(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "tnet runs on x86_64 and aarch64"
#endif

static inline size_t length(const char *text) {
  size_t size = 0;
  while (text[size]) size++;
  return size;
}

// Copies `text` with its NUL and returns where that NUL stands.
static inline char *copy(char *to, const char *text) {
  while ((*to = *text++)) to++;
  return to;
}

// What follows `with` at the start of `text`; NULL where it begins otherwise.
static inline const char *after(const char *text, const char *with) {
  while (*with) {
    if (*text++ != *with++) return NULL;
  }
  return text;
}

static inline int contains(const char *text, const char *part) {
  for (; *text; text++) {
    if (after(text, part)) return 1;
  }
  return 0;
}
#endif
