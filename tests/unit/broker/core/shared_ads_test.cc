#include "broker/core/shared_ads.h"

#include <gtest/gtest.h>

#include <utility>

namespace farm {
namespace {

ServiceAd ad_of(const std::string& model, std::uint16_t index) {
    ServiceAd ad;
    ad.index = ServiceIndex{index};
    ad.model = model;
    ad.cost = {{1, 1000U * index}};
    ad.direct_url = "tcp://node" + std::to_string(index);
    return ad;
}

TEST(SharedAdsTest, WorkersThatSayTheSameShareIt) {
    SharedAds ads;
    const auto one = ads.share(ad_of("gnn", 1));
    const auto two = ads.share(ad_of("gnn", 2));  // its own index, cost and URL
    EXPECT_EQ(one, two);
    EXPECT_EQ(one->model, "gnn");
    EXPECT_EQ(ads.size(), 1U);
}

TEST(SharedAdsTest, AnyOtherDifferenceIsKept) {
    SharedAds ads;
    const auto one = ads.share(ad_of("gnn", 1));
    ServiceAd other = ad_of("gnn", 1);
    other.signature.inputs = {{"nodes", dtype::f32, {-1, 3}, false}};
    const auto two = ads.share(other);
    EXPECT_NE(one, two);
    EXPECT_EQ(two->signature, other.signature);
    EXPECT_TRUE(one->signature.inputs.empty());
}

TEST(SharedAdsTest, TheLastOneTakesTheTextWithIt) {
    SharedAds ads;
    auto one = ads.share(ad_of("gnn", 1));
    auto two = ads.share(ad_of("gnn", 2));
    ads.release(std::move(one));
    EXPECT_EQ(ads.size(), 1U);
    ads.release(std::move(two));
    EXPECT_EQ(ads.size(), 0U);
}

}  // namespace
}  // namespace farm
