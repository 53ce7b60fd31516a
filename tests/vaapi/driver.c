/* A VAAPI driver in software, for tests: it proves how devices are used, where no device is. NV12 surfaces in memory;
 * scaling to the nearest pixel; H.264 without compression but for what did not change: a macroblock is a copy of the last
 * picture's (P_Skip) or raw samples (I_PCM). It decodes nothing and maps no tones.
 *
 * A file `fail-after` beside the driver (in LIBVA_DRIVERS_PATH) holds a number: after so many pictures of a process,
 * encoding says that the hardware is busy. `crash-after` ends the process instead. Both are read anew for each picture. While
 * there is a file `decode-lies`, the driver takes H.264 to decode, and fails at it. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <va/va.h>
#include <va/va_backend.h>
#include <va/va_backend_vpp.h>
#include <va/va_enc_h264.h>
#include <va/va_vpp.h>

#define COUNT 512
#define EXPORT __attribute__((visibility("default")))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* --- objects: an id is a kind and a place in its table ------------------------------------------------------------- */

struct surface { int used, width, height, stride; uint8_t *pixels; };
struct buffer { int used, type, owned; unsigned size; uint8_t *data; VACodedBufferSegment coded; };
struct config { int used; VAProfile profile; VAEntrypoint entrypoint; };
struct context {
    int used, config, width, height;
    VASurfaceID target;
    VAEncSequenceParameterBufferH264 sequence;
    VAEncPictureParameterBufferH264 picture;
    VAProcPipelineParameterBuffer pipeline;
    uint8_t *last; /* the picture before, as it was encoded */
    unsigned idr_id;
};

static struct surface surfaces[COUNT];
static struct buffer buffers[COUNT];
static struct config configs[COUNT];
static struct context contexts[COUNT];
static struct { int used; VAImage image; } images[COUNT];
static int encoded_pictures;

#define FREE(table) ({ int at_ = 1; while (at_ < COUNT && table[at_].used) at_++; at_ == COUNT ? 0 : at_; })
#define VALID(table, id) ((id) > 0 && (id) < COUNT && table[id].used)

/* --- bits ----------------------------------------------------------------------------------------------------------- */

struct bits { uint8_t *at, *end; unsigned held, count, zeros; };

/* A byte of a unit; three bytes that would look like a start code are broken up. */
static void byte(struct bits *b, uint8_t value) {
    if (b->zeros == 2 && value <= 3) {
        if (b->at < b->end) *b->at++ = 3;
        b->zeros = 0;
    }
    if (b->at < b->end) *b->at++ = value;
    b->zeros = value ? 0 : b->zeros + 1;
}

static void put(struct bits *b, unsigned value, int count) {
    while (count-- > 0) {
        b->held = b->held << 1 | (value >> count & 1);
        if (++b->count == 8) {
            byte(b, b->held);
            b->held = b->count = 0;
        }
    }
}

static void ue(struct bits *b, unsigned value) {
    int length = 0;
    while ((value + 1) >> (length + 1)) length++;
    put(b, 0, length);
    put(b, value + 1, length + 1);
}

static void se(struct bits *b, int value) { ue(b, value > 0 ? 2 * value - 1 : -2 * value); }

static void begin_unit(struct bits *b, uint8_t header) {
    static const uint8_t start[4] = {0, 0, 0, 1};
    for (int i = 0; i < 4 && b->at < b->end; i++) *b->at++ = start[i];
    b->zeros = b->held = b->count = 0;
    byte(b, header);
}

static void align(struct bits *b) {
    while (b->count) put(b, 0, 1);
}

static void end_unit(struct bits *b) {
    put(b, 1, 1);
    align(b);
}

/* --- H.264 ---------------------------------------------------------------------------------------------------------- */

