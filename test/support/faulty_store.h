// test/support/faulty_store.h
//
// Any Store, failing on command.

#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "journal/store.h"

namespace tidemark::test {

/// Passes everything to `inner`, except what it was told to fail.
class FaultyStore final : public journal::Store {
 public:
  explicit FaultyStore(std::shared_ptr<journal::Store> inner) : inner_(std::move(inner)) {}

  /// From now on append() answers this, and writes nothing. kFailed stays, as in a real Store.
  void fail_appends(Code code = Code::kFailed) { appends_fail_ = static_cast<int>(code); }
  /// There is room again. Does not heal a store that answered kFailed.
  void heal_appends() {
    if (!broken_) appends_fail_ = 0;
  }
  /// From now on scans answer kCorruption.
  void fail_scans() { scans_fail_ = true; }

  /// How often append() was called, whatever came of it.
  int appends() const { return appends_; }

  Result<journal::Appended> append(std::span<const journal::InspectedSection> sections) override {
    ++appends_;
    if (const int code = appends_fail_; code != 0) {
      broken_ = broken_ || static_cast<Code>(code) == Code::kFailed;
      return Error{static_cast<Code>(code), "injected: append refused"};
    }
    return inner_->append(sections);
  }
  Result<Unit> scan(journal::Line from, const journal::BlockFilter& filter,
                    const std::function<bool(journal::Block&)>& visit) const override {
    if (scans_fail_) return Error{Code::kCorruption, "injected: damaged lines"};
    return inner_->scan(from, filter, visit);
  }
  Result<Unit> scan_back(journal::Line from, const journal::BlockFilter& filter,
                         const std::function<bool(journal::Block&)>& visit) const override {
    if (scans_fail_) return Error{Code::kCorruption, "injected: damaged lines"};
    return inner_->scan_back(from, filter, visit);
  }
  journal::Line last() const override { return inner_->last(); }
  Result<journal::Line> line_at(UtcTime time) const override { return inner_->line_at(time); }
  std::optional<journal::OriginMark> mark_of(const Uuid& origin) const override {
    return inner_->mark_of(origin);
  }
  std::size_t channel_count() const override { return inner_->channel_count(); }
  std::vector<std::pair<model::ChannelId, std::string>> channels() const override {
    return inner_->channels();
  }
  std::optional<std::string> address_of(model::ChannelId channel) const override {
    return inner_->address_of(channel);
  }

 private:
  const std::shared_ptr<journal::Store> inner_;
  std::atomic<int> appends_ = 0;
  std::atomic<int> appends_fail_ = 0;  // a Code, or 0
  std::atomic<bool> broken_ = false;
  std::atomic<bool> scans_fail_ = false;
};

}  // namespace tidemark::test
