# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += libdialect.a
libdialect_a_SOURCES =
noinst_HEADERS += include/rnet/dialect/dialect.h
