#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/core/error.h"

namespace farm::bench {

/// Bytes that do not repeat soon, the same for the same length.
std::string make_question(std::size_t bytes);

/// Error (internal) says where they differ. For one answer of each measurement: comparing all would
/// be a part of what is measured.
Result<void> check_answer(std::string_view question, std::string_view answer);

/// What a model that only reads answers: the sum of the question's bytes as little-endian 64-bit
/// words, the last padded with zeros, modulo 2^64 ("sum" of the reference backend).
std::uint64_t sum_of_words(std::string_view question);

}  // namespace farm::bench
