// The program at the other end of a tap device, as a virtual machine would be.
//
//   tap-end NAME single|multi USER GROUP [ADDRESS]
//
// Opens the device as that user, with that group and no other, prints "open", and ends. With an IPv4 address it stays,
// and answers ARP and echo requests for it until it is killed. Exit status 1: it cannot be opened.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { HEADER = 10, ETHERNET = 14 }; // struct virtio_net_hdr comes before each frame

static const unsigned char own[6] = {2, 0, 0, 0, 0, 0x50};

static int fail(const char *deed) {
  perror(deed);
  return 1;
}

static void swap(unsigned char *a, unsigned char *b, size_t size) {
  for (size_t i = 0; i < size; i++) {
    const unsigned char kept = a[i];
    a[i] = b[i];
    b[i] = kept;
  }
}

// Makes the answer of a request in its place; 0 for anything else.
static int answer(unsigned char *frame, const unsigned char address[4]) {
  unsigned char *const packet = frame + ETHERNET;
  memcpy(frame, frame + 6, 6);
  memcpy(frame + 6, own, 6);
  if (frame[12] == 8 && frame[13] == 6 && packet[7] == 1 && memcmp(packet + 24, address, 4) == 0) {
    packet[7] = 2;
    swap(packet + 8, packet + 18, 10);
    memcpy(packet + 8, own, 6);
    return 1;
  }
  unsigned char *const icmp = packet + (packet[0] & 15) * 4;
  if (frame[12] == 8 && frame[13] == 0 && packet[9] == 1 && icmp[0] == 8 && memcmp(packet + 16, address, 4) == 0) {
    icmp[0] = 0;
    const unsigned sum = (unsigned)(icmp[2] << 8 | icmp[3]) + 0x800; // what the type lost
    icmp[2] = (unsigned char)((sum + (sum >> 16)) >> 8);
    icmp[3] = (unsigned char)(sum + (sum >> 16));
    swap(packet + 12, packet + 16, 4);
    return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 5) return fprintf(stderr, "tap-end: want NAME single|multi USER GROUP [ADDRESS]\n"), 2;
  const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (fd < 0) return fail("open /dev/net/tun");
  const uid_t user = (uid_t)atol(argv[3]);
  const gid_t group = (gid_t)atol(argv[4]);
  if (setgroups(0, NULL) != 0 || setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0)
    return fail("become the user");
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
  if (strcmp(argv[2], "multi") == 0) request.ifr_flags |= IFF_MULTI_QUEUE;
  strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
  if (ioctl(fd, TUNSETIFF, &request) != 0) return fail("open the device");
  puts("open");
  fflush(stdout);
  unsigned char address[4], bytes[HEADER + 2048];
  if (argc == 5 || inet_pton(AF_INET, argv[5], address) != 1) return 0;
  for (;;) {
    const ssize_t length = read(fd, bytes, sizeof bytes);
    if (length < HEADER + ETHERNET + 28 || !answer(bytes + HEADER, address)) continue;
    memset(bytes, 0, HEADER);
    if (write(fd, bytes, (size_t)length) < 0) perror("answer");
  }
}
