/** Before the first WebGPU test: a software device, or the reason why there is none, which is printed. */
import type { TestProject } from 'vitest/node';
import { softwareGpu } from '../../scripts/softwareGpu.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** For VK_ICD_FILENAMES; null: the tests are skipped. */
    readonly vulkanDriver: string | null;
  }
}

export async function setup(project: TestProject): Promise<void> {
  const gpu = await softwareGpu();
  if ('missing' in gpu) console.log(`The WebGPU tests are skipped: ${gpu.missing}.`);
  project.provide('vulkanDriver', 'driver' in gpu ? gpu.driver : null);
}
