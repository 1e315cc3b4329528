#include <utility>

#include "net/broker_driver.hpp"
#include "net/broker_handles.hpp"

// The store gets one batch at a time: while it is busy the next one grows, and what is dropped
// before it is taken need never be stored.

namespace mq::net {

using broker::ConnectionId;

void BrokerDriver::keep_in(storage::Store& store, std::function<void(const std::string&)> trouble) {
  store_ = &store;
  trouble_sink_ = std::move(trouble);
}

void BrokerDriver::on_store_news() {
  uv_async_send(&store_news_);
}

void BrokerDriver::submit_changes() {
  if (store_ == nullptr) return;
  for (auto& load : core_.take_loads()) store_->load(std::move(load));
  if (submitted_ > stored_) return;
  auto batch = core_.take_batch();
  if (!batch) return;
  submitted_ = batch->ticket;
  store_->submit(std::move(*batch));
}

void BrokerDriver::take_store_news() {
  if (store_ == nullptr) return;
  if (std::string trouble = store_->trouble(); trouble != trouble_) {
    trouble_ = std::move(trouble);
    core_.on_store_trouble(!trouble_.empty());
    trouble_sink_(trouble_);
  }
  for (const auto& page : store_->take_pages()) core_.on_loaded(page, now());
  const storage::Ticket stored = store_->stored();
  if (stored > stored_) {
    stored_ = stored;
    core_.on_stored(stored, now());
  }
  flush();
  read_on();
}

void BrokerDriver::hold_back(Peer& peer) {
  if (std::exchange(peer.is_held_back, true)) return;
  if (held_back_.size() >= peers_.size()) {
    std::erase_if(held_back_, [this](ConnectionId id) { return find(id) == nullptr; });
  }
  held_back_.push_back(peer.id);
  core_.hold_back(peer.id, true, now());
}

void BrokerDriver::read_on() {
  if (held_back_.empty() || core_.is_store_behind()) return;
  for (const auto id : std::exchange(held_back_, {})) {
    Peer* peer = find(id);
    if (peer == nullptr) continue;
    peer->is_held_back = false;
    core_.hold_back(id, false, now());
    if (may_read(*peer)) uv_read_start(&peer->stream, on_alloc, on_read);
  }
}

}  // namespace mq::net
