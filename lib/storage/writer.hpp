#pragma once

#include <condition_variable>
#include <deque>
#include <expected>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "storage/sqlite.hpp"
#include "storage/sync_policy.hpp"

namespace mq::storage {

/// Stores batches, and reads queues, on a thread of its own. A batch that cannot be stored is tried
/// again until it is: meanwhile nothing behind it is stored either.
class Writer : public Store {
 public:
  /// changed  called from that thread whenever stored() or trouble() has
  /// clock    the time by which SyncPolicy::Kind::interval goes; called from that thread, too
  Writer(Sqlite file, SyncPolicy policy, std::function<void()> changed,
         std::function<Instant()> clock);
  ~Writer() override;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void submit(Batch batch) override;
  Ticket stored() override;
  void load(Load load) override;
  std::vector<Page> take_pages() override;
  std::string trouble() override;
  /// Moves what is committed into the main file, soon.
  void request_checkpoint();
  /// Stores what is on its way, once more, and ends the thread.
  ///
  /// Returns  why the rest is lost; empty: nothing is
  std::string close();

 private:
  void run();
  /// Returns false when it is given up.
  bool store(const Batch& batch);
  /// Waits before something is tried again, unless there is something to read. Returns false when
  /// the thread is to end.
  bool pause(bool is_reading);
  void answer_loads();
  void tell(Ticket stored, std::string trouble);
  /// Of what has no ticket: trouble, or that it is over.
  void tell_outcome(const std::expected<void, Error>& done);
  void sync();

  Sqlite file_;
  SyncPolicy policy_;
  std::function<void()> changed_;
  std::function<Instant()> clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Batch> batches_;  ///< from here on: guarded by mutex_
  std::deque<Load> loads_;
  std::vector<Page> pages_;
  Ticket stored_ = 0;
  std::string trouble_;
  bool is_closing_ = false;
  bool is_checkpoint_due_ = false;
  bool is_unsynced_ = false;  ///< from here on: the thread's own
  Instant sync_by_{};
  bool is_failing_ = false;  ///< a batch cannot be stored
  std::thread thread_;
};

}  // namespace mq::storage
