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

namespace {

/// Of a filter that is subscribed to or taken back, see Config::work_a_turn.
constexpr std::size_t kWorkOfFilter = 10;

}  // namespace

bool Core::handle_subscribe(Connection& connection, ByteView frame,
                            const wire::Subscribe& subscribe) {
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
  // A string is behind its length.
  const char* first = subscribe.subscriptions[0].filter.data() - sizeof(std::uint16_t);
  const auto* filters = reinterpret_cast<const Byte*>(first);
  Subscribing progress{
      .packet_id = subscribe.packet_id,
      .identifier = subscribe.properties.number(PropertyId::subscription_identifier).value_or(0),
      .rest = ByteView(filters, frame.data() + frame.size()),
      .codes = std::vector<Byte>(subscribe.subscriptions.size())};
  work_ += progress.codes.size();
  if (!fits(connection, wire::Suback{subscribe.packet_id, {}, progress.codes})) {
    fail(connection, {ReasonCode::packet_too_large, "MQTT-3.1.2-24",
                      "it wants a SUBACK above its Maximum Packet Size"});
    return false;
  }
  if (go_on_subscribing(connection, progress)) return true;
  progress.bytes.assign(progress.rest.begin(), progress.rest.end());
  progress.rest = progress.bytes;
  put_off(connection);
  connection.throttle->subscribing = std::make_unique<Subscribing>(std::move(progress));
  return true;
}

bool Core::go_on_subscribing(Connection& connection, Subscribing& progress) {
  Session& session = *connection.session;
  const auto written = journal_.position();
  auto& codes = progress.codes;
  auto& done = progress.done;
  do {  // [MQTT-3.8.4-5]
    wire::Subscription wanted = wire::take_subscription(progress.rest, connection.version);
    const std::string mounted = mounted_filter(connection, wanted.filter);
    if (connection.mount != nullptr) wanted.filter = mounted;
    codes[done] =
        static_cast<Byte>(subscribe_one(session, wanted, progress.identifier));  // [MQTT-3.9.3-1]
    work_ += kWorkOfFilter;
  } while (++done < codes.size() && !has_worked_enough());
  if (const auto here = journal_.written_since(written); here > 0) progress.ticket = here;
  const bool is_done = done == codes.size();
  if (is_done) {
    // Codes alone [MQTT-3.1.2-29] [MQTT-3.9.2-1] [MQTT-3.9.2-2].
    const wire::Suback suback{progress.packet_id, {}, codes};  // [MQTT-2.2.1-6] [MQTT-3.8.4-2]
    acknowledge(connection, suback, progress.ticket);          // [MQTT-3.8.4-1]
    if (session.is_awake) pump(session);
  }
  note_feeds(session);
  return is_done;
}

ReasonCode Core::subscribe_one(Session& session, const wire::Subscription& subscription,
                               std::uint32_t identifier) {
  const auto& wanted = subscription.options;
  // [MQTT-3.2.2-10]
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
  facts_.emplace_back(
      fact::Subscribed{session.client_id, std::string(subscription.filter), granted.qos});

  // [MQTT-3.3.1-11] [MQTT-3.8.4-4]
  const bool wants_retained = (wanted.retain_handling == RetainHandling::send ||  // [MQTT-3.3.1-9]
                               (wanted.retain_handling == RetainHandling::send_if_new &&
                                added.is_new)) &&  // [MQTT-3.3.1-10]
                              !subscriptions_.is_shared(added.filter);
  const bool is_still_fed = session.feeds != nullptr && session.feeds->has_noted(added.filter);
  journal_.put_subscription(
      session, subscription.filter, identifier,
      static_cast<std::uint8_t>(granted.byte() | (is_still_fed ? kRetainedOwed : 0U)));
  if (wants_retained && may_be_retained(subscription.filter)) {
    if (session.feeds == nullptr) session.feeds = std::make_unique<RetainedFeeds>();
    session.feeds->push({added.filter, std::string(subscription.filter), granted, identifier});
  }
  return static_cast<ReasonCode>(granted.qos);  // [MQTT-3.8.4-7]
}

