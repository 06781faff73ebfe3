# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += liboci.a
liboci_a_SOURCES =
noinst_HEADERS +=
liboci_a_SOURCES += src/oci/state.c
noinst_HEADERS += include/rnet/oci/state.h
liboci_a_SOURCES += src/oci/config.c
liboci_a_SOURCES += src/oci/config-devices.c
liboci_a_SOURCES += src/oci/config-linux.c
liboci_a_SOURCES += src/oci/config-mounts.c
liboci_a_SOURCES += src/oci/config-process.c
liboci_a_SOURCES += src/oci/json.c
liboci_a_SOURCES += src/oci/json-check.c
liboci_a_SOURCES += src/oci/json-read.c
noinst_HEADERS += include/rnet/oci/config.h
noinst_HEADERS += include/rnet/oci/config-parts.h
noinst_HEADERS += include/rnet/oci/json.h
noinst_HEADERS += include/rnet/oci/json-read.h
