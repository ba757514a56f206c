# cmake/Dependencies.cmake
#
# Every third-party library, once, as an imported target; and the flags of our own code.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(ZLIB REQUIRED)
find_package(spdlog REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(EPICS REQUIRED)

pkg_check_modules(ZeroMQ REQUIRED IMPORTED_TARGET GLOBAL libzmq)
add_library(ZeroMQ::zmq ALIAS PkgConfig::ZeroMQ)
pkg_check_modules(LibRocksDB REQUIRED IMPORTED_TARGET GLOBAL rocksdb)
add_library(RocksDB::shared ALIAS PkgConfig::LibRocksDB)
pkg_check_modules(LibZstd REQUIRED IMPORTED_TARGET GLOBAL libzstd)
add_library(zstd::zstd ALIAS PkgConfig::LibZstd)
pkg_check_modules(Re2 REQUIRED IMPORTED_TARGET GLOBAL re2)
add_library(re2::re2 ALIAS PkgConfig::Re2)
pkg_check_modules(LibSodium REQUIRED IMPORTED_TARGET GLOBAL libsodium)
add_library(sodium::sodium ALIAS PkgConfig::LibSodium)

pkg_check_modules(NCursesW REQUIRED IMPORTED_TARGET GLOBAL ncursesw)
add_library(NCurses::wide ALIAS PkgConfig::NCursesW)

# msgpack-c is headers only, and its CMake package has another name in each distribution.
find_path(MSGPACK_INCLUDE_DIR msgpack.hpp REQUIRED)
add_library(msgpack::cxx INTERFACE IMPORTED GLOBAL)
target_include_directories(msgpack::cxx SYSTEM INTERFACE ${MSGPACK_INCLUDE_DIR})

# libcaf-dev brings no CMake package.
find_library(CAF_CORE_LIBRARY caf_core REQUIRED)
add_library(CAF::core INTERFACE IMPORTED GLOBAL)
target_link_libraries(CAF::core INTERFACE ${CAF_CORE_LIBRARY} Threads::Threads)

add_library(tidemark_warnings INTERFACE)
add_library(tidemark::warnings ALIAS tidemark_warnings)
target_compile_options(tidemark_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
# GCC 12 to 14 see uninitialised members in every std::variant that is moved under optimisation.
target_compile_options(tidemark_warnings INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
if(TIDEMARK_WERROR)
  target_compile_options(tidemark_warnings INTERFACE -Werror)
endif()

if(TIDEMARK_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer)
  # CAF 0.17 binds a reference to a null pointer, in its headers, whenever an actor is made of a
  # function without arguments (init_fun_factory). Only who uses CAF goes without that one check.
  target_compile_options(CAF::core INTERFACE -fno-sanitize=null)
  add_link_options(-fsanitize=address,undefined)
elseif(TIDEMARK_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(TIDEMARK_SANITIZE)
  message(FATAL_ERROR "TIDEMARK_SANITIZE is '${TIDEMARK_SANITIZE}'; use address or thread")
endif()
if(TIDEMARK_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
if(TIDEMARK_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "TIDEMARK_FUZZ needs Clang: configure with the preset 'fuzz'")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined)
  add_link_options(-fsanitize=address,undefined)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # A collection of the compiler's garbage begins at 1 GB and not at 128 MB: up to a sixth less time. What
  # comes out is the same, so ccache need not know.
  add_compile_options(--param=ggc-min-heapsize=1000000)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without these ccache passes by all that is compiled with a precompiled header; and what it has
  # not seen yet it would read twice, first to see what is included. The compiler tells it, too.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1
    CCACHE_IGNOREOPTIONS=--param=ggc-min-heapsize*
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()
