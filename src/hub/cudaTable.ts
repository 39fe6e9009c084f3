/**
 * What the CUDA runtime is made of: the wheels of PyPI that hold the provider library of ONNX Runtime's version and what
 * it needs, and of each wheel the libraries that are taken, all pinned by size and SHA-256. The provider library names
 * cuBLAS, cuBLASLt, cuRAND and the CUDA runtime in its list of needed libraries; cuDNN and NVRTC are loaded by it and by
 * cuDNN when they are first used. CUDA 13.0, so that every driver of CUDA 13 (580 or newer) will do.
 * Source of sizes and hashes: https://pypi.org/simple/<project>/ (of the wheels), the wheels themselves (of the libraries).
 */

/** A shared library inside a wheel. */
export interface PinnedLibrary {
  /** Within the wheel, with slashes; the last part is its name where it is put. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

export interface PinnedWheel {
  /** For people: what it holds and which version. */
  readonly what: string;
  /** Below the address of the index's files. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly libraries: readonly PinnedLibrary[];
}

export interface CudaTable {
  /** Version of onnxruntime-node that these libraries go with, and no other. */
  readonly onnxRuntime: string;
  readonly wheels: readonly PinnedWheel[];
}

/** Where PyPI serves its files. A mirror of it has the same paths below its own address. */
export const PYPI_FILES = 'https://files.pythonhosted.org';

export const CUDA_TABLE: CudaTable = {
  onnxRuntime: '1.30.0',
  wheels: [
    {
      what: 'CUDA provider of ONNX Runtime 1.30.0',
      path: 'packages/9e/80/d96143329dbe925d434b016c890a5caa785fac8e14a1570e5d6818b63545/onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl',
      size: 246_685_715,
      sha256: '6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1',
      libraries: [
        { path: 'onnxruntime/capi/libonnxruntime_providers_cuda.so', size: 272_049_904, sha256: '35da2e7ed0dd0d1aec5cdb16ce11a51d06c0c48cf62d1b1c9332946a4fae14fc' },
        { path: 'onnxruntime/capi/libonnxruntime_providers_shared.so', size: 14_632, sha256: '086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d' },
      ],
    },
    {
      what: 'CUDA runtime 13.0.96',
      path: 'packages/2e/24/d1558f3b68b1d26e706813b1d10aa1d785e4698c425af8db8edc3dced472/nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
      size: 2_243_632,
      sha256: '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
      libraries: [
        { path: 'nvidia/cu13/lib/libcudart.so.13', size: 704_288, sha256: '96c42e418cec19054186b9429c321603cc190bf26a18104e19408117a2a817b0' },
      ],
    },
    {
      what: 'NVRTC 13.0.88',
      path: 'packages/c3/68/483a78f5e8f31b08fb1bb671559968c0ca3a065ac7acabfc7cee55214fd6/nvidia_cuda_nvrtc-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
      size: 90_215_200,
      sha256: 'ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575',
      libraries: [
        { path: 'nvidia/cu13/lib/libnvrtc-builtins.so.13.0', size: 4_380_616, sha256: '91dcd944d01da9c0f08fff5d779db136a47f6d62bdb63bae900d2f481e92c3a2' },
        { path: 'nvidia/cu13/lib/libnvrtc.so.13', size: 109_338_064, sha256: 'a49e67e8e74590f1e98de55c39c6287efd3f59e3c3797464d7bbe0fe01349b11' },
      ],
    },
    {
      what: 'cuRAND 10.4.0.35',
      path: 'packages/a5/9f/be0a41ca4a4917abf5cb9ae0daff1a6060cc5de950aec0396de9f3b52bc5/nvidia_curand-10.4.0.35-py3-none-manylinux_2_27_x86_64.whl',
      size: 59_544_258,
      sha256: '1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc',
      libraries: [
        { path: 'nvidia/cu13/lib/libcurand.so.10', size: 132_698_328, sha256: 'b53732a66b302b11926e00f762e2c2ba67058347ff93cf4ae709de45e93e06da' },
      ],
    },
    {
      what: 'cuDNN 9.20.0.48',
      path: 'packages/6e/5e/edb9c0ae051602c3ccaffe424256463636d639e27d7f302dde9975ef9e7a/nvidia_cudnn_cu13-9.20.0.48-py3-none-manylinux_2_27_x86_64.whl',
      size: 366_173_588,
      sha256: '0c45dd8eeb50b603f07995b1b300c62ffe6a1980482b82b3bcf94a4ca9d49304',
      libraries: [
        { path: 'nvidia/cudnn/lib/libcudnn.so.9', size: 129_240, sha256: 'b88025af76979b3f1af208790195093684fe01cb8d190528856058f988016660' },
        { path: 'nvidia/cudnn/lib/libcudnn_adv.so.9', size: 109_169_104, sha256: '7702094a50dbea5b8244df01af8e9d3565309d3996bbc8ca96b6c7a207d2d6bd' },
        { path: 'nvidia/cudnn/lib/libcudnn_cnn.so.9', size: 4_203_904, sha256: 'e830c5cba875ebeb8ed3cfde5cc038a2703692ce714a8a4ff28666ac8e2c5732' },
        { path: 'nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9', size: 245_391_920, sha256: 'e5133109f710c215d72fdc8f1d9be187f4760f5f32e57cc8c57515ea9e91455e' },
        { path: 'nvidia/cudnn/lib/libcudnn_engines_runtime_compiled.so.9', size: 29_386_664, sha256: '28db2a6f433a184e264d927b183c47ecaf72dc65ed58245a6d2380f980e29cd3' },
        { path: 'nvidia/cudnn/lib/libcudnn_graph.so.9', size: 4_460_192, sha256: '35c099d318433a88d292775676a51a07d2dd152c3ae799b1c21a75b40f78e456' },
        { path: 'nvidia/cudnn/lib/libcudnn_heuristic.so.9', size: 60_822_040, sha256: 'a41eb9baa9ccc9e2d6c9f2ca226021b54c8ee2df4abf3a91e41687847b481228' },
        { path: 'nvidia/cudnn/lib/libcudnn_ops.so.9', size: 39_855_888, sha256: '705d3dcf9b209fdbeeecd8aaec5fcd0f6f55de5661e1c1388b5a4b8fd29db7c3' },
      ],
    },
    {
      what: 'cuBLAS 13.1.0.3',
      path: 'packages/e7/44/423ac00af4dd95a5aeb27207e2c0d9b7118702149bf4704c3ddb55bb7429/nvidia_cublas-13.1.0.3-py3-none-manylinux_2_27_x86_64.whl',
      size: 423_133_236,
      sha256: 'ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171',
      libraries: [
        { path: 'nvidia/cu13/lib/libcublas.so.13', size: 54_177_976, sha256: 'e70f38efabe986acd5eb683497c62f0f1730a6176ee291d9d24c6e339d1fbf86' },
        { path: 'nvidia/cu13/lib/libcublasLt.so.13', size: 541_595_600, sha256: '656298c804f5adbb0df930545c17911b9584ab4e5101c0eeb65d1fe881d880f8' },
      ],
    },
  ],
};
