/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine-words - what engines look for in an error's text
 *
 * podman (libpod/oci_util.go, getOCIRuntimeError) and dockerd (its
 * daemon/errors.go) tell a program that is missing (exit status 127) from one
 * that cannot run (126) by runc's words in the runtime's error.
 */
#ifndef RNET_RUNTIME_ENGINE_WORDS_H
#define RNET_RUNTIME_ENGINE_WORDS_H

#include <rnet/util/error.h>

/* Puts them in front of an error of the codes RN_ERROR_PROGRAM_...; leaves any
 * other alone. Nothing when `error` or `*error` is NULL. */
void rn_error_add_engine_words(GError **error);

#endif
