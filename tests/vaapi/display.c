/* Lets libva open any file as a render node: preloaded into the worker, so that the driver beside this file can be tested on
 * a machine without a graphics device. libva's own function refuses what the kernel does not call one. */
#include <stdlib.h>
#include <string.h>
#include <va/va.h>
#include <va/va_backend.h>

/* libva's, which it exports for its window system libraries. */
VADisplayContextP va_newDisplayContext(void);
VADriverContextP va_newDriverContext(VADisplayContextP display);

static int is_valid(VADisplayContextP display) { return display && display->pDriverContext; }

static void destroy(VADisplayContextP display) {
    free(display->pDriverContext->drm_state);
    free(display->pDriverContext);
    free(display);
}

static VAStatus driver_count(VADisplayContextP display, int *count) {
    (void)display;
    *count = 1;
    return VA_STATUS_SUCCESS;
}

/* Which driver it is says LIBVA_DRIVER_NAME; this is asked all the same. */
static VAStatus driver_name(VADisplayContextP display, char **name, int index) {
    (void)display, (void)index;
    *name = strdup("potluck");
    return *name ? VA_STATUS_SUCCESS : VA_STATUS_ERROR_ALLOCATION_FAILED;
}

VADisplay vaGetDisplayDRM(int fd) {
    VADisplayContextP display = va_newDisplayContext();
    if (fd < 0 || !display || !va_newDriverContext(display)) return NULL;
    display->vaIsValid = is_valid;
    display->vaDestroy = destroy;
    display->vaGetNumCandidates = driver_count;
    display->vaGetDriverNameByIndex = driver_name;
    display->pDriverContext->display_type = VA_DISPLAY_DRM_RENDERNODES;
    display->pDriverContext->drm_state = calloc(1, 64);
    return display;
}
