#include "bus/ask_again.h"

#include "bus/resend.h"

namespace tidemark::bus {
namespace {

constexpr Duration kBudget = std::chrono::seconds(1);  // the whole state is the other way

}  // namespace

void ask_again(Link& link, StreamId stream, const StreamReader::AskAgain& wanted,
               std::function<void(Result<std::vector<Frame>>)> on_frames) {
  // Only touched on the loop thread.
  const auto frames = std::make_shared<std::vector<Frame>>();
  link.request(stream.node, std::string(kResendMethod),
               pack_resend({stream.stream, wanted.incarnation, wanted.from, wanted.to}),
               {kBudget,
                [frames, stream](const Bytes& bytes) {
                  const auto view = decode_frame(bytes);
                  if (!view || view.value().header.stream != stream) return;
                  frames->push_back({view.value().header, Bytes(view.value().payload)});
                }},
               [frames, on_frames = std::move(on_frames)](const Answer& answer) {
                 if (!answer) return on_frames(answer.error());
                 on_frames(std::move(*frames));
               });
}

}  // namespace tidemark::bus
