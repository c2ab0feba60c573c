# skarn_floor(room...): one static library skarn_<room> for each room of a floor. Rooms of
# one floor do not see each other; tests/layout checks the includes.

set(SKARN_ROOMS "")
set(SKARN_COLD_SOURCES best_efforts_recovery checked_cursor checkpoint crash_file_system destroy
  dictionary_sampler event_log family_handle fault_file_system file_names info_log ingest live_files
  manifest_state memory_file_system metadata periodic_work properties repair secondary
  set_options sst_file_manager sst_file_writer stats_text ttl_db)
function(skarn_floor)
  set(below ${SKARN_ROOMS})
  foreach(room IN LISTS ARGN)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/core/${room}/*.cc)
    if(sources)
      add_library(skarn_${room} STATIC ${sources})
      target_include_directories(skarn_${room} PUBLIC ${PROJECT_SOURCE_DIR})
      target_compile_options(skarn_${room} PRIVATE ${SKARN_WARNINGS} -fno-semantic-interposition)
      # Nothing in core/ throws or catches, and code to unwind it would be a seventh of the library.
      target_compile_options(skarn_${room} PRIVATE -fno-exceptions)
      # What runs at open, on request or for people is built for size.
      if(room STREQUAL "options")
        target_compile_options(skarn_${room} PRIVATE $<$<CONFIG:Release>:-Os>)
      endif()
      foreach(source IN LISTS sources)
        get_filename_component(name ${source} NAME_WE)
        if(name IN_LIST SKARN_COLD_SOURCES)
          set_source_files_properties(${source} PROPERTIES
            COMPILE_OPTIONS $<$<CONFIG:Release>:-Os>)
        endif()
      endforeach()
    else()
      add_library(skarn_${room} INTERFACE)
      target_include_directories(skarn_${room} INTERFACE ${PROJECT_SOURCE_DIR})
    endif()
    foreach(lower IN LISTS below)
      if(sources)
        target_link_libraries(skarn_${room} PUBLIC skarn_${lower})
      else()
        target_link_libraries(skarn_${room} INTERFACE skarn_${lower})
      endif()
    endforeach()
  endforeach()
  list(PREPEND SKARN_ROOMS ${ARGN})
  set(SKARN_ROOMS ${SKARN_ROOMS} PARENT_SCOPE)
  if("base" IN_LIST ARGN)
    target_link_libraries(skarn_base PUBLIC Threads::Threads ZLIB::ZLIB BZip2::BZip2
      PkgConfig::LZ4 PkgConfig::ZSTD PkgConfig::XXHASH Snappy::snappy)
  endif()
endfunction()
