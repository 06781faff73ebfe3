/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caps - capability sets of the calling thread, through libcap
 *
 * Runs in init (what config.json grants) and in the helpers (giving up what
 * they do not need). Names come from a bundle and are checked; everything else
 * is the caller's. On failure the sets may be changed in part: the process is
 * not to go on.
 */
#include "config.h"

#include <rnet/sys/caps.h>

#include <errno.h>
#include <string.h>

#include <sys/capability.h>
#include <sys/prctl.h>

static const char name_prefix[] = "CAP_";

typedef struct _cap_struct CapState;

static void free_state(CapState *state)
{
    (void)cap_free(state); /* fails only for what libcap did not allocate */
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CapState, free_state)

static unsigned count_capabilities(void)
{
    return MIN((unsigned)cap_max_bits(), 64);
}

/* Only A-Z, 0-9 and _: libcap itself takes any case, and plain numbers. */
static bool is_capability_name(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

    return g_str_has_prefix(name, name_prefix) &&
           name[strspn(name, letters)] == '\0';
}

bool rn_cap_parse(const char *name, unsigned *out_capability, GError **error)
{
    cap_value_t value = -1;

    if (!is_capability_name(name) || cap_from_name(name, &value) < 0 ||
        value < 0 || value >= 64)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "\"%.64s\" is not a capability", name);
    *out_capability = (unsigned)value;
    return true;
}

char *rn_cap_name(unsigned capability)
{
    char *name = cap_to_name((cap_value_t)capability);
    char *upper = NULL;

    /* without a name libcap gives the number */
    if (name != NULL && !g_ascii_isdigit(name[0]))
        upper = g_ascii_strup(name, -1);
    (void)cap_free(name);
    return upper;
}

/* For an error text, the caller's. */
static char *format_capability(unsigned capability)
{
    char *name = rn_cap_name(capability);

    return name != NULL ? name
                        : g_strdup_printf("capability %u", capability);
}

RnCapMask rn_caps_all(void)
{
    unsigned count = count_capabilities();

    return count == 64 ? ~UINT64_C(0) : RN_CAP_BIT(count) - 1;
}

static RnCapMask read_flags(CapState *state, cap_flag_t flag)
{
    RnCapMask mask = 0;

    for (unsigned i = 0; i < count_capabilities(); i++) {
        cap_flag_value_t value = CAP_CLEAR;

        if (cap_get_flag(state, (cap_value_t)i, flag, &value) == 0 &&
            value == CAP_SET)
            mask |= RN_CAP_BIT(i);
    }
    return mask;
}

static bool write_flags(CapState *state, cap_flag_t flag, RnCapMask mask)
{
    for (unsigned i = 0; i < count_capabilities(); i++) {
        cap_value_t capability = (cap_value_t)i;

        if ((mask & RN_CAP_BIT(i)) != 0 &&
            cap_set_flag(state, flag, 1, &capability, CAP_SET) < 0)
            return false;
    }
    return true;
}

static RnCapMask read_own_flags(cap_flag_t flag)
{
    g_autoptr(CapState) state = cap_get_proc();

    return state == NULL ? 0 : read_flags(state, flag);
}

RnCapMask rn_caps_effective(void)
{
    return read_own_flags(CAP_EFFECTIVE);
}

bool rn_caps_limit_bounding(RnCapMask keep, GError **error)
{
    for (unsigned i = 0; i < count_capabilities(); i++) {
        g_autofree char *name = NULL;

        if ((keep & RN_CAP_BIT(i)) != 0 || cap_get_bound((cap_value_t)i) != 1 ||
            cap_drop_bound((cap_value_t)i) == 0)
            continue;
        name = format_capability(i);
        return rn_set_errno(error, errno, "drop %s from the bounding set",
                            name);
    }
    return true;
}

/* Names the first capability in `mask`. */
static bool refuse_capability(RnCapMask mask, const char *set, int errno_value,
                              GError **error)
{
    unsigned first = (unsigned)__builtin_ctzll(mask);
    g_autofree char *name = format_capability(first);

    return rn_set_errno(error, errno_value, "have %s %s", name, set);
}

static bool raise_ambient(RnCapMask mask, GError **error)
{
    for (unsigned i = 0; i < count_capabilities(); i++) {
        if ((mask & RN_CAP_BIT(i)) != 0 &&
            cap_set_ambient((cap_value_t)i, CAP_SET) < 0)
            return refuse_capability(RN_CAP_BIT(i), "ambient", errno, error);
    }
    return true;
}

bool rn_caps_apply(const RnCapSets *sets, GError **error)
{
    g_autoptr(CapState) state = cap_init();
    RnCapMask missing =
        sets->permitted & rn_caps_all() & ~read_own_flags(CAP_PERMITTED);
    RnCapMask unpermitted = sets->effective & ~sets->permitted;

    if (missing != 0)
        return refuse_capability(missing, "permitted", EPERM, error);
    if (unpermitted != 0)
        return refuse_capability(
            unpermitted, "effective without having it permitted", EPERM, error);
    if (state == NULL || !write_flags(state, CAP_EFFECTIVE, sets->effective) ||
        !write_flags(state, CAP_INHERITABLE, sets->inheritable) ||
        !write_flags(state, CAP_PERMITTED, sets->permitted))
        return rn_set_errno(error, errno, "prepare the capability sets");
    if (cap_reset_ambient() < 0)
        return rn_set_errno(error, errno, "clear the ambient capabilities");
    if (cap_set_proc(state) < 0)
        return rn_set_errno(error, errno, "set the capabilities");
    return raise_ambient(sets->ambient, error);
}

bool rn_caps_confine(RnCapMask keep, GError **error)
{
    const RnCapSets sets = { .effective = keep, .permitted = keep };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "set no_new_privs");
    /*
     * A process without CAP_SETPCAP keeps its bounding set. It gains nothing
     * by that: the set bounds what an exec may add, and after no_new_privs an
     * exec adds nothing.
     */
    if ((rn_caps_effective() & RN_CAP_BIT(CAP_SETPCAP)) != 0 &&
        !rn_caps_limit_bounding(keep, error))
        return false;
    return rn_caps_apply(&sets, error);
}