static void parameter_sets(struct bits *b, struct context *c) {
    unsigned across = c->sequence.picture_width_in_mbs, down = c->sequence.picture_height_in_mbs;
    begin_unit(b, 0x67);
    put(b, 100, 8), put(b, 0, 8), put(b, c->sequence.level_idc, 8);
    ue(b, 0);                                          /* seq_parameter_set_id */
    ue(b, 1), ue(b, 0), ue(b, 0), put(b, 0, 1), put(b, 0, 1); /* 4:2:0 of 8 bits, no scaling lists */
    ue(b, 4), ue(b, 2), ue(b, 1), put(b, 0, 1);        /* frame_num of 8 bits, order = decoding order, one reference */
    ue(b, across - 1), ue(b, down - 1);
    put(b, 1, 1), put(b, 1, 1);                        /* frames only, direct_8x8_inference */
    unsigned right = (across * 16 - c->width) / 2, bottom = (down * 16 - c->height) / 2;
    put(b, right || bottom, 1);
    if (right || bottom) ue(b, 0), ue(b, right), ue(b, 0), ue(b, bottom);
    put(b, 0, 1);                                      /* no VUI */
    end_unit(b);
    begin_unit(b, 0x68);
    ue(b, 0), ue(b, 0), put(b, 0, 1), put(b, 0, 1), ue(b, 0); /* CAVLC, one slice group */
    ue(b, 0), ue(b, 0), put(b, 0, 1), put(b, 0, 2);    /* one reference each way, no weights */
    se(b, 0), se(b, 0), se(b, 0);
    put(b, 1, 1), put(b, 0, 1), put(b, 0, 1);          /* deblocking is controlled in the slice */
    end_unit(b);
}

/* A macroblock of a plane, clamped at the picture's edge. */
static void block(const uint8_t *plane, int stride, int width, int height, int x, int y, int size, int step, uint8_t *out) {
    for (int row = 0; row < size; row++)
        for (int column = 0; column < size; column++) {
            int cy = y + row < height ? y + row : height - 1, cx = x + column < width ? x + column : width - 1;
            *out++ = plane[cy * stride + cx * step];
        }
}

static void macroblock(struct context *c, struct surface *s, int mx, int my, uint8_t out[384]) {
    const uint8_t *chroma = s->pixels + (size_t)s->stride * s->height;
    int half_width = (c->width + 1) / 2, half_height = (c->height + 1) / 2;
    block(s->pixels, s->stride, c->width, c->height, mx * 16, my * 16, 16, 1, out);
    block(chroma, s->stride, half_width, half_height, mx * 8, my * 8, 8, 2, out + 256);
    block(chroma + 1, s->stride, half_width, half_height, mx * 8, my * 8, 8, 2, out + 320);
}

static void slice(struct bits *b, struct context *c, struct surface *s) {
    int idr = c->picture.pic_fields.bits.idr_pic_flag;
    int across = c->sequence.picture_width_in_mbs, down = c->sequence.picture_height_in_mbs;
    unsigned skipped = 0;
    if (!c->last) c->last = calloc(384, (size_t)across * down);
    begin_unit(b, idr ? 0x65 : 0x61);
    ue(b, 0), ue(b, idr ? 7 : 5), ue(b, 0);            /* all of the picture, I or P */
    put(b, c->picture.frame_num & 0xff, 8);
    if (idr) ue(b, c->idr_id++ & 1);
    if (!idr) put(b, 0, 1), put(b, 0, 1);              /* references as they are */
    if (idr) put(b, 0, 2);                             /* dec_ref_pic_marking */
    else put(b, 0, 1);
    se(b, 0), ue(b, 1);                                /* no deblocking */
    for (int n = 0; n < across * down; n++) {
        uint8_t now[384], *before = c->last + (size_t)n * 384;
        macroblock(c, s, n % across, n / across, now);
        if (!idr && !memcmp(now, before, 384)) {
            skipped++;
            continue;
        }
        memcpy(before, now, 384);
        if (!idr) ue(b, skipped), skipped = 0;
        ue(b, idr ? 25 : 30);                          /* I_PCM */
        align(b);
        for (int i = 0; i < 384; i++) byte(b, now[i]);
    }
    if (skipped) ue(b, skipped);
    end_unit(b);
}

/* A number in a file beside the driver, or -1. */
static int number_in(const char *name) {
    char path[4096];
    int number = -1;
    const char *folder = getenv("LIBVA_DRIVERS_PATH");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", name);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%d", &number) != 1) number = -1;
        fclose(file);
    }
    return number;
}

