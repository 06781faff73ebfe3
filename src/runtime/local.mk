# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += libruntime.a
libruntime_a_SOURCES =
noinst_HEADERS +=
