# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += liboci.a
liboci_a_SOURCES =
noinst_HEADERS +=
