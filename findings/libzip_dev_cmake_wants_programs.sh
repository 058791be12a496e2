#!/usr/bin/env bash
# libzip-dev 1.7.3 of Debian 12: find_package(libzip) fails after the package and the library that it
# depends on are there, because its targets file names the program zipcmp, too, which is in a
# package (zipcmp) that nothing asks for. A good guess is that a -dev package's own CMake files need
# the -dev package alone. find_library and find_path work.
#
# Run first on 2026-11-28, CMake 3.25.1: prints the line below. Needs apt-get (downloads, doesn't
# install) and cmake.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q libzip-dev=1.7.3-1+b1 libzip4=1.7.3-1+b1 >/dev/null
for package in *.deb; do dpkg -x "$package" unpacked; done
[[ ! -e unpacked/usr/bin/zipcmp ]]
cat >CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.22)
project(finding C)
find_package(libzip REQUIRED CONFIG PATHS ${CMAKE_SOURCE_DIR}/unpacked/usr NO_DEFAULT_PATH)
CMAKE
cmake -S . -B build >log 2>&1 && { echo "find_package(libzip) works" && exit 1; }
grep -o 'imported target "libzip::zipcmp" references the file' log | tee seen
diff seen - <<'SEEN'
imported target "libzip::zipcmp" references the file
SEEN
