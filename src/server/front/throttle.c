/* throttle.c: a bucket of tokens that is filled with time, and a probability of refusing that rises while
 * tokens are short. */
#include "server/front/throttle.h"

void throttle_init(struct throttle *throttle, const struct throttle_options *options,
                   int64_t now_ms)
{
    *throttle = (struct throttle){.options = *options,
                                  .tokens = options->tokens_max,
                                  .filled_ms = now_ms,
                                  .frozen_ms = now_ms};
}

int32_t throttle_deficit(const struct throttle *throttle)
{
    return throttle->options.tokens_max > 0 ? throttle->options.tokens_max - throttle->tokens : 0;
}

/* The probability of a drop rises while there are no tokens, and falls while there are plenty. */
static bool early_drop(struct throttle *throttle, int64_t now_ms, double chance)
{
    const struct throttle_options *options = &throttle->options;
    int32_t used = options->tokens_max - throttle->tokens;
    double plenty = (double)options->tokens_max * options->decrease_ratio;

    if (now_ms - throttle->frozen_ms > options->freeze_time_ms) {
        if (used == options->tokens_max && throttle->drop < 1)
            throttle->drop += options->drop_increase;
        else if (used <= plenty && throttle->drop > 0)
            throttle->drop -= options->drop_decrease;
        if (throttle->drop > 1)
            throttle->drop = 1;
        if (throttle->drop < 0)
            throttle->drop = 0;
        throttle->frozen_ms = now_ms;
    }
    return chance < throttle->drop;
}

bool throttle_take(struct throttle *throttle, int32_t need, int64_t now_ms, double chance)
{
    const struct throttle_options *options = &throttle->options;

    if (options->tokens_max <= 0)
        return true;
    int64_t passed_ms = now_ms - throttle->filled_ms;
    if (options->fill_time_ms > 0 && passed_ms > options->fill_time_ms) {
        int64_t filled = throttle->tokens + passed_ms * options->fill_count / options->fill_time_ms;
        throttle->tokens = filled > options->tokens_max ? options->tokens_max : (int32_t)filled;
        throttle->filled_ms = now_ms;
    }
    if (options->freeze_time_ms != -1 && early_drop(throttle, now_ms, chance))
        return false;
    if (throttle->tokens < need)
        return false;
    throttle->tokens -= need;
    return true;
}
