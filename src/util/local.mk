# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += libutil.a
libutil_a_SOURCES =
libutil_a_SOURCES += src/util/error.c
noinst_HEADERS += include/rnet/util/error.h
