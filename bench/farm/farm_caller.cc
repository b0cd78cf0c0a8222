#include "bench/farm/farm_caller.h"

#include <cstring>
#include <deque>

#include "bench/load/closed_loop.h"
#include "bench/load/question.h"

namespace farm::bench {

Result<Sample> FarmCaller::run(const Load& load) {
    const std::string question = make_question(load.bytes);
    const Buffer bytes = place(question);
    const std::vector<Input> inputs{
        {"data", tensor<std::uint8_t>({static_cast<std::int64_t>(load.bytes)}, bytes)}};
    const CallOptions options{.max_result_bytes = options_.reads_only ? 64 : load.bytes};
    std::deque<Future<Inference>> open;
    InOrder slots(load.outstanding);
    bool is_checked = false;
    return closed_loop(
        load,
        [&](std::size_t) -> Result<void> {
            open.push_back(client_.infer(options_.model, inputs, options));
            return {};
        },
        [&]() -> Result<std::size_t> {
            const Inference answer = open.front().get();
            open.pop_front();
            if (!answer.ok()) {
                return fail(ErrorCode::internal,
                            std::string(to_string(answer.status)) + ": " + answer.detail);
            }
            if (!is_checked) {
                if (const auto same = check(answer, question); !same) {
                    return tl::unexpected(same.error());
                }
                is_checked = true;
            }
            return slots.next();
        });
}

Buffer FarmCaller::place(std::string_view question) {
    const Bytes bytes = std::as_bytes(std::span(question));
    if (!options_.placed) return Buffer::copy_of(bytes);
    MutableBuffer block = client_.allocate(bytes.size());
    std::memcpy(block.data(), bytes.data(), bytes.size());
    return std::move(block).freeze();
}

Result<void> FarmCaller::check(const Inference& answer, std::string_view question) const {
    if (answer.outputs.size() != 1) {
        return fail(ErrorCode::internal, "an answer has " + std::to_string(answer.outputs.size()) +
                                             " outputs (1 is right)");
    }
    const Bytes bytes = answer.outputs.front().data.bytes();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!options_.reads_only) return check_answer(question, text);
    const std::uint64_t sum = sum_of_words(question);
    return check_answer({reinterpret_cast<const char*>(&sum), sizeof(sum)}, text);
}

}  // namespace farm::bench
