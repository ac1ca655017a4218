// A library for LD_PRELOAD: whoever loads it leaves a file.
#include <fcntl.h>
#include <unistd.h>

__attribute__((constructor)) static void spring(void) { close(open(SPRUNG, O_CREAT | O_WRONLY, 0600)); }
