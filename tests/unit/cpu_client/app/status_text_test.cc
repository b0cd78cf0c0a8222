#include "cpu_client/app/status_text.h"

#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cpu_client/app/farm_ready.h"
#include "cpu_client/app/models_text.h"
#include "cpu_client/app/table.h"

namespace farm {
namespace {

StatusView busy_farm() {
    StatusView view{"tcp://a-rather-long-host-name.physics.example.org:5600", {}};
    view.report.broker.name = "a-rather-long-host-name.physics.example.org/1234567";
    view.report.broker.uptime_ms = 86'400'000;
    view.report.broker.accepted_count = 123'456'789;
    view.report.broker.answered_ok_count = 123'456'789;
    WorkerStatus worker;
    worker.name = "worker-node-0042.physics.example.org/4711";
    worker.device_name = "NVIDIA A100-SXM4-80GB";
    worker.state = "ready";
    worker.outstanding_count = 2048;
    worker.done_count = 10'000'000;
    worker.heard_ms_ago = 250;
    view.report.workers.push_back(worker);
    ServiceStatus service{
        "particlenet_AK4_PT/12", worker.name, "pytorch", "", 1024, 900, 10, 12'345, false, {}};
    for (std::uint32_t rows = 1; rows <= 1 << 15; rows *= 2) {
        service.cost.push_back({rows, 1'000'000 + 1'000ULL * rows});
    }
    view.report.services.push_back(service);
    service.failure = "config.pbtxt line 7: no such field 'maxbatch'";
    service.name = "broken/1";
    view.report.services.push_back(service);
    view.report.queues.push_back({"particlenet_AK4_PT", 65536, 2ULL << 30, 4000});
    return view;
}

std::size_t widest_table_line(const std::string& text) {
    std::istringstream stream(text);
    std::size_t widest = 0;
    for (std::string line; std::getline(stream, line);) {
        if (line.find("did not load") == std::string::npos) {
            widest = std::max(widest, display_width(line));
        }
    }
    return widest;
}

TEST(StatusTextTest, TablesFitEightyColumns) {
    const auto text = status_text(busy_farm(), nullptr);
    EXPECT_LE(widest_table_line(text), terminal_columns) << text;
    EXPECT_NE(text.find("10000000"), std::string::npos) << "numbers are never cut";
}

TEST(StatusTextTest, ACurveShowsItsKneeAndBars) {
    StatusView view = busy_farm();
    view.report.workers[0].name = view.report.services[0].worker = "w";
    view.report.services[0].cost = {
        {1, 1'000'000}, {4, 2'000'000}, {8, 2'000'000}, {16, 8'000'000}};
    const auto text = status_text(view, nullptr);
    EXPECT_NE(text.find("1-16  ▂▄█▄"), std::string::npos) << text;
    EXPECT_NE(text.find("   8    4000  2.00 ms"), std::string::npos) << text;
    const auto json = nlohmann::json::parse(status_json(view));
    EXPECT_EQ(json["services"][0]["knee_rows"], 8);
    EXPECT_EQ(json["services"][0]["curve"][3]["run_ns"], 8'000'000);
}

TEST(StatusTextTest, DevicesAreShownWhereTheDriverTellsTheirUse) {
    StatusView view = busy_farm();
    EXPECT_EQ(status_text(view, nullptr).find("MEMORY"), std::string::npos);
    WorkerStatus slice = view.report.workers[0];
    view.report.workers[0].device = {80ULL << 30, 20ULL << 30, 73};
    slice.device = {10ULL << 30, 1ULL << 30};
    view.report.workers.push_back(slice);
    view.report.workers.push_back(busy_farm().report.workers[0]);
    const auto text = status_text(view, nullptr);
    EXPECT_LE(widest_table_line(text), terminal_columns) << text;
    EXPECT_NE(text.find("80.0 GiB  20.0 GiB  73 %"), std::string::npos) << text;
    const auto workers = nlohmann::json::parse(status_json(view))["workers"];
    EXPECT_EQ(workers[0]["device_memory_used_bytes"], 20ULL << 30);
    EXPECT_EQ(workers[0]["device_busy_percent"], 73);
    EXPECT_EQ(workers[1]["device_memory_bytes"], 10ULL << 30);
    EXPECT_TRUE(workers[1]["device_busy_percent"].is_null());
    EXPECT_FALSE(workers[2].contains("device_memory_bytes"));
}

TEST(StatusTextTest, FailuresAreToldInFull) {
    const auto text = status_text(busy_farm(), nullptr);
    EXPECT_NE(text.find("broken/1 on worker-node-0042.physics.example.org/4711 did not load: "
                        "config.pbtxt line 7: no such field 'maxbatch'"),
              std::string::npos)
        << text;
}

TEST(StatusTextTest, EmptyFarmSaysWhatToDo) {
    EXPECT_NE(status_text({"tcp://a:1", {}}, nullptr).find("farm-worker --broker"),
              std::string::npos);
}

TEST(StatusTextTest, RatesComeFromTwoReports) {
    StatusReport before = busy_farm().report, now = before;
    now.workers[0].done_count += 30;
    now.workers.push_back(now.workers[0]);
    now.workers[1].name = "new";
    const auto rates = done_rates(before, now, 2);
    EXPECT_DOUBLE_EQ(rates.calls_per_s.at(before.workers[0].name), 15);
    EXPECT_FALSE(rates.calls_per_s.contains("new"));
    now.workers[0].done_count = 1;  // the worker was restarted under its name
    EXPECT_TRUE(done_rates(before, now, 2).calls_per_s.empty());
}

TEST(StatusTextTest, JsonHasEverything) {
    const auto json = nlohmann::json::parse(status_json(busy_farm()));
    EXPECT_EQ(json["broker"]["accepted"], 123'456'789);
    EXPECT_EQ(json["workers"][0]["outstanding"], 2048);
    EXPECT_EQ(json["services"][1]["failure"], "config.pbtxt line 7: no such field 'maxbatch'");
    EXPECT_EQ(json["queues"][0]["queued"], 65536);
}

TEST(StatusTextTest, BrokenUtf8FromOutsideStillGivesJson) {
    auto view = busy_farm();
    view.report.workers[0].name = "w\xff";
    EXPECT_TRUE(nlohmann::json::accept(status_json(view)));
}

TEST(FarmReadyTest, AWorkerServesWhenReadyAndLoaded) {
    StatusReport report = busy_farm().report;
    const std::string name = report.workers[0].name;
    EXPECT_TRUE(serves(report, name, "particlenet_AK4_PT"));
    EXPECT_FALSE(serves(report, name, "particlenet"));
    EXPECT_FALSE(serves(report, name, "broken"));
    EXPECT_NE(load_failure(report, name, "broken"), "");
    EXPECT_EQ(load_failure(report, name, "gnn"), "");
    EXPECT_TRUE(has_settled(report, 1));
    EXPECT_FALSE(has_settled(report, 2));
    report.workers[0].state = "draining";
    EXPECT_FALSE(serves(report, name, "particlenet_AK4_PT"));
    EXPECT_FALSE(has_settled(report, 1));
}

TEST(ModelsTextTest, ShowsSignatures) {
    CatalogEntry entry;
    entry.worker_count = 2;
    entry.service.model = "gnn";
    entry.service.version = 3;
    entry.service.backend = "pytorch";
    entry.service.signature.inputs = {{"nodes", dtype::f32, {-1, 3}, false}};
    entry.service.signature.outputs = {{"scores", dtype::f32, {-1}, false}};
    EXPECT_EQ(models_text({entry}),
              "gnn/3 (latest)  pytorch on cpu, batch none, 2 workers\n"
              "   in   nodes   float32  [?, 3]\n"
              "   out  scores  float32  [?]\n");
    const auto json = nlohmann::json::parse(models_json({entry}));
    EXPECT_EQ(json[0]["inputs"][0]["dims"], (std::vector<int>{-1, 3}));
    EXPECT_EQ(json[0]["hash"].get<std::string>().size(), 64U);
}

}  // namespace
}  // namespace farm
