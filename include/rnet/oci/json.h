/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json - a bounded JSON document from a file or from text
 *
 * RFC 8259, strictly: jansson only sees text that rn_json_check() let pass,
 * which has bounds of its own and says more about what is wrong. The tree is
 * read with json-read.h.
 */
#ifndef RNET_OCI_JSON_H
#define RNET_OCI_JSON_H

#include <stdint.h>

#include <jansson.h>

#include <rnet/util/error.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

enum {
    RN_JSON_MAX_SIZE = 4 * 1024 * 1024, /* bytes of a document */
    RN_JSON_MAX_DEPTH = 64,             /* arrays and objects in each other */
    RN_JSON_MAX_VALUES = 500000,        /* an empty object takes 230 bytes */
};

/*
 * Parses text (not NUL-terminated necessarily) of at most RN_JSON_MAX_SIZE
 * bytes; the tree is the caller's, one reference. `name` stands for the file in
 * errors: "config.json: line 3, column 14: ...", columns in characters from 1.
 * What rn_json_check() refuses is refused, and a member that is given twice in
 * different spellings ("a" and "\u0061").
 */
json_t *rn_json_parse(const char *text, gsize length, const char *name,
                      GError **error) RN_CHECK;

/*
 * Checks `text`, `length` bytes and a NUL, in place, against the grammar and rnet's
 * bounds: RN_ERROR_LIMIT for nesting deeper than RN_JSON_MAX_DEPTH and for more
 * than RN_JSON_MAX_VALUES values, RN_ERROR_INVALID for all else, which is also: NUL (raw or as \u0000), a
 * member given twice (in the same spelling), a number that is not finite, an
 * integer below -2^63 or above 2^64-1.
 *
 * jansson only knows signed integers. Those from 2^63 to 2^64-1, which limits
 * and arguments of system calls have (RLIM_INFINITY, AT_FDCWD), are overwritten
 * with a string of the same length that no document can have, since it begins
 * with NUL; rn_json_get_large() knows it.
 */
bool rn_json_check(char *text, gsize length, const char *name,
                   GError **error) RN_CHECK;

/*
 * A document's text for an error message, the caller's: in double quotes, cut
 * after 64 characters, control characters replaced, so that a hostile bundle
 * cannot write to a terminal.
 */
char *rn_json_quote(const char *text) RN_CHECK;

/* Characters after the NUL: 64 bits in base64, without the padding. */
enum {
    RN_JSON_LARGE_LENGTH = 11
};

/* True if `node` stands for an integer from 2^63 to 2^64-1, which it gives. */
bool rn_json_get_large(const json_t *node, uint64_t *out_value);

#endif
