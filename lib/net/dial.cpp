#include "net/dial.hpp"

#include <netdb.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/address.hpp"
#include "net/srv.hpp"

// Everything of an attempt lives in a Race on the heap, because libuv keeps pointers into it until
// the last callback. It counts what libuv still owes and goes when nothing is owed and nobody wants
// it any more. The answer is given from a callback, never from the constructor.

namespace mq::net {

namespace {

constexpr std::uint64_t kHeadStartMs = 250;  // RFC 8305, connection attempt delay

/// Of the failures of several addresses, the one that tells most is told: that somebody is there
/// and refuses; least, that an address is of another family than the one to connect from.
int more_telling(int one, int later) {
  const auto rank = [](int status) {
    if (status == UV_ECONNREFUSED) return 2;
    return status == UV_EAFNOSUPPORT ? 0 : 1;
  };
  return one == 0 || rank(later) >= rank(one) ? later : one;
}

/// The address that `host` spells, if it is one.
std::optional<sockaddr_storage> numeric(const std::string& host, std::uint16_t port) {
  sockaddr_storage address{};
  if (uv_ip4_addr(host.c_str(), port, reinterpret_cast<sockaddr_in*>(&address)) == 0 ||
      uv_ip6_addr(host.c_str(), port, reinterpret_cast<sockaddr_in6*>(&address)) == 0) {
    return address;
  }
  return std::nullopt;
}

/// What can be known without asking a resolver: addresses, and localhost (RFC 6761 §6.3), for which
/// starting the resolver's threads would take most of a short run.
std::vector<sockaddr_storage> known(const std::string& host, std::uint16_t port) {
  if (host == "localhost") return {*numeric("127.0.0.1", port), *numeric("::1", port)};
  const auto address = numeric(host, port);
  return address ? std::vector{*address} : std::vector<sockaddr_storage>();
}

}  // namespace

struct Dial::Race {
  Race(Loop& of, client::Endpoint to, Done then)
      : loop(of), endpoint(std::move(to)), done(std::move(then)) {
    uv_timer_init(loop.handle(), &timer);
    timer.data = resolve.data = this;
  }

  void start();
  void look_up_servers();
  void begin();
  void try_target();
  void resolve_name();
  void try_next();
  int bind(Link& link, int family);
  void connect_unix();
  void on_connected(Link* link, int status);
  /// Of this target; the next one may be better.
  void give_up(const std::string& reason);
  void fail(const std::string& words);
  void succeed(LinkPtr link);
  void abandon();
  void let_go();
  std::string place() const;

  static void on_resolved(uv_getaddrinfo_t* request, int status, addrinfo* info);

  Loop& loop;
  client::Endpoint endpoint;
  Done done;
  uv_timer_t timer{};
  uv_getaddrinfo_t resolve{};
  bool is_resolving = false;
  bool is_over = false;  ///< answered or abandoned
  int owed = 1;          ///< callbacks to come: the timer's close, connects, the resolver
  std::unique_ptr<SrvLookup> lookup;
  std::vector<SrvTarget> targets;           ///< what SRV records say, or the endpoint
  std::size_t target = 0;                   ///< that is being tried
  std::vector<sockaddr_storage> addresses;  ///< of the target
  std::size_t next = 0;
  std::vector<Link*> links;  ///< connecting
  int failure = 0;
};

Dial::Dial(Loop& loop, const client::Endpoint& endpoint, Done done)
    : race_(new Race(loop, endpoint, std::move(done))) {
  race_->start();
}

Dial::~Dial() {
  race_->abandon();
}

void Dial::Race::start() {
  // Even what can be known at once is done from the loop.
  uv_timer_start(
      &timer, [](uv_timer_t* handle) { static_cast<Race*>(handle->data)->begin(); }, 0, 0);
}

void Dial::Race::begin() {
  if (!endpoint.unix_path.empty()) return connect_unix();
  if (!endpoint.srv_service.empty()) return look_up_servers();
  targets = {{.host = endpoint.host, .port = endpoint.port}};
  try_target();
}

void Dial::Race::look_up_servers() {
  const std::string name = endpoint.srv_service + "." + endpoint.host;
  lookup = std::make_unique<SrvLookup>(loop, name, "", [this](auto found) {
    lookup.reset();
    if (!found) return fail(found.error().message);
    targets = *std::move(found);
    try_target();
  });
}

void Dial::Race::try_target() {
  const SrvTarget& server = targets[target];
  next = 0;
  failure = 0;
  addresses = known(server.host, server.port);
  if (addresses.empty()) return resolve_name();
  try_next();
}

void Dial::Race::resolve_name() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const std::string service = std::to_string(targets[target].port);
  const int code = uv_getaddrinfo(loop.handle(), &resolve, on_resolved,
                                  targets[target].host.c_str(), service.c_str(), &hints);
  if (code != 0) return give_up(uv_strerror(code));
  is_resolving = true;
  ++owed;
}

