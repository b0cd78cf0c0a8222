#include "broker/core/shared_ads.h"

#include <cstring>
#include <functional>
#include <utility>

namespace farm {

/// Name, version and content tell most apart; Equal looks at the rest.
std::size_t SharedAds::Hash::operator()(const Shared& ad) const {
    std::size_t content = 0;
    std::memcpy(&content, ad->hash.bytes.data(), sizeof(content));
    const std::size_t device = std::hash<std::string>{}(ad->device_name);
    return (std::hash<std::string>{}(ad->model) + ad->version) * 31 + content + 7 * device;
}

SharedAds::Shared SharedAds::share(ServiceAd ad) {
    ad.index = ServiceIndex{};
    ad.cost.clear();
    ad.cost.shrink_to_fit();
    ad.direct_url.clear();
    ad.direct_url.shrink_to_fit();
    return *ads_.insert(std::make_shared<const ServiceAd>(std::move(ad))).first;
}

void SharedAds::release(Shared ad) {
    constexpr long ours_and_the_callers = 2;
    if (ad.use_count() == ours_and_the_callers) ads_.erase(ad);
}

}  // namespace farm
