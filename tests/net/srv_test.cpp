#include "net/srv.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/address.hpp"

using namespace mq;
using namespace mq::net;

namespace {

using Bytes = std::vector<unsigned char>;

void put16(Bytes& out, unsigned number) {
  out.push_back(static_cast<unsigned char>(number >> 8U));
  out.push_back(static_cast<unsigned char>(number));
}

void put_name(Bytes& out, std::string name) {
  while (!name.empty()) {
    const std::string label = name.substr(0, name.find('.'));
    out.push_back(static_cast<unsigned char>(label.size()));
    out.insert(out.end(), label.begin(), label.end());
    name.erase(0, label.size() + 1);
  }
  out.push_back(0);
}

/// A name server on the loopback that knows some SRV records of any name it is asked for.
class NameServer {
 public:
  NameServer(Loop& loop, std::vector<SrvTarget> records) : records_(std::move(records)) {
    uv_udp_init(loop.handle(), &udp_);
    udp_.data = this;
    sockaddr_in address{};
    uv_ip4_addr("127.0.0.1", 0, &address);
    REQUIRE(uv_udp_bind(&udp_, reinterpret_cast<sockaddr*>(&address), 0) == 0);
    uv_udp_recv_start(
        &udp_,
        [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
          auto& server = *static_cast<NameServer*>(handle->data);
          *buffer = uv_buf_init(server.room_, sizeof(server.room_));
        },
        [](uv_udp_t* handle, ssize_t size, const uv_buf_t*, const sockaddr* from, unsigned) {
          if (size > 0) static_cast<NameServer*>(handle->data)->reply(size, from);
        });
  }
  std::string place() {
    sockaddr_storage address{};
    int size = sizeof(address);
    uv_udp_getsockname(&udp_, reinterpret_cast<sockaddr*>(&address), &size);
    return "127.0.0.1:" + std::to_string(port_of(address));
  }
  void close() { uv_close(reinterpret_cast<uv_handle_t*>(&udp_), nullptr); }
  bool was_asked() const { return was_asked_; }
  void be_mute() { is_mute_ = true; }

 private:
  void reply(ssize_t size, const sockaddr* to) {
    was_asked_ = true;
    if (is_mute_) return;
    constexpr std::size_t kHeader = 12;
    const auto* query = reinterpret_cast<const unsigned char*>(room_);
    std::size_t end = kHeader;
    while (query[end] != 0) end += query[end] + 1U;
    end += 5;  // the root label, type and class
    REQUIRE(end <= static_cast<std::size_t>(size));
    Bytes answer(query, query + 2);
    put16(answer, records_.empty() ? 0x8183 : 0x8180);  // NXDOMAIN, or an answer
    put16(answer, 1);
    put16(answer, static_cast<unsigned>(records_.size()));
    put16(answer, 0);
    put16(answer, 0);
    answer.insert(answer.end(), query + kHeader, query + end);
    for (const SrvTarget& record : records_) {
      Bytes data;
      for (const unsigned number : {+record.priority, +record.weight, +record.port}) {
        put16(data, number);
      }
      put_name(data, record.host);
      for (const unsigned number : {0xC00C, 33, 1, 0, 60}) put16(answer, number);
      put16(answer, static_cast<unsigned>(data.size()));
      answer.insert(answer.end(), data.begin(), data.end());
    }
    auto buffer =
        uv_buf_init(reinterpret_cast<char*>(answer.data()), static_cast<unsigned>(answer.size()));
    uv_udp_try_send(&udp_, &buffer, 1, to);
  }

  std::vector<SrvTarget> records_;
  uv_udp_t udp_{};
  char room_[2048] = {};
  bool was_asked_ = false;
  bool is_mute_ = false;
};

/// "host:port, host:port", or the words of the failure.
std::string looked_up(std::vector<SrvTarget> records) {
  Loop loop;
  NameServer server(loop, std::move(records));
  std::string words;
  std::optional<SrvLookup> lookup;
  lookup.emplace(loop, "_mqtt._tcp.example.org", server.place(), [&](auto found) {
    lookup.reset();
    server.close();
    if (!found) {
      words = found.error().message;
      return;
    }
    for (const auto& target : *found) {
      words += (words.empty() ? "" : ", ") + target.host + ":" + std::to_string(target.port);
    }
  });
  loop.run();
  return words;
}

}  // namespace

TEST_CASE("SRV records name servers, the lowest priority first") {
  CHECK(looked_up({{20, 0, "b.example.org", 1884}, {10, 5, "a.example.org", 1883}}) ==
        "a.example.org:1883, b.example.org:1884");
}

TEST_CASE("a domain without SRV records, or without the service, is told") {
  CHECK(looked_up({}).starts_with("cannot look up SRV records of _mqtt._tcp.example.org: "));
  CHECK(looked_up({{0, 0, "", 0}}) == "_mqtt._tcp.example.org names no server in its SRV records");
}

TEST_CASE("among equal priorities, more weight is more chance") {
  std::map<std::string, int> first;
  Prng prng(1);
  for (int i = 0; i < 1000; ++i) {
    std::vector<SrvTarget> targets = {{1, 90, "heavy", 1}, {1, 10, "light", 1}, {0, 0, "best", 1}};
    sort_targets(targets, prng);
    CHECK(targets[0].host == "best");
    ++first[targets[1].host];
  }
  CHECK(first["heavy"] > 850);
  CHECK(first["heavy"] < 950);
}

TEST_CASE("a look-up that is given up lets the loop end") {
  Loop loop;
  NameServer server(loop, {});
  server.be_mute();
  bool is_answered = false;
  std::optional<SrvLookup> lookup;
  lookup.emplace(loop, "_mqtt._tcp.example.org", server.place(), [&](auto) { is_answered = true; });
  while (!server.was_asked()) uv_run(loop.handle(), UV_RUN_ONCE);
  lookup.reset();
  server.close();
  loop.run();
  CHECK_FALSE(is_answered);
}