void Dial::Race::on_resolved(uv_getaddrinfo_t* request, int status, addrinfo* info) {
  auto& race = *static_cast<Race*>(request->data);
  race.is_resolving = false;
  for (const addrinfo* one = info; one != nullptr; one = one->ai_next) {
    std::memcpy(&race.addresses.emplace_back(), one->ai_addr, one->ai_addrlen);
  }
  uv_freeaddrinfo(info);
  if (!race.is_over) {
    if (status != 0) {
      race.give_up(uv_strerror(status));
    } else {
      race.try_next();
    }
  }
  race.let_go();
}

void Dial::Race::try_next() {
  if (is_over || next == addresses.size()) return;
  const sockaddr_storage& address = addresses[next++];
  auto* link = new Link;
  uv_tcp_init(loop.handle(), &link->tcp);  // [MQTT-4.2.0-1]
  link->handle.data = link->connect.data = this;
  int code = bind(*link, address.ss_family);
  if (code == 0) {
    code = uv_tcp_connect(&link->connect, &link->tcp, reinterpret_cast<const sockaddr*>(&address),
                          [](uv_connect_t* request, int status) {
                            auto* of = reinterpret_cast<Link*>(request->handle);
                            static_cast<Race*>(request->data)->on_connected(of, status);
                          });
  }
  links.push_back(link);
  ++owed;
  if (code != 0) return on_connected(link, code);
  if (next < addresses.size()) {
    uv_timer_start(
        &timer, [](uv_timer_t* handle) { static_cast<Race*>(handle->data)->try_next(); },
        kHeadStartMs, 0);
  }
}

int Dial::Race::bind(Link& link, int family) {
  if (endpoint.bind_address.empty()) return 0;
  const auto from = numeric(endpoint.bind_address, 0);
  if (!from || from->ss_family != family) return UV_EAFNOSUPPORT;
  return uv_tcp_bind(&link.tcp, reinterpret_cast<const sockaddr*>(&*from), 0);
}

void Dial::Race::connect_unix() {
  if (endpoint.unix_path.size() >= sizeof(sockaddr_un::sun_path)) {
    return give_up(uv_strerror(UV_ENAMETOOLONG));
  }
  auto* link = new Link;
  uv_pipe_init(loop.handle(), &link->pipe, 0);
  link->handle.data = link->connect.data = this;
  links.push_back(link);
  ++owed;
  uv_pipe_connect(&link->connect, &link->pipe, endpoint.unix_path.c_str(),
                  [](uv_connect_t* request, int status) {
                    auto* of = reinterpret_cast<Link*>(request->handle);
                    static_cast<Race*>(request->data)->on_connected(of, status);
                  });
}

void Dial::Race::on_connected(Link* link, int status) {
  const auto it = std::ranges::find(links, link);
  if (it != links.end()) {  // abandoned ones are closed already
    links.erase(it);
    LinkPtr owner(link);
    if (status == 0) {
      succeed(std::move(owner));
    } else {
      failure = more_telling(failure, status);
      if (next < addresses.size()) {
        try_next();
      } else if (links.empty() && !is_over) {
        give_up(uv_strerror(failure));
      }
    }
  }
  let_go();
}

std::string Dial::Race::place() const {
  if (!endpoint.unix_path.empty()) return "Unix socket " + endpoint.unix_path;
  const SrvTarget& server = targets[target];
  std::string text = server.host + " port " + std::to_string(server.port);
  if (!endpoint.srv_service.empty()) text += " of " + endpoint.host;
  if (!numeric(server.host, server.port) && !addresses.empty()) {
    text += " (";
    for (const auto& address : addresses) text += text_of(address) + ", ";
    text.replace(text.size() - 2, 2, ")");
  }
  if (!endpoint.bind_address.empty()) text += " from " + endpoint.bind_address;
  return text;
}

void Dial::Race::give_up(const std::string& reason) {
  if (target + 1 < targets.size()) {
    ++target;
    return try_target();
  }
  fail("cannot connect to " + place() + ": " + reason);
}

void Dial::Race::fail(const std::string& words) {
  is_over = true;
  done(std::unexpected(Error{words}));
}

void Dial::Race::succeed(LinkPtr link) {
  is_over = true;
  if (endpoint.unix_path.empty()) uv_tcp_nodelay(&link->tcp, 1);
  link->handle.data = nullptr;
  done(std::move(link));
}

void Dial::Race::abandon() {
  is_over = true;
  lookup.reset();
  if (is_resolving) uv_cancel(reinterpret_cast<uv_req_t*>(&resolve));
  for (Link* link : std::exchange(links, {})) CloseLink()(link);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer),
           [](uv_handle_t* handle) { static_cast<Race*>(handle->data)->let_go(); });
}

void Dial::Race::let_go() {
  if (--owed == 0) delete this;
}

}  // namespace mq::net
