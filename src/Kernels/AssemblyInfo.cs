using System.Runtime.CompilerServices;

// Tiles are written before they are read; clearing them first would cost as much as a small one.
[module: SkipLocalsInit]

// ILGPU emits launchers into an assembly of its own, which must see the kernels.
[assembly: InternalsVisibleTo(ILGPU.Context.RuntimeAssemblyName)]
// The compiler of networks fuses instructions and gives their operands a place.
[assembly: InternalsVisibleTo("AutoencoderGpu.Models")]
[assembly: InternalsVisibleTo("AutoencoderGpu.Tests")]
