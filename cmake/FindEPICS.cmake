# Finds EPICS Channel Access: the headers, libca and libCom. Looks, in this order, at
#
#   1. EPICS_BASE             cache variable, else environment variable: a built EPICS base, with
#                             EPICS_HOST_ARCH (guessed when unset). When it is set it must work.
#   2. Debian's epics-dev     /usr/include/epics, Debian 13 and later
#   3. .venv                  the Python wheel epicscorelibs, as tools/setup installs it
#
# Makes the targets
#
#   EPICS::ca    libca, and EPICS::Com with it
#   EPICS::Com   libCom
#
# and sets EPICS_FOUND, EPICS_VERSION and EPICS_SOURCE ("EPICS_BASE", "Debian epics-dev" or
# "epicscorelibs x.y"). The choice is made anew in every configure run, so a build folder follows
# when EPICS_BASE is set later. Programs run in place: CMake gives them an RPATH to the folder of
# the two libraries.
#
# Use the C interface only. The wheel's libraries may be built with the old string ABI of libstdc++,
# so no std::string may cross.

include(FindPackageHandleStandardArgs)

set(EPICS_BASE "" CACHE PATH "A built EPICS base (default: the environment's EPICS_BASE)")
set(EPICS_HOST_ARCH "" CACHE STRING "EPICS host architecture, such as linux-x86_64")

set(EPICS_SOURCE "")
set(EPICS_VERSION "")
set(EPICS_INCLUDE_DIR "")
set(EPICS_CA_LIBRARY "")
set(EPICS_COM_LIBRARY "")
set(_epics_why "")

# Sets EPICS_INCLUDE_DIR and both libraries when all three are under these folders.
macro(_epics_try include_dir)
  unset(_epics_header)
  unset(_epics_ca)
  unset(_epics_com)
  find_path(_epics_header cadef.h PATHS "${include_dir}" NO_DEFAULT_PATH NO_CACHE)
  find_library(_epics_ca ca PATHS ${ARGN} NO_DEFAULT_PATH NO_CACHE)
  find_library(_epics_com Com PATHS ${ARGN} NO_DEFAULT_PATH NO_CACHE)
  if(_epics_header AND _epics_ca AND _epics_com)
    set(EPICS_INCLUDE_DIR "${_epics_header}")
    set(EPICS_CA_LIBRARY "${_epics_ca}")
    set(EPICS_COM_LIBRARY "${_epics_com}")
  endif()
endmacro()

# 1. EPICS_BASE
set(_epics_base "${EPICS_BASE}")
if(NOT _epics_base)
  set(_epics_base "$ENV{EPICS_BASE}")
endif()
if(_epics_base)
  file(TO_CMAKE_PATH "${_epics_base}" _epics_base)
  set(_epics_arch "${EPICS_HOST_ARCH}")
  if(NOT _epics_arch)
    set(_epics_arch "$ENV{EPICS_HOST_ARCH}")
  endif()
  if(NOT _epics_arch)
    string(TOLOWER "${CMAKE_SYSTEM_NAME}" _epics_arch)
    set(_epics_arch "${_epics_arch}-${CMAKE_SYSTEM_PROCESSOR}")
  endif()
  _epics_try("${_epics_base}/include" "${_epics_base}/lib/${_epics_arch}")
  if(EPICS_INCLUDE_DIR)
    set(EPICS_SOURCE "EPICS_BASE")
  else()
    string(CONCAT _epics_why
      "EPICS_BASE is set to '${_epics_base}', but include/cadef.h, lib/${_epics_arch}/libca and "
      "lib/${_epics_arch}/libCom are not all in it. Correct EPICS_BASE and EPICS_HOST_ARCH, or unset them.")
  endif()
