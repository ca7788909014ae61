using System.Runtime.CompilerServices;

// ILGPU emits launchers into an assembly of its own, which must see the kernels.
[assembly: InternalsVisibleTo(ILGPU.Context.RuntimeAssemblyName)]
[assembly: InternalsVisibleTo("AutoencoderGpu.Tests")]
