// As much of NVIDIA's driver as is called before a kernel runs: two devices, the first too old, the second without free memory.
// FAKE_CUDA_ERROR makes it fail at once, FAKE_CUDA_VERSION makes it an old one.
#include <stdlib.h>
#include <string.h>

static int number(const char *variable, int standard)
{
    const char *text = getenv(variable);
    return text ? atoi(text) : standard;
}

int cuInit(unsigned flags) { return number("FAKE_CUDA_ERROR", 0); }

int cuDriverGetVersion(int *version)
{
    *version = number("FAKE_CUDA_VERSION", 12040);
    return 0;
}

int cuGetErrorString(int error, const char **text)
{
    *text = error == 803 ? "system has unsupported display driver / cuda driver combination" : "out of memory";
    return 0;
}

int cuDeviceGetCount(int *count)
{
    *count = 2;
    return 0;
}

int cuDeviceGetName(char *name, int length, int device)
{
    strncpy(name, device ? "New GPU [1]" : "Old GPU [0]", length);
    return 0;
}

int cuDeviceTotalMem_v2(size_t *bytes, int device)
{
    *bytes = (size_t)8 << 30;
    return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    *value = attribute == 75 ? (device ? 8 : 2) : attribute == 76 ? (device ? 0 : 1) : 32;
    return 0;
}

int cuCtxCreate_v2(void **context, unsigned flags, int device) { return 2; }

int cuCtxDestroy_v2(void *context) { return 201; }