else()
  # 2. Debian. Its libca-dev of Debian 12 has no header, and so does not count.
  if(CMAKE_LIBRARY_ARCHITECTURE)
    _epics_try(/usr/include/epics "/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}" /usr/lib)
  else()
    _epics_try(/usr/include/epics /usr/lib)
  endif()
  if(EPICS_INCLUDE_DIR)
    set(EPICS_SOURCE "Debian epics-dev")
  endif()

  # 3. The wheel, whatever its version of Python.
  if(NOT EPICS_INCLUDE_DIR)
    file(GLOB _epics_wheels LIST_DIRECTORIES true
      "${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/epicscorelibs")
    foreach(_epics_wheel IN LISTS _epics_wheels)
      if(NOT EPICS_INCLUDE_DIR)
        _epics_try("${_epics_wheel}/include" "${_epics_wheel}/lib")
        if(EPICS_INCLUDE_DIR)
          file(GLOB _epics_info LIST_DIRECTORIES true "${_epics_wheel}-*.dist-info")
          set(EPICS_SOURCE "epicscorelibs")
          if(_epics_info MATCHES "epicscorelibs-([0-9.]+)\\.dist-info")
            string(APPEND EPICS_SOURCE " ${CMAKE_MATCH_1}")
          endif()
        endif()
      endif()
    endforeach()
  endif()
  if(NOT EPICS_INCLUDE_DIR)
    string(CONCAT _epics_why
      "No EPICS Channel Access (cadef.h, libca, libCom) was found: EPICS_BASE is not set, and there "
      "is neither Debian's epics-dev nor a .venv with epicscorelibs. Run tools/setup, then configure again.")
  endif()
endif()

if(EPICS_INCLUDE_DIR AND EXISTS "${EPICS_INCLUDE_DIR}/epicsVersion.h")
  file(STRINGS "${EPICS_INCLUDE_DIR}/epicsVersion.h" _epics_lines
    REGEX "^#[ \t]*define[ \t]+EPICS_(VERSION|REVISION|MODIFICATION|PATCH_LEVEL)[ \t]+[0-9]+")
  set(_epics_parts "")
  foreach(_epics_part IN ITEMS VERSION REVISION MODIFICATION PATCH_LEVEL)
    if(_epics_lines MATCHES "EPICS_${_epics_part}[ \t]+([0-9]+)")
      list(APPEND _epics_parts "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  list(JOIN _epics_parts "." EPICS_VERSION)
endif()

find_package_handle_standard_args(EPICS
  REQUIRED_VARS EPICS_CA_LIBRARY EPICS_COM_LIBRARY EPICS_INCLUDE_DIR
  VERSION_VAR EPICS_VERSION
  REASON_FAILURE_MESSAGE "${_epics_why}")

if(EPICS_FOUND AND NOT TARGET EPICS::ca)
  # EPICS_BASE and Debian keep per-system headers in subfolders; the wheel has all in one.
  set(_epics_include_dirs "${EPICS_INCLUDE_DIR}")
  foreach(_epics_dir IN ITEMS "os/${CMAKE_SYSTEM_NAME}" os/Linux os/posix os/default)
    if(IS_DIRECTORY "${EPICS_INCLUDE_DIR}/${_epics_dir}")
      list(APPEND _epics_include_dirs "${EPICS_INCLUDE_DIR}/${_epics_dir}")
      break()
    endif()
  endforeach()
  set(_epics_compilers gcc)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    set(_epics_compilers clang gcc)
  endif()
  foreach(_epics_compiler IN LISTS _epics_compilers)
    if(IS_DIRECTORY "${EPICS_INCLUDE_DIR}/compiler/${_epics_compiler}")
      list(APPEND _epics_include_dirs "${EPICS_INCLUDE_DIR}/compiler/${_epics_compiler}")
      break()
    endif()
  endforeach()

  # The soname is read from the file by the linker, so the wheel's libca.so.7.0.10.99.0 is found
  # beside the libca.so that is named here.
  add_library(EPICS::Com SHARED IMPORTED)
  set_target_properties(EPICS::Com PROPERTIES
    IMPORTED_LOCATION "${EPICS_COM_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${_epics_include_dirs}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${_epics_include_dirs}")
  add_library(EPICS::ca SHARED IMPORTED)
  set_target_properties(EPICS::ca PROPERTIES
    IMPORTED_LOCATION "${EPICS_CA_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${_epics_include_dirs}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${_epics_include_dirs}"
    INTERFACE_LINK_LIBRARIES EPICS::Com)
  # find_package() may be called in a subfolder; the targets are for the whole build.
  set_target_properties(EPICS::Com EPICS::ca PROPERTIES IMPORTED_GLOBAL TRUE)
endif()
