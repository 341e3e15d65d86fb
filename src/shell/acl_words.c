/* acl_words.c: an ACL list as a person types it. */
#include "shell/acl_words.h"

#include "shell/answer.h"
#include "shell/texts.h"

static int32_t parse_perms(struct slice text)
{
    int32_t found = 0;

    for (size_t i = 0; i < text.size; i++) {
        int32_t perm = 0;
        if (!perms_read(slice_of(text.data + i, 1), &perm))
            answer_note("Unknown perm type: %c", text.data[i]);
        found |= perm;
    }
    return found;
}

static bool parse_entry(struct slice text, struct buffer *out)
{
    const uint8_t *first = memchr(text.data, ':', text.size);
    const uint8_t *last = memrchr(text.data, ':', text.size);

    if (first == last) {
        answer_note("%.*s does not have the form scheme:id:perm", (int)text.size,
                    (const char *)text.data);
        return false;
    }
    const struct jute_acl acl = {
        .scheme = slice_of(text.data, (size_t)(first - text.data)),
        .id = slice_of(first + 1, (size_t)(last - first) - 1),
        .perms = parse_perms(slice_of(last + 1, (size_t)(text.data + text.size - last) - 1))};
    jute_put_acl(out, &acl);
    return true;
}

int32_t acl_parse(const char *text, struct buffer *out)
{
    size_t count_at = out->size;
    int32_t count = 0;

    buffer_i32(out, 0);
    for (;;) {
        size_t size = strcspn(text, ",");
        if (parse_entry(slice_of(text, size), out))
            count++;
        if (text[size] == '\0')
            break;
        text += size + 1;
    }
    store_be32(out->data + count_at, (uint32_t)count);
    return count;
}
