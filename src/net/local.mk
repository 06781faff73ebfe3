# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += libnet.a
libnet_a_SOURCES =
noinst_HEADERS +=
libnet_a_SOURCES += src/net/address-plan.c
noinst_HEADERS += include/rnet/net/address-plan.h
libnet_a_SOURCES += src/net/options.c
libnet_a_SOURCES += src/net/port-owner.c
libnet_a_SOURCES += src/net/publish-listen.c
libnet_a_SOURCES += src/net/publish-spec.c
noinst_HEADERS += include/rnet/net/options.h
noinst_HEADERS += include/rnet/net/port-owner.h
noinst_HEADERS += include/rnet/net/publish.h
