#include "storage/writer.hpp"

#include <chrono>
#include <utility>

namespace mq::storage {
namespace {

constexpr auto kPauseAfterFailure = std::chrono::seconds(1);

}  // namespace

Writer::Writer(Sqlite file, SyncPolicy policy, std::function<void()> changed,
               std::function<Instant()> clock)
    : file_(std::move(file)),
      policy_(policy),
      changed_(std::move(changed)),
      clock_(std::move(clock)) {
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  close();
}

void Writer::submit(Batch batch) {
  {
    const std::lock_guard lock(mutex_);
    batches_.push_back(std::move(batch));
  }
  wake_.notify_one();
}

void Writer::load(Load load) {
  {
    const std::lock_guard lock(mutex_);
    loads_.push_back(std::move(load));
  }
  wake_.notify_one();
}

std::vector<Page> Writer::take_pages() {
  const std::lock_guard lock(mutex_);
  return std::exchange(pages_, {});
}

Ticket Writer::stored() {
  const std::lock_guard lock(mutex_);
  return stored_;
}

std::string Writer::trouble() {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void Writer::request_checkpoint() {
  {
    const std::lock_guard lock(mutex_);
    is_checkpoint_due_ = true;
  }
  wake_.notify_one();
}

std::string Writer::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  return trouble_;
}

void Writer::run() {
  // A failure to choose is told by the first commit.
  (void)file_.use(policy_.kind);
  std::unique_lock lock(mutex_);
  while (true) {
    const auto has_work = [this] {
      return !batches_.empty() || !loads_.empty() || is_closing_ || is_checkpoint_due_;
    };
    if (is_unsynced_) {
      // Also when there is work without end.
      wake_.wait_for(lock, sync_by_ - clock_(), has_work);
      if (clock_() >= sync_by_) {
        lock.unlock();
        sync();
        lock.lock();
        continue;
      }
    } else {
      wake_.wait(lock, has_work);
    }
    if (std::exchange(is_checkpoint_due_, false)) {
      lock.unlock();
      tell_outcome(file_.checkpoint());
      lock.lock();
      continue;
    }
    if (!loads_.empty() && !is_closing_) {
      lock.unlock();
      answer_loads();
      lock.lock();
    }
    if (batches_.empty()) {
      if (is_closing_) break;
      continue;
    }
    const Batch batch = std::move(batches_.front());
    batches_.pop_front();
    lock.unlock();
    const bool is_stored = store(batch);
    lock.lock();
    if (!is_stored) break;
  }
  lock.unlock();
  if (is_unsynced_) sync();
}

bool Writer::store(const Batch& batch) {
  while (true) {
    const auto done = file_.commit(batch);
    is_failing_ = !done;
    if (done) break;
    tell(0, done.error().message);
    if (!pause(true)) {
      const bool is_stored = file_.commit(batch).has_value();
      if (is_stored) tell(batch.ticket, {});
      return is_stored;
    }
  }
  if (policy_.kind == SyncPolicy::Kind::interval && !std::exchange(is_unsynced_, true)) {
    sync_by_ = clock_() + policy_.interval;
  }
  tell(batch.ticket, {});
  return true;
}

bool Writer::pause(bool is_reading) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, kPauseAfterFailure,
                 [&] { return is_closing_ || (is_reading && !loads_.empty()); });
  if (is_closing_) return false;
  lock.unlock();
  if (is_reading) answer_loads();
  return true;
}

void Writer::answer_loads() {
  std::deque<Load> loads;
  {
    const std::lock_guard lock(mutex_);
    loads.swap(loads_);
  }
  while (!loads.empty()) {
    auto page = file_.read(loads.front());
    if (!page) {
      tell(0, page.error().message);
      {
        const std::lock_guard lock(mutex_);
        loads_.insert(loads_.begin(), loads.begin(), loads.end());
      }
      pause(false);
      return;  // batches have their turn
    }
    tell_outcome({});
    loads.pop_front();
    {
      const std::lock_guard lock(mutex_);
      pages_.push_back(std::move(*page));
    }
    if (changed_) changed_();
  }
}

void Writer::tell(Ticket stored, std::string trouble) {
  {
    const std::lock_guard lock(mutex_);
    if (stored != 0) stored_ = stored;
    trouble_ = std::move(trouble);
  }
  if (changed_) changed_();
}

void Writer::tell_outcome(const std::expected<void, Error>& done) {
  if (!done) return tell(0, done.error().message);
  if (!is_failing_ && !trouble().empty()) tell(0, {});
}

void Writer::sync() {
  const auto done = file_.checkpoint();
  is_unsynced_ = !done.has_value();
  sync_by_ = clock_() + policy_.interval;
  tell_outcome(done);
}

}  // namespace mq::storage
