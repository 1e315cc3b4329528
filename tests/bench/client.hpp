#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "bench/frames.hpp"
#include "bench/process.hpp"

namespace mq::bench {

class Loop;
class Client;

/// Whoever is told what a client hears.
class Hearer {
 public:
  virtual void on_frame(Client& client, const Frame& frame) = 0;
  /// The broker has ended the connection.
  virtual void on_closed(Client& client) = 0;

 protected:
  ~Hearer() = default;
};

/// One connection to the broker under load. What it is to send is gathered in out() and written
/// when the loop turns.
class Client {
 public:
  /// Throws std::system_error when nobody listens there.
  Client(Loop& loop, std::uint16_t port, Hearer& hearer);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(const Bytes& frame);
  /// There is something new in out().
  void touch();
  Bytes& out() { return out_; }
  bool is_open() const { return fd_ >= 0; }

  std::uint32_t index = 0;  ///< the owner's
  std::uint8_t role = 0;    ///< likewise

 private:
  friend class Loop;
  void read(Bytes& buffer);
  void write();
  void close();

  Loop& loop_;
  Hearer& hearer_;
  int fd_ = -1;
  bool is_touched_ = false;
  bool is_stalled_ = false;
  Bytes rest_;  ///< the start of a frame that is not whole yet
  Bytes out_;
  std::size_t written_ = 0;  ///< of out_
};

/// All connections of the generator, on one thread.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Writes what was touched; then waits for something to come, at most so long, and hands it on.
  void turn(std::chrono::nanoseconds patience);
  /// From now on nothing is written before the broker has nothing to do, and then it is stopped
  /// until all is written: so what it does at once does not depend on how the machine is shared.
  void go_in_step_with(const Process& broker) { in_step_with_ = &broker; }
  /// Frees a client at the end of the turn.
  void retire(std::unique_ptr<Client> client) { retired_.push_back(std::move(client)); }

 private:
  friend class Client;

  void write_touched();
  /// Returns whether something came.
  bool hear(std::chrono::nanoseconds patience);

  const Process* in_step_with_ = nullptr;
  int epoll_;
  Bytes buffer_;
  std::vector<Client*> touched_;
  std::vector<std::unique_ptr<Client>> retired_;
};

}  // namespace mq::bench
