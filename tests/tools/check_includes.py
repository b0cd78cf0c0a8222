#!/usr/bin/env python3
"""Reads every #include of the tree and fails on an edge that is not in the table below; reports
sources that no CMake file names, so that no test is forgotten.

usage: check_includes.py [ROOT]

The table is the map of ARCHITECTURE.md; that both name the same folders is checked as well.
"""
import os
import re
import sys
from pathlib import Path

# Headers of third-party libraries and of the system, by pattern. A header without dot and slash
# that is in no group is the C++ standard library's and free for all.
GROUPS = {
    "expected": r"tl/expected\.hpp",
    "zmq": r"zmq(_addon)?\.hp?p?",
    "msgpack": r"msgpack(/.*)?\.hpp",
    "torch": r"(torch|ATen|c10|caffe2)/.*",
    "cuda": r"(cuda|cub/|thrust/|cooperative_groups|cublas|nvtx3/).*",
    "spdlog": r"(spdlog|fmt)/.*",
    "yaml": r"yaml-cpp/.*",
    "cli": r"CLI/.*",
    "prometheus": r"prometheus/.*",
    "json": r"nlohmann/.*",
    "protobuf": r"google/protobuf/.*|.*\.pb\.h",
    "openssl": r"openssl/.*",
    "tbb": r"(oneapi/)?tbb(/.*|\.h)",
    "systemd": r"systemd/.*",
    "simd": r"immintrin\.h",
    "threads": r"thread|mutex|shared_mutex|condition_variable|atomic|future|latch|barrier|"
               r"semaphore|stop_token|pthread\.h|sched\.h",
    "files": r"fstream|iostream|filesystem",
    "posix": r"(sys|netinet|arpa|linux|net)/.*|"
             r"(unistd|poll|fcntl|signal|csignal|dirent|netdb|spawn|termios|ifaddrs|resolv|errno|malloc|dlfcn)(\.h)?",
}

SYSTEM = ["threads", "files", "posix"]
COMMON = ["common/core", "schemas", "common/wire", "common/net", "common/ops"]
PURE_BASE = ["common/core", "schemas"]
WORKER = ["gpu_worker/core", "gpu_worker/repository", "gpu_worker/tracking", "gpu_worker/device",
          "gpu_worker/backends"]
CLIENT = ["cpu_client/core", "cpu_client/lib", "cpu_client/pipeline", "cpu_client/events",
          "cpu_client/pictures"]
ALL = ["*"]

# folder: (folders it may include besides itself, groups it may include).
TABLE = {
    "common/core": ([], ["expected"]),
    "schemas": (["common/core"], ["expected", "openssl"]),
    "common/wire": (PURE_BASE, ["expected", "msgpack"]),
    "common/net": (PURE_BASE + ["common/wire"], ["expected", "zmq", *SYSTEM]),
    "common/ops": (PURE_BASE, ["expected", "spdlog", "yaml", "cli", "prometheus", "json",
                               "systemd", *SYSTEM]),
    "broker/core": (PURE_BASE, ["expected"]),
    "broker/app": (COMMON + ["broker/core"], ["expected", "spdlog", "cli", "json", *SYSTEM]),
    "gpu_worker/core": (PURE_BASE, ["expected"]),
    "gpu_worker/repository": (PURE_BASE + ["gpu_worker/core"],
                              ["expected", "protobuf", "openssl", *SYSTEM]),
    "gpu_worker/tracking": (["common/core"], ["expected", "tbb", "simd", "threads"]),
    "gpu_worker/tracking/twin": (["common/core", "gpu_worker/tracking"],
                                 ["expected", "cuda", "threads"]),
    "gpu_worker/device": (PURE_BASE, ["expected", "cuda", "threads", "posix"]),
    "gpu_worker/backends": (PURE_BASE + ["gpu_worker/core", "gpu_worker/tracking",
                                         "gpu_worker/tracking/twin", "gpu_worker/device"],
                            ["expected", "torch", "cuda", *SYSTEM]),
    "gpu_worker/app": (COMMON + WORKER, ["expected", "spdlog", "cli", "json", *SYSTEM]),
    "cpu_client/core": (PURE_BASE, ["expected"]),
    "cpu_client/lib": (COMMON + ["cpu_client/core"], ["expected", *SYSTEM]),
    "cpu_client/pipeline": (PURE_BASE + ["cpu_client/core", "cpu_client/lib"],
                            ["expected", "tbb", *SYSTEM]),
    "cpu_client/events": (PURE_BASE, ["expected", "tbb", *SYSTEM]),
    "cpu_client/pictures": (PURE_BASE + ["common/wire", "cpu_client/events"],
                            ["expected", "spdlog"]),
    "cpu_client/app": (COMMON + CLIENT, ["expected", "spdlog", "cli", "json", *SYSTEM]),
    "tests": (ALL, ALL),
    "bench": (ALL, ALL),
}

