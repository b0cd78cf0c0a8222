#include "bench/interference/stream.h"

#include "bench/load/question.h"

namespace farm::bench {
namespace {

Inputs inputs_of(std::size_t bytes) {
    const std::string question = make_question(bytes);
    return {{"data", tensor<std::uint8_t>({static_cast<std::int64_t>(bytes)},
                                          Buffer::copy_of(std::as_bytes(std::span(question))))}};
}

}  // namespace

Stream::Stream(Client& client, std::string model, std::size_t bytes, Duration period)
    : client_(client),
      model_(std::move(model)),
      inputs_(inputs_of(bytes)),
      period_(period),
      thread_([this] { run(); }) {}

Result<std::uint64_t> Stream::stop() {
    ends_ = true;
    if (thread_.joinable()) thread_.join();
    if (!problem_.empty()) return fail(ErrorCode::io, "the stream: " + problem_);
    return calls_;
}

void Stream::run() {
    TimePoint due = steady_now();
    while (!ends_) {
        const Inference answer = client_.infer(model_, inputs_, {.max_result_bytes = 64}).get();
        if (!answer.ok()) {
            problem_ = std::string(to_string(answer.status)) + ": " + answer.detail;
            return;
        }
        ++calls_;
        due = std::max(due + period_, steady_now());
        constexpr auto slice = std::chrono::milliseconds(5);  // so that stop() is quick
        while (!ends_ && steady_now() < due) {
            std::this_thread::sleep_for(std::min<Duration>(slice, due - steady_now()));
        }
    }
}

}  // namespace farm::bench
