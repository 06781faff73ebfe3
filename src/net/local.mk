# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += libnet.a
libnet_a_SOURCES =
noinst_HEADERS +=
