// tidemark/key.h
//
// Keys: what a subsystem publishes and accepts, and the keys of others, which behave like
// variables.
//
//   auto current  = psu.publish<double>("current", {.unit = "A"});
//   auto setpoint = psu.writable<double>("setpoint", {.unit = "A", .range = {{0, 100}}});
//   setpoint.on_write([&](double amps) { return interlock ? reject("interlock open") : accept();
//   }); current = 12.5;
//
//   auto pressure = site.key<double>("vacuum/pressure");
//   const auto heard = pressure.on_change([](const Update<double>& now) { … now.value … });
//
// Callbacks run one at a time on one thread of the program; they may take their time, and must
// not wait for the bus: what waits answers kRefused there.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "model/api/subsystem.h"
#include "tidemark/convert.h"

namespace tidemark {

namespace subsystem {
class Session;
class KeySubscription;
}  // namespace subsystem

using model::api::Quality;

/// What a key is, besides its type.
struct KeyOptions {
  std::string unit{};
  std::string description{};
  struct Range {
    double low;
    double high;
  };
  std::optional<Range> range{};  // for numbers, and each element of arrays of them, in `unit`
  std::optional<double> step{};
  std::optional<Value> default_value{};
  // In any combination; of a key that cannot be written either, one of them at least. One that can
  // only be written is a command.
  bool readable = true;   // others may ask for its value
  bool published = true;  // they hear each change of it
  /// Every change becomes a line of the journal. What others write always does.
  bool journaled = false;
  /// Instead of the type that C++ says: enums, structs, fixed arrays.
  std::optional<Type> type{};
};

/// What the owner says to a writer.
using Decision = Result<Unit>;
inline Decision accept() { return Unit{}; }
/// The writer sees the reason.
inline Decision reject(std::string reason) { return Error{Code::kRefused, std::move(reason)}; }

/// A value as it came.
template <class T>
struct Update {
  std::string key;  // "psu.1/current"
  T value{};
  UtcTime time{};
  std::uint64_t sequence = 0;
  Quality quality = Quality::kGood;
  std::string writer;        // empty: its owner
  std::uint64_t missed = 0;  // updates since the last one that did not get here
  std::uint64_t line = 0;    // of the journal; of a durable subscription only
};

/// Listens until it goes or close() is called.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::shared_ptr<void> held, std::function<void()> close)
      : held_(std::move(held)), close_(std::move(close)) {}
  Subscription(Subscription&& other) noexcept { swap(other); }
  Subscription& operator=(Subscription&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Subscription() { close(); }
  void close() {
    if (close_) std::exchange(close_, nullptr)();
    held_.reset();
  }

 private:
  void swap(Subscription& other) noexcept {
    held_.swap(other.held_);
    close_.swap(other.close_);
  }
  std::shared_ptr<void> held_;
  std::function<void()> close_;
};

namespace detail {

/// A key of ours, whatever its type. Threads: any.
class OwnKey {
 public:
  OwnKey(std::shared_ptr<subsystem::Session> session, std::uint32_t number)
      : session_(std::move(session)), number_(number) {}
  Result<Unit> set(const Value& value, Quality quality) const;
  Value get() const;
  void on_read(std::function<Result<Value>()> handler) const;
  void on_write(std::function<Decision(const Value&, const std::string&)> handler) const;

 private:
  std::shared_ptr<subsystem::Session> session_;
  std::uint32_t number_;
};

/// A key of somebody else.
class FarKey {
 public:
  FarKey(std::shared_ptr<subsystem::Session> session, std::string key);
  std::optional<Update<Value>> last() const;
  Result<Update<Value>> get(Duration patience) const;
  Result<Unit> set(Value value, Duration patience) const;
  void set_later(Value value, std::function<void(Result<Unit>)> then, Duration patience) const;
  [[nodiscard]] Subscription on_change(std::function<void(const Update<Value>&)> listener) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

template <class T>
Result<Update<T>> typed(const Update<Value>& any) {
  auto value = from_value<T>(any.value);
  if (!value) return Error{value.error().code, any.key + ": " + value.error().message};
  return Update<T>{any.key,     std::move(value).value(),
                   any.time,    any.sequence,
                   any.quality, any.writer,
                   any.missed,  any.line};
}

}  // namespace detail

/// A key of ours that we give values. Copies are the same key.
template <class T>
class Published {
 public:
  explicit Published(detail::OwnKey key) : key_(std::move(key)) {}

