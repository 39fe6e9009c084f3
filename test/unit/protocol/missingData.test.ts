/** What a view must say of a run from an endpoint. */
import { describe, expect, it } from 'vitest';
import type { ModelInfo } from '../../../src/protocol/engine.ts';
import { endpointName, endpointReference } from '../../../src/protocol/engine.ts';
import { missingData } from '../../../src/protocol/run.ts';

const LOCAL: ModelInfo = { path: '/m', id: 'm', name: 'M', architecture: 'qwen3', parameters: 1, quantization: 'fp32', maxIter: 2, threshold: 0.5, contextLength: 10, hash: 'h' };
const at = (sends: 'text' | 'logprobs' | 'tah'): { model: ModelInfo } => ({ model: { ...LOCAL, endpoint: { name: 'desk', host: 'desk:8000', sends } } });

describe('missingData', () => {
  it('is nothing for a run of this machine, one that has not begun, and one of a tah serve', () => {
    expect([missingData({ model: LOCAL }), missingData({ model: null }), missingData(at('tah'))]).toEqual([[], [], []]);
  });
  it('is more the less an endpoint sends', () => {
    expect(missingData(at('logprobs'))).toEqual(['passes', 'entropy', 'ids']);
    expect(missingData(at('text'))).toEqual(expect.arrayContaining(['tokens', 'candidates', 'passes', 'entropy', 'ids']));
  });
});

describe('a model reference', () => {
  it('names an endpoint or a folder, never both', () => {
    expect(endpointName(endpointReference('my desk'))).toBe('my desk');
    expect([endpointName('/models/endpoint'), endpointName('C:\\models')]).toEqual([null, null]);
  });
});
