// gateway/json_writer.h
//
// JSON text, written front to back into one string: no tree in between, so forty thousand PVs
// cost their bytes and nothing else.
//
// What JSON has no word for: NaN and infinities become null (special_name() says which it was),
// and bytes that are no UTF-8 become U+FFFD. So every answer parses.

#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "base/time.h"
#include "base/uuid.h"

namespace tidemark::gateway {

/// "NaN", "Infinity" or "-Infinity"; empty for a finite number.
std::string_view special_name(double number);

class JsonWriter {
 public:
  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }

  /// A name of our own: plain letters that need no escape.
  JsonWriter& key(std::string_view name);
  /// A name from outside.
  JsonWriter& key_text(std::string_view name);

  void text(std::string_view bytes);
  void text_or_null(std::string_view bytes) { bytes.empty() ? null() : text(bytes); }
  /// Shortest digits that read back as the same number; with a point, so that typed clients see
  /// a floating-point number.
  void number(double value);
  void number(float value);
  template <std::integral T>
  void number(T value) {
    integer(static_cast<std::int64_t>(value));
  }
  void boolean(bool value) { raw(value ? "true" : "false"); }
  void null() { raw("null"); }
  void uuid(const Uuid& id);
  void iso(UtcTime time);  // "2026-11-21T14:05:00.123456Z"
  /// Null for the epoch: it means "not yet".
  void iso_or_null(UtcTime time) { time == UtcTime{} ? null() : iso(time); }
  void seconds(UtcTime time);  // 1795269900.123456
  /// One whole JSON value that is text already.
  void raw(std::string_view json);

  std::size_t size() const { return out_.size(); }
  void reserve(std::size_t bytes) { out_.reserve(bytes); }
  /// What was written since the last take(); writing may go on.
  std::string take();
  /// Punctuation of the caller's own: nothing is put before it.
  void verbatim(std::string_view json) { out_ += json; }

 private:
  void open(char bracket);
  void close(char bracket);
  void separate();
  void quote(std::string_view bytes);
  void integer(std::int64_t value);

  std::string out_;
  bool comma_ = false;  // a value stands before: the next one needs a comma
};

}  // namespace tidemark::gateway
