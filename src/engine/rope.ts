/** cos and sin of RoPE by position, computed as Hugging Face does (float32 angles), so that no provider computes an angle. */
import type { ModelManifest } from '../protocol/manifest.ts';
import type { Feed } from './session.ts';

/** @returns cos and sin, float32 [positions.length, headDim / 2] */
export function ropeTables(architecture: ModelManifest['architecture'], positions: readonly number[]): { cos: Feed; sin: Feed } {
  const frequencies = architecture.ropeInverseFrequencies;
  const factor = architecture.ropeAttentionFactor;
  const cos = new Float32Array(positions.length * frequencies.length);
  const sin = new Float32Array(positions.length * frequencies.length);
  let at = 0;
  for (const position of positions) {
    for (const frequency of frequencies) {
      const angle = Math.fround(position * frequency);
      cos[at] = Math.cos(angle) * factor;
      sin[at] = Math.sin(angle) * factor;
      at++;
    }
  }
  const dims = [positions.length, frequencies.length];
  return { cos: { dtype: 'float32', data: cos, dims }, sin: { dtype: 'float32', data: sin, dims } };
}
