#include "bench/load/question.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace farm::bench {

std::string make_question(std::size_t bytes) {
    std::string question(bytes, '\0');
    std::uint32_t state = 1;
    for (char& byte : question) {
        state = state * 1664525U + 1013904223U;  // Numerical Recipes, 7.1
        byte = static_cast<char>(state >> 24);
    }
    return question;
}

Result<void> check_answer(std::string_view question, std::string_view answer) {
    if (question == answer) return {};
    if (question.size() != answer.size()) {
        return fail(ErrorCode::internal, "the answer has " + std::to_string(answer.size()) +
                                             " bytes (the question " +
                                             std::to_string(question.size()) + ")");
    }
    const auto differs = std::mismatch(question.begin(), question.end(), answer.begin()).first;
    return fail(ErrorCode::internal, "the answer differs from the question at byte " +
                                         std::to_string(differs - question.begin()));
}

std::uint64_t sum_of_words(std::string_view question) {
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < question.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, question.data() + at, std::min(sizeof(word), question.size() - at));
        sum += word;
    }
    return sum;
}

}  // namespace farm::bench