static VAStatus encode(struct context *c, struct surface *s) {
    int fail = number_in("fail-after"), crash = number_in("crash-after");
    if (crash >= 0 && encoded_pictures >= crash) abort();
    if (fail >= 0 && encoded_pictures >= fail) return VA_STATUS_ERROR_HW_BUSY;
    if (!VALID(buffers, c->picture.coded_buf)) return VA_STATUS_ERROR_INVALID_BUFFER;
    struct buffer *into = &buffers[c->picture.coded_buf];
    struct bits b = {.at = into->data, .end = into->data + into->size};
    if (c->picture.pic_fields.bits.idr_pic_flag) parameter_sets(&b, c);
    slice(&b, c, s);
    into->coded = (VACodedBufferSegment){.size = b.at - into->data, .buf = into->data};
    encoded_pictures++;
    return b.at < b.end ? VA_STATUS_SUCCESS : VA_STATUS_ERROR_NOT_ENOUGH_BUFFER;
}

/* --- scaling -------------------------------------------------------------------------------------------------------- */

static void scale_plane(const uint8_t *from, int from_stride, int fw, int fh, uint8_t *to, int to_stride, int tw, int th, int size) {
    for (int y = 0; y < th; y++)
        for (int x = 0; x < tw; x++)
            memcpy(to + (size_t)y * to_stride + x * size, from + (size_t)(y * fh / th) * from_stride + x * fw / tw * size, size);
}

static VAStatus process(struct context *c, struct surface *to) {
    if (!VALID(surfaces, c->pipeline.surface)) return VA_STATUS_ERROR_INVALID_SURFACE;
    struct surface *from = &surfaces[c->pipeline.surface];
    const VARectangle *part = c->pipeline.surface_region;
    int width = part ? part->width : from->width, height = part ? part->height : from->height;
    scale_plane(from->pixels, from->stride, width, height, to->pixels, to->stride, to->width, to->height, 1);
    scale_plane(from->pixels + (size_t)from->stride * from->height, from->stride, width / 2, height / 2,
                to->pixels + (size_t)to->stride * to->height, to->stride, to->width / 2, to->height / 2, 2);
    return VA_STATUS_SUCCESS;
}

/* --- the driver's functions ----------------------------------------------------------------------------------------- */

static VAStatus terminate(VADriverContextP ctx) { (void)ctx; return VA_STATUS_SUCCESS; }

static VAStatus profiles(VADriverContextP ctx, VAProfile *list, int *count) {
    (void)ctx;
    list[0] = VAProfileH264ConstrainedBaseline, list[1] = VAProfileH264Main, list[2] = VAProfileH264High;
    list[3] = VAProfileNone;
    *count = 4;
    return VA_STATUS_SUCCESS;
}

static VAStatus entrypoints(VADriverContextP ctx, VAProfile profile, VAEntrypoint *list, int *count) {
    (void)ctx;
    list[0] = profile == VAProfileNone ? VAEntrypointVideoProc : VAEntrypointEncSlice;
    *count = 1;
    return VA_STATUS_SUCCESS;
}

static VAStatus config_attributes(VADriverContextP ctx, VAProfile profile, VAEntrypoint entrypoint, VAConfigAttrib *list, int count) {
    (void)ctx, (void)profile, (void)entrypoint;
    for (int i = 0; i < count; i++) switch (list[i].type) {
        case VAConfigAttribRTFormat: list[i].value = VA_RT_FORMAT_YUV420; break;
        case VAConfigAttribRateControl: list[i].value = VA_RC_CQP | VA_RC_CBR | VA_RC_VBR; break;
        case VAConfigAttribEncMaxRefFrames: list[i].value = 1; break;
        case VAConfigAttribEncMaxSlices: list[i].value = 1; break;
        default: list[i].value = VA_ATTRIB_NOT_SUPPORTED;
    }
    return VA_STATUS_SUCCESS;
}

static VAStatus create_config(VADriverContextP ctx, VAProfile profile, VAEntrypoint entrypoint, VAConfigAttrib *list, int count, VAConfigID *id) {
    (void)ctx, (void)list, (void)count;
    int at = FREE(configs), decodes = number_in("decode-lies") >= 0;
    if (entrypoint == VAEntrypointVLD && !decodes) return VA_STATUS_ERROR_UNSUPPORTED_ENTRYPOINT;
    if (!at) return VA_STATUS_ERROR_ALLOCATION_FAILED;
    configs[at] = (struct config){1, profile, entrypoint};
    *id = at;
    return VA_STATUS_SUCCESS;
}

