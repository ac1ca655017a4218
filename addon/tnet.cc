// System calls, one function each: numbers, strings and byte arrays in, a number out.
// A negative result is -errno, as the kernel itself returns it; src/sys/syscalls.ts turns it into an error.
// Wrong arguments throw a TypeError. No policy, no retries, no callbacks, no libuv.
#include <fcntl.h>
#include <napi.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using Napi::CallbackInfo;
using Napi::Value;

Value wrong(const CallbackInfo& info, const char* signature) {
  Napi::TypeError::New(info.Env(), std::string("want ") + signature).ThrowAsJavaScriptException();
  return info.Env().Undefined();
}

bool is_array(const Value& value, napi_typedarray_type type) {
  return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == type;
}

// One letter for each argument: i number, s string, b Uint8Array, q BigUint64Array, l array of strings. A NUL inside a
// string would cut a path short.
bool accepts(const CallbackInfo& info, const char* shape) {
  size_t count = 0;
  for (; shape[count]; count++) {
    if (count >= info.Length()) return false;
    const Value value = info[count];
    switch (shape[count]) {
      case 'i':
        if (!value.IsNumber()) return false;
        break;
      case 's':
        if (!value.IsString() || value.As<Napi::String>().Utf8Value().find('\0') != std::string::npos) return false;
        break;
      case 'b':
        if (!is_array(value, napi_uint8_array)) return false;
        break;
      case 'q':
        if (!is_array(value, napi_biguint64_array)) return false;
        break;
      case 'l': {
        if (!value.IsArray()) return false;
        const auto list = value.As<Napi::Array>();
        for (uint32_t i = 0; i < list.Length(); i++) {
          if (!list.Get(i).IsString()) return false;
        }
      }
    }
  }
  return info.Length() == count;
}

int number(const CallbackInfo& info, size_t index) { return info[index].As<Napi::Number>().Int32Value(); }
int64_t large(const CallbackInfo& info, size_t index) { return info[index].As<Napi::Number>().Int64Value(); }
std::string text(const CallbackInfo& info, size_t index) { return info[index].As<Napi::String>().Utf8Value(); }

Value result(const CallbackInfo& info, long value) {
  return Napi::Number::New(info.Env(), static_cast<double>(value < 0 ? -errno : value));
}

int own_netns() { return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC); }

// Returning to the wrong namespace would let every later call change a stranger's network: there is no going on.
void come_back(int own) {
  if (setns(own, CLONE_NEWNET) != 0) {
    perror("tnet: cannot return to the network namespace of this process");
    abort();
  }
  close(own);
}

// Makes one call with this thread in the namespace of the fd `netns` (-1: its own).
template <typename Call>
long inside(int netns, Call call) {
  if (netns < 0) return call();
  const int own = own_netns();
  if (own < 0) return -1;
  if (setns(netns, CLONE_NEWNET) != 0) {
    const int error = errno;
    close(own);
    errno = error;
    return -1;
  }
  const long value = call();
  const int error = errno;
  come_back(own);
  errno = error;
  return value;
}

Value Socket(const CallbackInfo& info) {
  if (!accepts(info, "iiii")) return wrong(info, "socket(domain, type, protocol, netns)");
  return result(info, inside(number(info, 3), [&] {
                  return socket(number(info, 0), number(info, 1) | SOCK_CLOEXEC, number(info, 2));
                }));
}

Value Open(const CallbackInfo& info) {
  if (!accepts(info, "siii")) return wrong(info, "open(path, flags, mode, netns)");
  const std::string path = text(info, 0);
  return result(info, inside(number(info, 3), [&] {
                  return open(path.c_str(), number(info, 1) | O_CLOEXEC, number(info, 2));
                }));
}

Value Close(const CallbackInfo& info) {
  if (!accepts(info, "i")) return wrong(info, "close(fd)");
  return result(info, close(number(info, 0)));
}

// From `offset`, or where the fd stands (-1).
Value Read(const CallbackInfo& info) {
  if (!accepts(info, "ibi")) return wrong(info, "read(fd, into, offset)");
  auto into = info[1].As<Napi::Uint8Array>();
  const int fd = number(info, 0);
  const int64_t offset = large(info, 2);
  return result(info, offset < 0 ? read(fd, into.Data(), into.ByteLength())
                                 : pread(fd, into.Data(), into.ByteLength(), offset));
}

Value Write(const CallbackInfo& info) {
  if (!accepts(info, "ibi")) return wrong(info, "write(fd, bytes, offset)");
  const auto bytes = info[1].As<Napi::Uint8Array>();
  const int fd = number(info, 0);
  const int64_t offset = large(info, 2);
  return result(info, offset < 0 ? write(fd, bytes.Data(), bytes.ByteLength())
                                 : pwrite(fd, bytes.Data(), bytes.ByteLength(), offset));
}

