#include "subsystem/own_keys.h"

#include <exception>
#include <utility>

#include "model/api/monitor.h"
#include "model/api/node.h"
#include "model/packing.h"

namespace tidemark::subsystem {
namespace {

namespace api = model::api;
using model::kv::Value;

constexpr std::size_t kStatePartBytes = 256u << 10;

/// A msgpack array of `count` rows that are packed already.
Bytes array_of(std::uint32_t count, BytesView rows) {
  Bytes packed;
  packed.reserve(rows.size() + 5);
  packed.push_back('\xdd');
  append_be(packed, count);
  packed.append(rows);
  return packed;
}

}  // namespace

void OwnKeys::open(const std::shared_ptr<bus::Link>& link, std::shared_ptr<Outbox> outbox) {
  {
    const std::lock_guard lock(mutex_);
    link_ = link;
    outbox_ = std::move(outbox);
    for (const auto& key : keys_) record_locked(key);  // What they start with.
  }
  link->declare_stream(bus::FrameClass::kState, api::kKeyStream);
  const auto weak = weak_from_this();
  const auto serve = [&](const char* method, void (OwnKeys::*answer)(const bus::Call&)) {
    link->serve(method, [weak, answer](const bus::Call& call) {
      if (const auto self = weak.lock()) ((*self).*answer)(call);
    });
  };
  serve("kv.read", &OwnKeys::read);
  serve("kv.write", &OwnKeys::write);
  link->serve("kv.state", [weak, at = link.get()](const bus::Call& call) {
    if (const auto self = weak.lock()) self->state(*at, call);
  });
}

Result<std::uint32_t> OwnKeys::add(model::kv::KeySpec spec) {
  const auto checked = model::kv::check_spec(spec);
  if (!checked) return checked.error();
  const std::lock_guard lock(mutex_);
  if (keys_.size() >= kKeysMax) {
    return Error{Code::kInvalidArgument,
                 subsystem_ + " has " + std::to_string(kKeysMax) + " keys, and may have no more"};
  }
  const auto number = static_cast<std::uint32_t>(keys_.size());
  if (!by_name_.emplace(spec.name, number).second) {
    return Error{Code::kConflict, "a second key '" + spec.name + "' of " + subsystem_};
  }
  auto& key = keys_.emplace_back();
  key.current.key = number;
  if (spec.default_value) {
    key.current.value = *spec.default_value;
    key.current.sequence = 1;
    key.current.time = utc_now();
  }
  key.spec = std::move(spec);
  record_locked(key);
  return number;
}

void OwnKeys::handle(std::uint32_t key, KeyHandlers handlers) {
  const std::lock_guard lock(mutex_);
  if (key == kNowhere) return;
  keys_.at(key).handlers = std::make_shared<const KeyHandlers>(std::move(handlers));
}

KeyHandlers OwnKeys::handlers(std::uint32_t key) const {
  const std::lock_guard lock(mutex_);
  return key == kNowhere ? KeyHandlers{} : *keys_.at(key).handlers;
}

Result<Unit> OwnKeys::set(std::uint32_t key, const Value& value, api::Quality quality) {
  if (key == kNowhere) return Unit{};
  Result<Value> taken{Value{}};
  {
    const std::lock_guard lock(mutex_);
    taken = model::kv::conform(keys_.at(key).spec, value);
  }
  if (!taken) return Error{taken.error().code, subsystem_ + "/" + taken.error().message};
  store(key, std::move(taken).value(), quality, "");
  return Unit{};
}

api::KeyUpdate OwnKeys::store(std::uint32_t key, Value value, api::Quality quality,
                              std::string writer) {
  const std::lock_guard lock(mutex_);
  auto& own = keys_.at(key);
  auto& current = own.current;
  current.sequence += 1;
  current.time = utc_now();
  current.quality = quality;
  current.writer = std::move(writer);
  current.value = std::move(value);
  record_locked(own);
  const auto link = link_.lock();  // Never on the loop's thread.
  // Before there is one nobody listens; whoever does later gets the whole state.
  if (own.spec.published && link) {
    const bool first = row_count_ == 0;
    rows_ += model::pack(current);
    ++row_count_;
    if (rows_.size() >= kFrameBytesMax) {
      flush_locked(*link);
    } else if (first) {
      link->after(Duration{0}, [weak = weak_from_this(), at = link.get()] {
        const auto self = weak.lock();
        if (!self) return;
        const std::lock_guard again(self->mutex_);
        self->flush_locked(*at);
      });
    }
  }
  return current;
}

void OwnKeys::record_locked(const Key& key) {
  const auto& now = key.current;
  const bool wanted = key.spec.journaled || !now.writer.empty();
  if (!outbox_ || !wanted || now.sequence == 0) return;
  // Refused only when a million wait: then the outbox's own gap tells.
  (void)outbox_->append(
      model::KvUpdate{full_name(key.spec.name), now.value, now.time, now.writer, now.sequence});
}

void OwnKeys::flush_locked(bus::Link& link) {
  if (row_count_ == 0) return;
  link.publish(bus::FrameClass::kState, api::kKeyStream, row_count_, array_of(row_count_, rows_));
  published_ += row_count_;
  row_count_ = 0;
  rows_.clear();
}

api::KeyUpdate OwnKeys::get(std::uint32_t key) const {
  if (key == kNowhere) return {};
  const std::lock_guard lock(mutex_);
  return keys_.at(key).current;
}

std::vector<model::kv::KeySpec> OwnKeys::specs() const {
  const std::lock_guard lock(mutex_);
  std::vector<model::kv::KeySpec> specs;
  for (const auto& key : keys_) specs.push_back(key.spec);
  return specs;
}

Result<std::uint32_t> OwnKeys::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_name_.find(key);
  if (found == by_name_.end()) {
    return Error{Code::kNotFound, subsystem_ + " has no key '" + key + "'"};
  }
  return found->second;
}

