#pragma once

#include <deque>

#include "storage/store.hpp"

namespace mq::storage {

/// A store without a disk: for tests and simulations. A submitted batch is on its way until
/// commit() stores it; crash() loses what is on its way.
class Memory : public Store {
 public:
  void submit(Batch batch) override;
  Ticket stored() override { return stored_; }
  /// All that is stored.
  const Snapshot& load() const { return state_; }

  /// Stores the oldest batch that is on its way. Returns false when there is none.
  bool commit();
  void crash() { pending_.clear(); }

 private:
  void drop_unreferenced();

  std::deque<Batch> pending_;
  Snapshot state_;
  Ticket stored_ = 0;
};

}  // namespace mq::storage
