# How every C file is compiled. Debian 12's gcc 12 and clang 14 both pass with these.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set_property(GLOBAL PROPERTY USE_FOLDERS ON)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()
# Assertions stay on in release (base.h), so NDEBUG is never defined.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g -fno-omit-frame-pointer")

# Deliberate bugs for the simulator to find (replica/effects/mutant.h): never in builds for use.
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    add_compile_definitions(PADDOCK_MUTANTS)
endif()

option(PADDOCK_ASAN "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(PADDOCK_MSAN "MemorySanitizer (clang): only for what calls no library but C's, so the simulator" OFF)
option(PADDOCK_FUZZ "libFuzzer programs (clang)" OFF)
option(PADDOCK_COVERAGE "line and branch counters" OFF)
option(PADDOCK_WERROR "warnings are errors: for development and CI, whose compilers are known" OFF)
option(PADDOCK_LTO "link-time optimisation of the release build" ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_C_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

add_compile_options(-Wall -Wextra -Wconversion -Wformat=2 -Wshadow -Wstrict-prototypes
                    -Wmissing-prototypes -Wvla -fno-strict-aliasing -fwrapv
                    -fno-delete-null-pointer-checks -fno-common)

# Assertions name their file by its path in the repository: where it was built is nobody's affair.
add_compile_options("-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=")

if(PADDOCK_WERROR)
    add_compile_options(-Werror)
endif()

if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    # ASSERT(!"a sentence"); and the sign of an enum is clang's own affair: gcc checks the rest.
    add_compile_options(-Wno-string-conversion -Wno-sign-conversion)
endif()

# A variable that nobody set is zero in a release build and junk in one with the address sanitizer; the
# memory sanitizer reports its use. What a lucky zero hides in the first, the other two show.
if(PADDOCK_ASAN OR PADDOCK_FUZZ)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                        -fno-omit-frame-pointer -ftrivial-auto-var-init=pattern)
    add_link_options(-fsanitize=address,undefined)
elseif(PADDOCK_MSAN)
    add_compile_options(-fsanitize=memory -fsanitize-memory-track-origins -fno-omit-frame-pointer)
    add_link_options(-fsanitize=memory)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_compile_options(-fstack-protector-strong -fstack-clash-protection
                        -ftrivial-auto-var-init=zero)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        add_compile_options(-fcf-protection=full)
    endif()
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    else()
        add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    endif()
    add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code)
    if(PADDOCK_LTO AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-flto=2)
        add_link_options(-flto=2 -O2)
        set(CMAKE_AR gcc-ar)
        set(CMAKE_RANLIB gcc-ranlib)
    endif()
endif()
if(PADDOCK_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(PADDOCK_COVERAGE)
    add_compile_options(--coverage -O0)
    add_link_options(--coverage)
endif()
add_link_options(-Wl,--as-needed)
