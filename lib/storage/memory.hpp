#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/store.hpp"

namespace mq::storage {

/// A store without a disk: for tests and simulations. A submitted batch is on its way until
/// commit() stores it; crash() loses what is on its way.
class Memory : public Store {
 public:
  /// One in which this is stored.
  static Memory holding(Snapshot state);

  void submit(Batch batch) override;
  Ticket stored() override { return stored_; }
  /// Pages wait until answer_loads().
  void load(Load load) override { loads_.push_back(std::move(load)); }
  std::vector<Page> take_pages() override { return std::exchange(pages_, {}); }
  /// All that is stored.
  const Snapshot& load() const { return state_; }
  /// How much of a session's queue is stored.
  std::size_t queue_size(const std::string& client_id) const;
  /// What is stored, within the budget.
  Snapshot load(Budget budget) const;

  /// Stores the oldest batch that is on its way. Returns false when there is none.
  bool commit();
  /// Reads what load() has asked for.
  void answer_loads();
  void crash();

 private:
  /// How often a message is referred to; when it no longer is, it is dropped.
  struct Referrers {
    std::size_t queued = 0;
    std::size_t retained = 0;
    bool operator==(const Referrers&) const = default;
  };
  using References = std::map<MessageId, Referrers>;
  struct Apply;

  std::deque<Batch> pending_;
  std::vector<Load> loads_;
  std::vector<Page> pages_;
  Snapshot state_;
  References references_;
  Ticket stored_ = 0;
};

}  // namespace mq::storage