  /// Errors: kInvalidArgument, the value does not conform: the key keeps what it has.
  Result<Unit> set(const T& value, Quality quality = Quality::kGood) const {
    return key_.set(Value(value), quality);
  }
  /// As set(); what does not conform is a mistake in the program, and ends it.
  const Published& operator=(const T& value) const {
    const auto taken = set(value);
    TIDEMARK_CHECK(taken.ok());
    return *this;
  }
  Published(const Published&) = default;
  Published& operator=(const Published&) = default;

  /// Instead of the last value: asked each time that somebody reads.
  void on_read(std::function<Result<T>()> handler) const {
    key_.on_read([handler = std::move(handler)]() -> Result<Value> {
      auto value = handler();
      if (!value) return value.error();
      return Value(std::move(value).value());
    });
  }

 protected:
  detail::OwnKey key_;
};

/// A key of ours that others write, too.
template <class T>
class Writable : public Published<T> {
 public:
  using Published<T>::Published;
  using Published<T>::operator=;

  /// What was written or set last; T{} before that.
  T value() const {
    auto converted = from_value<T>(this->key_.get());
    return converted ? std::move(converted).value() : T{};
  }
  /// `handler` decides on each write, of a value in type and range already.
  void on_write(std::function<Decision(T)> handler) const {
    on_write([handler = std::move(handler)](T value, const std::string&) {
      return handler(std::move(value));
    });
  }
  void on_write(std::function<Decision(T, const std::string& writer)> handler) const {
    this->key_.on_write(
        [handler = std::move(handler)](const Value& value, const std::string& writer) -> Decision {
          auto converted = from_value<T>(value);
          if (!converted) return converted.error();
          return handler(std::move(converted).value(), writer);
        });
  }
};

/// A key of another subsystem, which need not be there yet. Follows it from the first use of
/// last() or on_change() on. Copies are the same key.
template <class T>
class Key {
 public:
  explicit Key(detail::FarKey key) : key_(std::move(key)) {}

  /// What was heard last, without waiting.
  std::optional<Update<T>> last() const {
    const auto any = key_.last();
    if (!any) return std::nullopt;
    auto typed = detail::typed<T>(*any);
    if (!typed) return std::nullopt;
    return std::move(typed).value();
  }
  /// Asks its owner; waits for him to be there. Errors: what he says; kNotFound, kTimeout.
  Result<T> get(Duration patience = std::chrono::seconds(5)) const {
    const auto any = key_.get(patience);
    if (!any) return any.error();
    return from_value<T>(any.value().value);
  }
  /// Errors: kInvalidArgument or kRefused with the owner's reason; kTimeout: nobody knows.
  Result<Unit> set(const T& value, Duration patience = std::chrono::seconds(5)) const {
    return key_.set(Value(value), patience);
  }
  /// The same without waiting; `then` is a callback.
  void set_later(const T& value, std::function<void(Result<Unit>)> then,
                 Duration patience = std::chrono::seconds(5)) const {
    key_.set_later(Value(value), std::move(then), patience);
  }
  /// The current value first, then every change, until the subscription goes or is closed; a slow
  /// listener gets the newest.
  [[nodiscard]] Subscription on_change(std::function<void(const Update<T>&)> listener) const {
    return key_.on_change([listener = std::move(listener)](const Update<Value>& any) {
      const auto typed = detail::typed<T>(any);
      if (typed) listener(typed.value());
    });
  }

 private:
  detail::FarKey key_;
};

}  // namespace tidemark
