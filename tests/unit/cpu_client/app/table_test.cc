#include "cpu_client/app/table.h"

#include <sstream>

#include <gtest/gtest.h>

#include "cpu_client/app/quantity_text.h"

namespace farm {
namespace {

std::size_t widest_line(const std::string& text) {
    std::istringstream stream(text);
    std::size_t widest = 0;
    for (std::string line; std::getline(stream, line);) {
        widest = std::max(widest, display_width(line));
    }
    return widest;
}

TEST(TableTest, AlignsTextLeftAndNumbersRight) {
    Table table({{"NAME"}, {"COUNT", Table::Kind::number}});
    table.add({"a", "1"});
    table.add({"longer", "12345678"});
    EXPECT_EQ(table.text(), "NAME       COUNT\na              1\nlonger  12345678\n");
}

TEST(TableTest, CutsTheWidestTextAndNeverNumbers) {
    Table table({{"A"}, {"B"}, {"N", Table::Kind::number}});
    table.add({"0123456789", "abc", "1234567"});
    EXPECT_EQ(table.text(20), "A       B          N\n01234~  abc  1234567\n");
}

TEST(TableTest, LongNamesStayWithinTheTerminal) {
    Table table({{"A"}, {"B"}, {"N", Table::Kind::number}});
    table.add({std::string(200, 'x'), std::string(90, 'y'), "1"});
    EXPECT_EQ(widest_line(table.text()), terminal_columns);
}

TEST(TableTest, CountsCharactersAndNotBytes) {
    EXPECT_EQ(display_width("Käse"), 4U);
    Table table({{"A"}, {"B"}});
    table.add({"äöüäöüäöü", "b"});
    EXPECT_EQ(table.text(8), "A      B\näöüä~  b\n");
}

TEST(TableTest, MissingCellsAreEmptyAndNothingTrails) {
    Table table({{"A"}, {"B"}});
    table.add({"x"});
    EXPECT_EQ(table.text(), "A  B\nx\n");
}

TEST(TableTest, ControlBytesFromOutsideDoNotReachTheTerminal) {
    Table table({{"A"}});
    table.add({"a\x1b[2Jb\n"});
    EXPECT_EQ(table.text(), "A\na?[2Jb?\n");
}

TEST(QuantityTextTest, PicksTheUnit) {
    EXPECT_EQ(duration_text(0), "0 ns");
    EXPECT_EQ(duration_text(1500), "1.50 us");
    EXPECT_EQ(duration_text(999'400), "999 us");
    EXPECT_EQ(duration_text(42'000'000), "42.0 ms");
    EXPECT_EQ(duration_text(1'000'000'000), "1.00 s");
    EXPECT_EQ(duration_text(7'200'000'000'000), "120 min");
    EXPECT_EQ(bytes_text(1023), "1023 B");
    EXPECT_EQ(bytes_text(1536), "1.50 KiB");
    EXPECT_EQ(bytes_text(64ULL << 20), "64.0 MiB");
    EXPECT_EQ(bytes_text((1ULL << 20) - 1), "1.00 MiB");
    EXPECT_EQ(rate_text(0.5), "0.50");
    EXPECT_EQ(rate_text(123456.7), "123457");
    EXPECT_EQ(rate_text(12345678), "1.23e+07");
}

}  // namespace
}  // namespace farm