void OwnKeys::read(const bus::Call& call) {
  const auto asked = model::unpack<api::KeyRead>(call.payload());
  if (!asked) return call.fail({Code::kInvalidArgument, asked.error().message});
  const auto key = find(asked.value().key);
  if (!key) return call.fail(key.error());
  std::shared_ptr<const KeyHandlers> handlers;
  {
    const std::lock_guard lock(mutex_);
    const auto& own = keys_[key.value()];
    if (!own.spec.readable) {
      return call.fail({Code::kRefused, full_name(own.spec.name) + " cannot be read"});
    }
    if (!own.handlers->on_read) return call.done(model::pack(own.current));
    handlers = own.handlers;
  }
  const bool posted =
      executor_->post([self = shared_from_this(), call, handlers, key = key.value()] {
        if (call.cancelled()) return call.fail({Code::kTimeout, "too late to begin"});
        try {
          const auto value = handlers->on_read();
          if (!value) return call.fail(value.error());
          model::kv::KeySpec spec;
          {
            const std::lock_guard lock(self->mutex_);
            spec = self->keys_[key].spec;
          }
          auto taken = model::kv::conform(spec, value.value());
          if (!taken) return call.fail({Code::kFailed, "its owner gave " + taken.error().message});
          auto now = self->get(key);
          now.value = std::move(taken).value();
          now.time = utc_now();
          now.writer.clear();
          call.done(model::pack(now));
        } catch (const std::exception& failure) {
          call.fail({Code::kFailed, std::string("its on_read threw: ") + failure.what()});
        } catch (...) {
          call.fail({Code::kFailed, "its on_read threw"});
        }
      });
  if (!posted) call.fail({Code::kUnavailable, subsystem_ + " has too much to do"});
}

void OwnKeys::write(const bus::Call& call) {
  const bool posted = executor_->post([self = shared_from_this(), call] {
    // Whoever asked has given up: what he does not expect any more is not done.
    if (call.cancelled()) return call.fail({Code::kTimeout, "too late to begin"});
    const auto asked = model::unpack<api::KeyWrite>(call.payload());
    if (!asked) return call.fail({Code::kInvalidArgument, asked.error().message});
    const auto& wish = asked.value();
    const auto key = self->find(wish.key);
    if (!key) return call.fail(key.error());
    std::shared_ptr<const KeyHandlers> handlers;
    Result<Value> taken{Value{}};
    {
      const std::lock_guard lock(self->mutex_);
      const auto& own = self->keys_[key.value()];
      if (!own.spec.writable) {
        return call.fail({Code::kRefused, self->full_name(own.spec.name) + " cannot be written"});
      }
      handlers = own.handlers;
      taken = model::kv::conform(own.spec, wish.value);
    }
    if (!taken) {
      return call.fail({taken.error().code, self->subsystem_ + "/" + taken.error().message});
    }
    const auto writer = wish.writer.empty() ? std::string("somebody") : wish.writer;
    try {
      if (handlers->on_write) {
        const auto decided = handlers->on_write(taken.value(), writer);
        if (!decided) return call.fail(decided.error());
      }
    } catch (const std::exception& failure) {
      return call.fail({Code::kFailed, std::string("its on_write threw: ") + failure.what()});
    } catch (...) {
      return call.fail({Code::kFailed, "its on_write threw"});
    }
    call.done(model::pack(
        self->store(key.value(), std::move(taken).value(), api::Quality::kGood, writer)));
  });
  if (!posted) call.fail({Code::kUnavailable, subsystem_ + " has too much to do"});
}

void OwnKeys::state(bus::Link& link, const bus::Call& call) {
  std::vector<Bytes> parts;
  std::uint64_t sequence = 0;
  {
    const std::lock_guard lock(mutex_);
    flush_locked(link);  // What follows the state is numbered after it.
    sequence = published_;
    Bytes rows;
    std::uint32_t count = 0;
    const auto cut = [&] {
      if (count > 0) parts.push_back(array_of(count, rows));
      rows.clear();
      count = 0;
    };
    for (const auto& key : keys_) {
      if (!key.spec.published || key.current.sequence == 0) continue;
      rows += model::pack(key.current);
      ++count;
      if (rows.size() >= kStatePartBytes) cut();
    }
    cut();
  }
  const auto count = static_cast<std::uint32_t>(parts.size());
  for (auto& part : parts) call.progress(std::move(part));
  call.done(model::pack(api::StateEnd{link.self().incarnation, sequence, count}));
}

}  // namespace tidemark::subsystem