/// At a glance: mostly there is nothing.
bool Core::may_be_retained(std::string_view filter) const {
  std::optional<std::string> after;
  std::size_t steps = 1;
  return !retained_.walk(filter, after, steps, [](const Message&) { return false; });
}

void Core::note_feeds(Session& session) {
  if (session.feeds == nullptr || !journal_.keeps(session)) return;
  session.feeds->note(
      [&](const RetainedFeed& feed) { store_subscription(session, feed, kRetainedOwed); });
}

void Core::store_subscription(Session& session, const RetainedFeed& feed, std::uint8_t owed) {
  // As it is by now: it may have been changed since the feed began.
  const topic::Subscriber* subscriber = subscriber_of(feed.id, session.index);
  if (subscriber == nullptr) return;
  journal_.put_subscription(session, feed.filter, subscriber->identifier,
                            static_cast<std::uint8_t>(subscriber->options | owed));
}

bool Core::handle_unsubscribe(Connection& connection, const wire::Unsubscribe& unsubscribe) {
  if (!std::ranges::all_of(unsubscribe.filters, topic::is_filter)) {
    fail(connection, {ReasonCode::topic_filter_invalid, "MQTT-4.7.1-1", "a malformed filter"});
    return false;
  }
  std::vector<Byte> codes(unsubscribe.filters.size());
  // Codes alone [MQTT-3.1.2-29] [MQTT-3.11.2-1] [MQTT-3.11.2-2].
  const wire::Unsuback unsuback{unsubscribe.packet_id, {}, codes};  // [MQTT-2.2.1-6]
  if (!fits(connection, unsuback)) {
    fail(connection, {ReasonCode::packet_too_large, "MQTT-3.1.2-24",
                      "it wants an UNSUBACK above its Maximum Packet Size"});
    return false;
  }
  const auto written = journal_.position();
  LeftShares left_shares;
  for (std::size_t i = 0; i < codes.size(); ++i) {  // [MQTT-3.10.4-6]
    const auto filter = mounted_filter(connection, unsubscribe.filters[i]);
    codes[i] = static_cast<Byte>(unsubscribe_one(*connection.session, filter, left_shares));
    work_ += kWorkOfFilter;
  }
  if (!left_shares.empty()) keep_what_came_through(left_shares, *connection.session);
  acknowledge(connection, unsuback, journal_.written_since(written));  // [MQTT-3.10.4-4]
  return true;
}

ReasonCode Core::unsubscribe_one(Session& session, const std::string& filter,
                                 LeftShares& left_shares) {
  // [MQTT-3.10.4-1] [MQTT-3.10.4-2]; what the outbox has stays there [MQTT-3.10.4-3]
  const auto removed = subscriptions_.unsubscribe(filter, session.index);
  if (!removed) return ReasonCode::no_subscription_existed;  // [MQTT-3.10.4-5]
  const auto& [id, subscriber] = *removed;
  session.subscriptions.erase(id);
  journal_.drop_subscription(session, filter);
  if (session.feeds != nullptr) session.feeds->cancel(id);  // [MQTT-3.10.4-2]
  if (topic::share_of(filter)) left_shares.emplace(id, subscriber.identifier);
  facts_.emplace_back(fact::Unsubscribed{session.client_id, filter});
  return ReasonCode::success;
}

void Core::keep_what_came_through(const LeftShares& shares, Session& session) {
  for (std::size_t i = 0; i < session.outbox.size(); ++i) {
    auto& entry = session.outbox[i];
    if ((entry.flags & kFromShare) == 0) continue;
    const auto left = shares.find(entry.message.origin);
    if (left == shares.end()) continue;
    entry.flags &= static_cast<std::uint8_t>(~kFromShare);
    entry.message.origin = left->second;
  }
}

}  // namespace mq::broker
