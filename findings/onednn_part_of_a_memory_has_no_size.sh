#!/usr/bin/env bash
# oneDNN (Debian 12: libdnnl-dev 2.6.3): get_size() of a memory descriptor made by submemory_desc is 0
# bytes where the part begins at an offset, though the same part at the beginning has a size. A good
# guess is that it is what a buffer for the part needs, as for every other descriptor; who allocates by
# it gets nothing and no error.
#
# Run first on 2026-11-28, g++ 12.2: prints what stands at the end: 512, 256 and 0 bytes.
# Needs apt-get (downloads, doesn't install) and g++.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q libdnnl-dev=2.6.3-1 libdnnl2=2.6.3-1 >/dev/null
for package in ./*.deb; do dpkg -x "$package" .; done
cat >program.cpp <<'CPP'
#include <iostream>
#include <oneapi/dnnl/dnnl.hpp>

int main() {
  using dnnl::memory;
  const memory::desc whole({1, 8, 4, 4}, memory::data_type::f32, memory::format_tag::nchw);
  std::cout << "version " << dnnl_version()->major << "." << dnnl_version()->minor << "."
            << dnnl_version()->patch << "\n";
  std::cout << "whole " << whole.get_size() << "\n";
  std::cout << "first half " << whole.submemory_desc({1, 4, 4, 4}, {0, 0, 0, 0}).get_size() << "\n";
  std::cout << "second half " << whole.submemory_desc({1, 4, 4, 4}, {0, 4, 0, 0}).get_size() << "\n";
}
CPP
library=$(dirname "$(find . -name 'libdnnl.so.2*' | head -1)")
g++ -std=c++17 -Iusr/include program.cpp -L"$library" -l:libdnnl.so.2 -fopenmp -o program
LD_LIBRARY_PATH=$library ./program | tee seen
diff seen - <<'SEEN'
version 2.6.3
whole 512
first half 256
second half 0
SEEN
