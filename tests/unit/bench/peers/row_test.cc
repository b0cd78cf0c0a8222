#include "bench/peers/row.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace farm::bench {
namespace {

Row row(const std::string& path, std::vector<double> calls_per_s) {
    Row made{path, {1024, 8}, {}};
    for (const double rate : calls_per_s)
        made.samples.push_back({10, rate, 1e6 / rate, 2e6 / rate});
    return made;
}

TEST(RowTest, FindsTheSameLoadOnly) {
    const std::vector<Row> rows{row("zmq", {1}), row("empty", {})};
    EXPECT_EQ(find_row(rows, "zmq", 1024, 8), &rows[0]);
    EXPECT_EQ(find_row(rows, "zmq", 1024, 1), nullptr);
    EXPECT_EQ(find_row(rows, "zmq", 2048, 8), nullptr);
    EXPECT_EQ(find_row(rows, "empty", 1024, 8), nullptr);
}

TEST(RowTest, TableHasRatiosToThePeersOfTheSameLoad) {
    const std::string table = row_table({row("zmq_proxy", {100, 200}), row("routed", {150, 300})});
    const auto line = table.substr(table.find("routed"));
    EXPECT_NE(line.find("1.50   0.67"), std::string::npos) << line;
}

TEST(RowTest, JsonIsAListOfMedians) {
    const auto list = nlohmann::json::parse(row_json({row("routed", {100, 300, 200})}));
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0]["path"], "routed");
    EXPECT_EQ(list[0]["bytes"], 1024);
    EXPECT_EQ(list[0]["outstanding"], 8);
    EXPECT_EQ(list[0]["calls_per_s"], 200);
    EXPECT_EQ(list[0]["p50_us"], 5000);
    EXPECT_EQ(list[0]["p99_us"], 10000);
    EXPECT_EQ(list[0]["spread"], 1);
    EXPECT_EQ(list[0]["repeats"], 3);
    EXPECT_NEAR(list[0]["mb_per_s"].get<double>(), 0.2048, 1e-9);
}

TEST(RowTest, SizesReadAsPeopleSayThem) {
    EXPECT_EQ(bytes_text(1000), "1000 B");
    EXPECT_EQ(bytes_text(1024), "1 KB");
    EXPECT_EQ(bytes_text(65536), "64 KB");
    EXPECT_EQ(bytes_text(100 << 20), "100 MB");
}

}  // namespace
}  // namespace farm::bench
