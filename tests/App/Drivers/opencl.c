// As much of an OpenCL loader as is called before a kernel runs: a platform without devices, and one with a CPU, a GPU of OpenCL 1.2, a
// GPU without free memory, one that is not available, one that lacks generic addresses and one of small groups.
// FAKE_OPENCL_LOCAL sets the bytes of local memory of all.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, DEVICE_NOT_FOUND = -1, OUT_OF_HOST_MEMORY = -6, INVALID_VALUE = -30 };

typedef struct { const char *name, *version; long type; int available, generic, group; } Device;

static const Device devices[] = {
    { "CPU", "OpenCL 3.0 fake", 2, 1, 1, 256 },
    { "Old GPU", "OpenCL 1.2 fake", 4, 1, 0, 256 },
    { "New GPU [0x56a0]", "OpenCL 3.0 fake", 4, 1, 1, 256 },
    { "Lost GPU", "OpenCL 2.0 fake", 4, 0, 1, 256 },
    { "Poor GPU", "OpenCL 3.0 fake", 4, 1, 0, 256 },
    { "Narrow GPU", "OpenCL 3.0 fake", 4, 1, 1, 128 },
};

static const char empty, full;

static int put(const void *value, size_t length, size_t room, void *out, size_t *size)
{
    if (size)
        *size = length;
    if (out)
        memcpy(out, value, length < room ? length : room);
    return SUCCESS;
}

int clGetPlatformIDs(unsigned room, const void **platforms, unsigned *count)
{
    if (platforms && room > 1)
    {
        platforms[0] = &empty;
        platforms[1] = &full;
    }
    *count = 2;
    return SUCCESS;
}

int clGetPlatformInfo(const void *platform, unsigned what, size_t room, void *out, size_t *size)
{
    const char *text = what == 0x0901 ? "OpenCL 3.0 fake" : platform == &empty ? "Empty platform" : "Full platform";
    return put(text, strlen(text) + 1, room, out, size);
}

int clGetDeviceIDs(const void *platform, long type, unsigned room, const void **found, unsigned *count)
{
    *count = platform == &empty ? 0 : sizeof devices / sizeof *devices;
    for (unsigned i = 0; i < *count && i < room; i++)
        found[i] = &devices[i];
    return *count ? SUCCESS : DEVICE_NOT_FOUND;
}

int clGetDeviceInfo(const Device *device, unsigned what, size_t room, void *out, size_t *size)
{
    const char *text = what == 0x102B ? device->name : what == 0x102F ? device->version : what == 0x103D ? "OpenCL C 1.2" : what == 0x1030 ? "" : NULL;
    if (text)
        return put(text, strlen(text) + 1, room, out, size);
    if (what >= 0x4000)
        return INVALID_VALUE;
    const size_t sizes[] = { 256, 256, 256 };
    if (what == 0x1005)
        return put(sizes, sizeof sizes, room, out, size);
    const char *local = getenv("FAKE_OPENCL_LOCAL");
    const long number = what == 0x1000 ? device->type : what == 0x1004 ? device->group : what == 0x1023 ? (local ? atol(local) : 64l << 10)
        : what == 0x1027 ? device->available : what == 0x1069 ? device->generic
        : what == 0x1003 ? 3 : what == 0x101F ? 4l << 30 : 256;
    return put(&number, sizeof number, room, out, size);
}

void *clGetExtensionFunctionAddressForPlatform(const void *platform, const char *name) { return NULL; }

void *clCreateContext(const void *properties, unsigned count, const void *found, void *callback, void *data, int *error)
{
    *error = OUT_OF_HOST_MEMORY;
    return NULL;
}

int clReleaseContext(void *context) { return SUCCESS; }