SOURCE_SUFFIXES = {".h", ".cc", ".cu", ".cuh"}
BUILT_SUFFIXES = {".cc", ".cu"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)
IGNORED = {"build", ".git", "__pycache__"}


def folder_of(path):
    """The table's folder that a path relative to the root lies in; None when there is none."""
    for folder in sorted(TABLE, key=len, reverse=True):
        if path.startswith(folder + "/"):
            return folder
    return None


def group_of(header):
    for group, pattern in GROUPS.items():
        if re.fullmatch(pattern, header):
            return group
    if re.fullmatch(r"[a-z0-9_]+", header):
        return "std"
    return None


def include_fault(path, quote, header):
    """Why this include may not be, or None."""
    folder = folder_of(path)
    if folder is None:
        return "the folder is not in the map (ARCHITECTURE.md and this table must know it)"
    folders, groups = TABLE[folder]
    target = folder_of(header)
    if quote == '"' and group_of(header) in (None, "std"):
        if target is None:
            return None if folders == ALL else "not rooted at the repository"
        if target != folder and folders != ALL and target not in folders:
            return f"{folder} may not use {target}"
        return None
    group = group_of(header)
    if group == "std" or groups == ALL:
        return None
    if group is None:
        return "this header is in no group (add it to GROUPS)"
    if group not in groups:
        return f"{folder} may not use {group}"
    return None


def tracked(root):
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - IGNORED)
        for file in sorted(files):
            yield Path(folder, file).relative_to(root).as_posix()


def bad_includes(root, names):
    for name in names:
        if Path(name).suffix not in SOURCE_SUFFIXES:
            continue
        text = (root / name).read_text(errors="replace")
        for match in INCLUDE.finditer(text):
            fault = include_fault(name, match[1], match[2])
            if fault:
                line = text.count("\n", 0, match.start(2)) + 1
                yield f"{name}:{line}: includes {match[2]}: {fault}"


def named_sources(root, names):
    """Every path that a CMake file names, relative to the folder that it stands in."""
    found = set()
    for name in names:
        if not (name.endswith(".cmake") or name.endswith("CMakeLists.txt")):
            continue
        text = re.sub(r"#.*", "", (root / name).read_text())
        for word in re.findall(r'[^\s()";]+', text):
            word = re.sub(r"\$\{(PROJECT|CMAKE)_SOURCE_DIR\}", root.as_posix(), word)
            found.add((root / name).parent.joinpath(word).as_posix())
    return found


def unbuilt_sources(root, names):
    built = named_sources(root, names)
    for name in names:
        if Path(name).suffix in BUILT_SUFFIXES and (root / name).as_posix() not in built:
            yield f"{name}: no target builds it: name it in the CMake file of its folder"


def map_differences(root):
    """The folders of the map's table against ours; nothing when there is no map."""
    path = root / "ARCHITECTURE.md"
    if not path.exists():
        return
    section = path.read_text().partition("## Map")[2].partition("\n## ")[0]
    mapped = set(re.findall(r"^\| *([a-z_]+(?:/[a-z_]+)*) *\|", section, re.MULTILINE)) - {"folder"}
    ours = set(TABLE) - {"tests", "bench"}
    for folder in sorted(mapped - ours):
        yield f"ARCHITECTURE.md: {folder} is in the map, but not in the table of check_includes.py"
    for folder in sorted(ours - mapped):
        yield f"ARCHITECTURE.md: {folder} is in the table of check_includes.py, but not in the map"


def check(root):
    names = list(tracked(root))
    return [*map_differences(root), *bad_includes(root, names), *unbuilt_sources(root, names)]


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    faults = check(root)
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
