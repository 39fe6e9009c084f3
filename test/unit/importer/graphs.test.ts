/** The graphs of a model folder: that each uses only what its provider has, and that all give the same numbers. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Forward } from '../../../src/engine/forward.ts';
import { openModelFolder } from '../../../src/engine/modelFolder.ts';
import { openModelSession } from '../../../src/engine/modelSession.ts';
import { buildModelGraphs } from '../../../src/importer/builders/modelGraphs.ts';
import { schemeFor } from '../../../src/importer/builders/scheme.ts';
import { WeightStore } from '../../../src/importer/builders/weights.ts';
import { openCheckpoint } from '../../../src/importer/checkpoint/openCheckpoint.ts';
import { ExternalData } from '../../../src/importer/onnx/externalData.ts';
import type { GraphData } from '../../../src/importer/onnx/wire.ts';
import type { GraphFlavour, Quantization } from '../../../src/protocol/manifest.ts';
import { importTinyModel, TINY_CHECKPOINT } from '../../fixtures/tinyModel.ts';

/** Of ONNX Runtime's list of DirectML's operators (docs/OperatorKernels.md), those that a graph of ours may use. */
const DIRECTML = new Set(
  ('Add Cast Concat Div Exp Floor Gather Gelu Gemm Greater Identity LayerNormalization Log MatMul Max Mul ReduceMax ReduceSum Reshape Shape Sigmoid SimplifiedLayerNormalization Slice Softmax Split Sub Tile TopK ' +
    'Transpose Unsqueeze FusedMatMul MatMulNBits RotaryEmbedding').split(' '),
);

function graphsOf(quantization: Quantization): Map<string, GraphData> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-graphs-'));
  const checkpoint = openCheckpoint(TINY_CHECKPOINT, {});
  const file = new ExternalData(path.join(folder, 'weights'), 'weights');
  try {
    const { files } = buildModelGraphs(checkpoint, new WeightStore(file), schemeFor(quantization, checkpoint.config.hiddenSize), false);
    return new Map(files.map(({ name, graph }) => [name, graph.finish()]));
  } finally {
    file.close();
    checkpoint.close();
    fs.rmSync(folder, { recursive: true });
  }
}

/** Names of all operators, those of subgraphs too. */
function operators(graph: GraphData): Set<string> {
  const found = new Set<string>();
  for (const node of graph.nodes) {
    found.add(node.op);
    for (const attribute of Object.values(node.attributes)) if (attribute.type === 'graph') for (const op of operators(attribute.value)) found.add(op);
  }
  return found;
}

describe.each(['fp32', 'int8', 'int4'] as const)('graphs of a model at %s', (quantization) => {
  it('DirectML gets no operator that it does not have', () => {
    const graph = graphsOf(quantization).get('model.dml.onnx');
    if (graph === undefined) throw new Error('there is no graph for DirectML');
    expect([...operators(graph)].filter((op) => !DIRECTML.has(op))).toEqual([]);
  });

  it('lie over the same weights, each stored once', () => {
    const graphs = [...graphsOf(quantization).values()];
    const places = new Map<string, string>();
    for (const graph of graphs) {
      for (const { name, data } of graph.initializers) {
        if (data instanceof Uint8Array) continue;
        const place = `${data.offset} ${data.bytes}`;
        expect(places.get(name) ?? place).toBe(place);
        places.set(name, place);
      }
    }
    expect(places.size).toBeGreaterThan(20);
  });

  it('give the same numbers on the CPU, whichever provider they are made for', async () => {
    const tiny = await importTinyModel(quantization);
    const opened = openModelFolder(tiny.dir);
    const logitsOf = async (flavour: GraphFlavour): Promise<readonly (readonly number[])[]> => {
      const session = await openModelSession(opened, { provider: 'cpu', reason: 'test', rejected: [] }, flavour);
      const rows = await new Forward(session, opened.manifest).run({ ids: [163, 28, 147, 181, 407, 176, 209], policy: { kind: 'always' }, track: 'all' });
      await session.close();
      return rows.map((row) => [...(row.finalLogits ?? [])]);
    };
    const theirs = await logitsOf('webgpu');
    const ours = await logitsOf('dml');
    expect(ours).toHaveLength(7);
    ours.forEach((logits, row) => {
      expect(logits).toHaveLength(512);
      expect(Math.max(...logits.map((value, i) => Math.abs(value - (theirs[row]?.[i] ?? NaN))))).toBeLessThan(2e-4);
    });
    tiny.remove();
  });
});
