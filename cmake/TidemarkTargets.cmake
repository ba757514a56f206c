# cmake/TidemarkTargets.cmake
#
#   tidemark_library(<name> [SHARED] [SOURCES <file>...] [ALONE <file>...] [HEADERS <file>...]
#                      [USES <target>...] [PRIVATELY <target>...])
#                      SHARED: becomes part of the shared library that is installed
#                      ALONE: sources that are not compiled together with others
#   tidemark_precompile(<name> <header>...)
#   tidemark_test(<folder> SOURCES <file>... [ALONE <file>...] USES <target>...
#                 [LABELS <label>...] [TIMEOUT <s>])
#
# A folder is a library, tidemark::<name>. Its headers are included by their path from
# the root, "journal/store.h", and that path resolves only in targets that use the
# folder: an include against the direction of the layers does not compile.
#
# How: each library shows its headers through <build>/.../view/<name>/, a folder of
# links, and that is the only include directory it offers. The target
# all_verify_interface_header_sets compiles each header alone.

# Sources as files that include some of them each: the headers that they share are read once, and
# the same templates are compiled once, which is most of a clean build. The price: of what is in no
# namespace with a name, names must be different, and after a change more is compiled. The files
# find the sources beside them, through a link: the directories of headers stay as they are.
set(TIDEMARK_TOGETHER 6 CACHE STRING "So many sources are compiled together; 1: each by itself")
function(tidemark_together result name)
  set(batches)
  set(includes)
  set(count 0)
  file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
  set(together "${CMAKE_CURRENT_BINARY_DIR}/together")
  get_filename_component(above "${together}/${folder}" DIRECTORY)
  file(MAKE_DIRECTORY "${above}")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${together}/${folder}" SYMBOLIC)
  foreach(source IN LISTS ARGN)
    string(APPEND includes "#include \"${folder}/${source}\"\n")
    math(EXPR count "${count} + 1")
    math(EXPR full "${count} % ${TIDEMARK_TOGETHER}")
    list(LENGTH ARGN all)
    if(full EQUAL 0 OR count EQUAL all)
      list(LENGTH batches number)
      set(batch "${together}/${name}_${number}.cpp")
      file(CONFIGURE OUTPUT "${batch}" CONTENT "${includes}" @ONLY)
      list(APPEND batches "${batch}")
      set(includes)
    endif()
  endforeach()
  set(${result} ${batches} PARENT_SCOPE)
endfunction()

function(tidemark_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SHARED" "" "SOURCES;ALONE;HEADERS;USES;PRIVATELY")

  file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
  set(view "${CMAKE_CURRENT_BINARY_DIR}/view/${name}")
  file(REMOVE_RECURSE "${view}")  # No link outlives its HEADERS entry.
  file(MAKE_DIRECTORY "${view}/${folder}")
  set(shown)
  foreach(header IN LISTS arg_HEADERS)
    get_filename_component(below "${view}/${folder}/${header}" DIRECTORY)
    file(MAKE_DIRECTORY "${below}")
    file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}/${header}" "${view}/${folder}/${header}" SYMBOLIC)
    list(APPEND shown "${view}/${folder}/${header}")
  endforeach()

  if(arg_SOURCES)
    set(scope PUBLIC)
    tidemark_together(together ${name} ${arg_SOURCES})
    add_library(tidemark_${name} STATIC ${together} ${arg_ALONE})
    target_link_libraries(tidemark_${name} PRIVATE tidemark::warnings ${arg_PRIVATELY})
    set_target_properties(tidemark_${name} PROPERTIES POSITION_INDEPENDENT_CODE ${arg_SHARED})
  else()
    set(scope INTERFACE)
    add_library(tidemark_${name} INTERFACE)
  endif()
  add_library(tidemark::${name} ALIAS tidemark_${name})

  target_sources(tidemark_${name} ${scope} FILE_SET HEADERS BASE_DIRS "${view}" FILES ${shown})
  target_link_libraries(tidemark_${name} ${scope} ${arg_USES})
  set_target_properties(tidemark_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

# The headers that most of a library's sources include and that are slow to read.
function(tidemark_precompile name)
  target_precompile_headers(tidemark_${name} PRIVATE ${ARGN})
  # ccache needs to see what the precompiled header is made from.
  target_compile_options(tidemark_${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()

# Tests of one folder: one program, one CTest entry per test case, labelled by folder.
# A test that starts real processes names its label in LABELS (system, ioc) too. Sources whose names
# clash with those of others are compiled ALONE.
function(tidemark_test folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;ALONE;USES;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  # Tests see each other's headers by their path from the root, "test/bus/…", and of the rest only
  # what they use.
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/test/view")
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/test" "${PROJECT_BINARY_DIR}/test/view/test" SYMBOLIC)
  tidemark_together(together ${folder}_test ${arg_SOURCES})
  add_executable(${folder}_test ${together} ${arg_ALONE})
  target_include_directories(${folder}_test PRIVATE "${PROJECT_BINARY_DIR}/test/view")
  target_link_libraries(${folder}_test PRIVATE tidemark::warnings ${arg_USES} GTest::gmock
                                               GTest::gtest_main)
  gtest_discover_tests(${folder}_test TEST_PREFIX "${folder}/" DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS "${folder};${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()

# A fuzzer: with TIDEMARK_FUZZ a libFuzzer program; always a test that runs it over its corpus,
# test/fuzz/corpus/<name>/, so a crash that was found once stays found.
function(tidemark_fuzzer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES")
  if(TIDEMARK_FUZZ)
    add_executable(fuzz_${name} ${arg_SOURCES})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(fuzz_${name} ${arg_SOURCES} $<TARGET_OBJECTS:fuzz_replay_main>)
    add_test(NAME fuzz/${name} COMMAND fuzz_${name} "${PROJECT_SOURCE_DIR}/test/fuzz/corpus/${name}")
    set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz TIMEOUT 120)
  endif()
  target_link_libraries(fuzz_${name} PRIVATE tidemark::warnings ${arg_USES})
endfunction()