static VAStatus destroy_config(VADriverContextP ctx, VAConfigID id) {
    (void)ctx;
    if (!VALID(configs, id)) return VA_STATUS_ERROR_INVALID_CONFIG;
    configs[id].used = 0;
    return VA_STATUS_SUCCESS;
}

static VAStatus query_config(VADriverContextP ctx, VAConfigID id, VAProfile *profile, VAEntrypoint *entrypoint, VAConfigAttrib *list, int *count) {
    (void)ctx;
    if (!VALID(configs, id)) return VA_STATUS_ERROR_INVALID_CONFIG;
    *profile = configs[id].profile, *entrypoint = configs[id].entrypoint;
    list[0] = (VAConfigAttrib){VAConfigAttribRTFormat, VA_RT_FORMAT_YUV420};
    *count = 1;
    return VA_STATUS_SUCCESS;
}

static VAStatus create_surfaces2(VADriverContextP ctx, unsigned format, unsigned width, unsigned height, VASurfaceID *list, unsigned count, VASurfaceAttrib *attributes, unsigned attribute_count) {
    (void)ctx;
    if (format != VA_RT_FORMAT_YUV420) return VA_STATUS_ERROR_UNSUPPORTED_RT_FORMAT;
    for (unsigned i = 0; i < attribute_count; i++)
        if (attributes[i].type == VASurfaceAttribPixelFormat && attributes[i].value.value.i != VA_FOURCC_NV12)
            return VA_STATUS_ERROR_INVALID_IMAGE_FORMAT;
    for (unsigned i = 0; i < count; i++) {
        int at = FREE(surfaces), stride = (width + 63) & ~63u, rows = (height + 1) & ~1u;
        uint8_t *pixels = at ? calloc(1, (size_t)stride * rows * 3 / 2 + 64) : NULL;
        if (!pixels) return VA_STATUS_ERROR_ALLOCATION_FAILED;
        surfaces[at] = (struct surface){1, width, rows, stride, pixels};
        list[i] = at;
    }
    return VA_STATUS_SUCCESS;
}

static VAStatus create_surfaces(VADriverContextP ctx, int width, int height, int format, int count, VASurfaceID *list) {
    return create_surfaces2(ctx, format, width, height, list, count, NULL, 0);
}

static VAStatus destroy_surfaces(VADriverContextP ctx, VASurfaceID *list, int count) {
    (void)ctx;
    for (int i = 0; i < count; i++)
        if (VALID(surfaces, list[i])) {
            free(surfaces[list[i]].pixels);
            surfaces[list[i]].used = 0;
        }
    return VA_STATUS_SUCCESS;
}

static VAStatus surface_attributes(VADriverContextP ctx, VAConfigID config, VASurfaceAttrib *list, unsigned *count) {
    (void)ctx, (void)config;
    static const struct { VASurfaceAttribType type; int value; } all[] = {
        {VASurfaceAttribPixelFormat, VA_FOURCC_NV12}, {VASurfaceAttribMinWidth, 16}, {VASurfaceAttribMinHeight, 16},
        {VASurfaceAttribMaxWidth, 4096}, {VASurfaceAttribMaxHeight, 4096},
    };
    if (list) for (int i = 0; i < 5; i++)
        list[i] = (VASurfaceAttrib){.type = all[i].type, .flags = VA_SURFACE_ATTRIB_GETTABLE | VA_SURFACE_ATTRIB_SETTABLE,
                                    .value = {.type = VAGenericValueTypeInteger, .value.i = all[i].value}};
    *count = 5;
    return VA_STATUS_SUCCESS;
}

static VAStatus create_context(VADriverContextP ctx, VAConfigID config, int width, int height, int flag, VASurfaceID *targets, int count, VAContextID *id) {
    (void)ctx, (void)flag, (void)targets, (void)count;
    int at = FREE(contexts);
    if (!at || !VALID(configs, config)) return VA_STATUS_ERROR_INVALID_CONFIG;
    contexts[at] = (struct context){.used = 1, .config = config, .width = width, .height = height};
    *id = at;
    return VA_STATUS_SUCCESS;
}

