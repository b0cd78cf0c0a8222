#include "common/wire/text.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(Utf8Test, AcceptsEveryLength) { EXPECT_TRUE(is_utf8("a\u00e9\u20ac\U0001f600")); }

TEST(Utf8Test, RefusesWhatRfc3629Excludes) {
    for (const char* text : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80",
                             "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
                             "\xe2\x82", "\xe2\x28\xa1", "\xf0\x9f\x98", "abc\xc3"}) {
        EXPECT_FALSE(is_utf8(text)) << text;
    }
}

TEST(NameTest, RefusesControlCharacters) {
    EXPECT_TRUE(is_name("node7:42 \u00e9"));
    EXPECT_FALSE(is_name("a\nb"));
    EXPECT_FALSE(is_name(std::string_view("a\0b", 3)));
    EXPECT_FALSE(is_name("a\x7f"));
    EXPECT_FALSE(is_name("\x1b[31m"));
}

TEST(CleanTextTest, CutsBetweenCharacters) {
    EXPECT_EQ(clean_text("ab\u20ac", 4), "ab");
    EXPECT_EQ(clean_text("ab\u20ac", 5), "ab\u20ac");
}

TEST(CleanTextTest, ReplacesForeignBytes) {
    EXPECT_EQ(clean_text("a\xff\xe2\x82z", 10), "a???z");
    EXPECT_EQ(clean_name("a\tb\xff", 10), "a?b?");
    EXPECT_EQ(clean_text("a\tb", 10), "a\tb");
}

TEST(InQuotesTest, IsShortAndPrintable) {
    EXPECT_EQ(in_quotes("a\nb"), "'a?b'");
    EXPECT_EQ(in_quotes(std::string(1'000'000, 'x')).size(), 40U + 2 + 3);
}

}  // namespace
}  // namespace farm
