#include "net/stacked.hpp"

#include <array>
#include <utility>

namespace mq::net {

namespace {

/// What the inner one puts out waits in it until the outer one is open.
class Stack final : public Filter {
 public:
  Stack(std::unique_ptr<Filter> outer, std::unique_ptr<Filter> inner)
      : outer_(std::move(outer)), inner_(std::move(inner)) {}

  void on_received(ByteView bytes) override {
    outer_->on_received(bytes);
    std::array<Byte, 16U << 10U> room;
    while (const std::size_t size = outer_->read(room)) {
      inner_->on_received(std::span(room).first(size));
      has_unread_ = true;
    }
  }
  std::size_t read(std::span<Byte> room) override {
    const std::size_t size = inner_->read(room);
    has_unread_ = size > 0;
    return size;
  }
  void write(ByteView bytes) override { inner_->write(bytes); }
  void close() override {
    inner_->close();
    is_closing_ = true;
  }
  void take_output(std::vector<Byte>& out) override {
    if (outer_->state() == State::open) {
      std::vector<Byte> bytes;
      inner_->take_output(bytes);
      outer_->write(bytes);
      if (std::exchange(is_closing_, false)) outer_->close();
    }
    outer_->take_output(out);
  }
  bool has_output() const override {
    return outer_->has_output() || (outer_->state() == State::open && inner_->has_output());
  }
  State state() const override { return deciding().state(); }
  const std::string& trouble() const override { return deciding().trouble(); }
  std::optional<std::string> user_name() const override {
    auto name = outer_->user_name();
    return name ? name : inner_->user_name();
  }
  std::optional<Place> place() const override {
    auto place = outer_->place();
    return place ? place : inner_->place();
  }

 private:
  /// What came before the outer one's end is read first.
  const Filter& deciding() const {
    const bool is_read_first = has_unread_ && inner_->state() == State::open;
    return outer_->state() == State::open || is_read_first ? *inner_ : *outer_;
  }

  std::unique_ptr<Filter> outer_;
  std::unique_ptr<Filter> inner_;
  bool has_unread_ = false;
  bool is_closing_ = false;
};

}  // namespace

MakeFilter stacked(MakeFilter outer, MakeFilter inner) {
  if (!outer) return inner;
  if (!inner) return outer;
  return [outer = std::move(outer), inner = std::move(inner)] {
    return std::make_unique<Stack>(outer(), inner());
  };
}

}  // namespace mq::net