static VAStatus destroy_context(VADriverContextP ctx, VAContextID id) {
    (void)ctx;
    if (!VALID(contexts, id)) return VA_STATUS_ERROR_INVALID_CONTEXT;
    free(contexts[id].last);
    contexts[id].used = 0;
    return VA_STATUS_SUCCESS;
}

static VAStatus create_buffer(VADriverContextP ctx, VAContextID context, VABufferType type, unsigned size, unsigned count, void *data, VABufferID *id) {
    (void)ctx, (void)context;
    int at = FREE(buffers);
    uint8_t *bytes = at ? calloc(count, size) : NULL;
    if (!bytes) return VA_STATUS_ERROR_ALLOCATION_FAILED;
    if (data) memcpy(bytes, data, (size_t)size * count);
    buffers[at] = (struct buffer){.used = 1, .type = type, .owned = 1, .size = size * count, .data = bytes};
    *id = at;
    return VA_STATUS_SUCCESS;
}

static VAStatus set_elements(VADriverContextP ctx, VABufferID id, unsigned count) {
    (void)ctx, (void)id, (void)count;
    return VA_STATUS_SUCCESS;
}

static VAStatus map_buffer(VADriverContextP ctx, VABufferID id, void **data) {
    (void)ctx;
    if (!VALID(buffers, id)) return VA_STATUS_ERROR_INVALID_BUFFER;
    *data = buffers[id].type == VAEncCodedBufferType ? (void *)&buffers[id].coded : buffers[id].data;
    return VA_STATUS_SUCCESS;
}

static VAStatus unmap_buffer(VADriverContextP ctx, VABufferID id) {
    (void)ctx;
    return VALID(buffers, id) ? VA_STATUS_SUCCESS : VA_STATUS_ERROR_INVALID_BUFFER;
}

static VAStatus destroy_buffer(VADriverContextP ctx, VABufferID id) {
    (void)ctx;
    if (!VALID(buffers, id)) return VA_STATUS_ERROR_INVALID_BUFFER;
    if (buffers[id].owned) free(buffers[id].data);
    buffers[id].used = 0;
    return VA_STATUS_SUCCESS;
}

static VAStatus begin(VADriverContextP ctx, VAContextID id, VASurfaceID target) {
    (void)ctx;
    if (!VALID(contexts, id) || !VALID(surfaces, target)) return VA_STATUS_ERROR_INVALID_CONTEXT;
    contexts[id].target = target;
    return VA_STATUS_SUCCESS;
}

static VAStatus render(VADriverContextP ctx, VAContextID id, VABufferID *list, int count) {
    (void)ctx;
    if (!VALID(contexts, id)) return VA_STATUS_ERROR_INVALID_CONTEXT;
    struct context *c = &contexts[id];
    for (int i = 0; i < count; i++) {
        if (!VALID(buffers, list[i])) return VA_STATUS_ERROR_INVALID_BUFFER;
        struct buffer *b = &buffers[list[i]];
        switch (b->type) {
            case VAEncSequenceParameterBufferType: memcpy(&c->sequence, b->data, sizeof c->sequence); break;
            case VAEncPictureParameterBufferType: memcpy(&c->picture, b->data, sizeof c->picture); break;
            case VAProcPipelineParameterBufferType: memcpy(&c->pipeline, b->data, sizeof c->pipeline); break;
            default: break;
        }
    }
    return VA_STATUS_SUCCESS;
}

static VAStatus end(VADriverContextP ctx, VAContextID id) {
    (void)ctx;
    if (!VALID(contexts, id) || !VALID(configs, contexts[id].config)) return VA_STATUS_ERROR_INVALID_CONTEXT;
    struct context *c = &contexts[id];
    int is_processing = configs[c->config].entrypoint == VAEntrypointVideoProc;
    pthread_mutex_lock(&lock);
    VAStatus status = (is_processing ? process : encode)(c, &surfaces[c->target]);
    pthread_mutex_unlock(&lock);
    return status;
}

static VAStatus sync_surface(VADriverContextP ctx, VASurfaceID id) {
    (void)ctx;
    return VALID(surfaces, id) ? VA_STATUS_SUCCESS : VA_STATUS_ERROR_INVALID_SURFACE;
}

