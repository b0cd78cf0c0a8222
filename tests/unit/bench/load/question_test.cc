#include "bench/load/question.h"

#include <gtest/gtest.h>

#include <set>

namespace farm::bench {
namespace {

TEST(QuestionTest, SameLengthSameBytesAndTheyVary) {
    const std::string question = make_question(1000);
    EXPECT_EQ(question, make_question(1000));
    EXPECT_GT(std::set<char>(question.begin(), question.end()).size(), 200U);
}

TEST(QuestionTest, DifferencesAreNamed) {
    const std::string question = make_question(100);
    EXPECT_TRUE(check_answer(question, question));
    std::string answer = question;
    answer[42] = static_cast<char>(answer[42] + 1);
    EXPECT_NE(check_answer(question, answer).error().message.find("byte 42"), std::string::npos);
    EXPECT_NE(check_answer(question, "short").error().message.find("5 bytes"), std::string::npos);
}

TEST(QuestionTest, SumIsOfWordsAndOfTheRest) {
    const std::string two_words("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 16);
    EXPECT_EQ(sum_of_words(two_words), 3U);
    EXPECT_EQ(sum_of_words(two_words + std::string("\0\1", 2)), 3U + 256);
    EXPECT_EQ(sum_of_words(std::string(8, '\xff') + std::string("\2", 1)), 1U);  // modulo 2^64
}

}  // namespace
}  // namespace farm::bench
