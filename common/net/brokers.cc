#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
#include <tuple>

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

#include "common/net/url.h"
#include "schemas/limits.h"

namespace farm {
namespace {

constexpr std::size_t broker_file_bytes = 64 * 1024;

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

struct SrvRecord {
    std::uint16_t priority{0};
    std::uint16_t weight{0};
    std::uint16_t port{0};
    std::string host;
};

/// RFC 2782: priority, weight, port as 16-bit numbers, then the target's name.
std::optional<SrvRecord> parse_srv(const ns_msg& message, const ns_rr& record) {
    constexpr int fixed_bytes = 6;
    if (ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) <= fixed_bytes) return std::nullopt;
    const unsigned char* data = ns_rr_rdata(record);
    char host[NS_MAXDNAME];
    if (dn_expand(ns_msg_base(message), ns_msg_end(message), data + fixed_bytes, host,
                  sizeof(host)) < 0) {
        return std::nullopt;
    }
    return SrvRecord{static_cast<std::uint16_t>(ns_get16(data)),
                     static_cast<std::uint16_t>(ns_get16(data + 2)),
                     static_cast<std::uint16_t>(ns_get16(data + 4)), host};
}

Result<std::vector<SrvRecord>> query_srv(const std::string& name) {
    unsigned char answer[NS_MAXMSG];
    const int size = res_query(name.c_str(), ns_c_in, ns_t_srv, answer, sizeof(answer));
    ns_msg message;
    if (size < 0 || ns_initparse(answer, std::min<int>(size, sizeof(answer)), &message) != 0) {
        return fail(ErrorCode::not_found, "DNS has no SRV record '" + name + "' (" +
                                              hstrerror(h_errno) +
                                              "): check the name, or give tcp://host:port");
    }
    std::vector<SrvRecord> records;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
        ns_rr record;
        if (ns_parserr(&message, ns_s_an, i, &record) != 0) break;
        if (auto parsed = parse_srv(message, record)) records.push_back(std::move(*parsed));
    }
    std::sort(records.begin(), records.end(), [](const SrvRecord& a, const SrvRecord& b) {
        return std::tuple(a.priority, -int{a.weight}, a.host) <
               std::tuple(b.priority, -int{b.weight}, b.host);
    });
    return records;
}

class BrokerList {
  public:
    Result<void> add_list(std::string_view list, const std::string& where, bool files_allowed) {
        while (true) {
            const auto comma = list.find(',');
            const std::string_view item = trim(list.substr(0, comma));
            if (!item.empty()) {
                if (auto added = add(item, where, files_allowed); !added) return added;
            }
            if (comma == std::string_view::npos) return {};
            list.remove_prefix(comma + 1);
        }
    }

    std::vector<std::string> take() && { return std::move(urls_); }

  private:
    Result<void> add(std::string_view item, const std::string& where, bool files_allowed) {
        constexpr std::string_view srv = "srv://";
        if (files_allowed && item.starts_with('@')) return add_file(std::string(item.substr(1)));
        if (item.starts_with(srv)) return add_srv(std::string(item.substr(srv.size())));
        return add_url(item, where);
    }

    Result<void> add_url(std::string_view text, const std::string& where) {
        auto url = parse_url(text);
        if (!url) return fail(url.error().code, where + url.error().message);
        const std::string known = url->text();
        if (std::find(urls_.begin(), urls_.end(), known) != urls_.end()) return {};
        if (urls_.size() >= limits::broker_count) {
            return fail(ErrorCode::too_large, where + "more than " +
                                                  std::to_string(limits::broker_count) +
                                                  " brokers given (limit): leave some out");
        }
        urls_.push_back(known);
        return {};
    }

    Result<void> add_file(const std::string& path) {
        std::ifstream file(path);
        if (!file) {
            return fail(
                ErrorCode::not_found,
                "cannot read the broker list '" + path +
                    "' (no such file, or no permission): give @FILE with one address per line");
        }
        std::string line;
        std::size_t seen_bytes = 0;
        for (int number = 1; std::getline(file, line); ++number) {
            seen_bytes += line.size();
            if (seen_bytes > broker_file_bytes) {
                return fail(ErrorCode::too_large,
                            "broker list '" + path +
                                "' is larger than 64 KiB (limit): is it the right file?");
            }
            const std::string_view text = trim(std::string_view(line).substr(0, line.find('#')));
            const std::string where = path + " line " + std::to_string(number) + ": ";
            if (auto added = add_list(text, where, false); !added) return added;
        }
        return {};
    }

    Result<void> add_srv(const std::string& name) {
        auto records = query_srv(name);
        if (!records) return tl::unexpected<Error>(records.error());
        for (const SrvRecord& record : *records) {
            const std::string url = "tcp://" + record.host + ":" + std::to_string(record.port);
            if (auto added = add_url(url, "SRV record '" + name + "': "); !added) return added;
        }
        return {};
    }

    std::vector<std::string> urls_;
};

}  // namespace

Result<std::vector<std::string>> resolve_brokers(std::string_view list) {
    BrokerList brokers;
    if (auto added = brokers.add_list(list, "", true); !added) {
        return tl::unexpected<Error>(added.error());
    }
    std::vector<std::string> urls = std::move(brokers).take();
    if (urls.empty()) {
        return fail(ErrorCode::invalid, "broker list '" + std::string(list.substr(0, 100)) +
                                            "' names no broker: give tcp://host:port");
    }
    return urls;
}

}  // namespace farm