Value FTruncate(const CallbackInfo& info) {
  if (!accepts(info, "ii")) return wrong(info, "ftruncate(fd, length)");
  return result(info, ftruncate(number(info, 0), large(info, 1)));
}

Value MkDir(const CallbackInfo& info) {
  if (!accepts(info, "si")) return wrong(info, "mkdir(path, mode)");
  return result(info, mkdir(text(info, 0).c_str(), static_cast<mode_t>(number(info, 1))));
}

Value Unlink(const CallbackInfo& info) {
  if (!accepts(info, "s")) return wrong(info, "unlink(path)");
  return result(info, unlink(text(info, 0).c_str()));
}

Value SymLink(const CallbackInfo& info) {
  if (!accepts(info, "ss")) return wrong(info, "symlink(target, path)");
  return result(info, symlink(text(info, 0).c_str(), text(info, 1).c_str()));
}

Value ReadLink(const CallbackInfo& info) {
  if (!accepts(info, "sb")) return wrong(info, "readlink(path, into)");
  auto into = info[1].As<Napi::Uint8Array>();
  return result(info, readlink(text(info, 0).c_str(), reinterpret_cast<char*>(into.Data()), into.ByteLength()));
}

Value Access(const CallbackInfo& info) {
  if (!accepts(info, "si")) return wrong(info, "access(path, mode)");
  return result(info, access(text(info, 0).c_str(), number(info, 1)));
}

// Dates a file, or a symbolic link itself, in whole seconds.
Value LUTimes(const CallbackInfo& info) {
  if (!accepts(info, "si")) return wrong(info, "lutimes(path, seconds)");
  const timespec date = {static_cast<time_t>(large(info, 1)), 0};
  const timespec dates[] = {date, date};
  return result(info, utimensat(AT_FDCWD, text(info, 0).c_str(), dates, AT_SYMLINK_NOFOLLOW));
}

enum { STATUS_FIELDS = 6 };
// The most that a request can say it is about: _IOC_SIZEMASK.
enum { IOCTL_ROOM = 1 << 14 };

long put_status(const CallbackInfo& info, size_t index, long value, const struct stat& status) {
  auto into = info[index].As<Napi::BigUint64Array>();
  if (value < 0 || into.ElementLength() < STATUS_FIELDS) return value;
  const uint64_t fields[STATUS_FIELDS] = {
      status.st_dev, status.st_ino, status.st_mode, status.st_uid, static_cast<uint64_t>(status.st_mtim.tv_sec),
      static_cast<uint64_t>(status.st_mtim.tv_nsec)};
  std::copy(fields, fields + STATUS_FIELDS, into.Data());
  return value;
}

// Puts device, inode, mode, owner and the modification time's seconds and nanoseconds into `into`.
Value Stat(const CallbackInfo& info) {
  if (!accepts(info, "siq")) return wrong(info, "stat(path, flags, into)");
  struct stat status;
  const long value = fstatat(AT_FDCWD, text(info, 0).c_str(), &status, number(info, 1));
  return result(info, put_status(info, 2, value, status));
}

Value FStat(const CallbackInfo& info) {
  if (!accepts(info, "iq")) return wrong(info, "fstat(fd, into)");
  struct stat status;
  const long value = fstat(number(info, 0), &status);
  return result(info, put_status(info, 1, value, status));
}

// The type of the file system.
Value FStatFs(const CallbackInfo& info) {
  if (!accepts(info, "i")) return wrong(info, "fstatfs(fd)");
  struct statfs status;
  const long value = fstatfs(number(info, 0), &status);
  return result(info, value < 0 ? value : static_cast<long>(status.f_type));
}

Value GetRandom(const CallbackInfo& info) {
  if (!accepts(info, "b")) return wrong(info, "getrandom(into)");
  auto into = info[0].As<Napi::Uint8Array>();
  return result(info, getrandom(into.Data(), into.ByteLength(), 0));
}

Value Bind(const CallbackInfo& info) {
  if (!accepts(info, "ib")) return wrong(info, "bind(fd, sockaddr)");
  const auto address = info[1].As<Napi::Uint8Array>();
  return result(info, bind(number(info, 0), reinterpret_cast<const sockaddr*>(address.Data()),
                           static_cast<socklen_t>(address.ByteLength())));
}

Value SetSockOpt(const CallbackInfo& info) {
  if (!accepts(info, "iiib")) return wrong(info, "setsockopt(fd, level, name, value)");
  const auto value = info[3].As<Napi::Uint8Array>();
  return result(info, setsockopt(number(info, 0), number(info, 1), number(info, 2), value.Data(),
                                 static_cast<socklen_t>(value.ByteLength())));
}

