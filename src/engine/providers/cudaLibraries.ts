/**
 * Where ONNX Runtime's CUDA provider lies and what it lacks, in words. ONNX Runtime looks for it beside its own library,
 * under the path by which the loader found that: a folder of LD_LIBRARY_PATH that has it goes before the package.
 * Reads files; loads none.
 */
import fs from 'node:fs';
import path from 'node:path';
import { isFound, missingLibraries } from './sharedLibraries.ts';

const RUNTIME = 'libonnxruntime.so.1';
const PROVIDER = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
/** Comes with NVIDIA's driver and with nothing else. */
const DRIVER = 'libcuda.so.1';
/** Loaded by the provider when it is first used, so it is not on its list. */
const CUDNN = 'libcudnn.so.9';

/** The two libraries of the CUDA provider, there or not (Linux x64 alone has them). @param main the main file of the package onnxruntime-node */
export function cudaLibraries(main: string, env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const packaged = path.join(path.dirname(main), '..', 'bin', 'napi-v6', process.platform, process.arch);
  const named = (env['LD_LIBRARY_PATH'] ?? '').split(':').find((folder) => folder !== '' && fs.existsSync(path.join(folder, RUNTIME)));
  return PROVIDER.map((name) => path.join(named ?? packaged, name));
}

/**
 * What CUDA lacks, with the name of each library; null where none is found missing. The runtime itself says only that it
 * can't load one.
 * @param message what the runtime said
 */
export function missingForCuda(main: string, message: string, env: NodeJS.ProcessEnv = process.env): string | null {
  if (process.platform !== 'linux') return null;
  const damaged: string[] = [];
  const missing = cudaLibraries(main, env).flatMap((file) => {
    try {
      return missingLibraries(file, env);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      damaged.push(error.message);
      return [];
    }
  });
  if (damaged.length > 0) return `${damaged.join('; ')} (it is repaired by "tah providers --fetch cuda")`;
  if (/cudnn/i.test(message) && !isFound(CUDNN, env)) missing.push(CUDNN);
  const libraries = missing.filter((name) => name !== DRIVER);
  const driver = missing.includes(DRIVER) ? `NVIDIA's driver is not installed (${DRIVER} is missing)` : null;
  if (libraries.length === 0) return driver;
  const named = `${libraries.length === 1 ? 'a library is' : 'libraries are'} missing: ${libraries.join(', ')} (they are fetched by "tah providers --fetch cuda", in VS Code from the list of models)`;
  return driver === null ? named : `${named}; ${driver}`;
}

/** What CUDA itself says, without the places in the runtime's source and the name of the machine that come with it. */
export function cudaFailure(message: string): string | null {
  return /\b(?:CUDA|CUBLAS|CUDNN) failure \d+: [^;\n]*/i.exec(message)?.[0].trim() ?? null;
}
