# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += libutil.a
libutil_a_SOURCES =
libutil_a_SOURCES += src/util/error.c
libutil_a_SOURCES += src/util/fd.c
libutil_a_SOURCES += src/util/msg.c
libutil_a_SOURCES += src/util/log.c
libutil_a_SOURCES += src/util/parse.c
libutil_a_SOURCES += src/util/inet.c
noinst_HEADERS += include/rnet/util/error.h
noinst_HEADERS += include/rnet/util/fd.h
noinst_HEADERS += include/rnet/util/msg.h
noinst_HEADERS += include/rnet/util/log.h
noinst_HEADERS += include/rnet/util/parse.h
noinst_HEADERS += include/rnet/util/inet.h
noinst_HEADERS += include/rnet/util/protocol.h
libutil_a_SOURCES += src/util/units.c
noinst_HEADERS += include/rnet/util/units.h