Value GetSockOpt(const CallbackInfo& info) {
  if (!accepts(info, "iiib")) return wrong(info, "getsockopt(fd, level, name, into)");
  auto into = info[3].As<Napi::Uint8Array>();
  socklen_t size = static_cast<socklen_t>(into.ByteLength());
  return result(info, getsockopt(number(info, 0), number(info, 1), number(info, 2), into.Data(), &size));
}

Value Listen(const CallbackInfo& info) {
  if (!accepts(info, "ii")) return wrong(info, "listen(fd, backlog)");
  return result(info, listen(number(info, 0), number(info, 1)));
}

Value Accept(const CallbackInfo& info) {
  if (!accepts(info, "i")) return wrong(info, "accept(fd)");
  return result(info, accept4(number(info, 0), nullptr, nullptr, SOCK_CLOEXEC));
}

Value Shutdown(const CallbackInfo& info) {
  if (!accepts(info, "ii")) return wrong(info, "shutdown(fd, how)");
  return result(info, shutdown(number(info, 0), number(info, 1)));
}

enum { MOST_DESCRIPTORS = 8 };

// One message. The descriptors that came with it are put into `fds`, and their count into its first place; a message
// with more than there is room for, or that is longer than `into`, is EMSGSIZE, and its descriptors are closed.
Value RecvMsg(const CallbackInfo& info) {
  if (!accepts(info, "ibq")) return wrong(info, "recvmsg(fd, into, fds)");
  auto into = info[1].As<Napi::Uint8Array>();
  auto fds = info[2].As<Napi::BigUint64Array>();
  alignas(cmsghdr) char control[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
  iovec vector = {into.Data(), into.ByteLength()};
  msghdr message = {};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(number(info, 0), &message, MSG_CMSG_CLOEXEC);
  if (size < 0) return result(info, -1);
  std::vector<int> received;
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    const int* first = reinterpret_cast<const int*>(CMSG_DATA(each));
    received.insert(received.end(), first, first + (each->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  }
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || received.size() >= fds.ElementLength()) {
    for (int fd : received) close(fd);
    errno = EMSGSIZE;
    return result(info, -1);
  }
  fds.Data()[0] = received.size();
  std::copy(received.begin(), received.end(), fds.Data() + 1);
  return result(info, size);
}

// Waits without end for one of `events`.
Value Poll(const CallbackInfo& info) {
  if (!accepts(info, "ii")) return wrong(info, "poll(fd, events)");
  pollfd wanted = {number(info, 0), static_cast<short>(number(info, 1)), 0};
  return result(info, poll(&wanted, 1, -1));
}

Value Dup2(const CallbackInfo& info) {
  if (!accepts(info, "ii")) return wrong(info, "dup2(from, to)");
  return result(info, dup2(number(info, 0), number(info, 1)));
}

Value Fcntl(const CallbackInfo& info) {
  if (!accepts(info, "iii")) return wrong(info, "fcntl(fd, command, argument)");
  return result(info, fcntl(number(info, 0), number(info, 1), number(info, 2)));
}

// The argument is a number, or a struct that the kernel may change. How much it writes, only the request knows, and some
// say less than it does: it gets room of its own.
Value Ioctl(const CallbackInfo& info) {
  const bool is_number = accepts(info, "iii");
  if (!is_number && !accepts(info, "iib")) return wrong(info, "ioctl(fd, request, argument: number | Uint8Array)");
  const int fd = number(info, 0);
  const auto request = static_cast<unsigned long>(large(info, 1));
  if (is_number) return result(info, ioctl(fd, request, static_cast<unsigned long>(large(info, 2))));
  auto argument = info[2].As<Napi::Uint8Array>();
  uint8_t* const bytes = argument.Data();
  const size_t length = argument.ByteLength();
  std::vector<uint8_t> room(length + IOCTL_ROOM);
  std::copy(bytes, bytes + length, room.begin());
  const long value = ioctl(fd, request, room.data());
  std::copy(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(length), bytes);
  return result(info, value);
}

Value Flock(const CallbackInfo& info) {
  if (!accepts(info, "ii")) return wrong(info, "flock(fd, operation)");
  return result(info, flock(number(info, 0), number(info, 1)));
}

// Mounts a new network namespace on the file `path`, which must exist.
Value CreateNetns(const CallbackInfo& info) {
  if (!accepts(info, "s")) return wrong(info, "createNetns(path)");
  const std::string path = text(info, 0);
  const int own = own_netns();
  if (own < 0) return result(info, -1);
  if (unshare(CLONE_NEWNET) != 0) {
    const int error = errno;
    close(own);
    errno = error;
    return result(info, -1);
  }
  const int value = mount("/proc/thread-self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr);
  const int error = errno;
  come_back(own);
  errno = error;
  return result(info, value);
}

Value RemoveNetns(const CallbackInfo& info) {
  if (!accepts(info, "s")) return wrong(info, "removeNetns(path)");
  return result(info, umount2(text(info, 0).c_str(), MNT_DETACH | UMOUNT_NOFOLLOW));
}

// What the runtime changed for itself and a program would miss: default signals, standard streams that stay and block.
void restore_inherited() {
  signal(SIGPIPE, SIG_DFL);
  signal(SIGXFSZ, SIG_DFL);
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    fcntl(fd, F_SETFD, 0);
    const int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  }
}

// Replaces this process by `file`, in the namespace `netns` and with a /sys that shows it; returns only on failure.
Value Exec(const CallbackInfo& info) {
  if (!accepts(info, "isll")) return wrong(info, "exec(netns, file, argv, env)");
  const std::string file = text(info, 1);
  std::vector<std::string> strings[2];
  std::vector<char*> pointers[2];
  for (int which : {0, 1}) {
    const auto list = info[static_cast<size_t>(2 + which)].As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); i++) strings[which].push_back(list.Get(i).As<Napi::String>().Utf8Value());
    for (auto& string : strings[which]) pointers[which].push_back(string.data());
    pointers[which].push_back(nullptr);
  }
  return result(info, inside(number(info, 0), [&] {
                  if (unshare(CLONE_NEWNS) == 0 && mount("", "/", nullptr, MS_SLAVE | MS_REC, nullptr) == 0) {
                    mount("sysfs", "/sys", "sysfs", 0, nullptr);
                  }
                  restore_inherited();
                  return execve(file.c_str(), pointers[0].data(), pointers[1].data());
                }));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("socket", Napi::Function::New<Socket>(env, "socket"));
  exports.Set("open", Napi::Function::New<Open>(env, "open"));
  exports.Set("close", Napi::Function::New<Close>(env, "close"));
  exports.Set("read", Napi::Function::New<Read>(env, "read"));
  exports.Set("write", Napi::Function::New<Write>(env, "write"));
  exports.Set("ftruncate", Napi::Function::New<FTruncate>(env, "ftruncate"));
  exports.Set("mkdir", Napi::Function::New<MkDir>(env, "mkdir"));
  exports.Set("unlink", Napi::Function::New<Unlink>(env, "unlink"));
  exports.Set("symlink", Napi::Function::New<SymLink>(env, "symlink"));
  exports.Set("readlink", Napi::Function::New<ReadLink>(env, "readlink"));
  exports.Set("access", Napi::Function::New<Access>(env, "access"));
  exports.Set("lutimes", Napi::Function::New<LUTimes>(env, "lutimes"));
  exports.Set("stat", Napi::Function::New<Stat>(env, "stat"));
  exports.Set("fstat", Napi::Function::New<FStat>(env, "fstat"));
  exports.Set("fstatfs", Napi::Function::New<FStatFs>(env, "fstatfs"));
  exports.Set("getrandom", Napi::Function::New<GetRandom>(env, "getrandom"));
  exports.Set("bind", Napi::Function::New<Bind>(env, "bind"));
  exports.Set("setsockopt", Napi::Function::New<SetSockOpt>(env, "setsockopt"));
  exports.Set("getsockopt", Napi::Function::New<GetSockOpt>(env, "getsockopt"));
  exports.Set("listen", Napi::Function::New<Listen>(env, "listen"));
  exports.Set("accept", Napi::Function::New<Accept>(env, "accept"));
  exports.Set("shutdown", Napi::Function::New<Shutdown>(env, "shutdown"));
  exports.Set("recvmsg", Napi::Function::New<RecvMsg>(env, "recvmsg"));
  exports.Set("poll", Napi::Function::New<Poll>(env, "poll"));
  exports.Set("dup2", Napi::Function::New<Dup2>(env, "dup2"));
  exports.Set("fcntl", Napi::Function::New<Fcntl>(env, "fcntl"));
  exports.Set("ioctl", Napi::Function::New<Ioctl>(env, "ioctl"));
  exports.Set("flock", Napi::Function::New<Flock>(env, "flock"));
  exports.Set("createNetns", Napi::Function::New<CreateNetns>(env, "createNetns"));
  exports.Set("removeNetns", Napi::Function::New<RemoveNetns>(env, "removeNetns"));
  exports.Set("exec", Napi::Function::New<Exec>(env, "exec"));
  return exports;
}

}  // namespace

NODE_API_MODULE(tnet, Init)
