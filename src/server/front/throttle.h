/* throttle.h: how many clients may connect. Each handshake takes tokens, which come back with time;
 * when few are left, some handshakes are refused at random. Time and chance are arguments. */
#ifndef SERVER_FRONT_THROTTLE_H
#define SERVER_FRONT_THROTTLE_H

#include "base/base.h"

struct throttle_options {
    int32_t tokens_max; /* <= 0: off */
    int32_t fill_time_ms, fill_count;
    int32_t freeze_time_ms; /* -1: no random drops */
    double drop_increase, drop_decrease, decrease_ratio;
};

struct throttle {
    struct throttle_options options;
    int64_t filled_ms, frozen_ms;
    int32_t tokens;
    double drop; /* probability */
};

void throttle_init(struct throttle *throttle, const struct throttle_options *options,
                   int64_t now_ms);
/* `chance` is in [0, 1). False: refused. */
MUST_USE bool throttle_take(struct throttle *throttle, int32_t need, int64_t now_ms, double chance);
int32_t throttle_deficit(const struct throttle *throttle); /* tokens that are missing */

#endif
