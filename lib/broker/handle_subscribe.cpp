#include <algorithm>
#include <utility>

#include "broker/core.hpp"
#include "broker/write_packet.hpp"
#include "topic/name.hpp"

namespace mq::broker {

using wire::PropertyId;
using wire::ReasonCode;
using wire::RetainHandling;
using wire::Version;

bool Core::handle_subscribe(Connection& connection, const wire::Subscribe& subscribe) {
  for (const auto& subscription : subscribe.subscriptions) {
    if (!topic::is_filter(subscription.filter) ||
        (connection.mount != nullptr &&
         !topic::is_filter(mounted_filter(connection, subscription.filter)))) {
      fail(connection, {ReasonCode::topic_filter_invalid, "MQTT-4.7.1-1", "a malformed filter"});
      return false;
    }
    if (subscription.options.no_local && topic::share_of(subscription.filter)) {
      fail(connection,
           {ReasonCode::protocol_error, "MQTT-3.8.3-4", "no-local on a shared subscription"});
      return false;
    }
  }
  const auto written = journal_.position();
  const auto identifier =
      subscribe.properties.number(PropertyId::subscription_identifier).value_or(0);
  std::vector<Byte> codes;
  for (const auto& subscription : subscribe.subscriptions) {
    wire::Subscription wanted = subscription;
    const std::string mounted = mounted_filter(connection, wanted.filter);
    if (connection.mount != nullptr) wanted.filter = mounted;
    const auto code = subscribe_one(*connection.session, wanted, identifier);
    codes.push_back(static_cast<Byte>(code));
  }
  acknowledge(connection, wire::Suback{subscribe.packet_id, {}, codes},
              journal_.written_since(written));  // [MQTT-3.8.4-1]
  if (connection.session->is_awake) pump(*connection.session);
  return true;
}

ReasonCode Core::subscribe_one(Session& session, const wire::Subscription& subscription,
                               std::uint32_t identifier) {
  const auto& wanted = subscription.options;
  const GrantedOptions granted{std::min(wanted.qos, session.connection->promise.max_qos),
                               wanted.no_local, wanted.retain_as_published};
  const Version version = session.connection->version;
  // 3.1 cannot say no: nothing will come of it.
  if (!may_subscribe(session, subscription.filter) && version != Version::v31) {
    return version == Version::v5 ? ReasonCode::not_authorized : ReasonCode::unspecified_error;
  }
  const auto added =
      subscriptions_.subscribe(subscription.filter, {session.index, identifier, granted.byte()});
  session.subscriptions.insert(added.filter);
  journal_.put_subscription(session, subscription.filter, identifier, granted.byte());
  facts_.emplace_back(
      fact::Subscribed{session.client_id, std::string(subscription.filter), granted.qos});

  const bool wants_retained =
      wanted.retain_handling == RetainHandling::send ||                         // [MQTT-3.3.1-9]
      (wanted.retain_handling == RetainHandling::send_if_new && added.is_new);  // [MQTT-3.3.1-10]
  if (wants_retained && !subscriptions_.is_shared(added.filter)) {
    if (session.feeds == nullptr) session.feeds = std::make_unique<RetainedFeeds>();
    session.feeds->push({added.filter, std::string(subscription.filter), granted, identifier});
  }
  return static_cast<ReasonCode>(granted.qos);  // [MQTT-3.8.4-7]
}

bool Core::handle_unsubscribe(Connection& connection, const wire::Unsubscribe& unsubscribe) {
  if (!std::ranges::all_of(unsubscribe.filters, topic::is_filter)) {
    fail(connection, {ReasonCode::topic_filter_invalid, "MQTT-4.7.1-1", "a malformed filter"});
    return false;
  }
  const auto written = journal_.position();
  std::vector<Byte> codes;
  absl::flat_hash_set<topic::FilterId> left_shares;
  for (const auto filter : unsubscribe.filters) {
    const auto code =
        unsubscribe_one(*connection.session, mounted_filter(connection, filter), left_shares);
    codes.push_back(static_cast<Byte>(code));
  }
  if (!left_shares.empty()) keep_what_came_through(left_shares, *connection.session);
  acknowledge(connection, wire::Unsuback{unsubscribe.packet_id, {}, codes},
              journal_.written_since(written));  // [MQTT-3.10.4-4]
  return true;
}

ReasonCode Core::unsubscribe_one(Session& session, const std::string& filter,
                                 absl::flat_hash_set<topic::FilterId>& left_shares) {
  const auto removed = subscriptions_.unsubscribe(filter, session.index);  // [MQTT-3.10.4-1]
  if (!removed) return ReasonCode::no_subscription_existed;
  session.subscriptions.erase(*removed);
  journal_.drop_subscription(session, filter);
  if (session.feeds != nullptr) session.feeds->cancel(*removed);
  if (topic::share_of(filter)) left_shares.insert(*removed);
  facts_.emplace_back(fact::Unsubscribed{session.client_id, filter});
  return ReasonCode::success;
}

void Core::keep_what_came_through(const absl::flat_hash_set<topic::FilterId>& shares,
                                  Session& session) {
  for (std::size_t i = 0; i < session.outbox.size(); ++i) {
    auto& entry = session.outbox[i];
    if ((entry.flags & kFromShare) == 0 || !shares.contains(entry.message.origin)) continue;
    entry.flags &= static_cast<std::uint8_t>(~kFromShare);
    entry.message.origin = 0;
  }
}

}  // namespace mq::broker