static VAStatus surface_status(VADriverContextP ctx, VASurfaceID id, VASurfaceStatus *status) {
    (void)ctx, (void)id;
    *status = VASurfaceReady;
    return VA_STATUS_SUCCESS;
}

static const VAImageFormat NV12 = {.fourcc = VA_FOURCC_NV12, .byte_order = VA_LSB_FIRST, .bits_per_pixel = 12};

static VAStatus image_formats(VADriverContextP ctx, VAImageFormat *list, int *count) {
    (void)ctx;
    list[0] = NV12;
    *count = 1;
    return VA_STATUS_SUCCESS;
}

static VAStatus new_image(int width, int height, int stride, uint8_t *pixels, VAImage *image) {
    int at = FREE(images), buffer = FREE(buffers);
    unsigned size = stride * height * 3 / 2;
    uint8_t *data = pixels ? pixels : calloc(1, size);
    if (!at || !buffer || !data) return VA_STATUS_ERROR_ALLOCATION_FAILED;
    buffers[buffer] = (struct buffer){.used = 1, .type = VAImageBufferType, .owned = !pixels, .size = size, .data = data};
    *image = (VAImage){.image_id = at, .format = NV12, .buf = buffer, .width = width, .height = height, .data_size = size,
                       .num_planes = 2, .pitches = {stride, stride}, .offsets = {0, stride * height}};
    images[at].used = 1, images[at].image = *image;
    return VA_STATUS_SUCCESS;
}

static VAStatus create_image(VADriverContextP ctx, VAImageFormat *format, int width, int height, VAImage *image) {
    (void)ctx;
    if (format->fourcc != VA_FOURCC_NV12) return VA_STATUS_ERROR_INVALID_IMAGE_FORMAT;
    return new_image(width, (height + 1) & ~1, (width + 63) & ~63, NULL, image);
}

static VAStatus derive_image(VADriverContextP ctx, VASurfaceID id, VAImage *image) {
    (void)ctx;
    if (!VALID(surfaces, id)) return VA_STATUS_ERROR_INVALID_SURFACE;
    struct surface *s = &surfaces[id];
    return new_image(s->width, s->height, s->stride, s->pixels, image);
}

static VAStatus destroy_image(VADriverContextP ctx, VAImageID id) {
    if (!VALID(images, id)) return VA_STATUS_ERROR_INVALID_IMAGE;
    destroy_buffer(ctx, images[id].image.buf);
    images[id].used = 0;
    return VA_STATUS_SUCCESS;
}

static void copy(struct surface *s, VAImage *image, int to_image) {
    uint8_t *pixels = buffers[image->buf].data;
    for (int plane = 0; plane < 2; plane++)
        for (int y = 0; y < (plane ? s->height / 2 : s->height) && y < (plane ? image->height / 2 : image->height); y++) {
            uint8_t *a = s->pixels + (size_t)s->stride * (plane ? s->height + y : y);
            uint8_t *b = pixels + image->offsets[plane] + (size_t)image->pitches[plane] * y;
            size_t size = s->width < image->width ? s->width : image->width;
            memcpy(to_image ? b : a, to_image ? a : b, (size + 1) & ~1u);
        }
}

static VAStatus get_image(VADriverContextP ctx, VASurfaceID id, int x, int y, unsigned width, unsigned height, VAImageID image) {
    (void)ctx, (void)x, (void)y, (void)width, (void)height;
    if (!VALID(surfaces, id) || !VALID(images, image)) return VA_STATUS_ERROR_INVALID_IMAGE;
    copy(&surfaces[id], &images[image].image, 1);
    return VA_STATUS_SUCCESS;
}

static VAStatus put_image(VADriverContextP ctx, VASurfaceID id, VAImageID image, int sx, int sy, unsigned sw, unsigned sh, int dx, int dy, unsigned dw, unsigned dh) {
    (void)ctx, (void)sx, (void)sy, (void)sw, (void)sh, (void)dx, (void)dy, (void)dw, (void)dh;
    if (!VALID(surfaces, id) || !VALID(images, image)) return VA_STATUS_ERROR_INVALID_IMAGE;
    copy(&surfaces[id], &images[image].image, 0);
    return VA_STATUS_SUCCESS;
}

