#include "gateway/response.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tidemark::gateway {
namespace {

unsigned status_of(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return 400;
    case Code::kNotFound: return 404;
    case Code::kConflict:
    case Code::kRefused:
    case Code::kCancelled: return 409;
    case Code::kTimeout: return 504;
    case Code::kUnavailable: return 503;
    case Code::kCorruption:
    case Code::kFailed: return 500;
  }
  return 500;
}

void write_problems(JsonWriter& json, const Problems& problems) {
  json.begin_array();
  for (const auto& problem : problems) {
    json.begin_object();
    json.key("type").text(problem.type);
    json.key("loc").begin_array();
    for (const auto& step : problem.loc) {
      const bool index = !step.empty() && std::all_of(step.begin(), step.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; });
      index ? json.raw(step) : json.text(step);
    }
    json.end_array();
    json.key("msg").text(problem.message);
    json.key("input").raw(problem.input);
    json.end_object();
  }
  json.end_array();
}

void write_error_envelope(JsonWriter& json, unsigned status, std::string_view message) {
  json.key("errorCode").number(status);
  json.key("errorMessage").text(message);
  json.key("payload").null();
}

}  // namespace

void Frame::begin(JsonWriter& json) const {
  if (envelope) json.verbatim(R"({"errorCode":0,"errorMessage":null,"payload":)");
}

void Frame::end(JsonWriter& json) const {
  if (envelope) json.verbatim("}");
}

Response Frame::error(unsigned status, std::string_view detail) const {
  JsonWriter json;
  json.begin_object();
  envelope ? write_error_envelope(json, status, detail) : json.key("detail").text(detail);
  json.end_object();
  Response response;
  response.status = status;
  response.body = json.take();
  response.retry_after = status == 503;
  return response;
}

Response Frame::error(const Error& error) const {
  const auto status = status_of(error.code);
  if (status != 500) return this->error(status, error.message);
  spdlog::error("gateway: {}: {}", to_string(error.code), error.message);
  return this->error(status, "Internal Server Error");
}

Response Frame::invalid(const Problems& problems) const {
  JsonWriter json;
  json.begin_object();
  if (envelope) {
    std::string message;
    for (const auto& problem : problems) {
      if (!message.empty()) message += "; ";
      for (const auto& step : problem.loc)
        message += step + (&step == &problem.loc.back() ? ": " : ".");
      message += problem.message;
    }
    write_error_envelope(json, 422, message);
  }
  json.key("detail");
  write_problems(json, problems);
  json.end_object();
  Response response;
  response.status = 422;
  response.body = json.take();
  return response;
}

}  // namespace tidemark::gateway
