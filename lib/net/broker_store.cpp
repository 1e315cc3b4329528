#include "net/broker_driver.hpp"
#include "net/broker_handles.hpp"

// The store gets one batch at a time: while it is busy the next one grows, and what is dropped
// before it is taken need never be stored.

namespace mq::net {

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
  if (!core_.is_store_behind()) read_on();
}

void BrokerDriver::read_on() {
  core_.hold_back(false);
  for (Peer* peer : peers_) {
    if (peer == nullptr || !peer->is_held_back) continue;
    peer->is_held_back = false;
    if (may_read(*peer)) uv_read_start(&peer->stream, on_alloc, on_read);
  }
}

}  // namespace mq::net
