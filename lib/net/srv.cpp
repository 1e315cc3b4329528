#include "net/srv.hpp"

#include <ares.h>

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <utility>

// c-ares says which sockets it waits for; each is polled by the loop. A timer looks after its
// time-outs. The answer is given from a callback of the loop, never from the constructor, and what
// libuv still has a pointer to outlives the look-up until it is closed.

namespace mq::net {

namespace {

constexpr std::uint64_t kTickMs = 100;
constexpr int kTimeoutMs = 2000;  // doubles with each of the tries
constexpr int kTries = 3;
constexpr int kClassIn = 1;
constexpr int kTypeSrv = 33;

std::vector<SrvTarget> targets_of(const unsigned char* answer, int size) {
  ares_srv_reply* replies = nullptr;
  std::vector<SrvTarget> targets;
  if (ares_parse_srv_reply(answer, size, &replies) != ARES_SUCCESS) return targets;
  for (const ares_srv_reply* one = replies; one != nullptr; one = one->next) {
    const std::string host = one->host;
    if (host.empty() || host == ".") continue;  // "decidedly not available at this domain"
    targets.push_back(
        {.priority = one->priority, .weight = one->weight, .host = host, .port = one->port});
  }
  ares_free_data(replies);
  return targets;
}

}  // namespace

void sort_targets(std::vector<SrvTarget>& targets, Prng& prng) {
  std::ranges::stable_sort(targets, {}, [](const SrvTarget& target) {
    return std::pair(target.priority, target.weight);
  });
  for (auto first = targets.begin(); first != targets.end(); ++first) {
    const auto last = std::find_if(first, targets.end(), [&](const SrvTarget& target) {
      return target.priority != first->priority;
    });
    const auto total = std::accumulate(
        first, last, std::uint64_t{0},
        [](std::uint64_t sum, const SrvTarget& target) { return sum + target.weight; });
    std::uint64_t left = prng.below(total + 1);
    auto chosen = first;
    while (left > chosen->weight) left -= (chosen++)->weight;
    std::rotate(first, chosen, chosen + 1);
  }
}

struct SrvLookup::Query {
  Query(Loop& of, std::string of_name, Done then)
      : loop(of), name(std::move(of_name)), done(std::move(then)) {
    uv_timer_init(loop.handle(), &timer);
    timer.data = this;
  }

  void start(const std::string& servers);
  void follow_socket(ares_socket_t socket, bool reads, bool writes);
  void on_answer(int status, const unsigned char* answer, int size);
  void answer_if_known();
  void abandon();

  Loop& loop;
  std::string name;
  Done done;
  uv_timer_t timer{};
  ares_channel channel = nullptr;
  std::map<ares_socket_t, uv_poll_t*> polls;
  std::unique_ptr<std::expected<std::vector<SrvTarget>, Error>> answer;
};

SrvLookup::SrvLookup(Loop& loop, std::string name, const std::string& servers, Done done)
    : query_(new Query(loop, std::move(name), std::move(done))) {
  query_->start(servers);
}

SrvLookup::~SrvLookup() {
  query_->abandon();
}

void SrvLookup::Query::start(const std::string& servers) {
  ares_library_init(ARES_LIB_INIT_ALL);
  ares_options options{};
  options.sock_state_cb = [](void* data, ares_socket_t socket, int reads, int writes) {
    static_cast<Query*>(data)->follow_socket(socket, reads != 0, writes != 0);
  };
  options.sock_state_cb_data = this;
  options.timeout = kTimeoutMs;
  options.tries = kTries;
  const int status = ares_init_options(
      &channel, &options, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  if (status != ARES_SUCCESS) {
    channel = nullptr;
    on_answer(status, nullptr, 0);
  } else {
    if (!servers.empty()) ares_set_servers_ports_csv(channel, servers.c_str());
    ares_query(
        channel, name.c_str(), kClassIn, kTypeSrv,
        [](void* data, int code, int, unsigned char* bytes, int size) {
          if (code == ARES_EDESTRUCTION) return;
          static_cast<Query*>(data)->on_answer(code, bytes, size);
        },
        this);
  }
  uv_timer_start(
      &timer,
      [](uv_timer_t* handle) {
        auto& query = *static_cast<Query*>(handle->data);
        if (!query.answer) ares_process_fd(query.channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        query.answer_if_known();
      },
      answer ? 0 : kTickMs, kTickMs);
}

void SrvLookup::Query::follow_socket(ares_socket_t socket, bool reads, bool writes) {
  uv_poll_t*& poll = polls[socket];
  if (!reads && !writes) {
    if (poll != nullptr) {
      uv_close(reinterpret_cast<uv_handle_t*>(poll),
               [](uv_handle_t* closed) { delete reinterpret_cast<uv_poll_t*>(closed); });
    }
    polls.erase(socket);
    return;
  }
  if (poll == nullptr) {
    poll = new uv_poll_t;
    uv_poll_init_socket(loop.handle(), poll, socket);
    poll->data = this;
  }
  const int events = (reads ? UV_READABLE : 0) | (writes ? UV_WRITABLE : 0);
  uv_poll_start(poll, events, [](uv_poll_t* handle, int status, int what) {
    auto& query = *static_cast<Query*>(handle->data);
    uv_os_fd_t ready = -1;
    uv_fileno(reinterpret_cast<uv_handle_t*>(handle), &ready);
    const bool is_readable = status < 0 || (what & UV_READABLE) != 0;
    const bool is_writable = status < 0 || (what & UV_WRITABLE) != 0;
    ares_process_fd(query.channel, is_readable ? ready : ARES_SOCKET_BAD,
                    is_writable ? ready : ARES_SOCKET_BAD);
    query.answer_if_known();
  });
}

void SrvLookup::Query::on_answer(int status, const unsigned char* bytes, int size) {
  using Answer = std::expected<std::vector<SrvTarget>, Error>;
  if (status != ARES_SUCCESS) {
    answer = std::make_unique<Answer>(std::unexpected(
        Error{"cannot look up SRV records of " + name + ": " + ares_strerror(status)}));
    return;
  }
  auto targets = targets_of(bytes, size);
  if (targets.empty()) {
    answer = std::make_unique<Answer>(
        std::unexpected(Error{name + " names no server in its SRV records"}));
    return;
  }
  Prng prng(std::random_device{}());
  sort_targets(targets, prng);
  answer = std::make_unique<Answer>(std::move(targets));
}

/// `done` may destroy the look-up, and with it this.
void SrvLookup::Query::answer_if_known() {
  if (!answer || !done) return;
  uv_timer_stop(&timer);
  const auto known = std::move(answer);
  std::exchange(done, {})(std::move(*known));
}

void SrvLookup::Query::abandon() {
  done = {};
  if (channel != nullptr) ares_destroy(channel);  // closes its sockets, and so the polls
  ares_library_cleanup();
  uv_close(reinterpret_cast<uv_handle_t*>(&timer),
           [](uv_handle_t* handle) { delete static_cast<Query*>(handle->data); });
}

}  // namespace mq::net
