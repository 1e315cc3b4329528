#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace mq::support {

/// A socket that blocks, for ten seconds at most.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {
    MQ_CHECK(descriptor >= 0);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  }
  ~Socket() { close(descriptor_); }
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;

  int descriptor() const { return descriptor_; }
  void write(ByteView bytes) const {
    while (!bytes.empty()) {
      const ssize_t size = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return;
      bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
  }
  /// What comes next, at most `maximum` bytes; nothing at the end.
  std::vector<Byte> read(std::size_t maximum = 65'536) const {
    std::vector<Byte> bytes(maximum);
    const ssize_t size = recv(descriptor_, bytes.data(), bytes.size(), 0);
    bytes.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return bytes;
  }
  std::vector<Byte> read_to_end() const {
    std::vector<Byte> all;
    while (true) {
      const auto part = read();
      if (part.empty()) return all;
      all.insert(all.end(), part.begin(), part.end());
    }
  }

 private:
  int descriptor_;
};

/// Listens on a free port of the loopback interface.
class LoopbackListener {
 public:
  LoopbackListener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MQ_CHECK(bind(socket_.descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) ==
             0);
    MQ_CHECK(listen(socket_.descriptor(), 8) == 0);
    socklen_t size = sizeof(address);
    getsockname(socket_.descriptor(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  std::uint16_t port() const { return port_; }
  Socket accept() const { return Socket(::accept(socket_.descriptor(), nullptr, nullptr)); }

 private:
  Socket socket_;
  std::uint16_t port_ = 0;
};

/// Connects a socket to a port of the loopback interface.
inline void connect_loopback(const Socket& client, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  MQ_CHECK(connect(client.descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) ==
           0);
}

inline Socket dial_loopback(std::uint16_t port) {
  Socket client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  connect_loopback(client, port);
  return client;
}

/// Connects to a Unix socket.
inline Socket dial_unix(const std::string& path) {
  Socket client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  MQ_CHECK(connect(client.descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) ==
           0);
  return client;
}

/// A directory that goes with its content.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base == nullptr ? "/tmp" : base) + "/mq.XXXXXX";
    MQ_CHECK(mkdtemp(path_.data()) != nullptr);
  }
  ~TemporaryDirectory() {
    for (const auto& name : {"/socket", "/file"}) unlink((path_ + name).c_str());
    rmdir(path_.c_str());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace mq::support
