# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += libsys.a
libsys_a_SOURCES =
noinst_HEADERS +=
