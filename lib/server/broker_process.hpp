#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/filter.hpp"
#include "net/broker_driver.hpp"
#include "server/access_files.hpp"
#include "server/config.hpp"
#include "server/log.hpp"
#include "server/packet_log.hpp"
#include "server/process.hpp"
#include "server/run.hpp"
#include "server/systemd.hpp"
#include "server/transition.hpp"
#include "server/verified_passwords.hpp"
#include "storage/file.hpp"
#include "storage/writer.hpp"

namespace mq::server {

/// A broker from the opening of its listeners to its end. Only run() makes one.
class BrokerProcess {
 public:
  BrokerProcess(Config config, Reread reread, Log& log);

  /// Opens everything and gives up root.
  std::expected<void, Error> open();
  void run();

 private:
  // run.cpp
  std::expected<void, Error> listen(const Config& config, std::size_t index);
  net::ListenOptions listen_options(const Config& config, std::size_t index);
  /// Listens on what systemd has opened for it.
  std::expected<void, Error> listen_on(const std::vector<InheritedSocket>& sockets,
                                       std::uint16_t index, const net::ListenOptions& options);
  /// Reads back what is kept, and keeps what comes, as whom root becomes.
  std::expected<void, Error> open_data();
  void tell_recovered(const std::string& path, const storage::Snapshot& state,
                      std::int64_t milliseconds);
  void tell_trouble(const std::string& trouble);
  std::function<bool()> verify(const broker::Verification& asked) const;
  void tell_who_may_come();
  void tell(LogType type, std::string_view line) { log_.write(type, line); }
  void handle_signals();
  /// The log's sinks, as its configuration wants them.
  void use_log();
  void use_packet_log();

  // reload.cpp
  using Filters = std::vector<MakeFilter>;
  /// What the connections of each open listener pass through; none: bytes pass as they are.
  std::expected<Filters, Error> read_certificates(const Config& config,
                                                  const std::vector<bool>& is_open);
  /// Whether root could read what is named as before, and whom it became cannot.
  bool is_denied_now(const Config& config, std::size_t listener) const;
  /// The password and ACL files of the open listeners; of the others what is known of them.
  std::expected<AccessFiles, Error> read_access(const Config& config,
                                                const std::vector<bool>& is_open);
  void use_access(AccessFiles files);
  void reload();
  std::expected<void, Error> go_over(Transition& next);
  std::expected<void, Error> change_listeners(const Transition& next);
  /// Lets listeners that stay open become as another configuration has them, up to the first that
  /// cannot.
  std::expected<void, Error> adapt_listeners(const std::vector<std::size_t>& kept,
                                             const Config& before, const Config& after);
  void reload_certificates();
  void watch_certificates();
  /// Says how long the certificates are good.
  void tell_certificates();

  Config config_;
  Reread reread_;
  Log& log_;
  std::optional<PacketLog> packets_;  ///< none: packets are not told
  broker::Core core_;
  net::BrokerDriver driver_;
  std::vector<InheritedSocket> sockets_;  ///< that no listener has taken yet
  std::optional<PidFile> pid_file_;
  std::vector<bool> is_open_;  ///< by listener
  Filters filters_;            ///< likewise
  AccessFiles access_;
  std::shared_ptr<VerifiedPasswords> verified_ = std::make_shared<VerifiedPasswords>();
  std::optional<storage::FileLock> data_lock_;
  std::optional<storage::Writer> writer_;  ///< goes before the driver, whom its thread calls
};

/// "port 8883", or the path of a Unix socket.
std::string name_of(const Listener& listener);

}  // namespace mq::server
