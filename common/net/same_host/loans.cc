#include "common/net/same_host/loans.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "schemas/limits.h"

namespace farm {
namespace {

bool is_inside(std::uint64_t offset, std::uint64_t size, std::uint64_t whole) {
    return offset <= whole && size <= whole - offset;
}

}  // namespace

// ---- lent -------------------------------------------------------------------------------------

std::uint64_t Loans::add(Buffer lent) {
    lent_.emplace(++last_, std::move(lent));
    return last_;
}

Result<void> Loans::end(std::uint64_t loan) {
    if (lent_.erase(loan) == 1) return {};
    return refuse_packet("gives back loan " + std::to_string(loan) + " (which is not out)");
}

Result<Buffer> Loans::part(const PacketFrame& frame) const {
    const auto found = lent_.find(frame.loan);
    if (found == lent_.end()) {
        return refuse_packet("names loan " + std::to_string(frame.loan) + " (which is not out)");
    }
    if (!is_inside(frame.offset, frame.size_bytes, found->second.size())) {
        return refuse_packet("names " + std::to_string(frame.size_bytes) + " bytes at " +
                             std::to_string(frame.offset) + " of loan " +
                             std::to_string(frame.loan) + " (it has " +
                             std::to_string(found->second.size()) + ")");
    }
    return found->second.slice(frame.offset, frame.size_bytes);
}

// ---- borrowed ---------------------------------------------------------------------------------

bool Borrowings::Ended::try_hold(std::size_t size, std::uint64_t limit) {
    std::lock_guard lock(mutex);
    if (held_bytes >= limit) return false;
    held_bytes += size;
    return true;
}

void Borrowings::Ended::add(const View& view) {
    std::lock_guard lock(mutex);
    views.push_back(view);
    if (view.data != nullptr) held_bytes -= view.size;
}

/// The deleter of a view.
struct Borrowings::EndView {
    std::shared_ptr<PeerRegion> region;
    std::shared_ptr<Ended> ended;
    View view;

    void operator()(const std::byte*) const { ended->add(view); }
};

Result<void> Borrowings::add_region(const RegionPacket& region, UniqueFd fd) {
    if (regions_.contains(region.region)) {
        return refuse_packet("announces region " + std::to_string(region.region) + " twice");
    }
    const bool has_room = regions_.size() < limits::region_count &&
                          region.size_bytes <= limits::shared_memory_bytes - region_bytes_;
    if (!has_room) {
        return refuse_packet("announces more than " + std::to_string(limits::region_count) +
                             " regions or " + std::to_string(limits::shared_memory_bytes) +
                             " bytes");
    }
    auto memory = PeerRegion::map(std::move(fd), region.size_bytes);
    if (!memory) return tl::unexpected(std::move(memory).error());
    region_bytes_ += region.size_bytes;
    regions_.emplace(region.region, std::move(*memory));
    return {};
}

Result<void> Borrowings::drop_region(std::uint32_t region) {
    const auto found = regions_.find(region);
    if (found == regions_.end()) {
        return refuse_packet("takes back region " + std::to_string(region) +
                             " (which is not known)");
    }
    region_bytes_ -= found->second->size();
    regions_.erase(found);
    return {};
}

Result<Bytes> Borrowings::bytes_of(const PacketFrame& frame) const {
    const auto found = regions_.find(frame.region);
    if (found == regions_.end()) {
        return refuse_packet("names region " + std::to_string(frame.region) +
                             " (which is not known)");
    }
    const PeerRegion& region = *found->second;
    if (!is_inside(frame.offset, frame.size_bytes, region.size())) {
        return refuse_packet("names " + std::to_string(frame.size_bytes) + " bytes at " +
                             std::to_string(frame.offset) + " of region " +
                             std::to_string(frame.region) + " (it has " +
                             std::to_string(region.size()) + ")");
    }
    return Bytes(region.data() + frame.offset, frame.size_bytes);
}

Result<Buffer> Borrowings::view(const PacketFrame& frame) {
    const auto bytes = bytes_of(frame);
    if (!bytes) return tl::unexpected(bytes.error());
    if (!ended_->try_hold(bytes->size(), held_bytes_limit_)) return copied(*bytes, frame.loan);
    const View view{bytes->data(), bytes->size(), frame.loan};
    views_.emplace(view.data, view);
    std::shared_ptr<const std::byte> data(view.data,
                                          EndView{regions_.at(frame.region), ended_, view});
    return Buffer(std::move(data), view.size);
}

Result<Buffer> Borrowings::copy(const PacketFrame& frame) {
    const auto bytes = bytes_of(frame);
    if (!bytes) return tl::unexpected(bytes.error());
    return copied(*bytes, frame.loan);
}

/// The loan goes back when its bytes are copied.
Buffer Borrowings::copied(Bytes bytes, std::uint64_t loan) {
    Buffer copy = Buffer::copy_of(bytes);
    ended_->add({nullptr, 0, loan});
    return copy;
}

/// A view that has ended is good, too, until take_returns() has told of it: the peer still has the
/// loan on its books.
std::optional<PacketFrame> Borrowings::find(Bytes bytes) const {
    const auto after = views_.upper_bound(bytes.data());
    if (after == views_.begin()) return std::nullopt;
    const View& view = std::prev(after)->second;
    const auto offset = static_cast<std::uint64_t>(bytes.data() - view.data);
    if (!is_inside(offset, bytes.size(), view.size)) return std::nullopt;
    PacketFrame frame;
    frame.place = PacketFrame::Place::own;
    frame.loan = view.loan;
    frame.offset = offset;
    frame.size_bytes = bytes.size();
    return frame;
}

bool Borrowings::has_returns() const {
    std::lock_guard lock(ended_->mutex);
    return !ended_->views.empty();
}

std::vector<std::uint64_t> Borrowings::take_returns(std::size_t most) {
    std::vector<View> ended;
    {
        std::lock_guard lock(ended_->mutex);
        const std::size_t count = std::min(most, ended_->views.size());
        const auto first = ended_->views.end() - static_cast<std::ptrdiff_t>(count);
        ended.assign(first, ended_->views.end());
        ended_->views.erase(first, ended_->views.end());
    }
    std::vector<std::uint64_t> loans;
    loans.reserve(ended.size());
    for (const View& view : ended) {
        loans.push_back(view.loan);
        const auto [begin, end] = views_.equal_range(view.data);
        const auto found = std::find_if(
            begin, end, [&](const auto& entry) { return entry.second.loan == view.loan; });
        if (found != end) views_.erase(found);
    }
    return loans;
}

}  // namespace farm
