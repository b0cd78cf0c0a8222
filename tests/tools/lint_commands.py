#!/usr/bin/env python3
"""Rewrites GCC's compile_commands.json for clang-tidy, and prints which of the files it can check.

usage: lint_commands.py IN OUT FILE...

Left out: precompiled headers, GCC-only flags, and whatever includes libtorch (clang does not accept
the headers of libtorch 1.13 as C++20, GCC does).
"""
import json
import re
import sys
from pathlib import Path


def main():
    with open(sys.argv[1]) as file:
        entries = json.load(file)
    entries = [entry for entry in entries if "torch/csrc/api" not in entry["command"]]
    for entry in entries:
        entry["command"] = re.sub(
            r" -Winvalid-pch| -fpch-preprocess| -Wno-maybe-uninitialized| -Wno-restrict"
            r"| -Wshadow=local| -include \S*cmake_pch\S*", "", entry["command"])
    with open(sys.argv[2], "w") as file:
        json.dump(entries, file, indent=1)
    known = {entry["file"] for entry in entries}
    for name in sys.argv[3:]:
        if str(Path(name).resolve()) in known:
            print(name)


if __name__ == "__main__":
    main()