/* What libva insists on and nobody here calls. */
static VAStatus nothing(void) { return VA_STATUS_ERROR_UNIMPLEMENTED; }

static VAStatus processing_filters(VADriverContextP ctx, VAContextID context, VAProcFilterType *list, unsigned *count) {
    (void)ctx, (void)context, (void)list;
    *count = 0;
    return VA_STATUS_SUCCESS;
}

static VAStatus pipeline_caps(VADriverContextP ctx, VAContextID context, VABufferID *filters, unsigned count, VAProcPipelineCaps *caps) {
    (void)ctx, (void)context, (void)filters, (void)count;
    static VAProcColorStandardType standards[] = {VAProcColorStandardBT601, VAProcColorStandardBT709};
    caps->input_color_standards = caps->output_color_standards = standards;
    caps->num_input_color_standards = caps->num_output_color_standards = 2;
    caps->num_forward_references = caps->num_backward_references = 0;
    return VA_STATUS_SUCCESS;
}

/* libva looks for this name with its own version in it, and then for older ones. */
#define NAMED_(major, minor) __vaDriverInit_##major##_##minor
#define NAMED(major, minor) NAMED_(major, minor)

EXPORT VAStatus NAMED(VA_MAJOR_VERSION, VA_MINOR_VERSION)(VADriverContextP ctx) {
    struct VADriverVTable *v = ctx->vtable;
    ctx->version_major = VA_MAJOR_VERSION, ctx->version_minor = VA_MINOR_VERSION;
    ctx->max_profiles = 8, ctx->max_entrypoints = 2, ctx->max_attributes = 16, ctx->max_image_formats = 1;
    ctx->max_subpic_formats = 1, ctx->max_display_attributes = 1;
    ctx->str_vendor = "Potluck test driver";
    v->vaTerminate = terminate, v->vaQueryConfigProfiles = profiles, v->vaQueryConfigEntrypoints = entrypoints;
    v->vaGetConfigAttributes = config_attributes, v->vaCreateConfig = create_config, v->vaDestroyConfig = destroy_config;
    v->vaQueryConfigAttributes = query_config, v->vaCreateSurfaces = create_surfaces, v->vaDestroySurfaces = destroy_surfaces;
    v->vaCreateSurfaces2 = create_surfaces2, v->vaQuerySurfaceAttributes = surface_attributes;
    v->vaCreateContext = create_context, v->vaDestroyContext = destroy_context, v->vaCreateBuffer = create_buffer;
    v->vaBufferSetNumElements = set_elements, v->vaMapBuffer = map_buffer, v->vaUnmapBuffer = unmap_buffer;
    v->vaDestroyBuffer = destroy_buffer, v->vaBeginPicture = begin, v->vaRenderPicture = render, v->vaEndPicture = end;
    v->vaSyncSurface = sync_surface, v->vaQuerySurfaceStatus = surface_status, v->vaQueryImageFormats = image_formats;
    v->vaCreateImage = create_image, v->vaDeriveImage = derive_image, v->vaDestroyImage = destroy_image;
    v->vaGetImage = get_image, v->vaPutImage = put_image;
    v->vaPutSurface = (void *)nothing, v->vaSetImagePalette = (void *)nothing, v->vaQuerySubpictureFormats = (void *)nothing;
    v->vaCreateSubpicture = (void *)nothing, v->vaDestroySubpicture = (void *)nothing;
    v->vaSetSubpictureImage = (void *)nothing, v->vaSetSubpictureChromakey = (void *)nothing;
    v->vaSetSubpictureGlobalAlpha = (void *)nothing, v->vaAssociateSubpicture = (void *)nothing;
    v->vaDeassociateSubpicture = (void *)nothing, v->vaQueryDisplayAttributes = (void *)nothing;
    v->vaGetDisplayAttributes = (void *)nothing, v->vaSetDisplayAttributes = (void *)nothing;
    ctx->vtable_vpp->vaQueryVideoProcFilters = processing_filters;
    ctx->vtable_vpp->vaQueryVideoProcPipelineCaps = pipeline_caps;
    return VA_STATUS_SUCCESS;
}
