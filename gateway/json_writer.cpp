#include "gateway/json_writer.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "gateway/utf8.h"

namespace tidemark::gateway {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

template <class Number>
void append_floating(std::string& out, Number value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  const std::string_view text(digits, static_cast<std::size_t>(end - digits));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

template <std::size_t kDigits>
char* put_digits(char* at, unsigned value) {
  for (std::size_t i = kDigits; i > 0; --i) {
    at[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return at + kDigits;
}

}  // namespace

std::string_view special_name(double number) {
  if (std::isfinite(number)) return {};
  if (std::isnan(number)) return "NaN";
  return number > 0 ? "Infinity" : "-Infinity";
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  out_ += '"';
  out_ += name;
  out_ += "\":";
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::key_text(std::string_view name) {
  separate();
  quote(name);
  out_ += ':';
  comma_ = false;
  return *this;
}

void JsonWriter::text(std::string_view bytes) {
  separate();
  quote(bytes);
}

void JsonWriter::number(double value) {
  separate();
  append_floating(out_, value);
}

void JsonWriter::number(float value) {
  separate();
  append_floating(out_, value);
}

void JsonWriter::integer(std::int64_t value) {
  separate();
  char digits[24];
  out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void JsonWriter::uuid(const Uuid& id) {
  separate();
  char text[38];
  char* at = text;
  *at++ = '"';
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    *at++ = kHex[id.bytes[i] >> 4];
    *at++ = kHex[id.bytes[i] & 15];
  }
  *at++ = '"';
  out_.append(text, at);
}

void JsonWriter::iso(UtcTime time) {
  // By hand, for it stands twice in each PV of a snapshot; to_iso() makes a string each time.
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const int year = static_cast<int>(date.year());
  if (year < 0 || year > 9999) return text(to_iso(time, 6));
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::microseconds>(time - day));

  separate();
  char text[32];
  char* at = text;
  *at++ = '"';
  at = put_digits<4>(at, static_cast<unsigned>(year));
  *at++ = '-';
  at = put_digits<2>(at, static_cast<unsigned>(date.month()));
  *at++ = '-';
  at = put_digits<2>(at, static_cast<unsigned>(date.day()));
  *at++ = 'T';
  at = put_digits<2>(at, static_cast<unsigned>(clock.hours().count()));
  *at++ = ':';
  at = put_digits<2>(at, static_cast<unsigned>(clock.minutes().count()));
  *at++ = ':';
  at = put_digits<2>(at, static_cast<unsigned>(clock.seconds().count()));
  *at++ = '.';
  at = put_digits<6>(at, static_cast<unsigned>(clock.subseconds().count()));
  *at++ = 'Z';
  *at++ = '"';
  out_.append(text, at);
}

void JsonWriter::seconds(UtcTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  if (whole.time_since_epoch().count() < 0) {  // An IOC's clock may say anything.
    return number(std::chrono::duration<double>(time.time_since_epoch()).count());
  }
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time - whole).count();
  integer(whole.time_since_epoch().count());
  char fraction[7];
  fraction[0] = '.';
  out_.append(fraction, put_digits<6>(fraction + 1, static_cast<unsigned>(micros)));
}

void JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
}

std::string JsonWriter::take() { return std::exchange(out_, {}); }

void JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
}

void JsonWriter::close(char bracket) {
  out_ += bracket;
  comma_ = true;
}

void JsonWriter::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

void JsonWriter::quote(std::string_view bytes) {
  out_ += '"';
  std::size_t plain = 0;  // from here to `at` nothing needs escaping
  for (std::size_t at = 0; at < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    const auto size = byte < 0x80 ? 1 : utf8_size_at(bytes, at);
    if (size > 0 && byte >= 0x20 && byte != '"' && byte != '\\') {
      at += size;
      continue;
    }
    out_.append(bytes, plain, at - plain);
    if (size == 0) {
      out_ += "\xef\xbf\xbd";
    } else if (byte < 0x20) {
      out_ += "\\u00";
      out_ += kHex[byte >> 4];
      out_ += kHex[byte & 15];
    } else {
      out_ += '\\';
      out_ += static_cast<char>(byte);
    }
    plain = ++at;
  }
  out_.append(bytes, plain);
  out_ += '"';
}

}  // namespace tidemark::gateway
