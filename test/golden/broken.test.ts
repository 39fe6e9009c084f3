// Every broken checkpoint of the golden vectors is refused for its defect, without a trace on the disk.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isErrorCode, type ErrorCode } from '../../src/protocol/errors.ts';
import { caught, GOOD, readAll, VECTORS } from '../unit/importer/checkpoint/goodCopy.ts';

const BROKEN = path.join(VECTORS, 'broken');

/** Our code, the file at fault, and words that the message must have: the subject, what is there, what was expected. */
const REFUSALS: Readonly<Record<string, readonly [ErrorCode, string, ...string[]]>> = {
  'truncated-safetensors': ['checkpoint.bad-safetensors', 'model.safetensors', 'cut short'],
  'truncated-header': ['checkpoint.bad-safetensors', 'model.safetensors', 'header', '32'],
  'empty-safetensors': ['checkpoint.bad-safetensors', 'model.safetensors', '0 bytes'],
  'huge-header-length': ['checkpoint.bad-safetensors', 'model.safetensors', String(2n ** 60n)],
  'header-offset-overlap': ['checkpoint.bad-safetensors', 'model.safetensors', 'data_offsets', 'overlap'],
  'header-shape-mismatch': ['checkpoint.bad-safetensors', 'model.safetensors', 'model.norm.weight', '[17]'],
  'wrong-shape': ['checkpoint.wrong-shape', 'model.safetensors', 'model.layers.0.self_attn.q_proj.weight', '[16, 15]', '[16, 16]'],
  'missing-tensor': ['checkpoint.missing-tensor', 'model.safetensors', 'model.layers.1.mlp.up_proj.weight'],
  'nan-weights': ['checkpoint.not-finite', 'model.safetensors', 'model.layers.1.mlp.down_proj.weight', 'NaN'],
  'inf-weights': ['checkpoint.not-finite', 'model.safetensors', 'model.norm.weight', 'Infinity'],
  'missing-weights-file': ['checkpoint.missing-file', 'model.safetensors', 'missing'],
  'missing-shard': ['checkpoint.missing-file', 'model-00002-of-00002.safetensors', 'missing'],
  'shard-path-traversal': ['checkpoint.bad-path', 'model.safetensors.index.json', '../_good/model.safetensors'],
  'missing-lora-file': ['checkpoint.incomplete', 'lora/adapter_model.safetensors', 'missing'],
  'missing-lora-dir': ['checkpoint.incomplete', 'lora/adapter_config.json', 'lora/adapter_model.safetensors'],
  'lora-rank-mismatch': ['checkpoint.bad-lora', 'lora/adapter_model.safetensors', '[3, 16]', 'rank 2', '[2, 16]'],
  'lora-config-conflict': ['checkpoint.bad-lora', 'lora/adapter_config.json', 'lora_alpha', '400', 'tah_config.json', '4'],
  'lora-missing-tensor': ['checkpoint.bad-lora', 'lora/adapter_model.safetensors', 'lora_B.weight', 'missing'],
  'lora-nan': ['checkpoint.not-finite', 'lora/adapter_model.safetensors', 'lora_B.weight', 'NaN'],
  'decider-malicious-pickle': ['checkpoint.forbidden-pickle', 'iter_decider.bin', 'posix.system'],
  'decider-malicious-raw-pickle': ['checkpoint.bad-decider', 'iter_decider.bin', 'zip'],
  'decider-malicious-eval': ['checkpoint.forbidden-pickle', 'iter_decider.bin', 'eval'],
  'decider-truncated': ['checkpoint.bad-decider', 'iter_decider.bin', 'cut short'],
  'decider-not-a-zip': ['checkpoint.bad-decider', 'iter_decider.bin', 'zip'],
  'decider-missing': ['checkpoint.incomplete', 'iter_decider.bin', 'missing'],
  'decider-unknown-class': ['checkpoint.bad-decider', 'tah_config.json', 'OracleDynamicIterDecider', 'MLPIterDecider'],
  'decider-unknown-class-in-bin-only': ['checkpoint.bad-decider', 'iter_decider.bin', 'EvilDecider', 'MLPIterDecider'],
  'decider-wrong-shape': ['checkpoint.bad-decider', 'iter_decider.bin', 'combined_projection.weight', '[8, 47]', '[8, 48]'],
  'decider-missing-tensor': ['checkpoint.bad-decider', 'iter_decider.bin', 'backbone.output_layer.1.weight', 'missing'],
  'decider-nan': ['checkpoint.not-finite', 'iter_decider.bin', 'backbone.input_projection.weight', 'NaN'],
  'tah-config-bad-json': ['checkpoint.bad-json', 'tah_config.json', 'JSON'],
  'tah-config-not-an-object': ['checkpoint.bad-json', 'tah_config.json', 'array'],
  'tah-config-missing': ['checkpoint.incomplete', 'tah_config.json', 'missing'],
  'max-iter-0': ['checkpoint.bad-config', 'tah_config.json', 'max_iter', '1 to 64', 'is 0'],
  'max-iter-negative': ['checkpoint.bad-config', 'tah_config.json', 'max_iter', '-1'],
  'max-iter-null': ['checkpoint.bad-config', 'tah_config.json', 'max_iter', 'null'],
  'max-iter-string': ['checkpoint.bad-config', 'tah_config.json', 'max_iter', '"2"'],
  'layer-index-out-of-range': ['checkpoint.bad-decider', 'tah_config.json', 'hidden_states_layer_nums', '9', '0 to 2'],
  'layer-index-negative': ['checkpoint.bad-decider', 'tah_config.json', 'hidden_states_layer_nums', '-1'],
  'decider-topk-above-vocab': ['checkpoint.bad-decider', 'tah_config.json', 'topk', '100', '64'],
  'decider-hidden-size-mismatch': ['checkpoint.bad-decider', 'tah_config.json', 'hidden_states_size', '32', '16'],
  'unknown-embedding-key': ['checkpoint.bad-config', 'tah_config.json', 'embedding_key', 'transformer.wte', 'model.embed_tokens'],
  'unknown-adapter': ['checkpoint.bad-config', 'tah_config.json', 'adapter', 'ia3', 'lora'],
  'config-bad-json': ['checkpoint.bad-json', 'config.json', 'JSON'],
  'config-missing': ['checkpoint.missing-file', 'config.json', 'missing'],
  'unsupported-architecture': ['checkpoint.unsupported-architecture', 'config.json', 'FooForCausalLM', 'Qwen3ForCausalLM'],
  'unsupported-architecture-mamba': ['checkpoint.unsupported-architecture', 'config.json', 'MambaForCausalLM', 'LlamaForCausalLM'],
  'config-vocab-mismatch': ['checkpoint.wrong-shape', 'model.safetensors', 'model.embed_tokens.weight', '64', '65', 'config.json'],
  'config-heads-not-divisible': ['checkpoint.bad-config', 'config.json', 'num_attention_heads 3', 'num_key_value_heads 2'],
};

const folders = fs.readdirSync(BROKEN, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== '_good');

/** Every file below the folder with its time and size. */
function inventory(dir: string): readonly string[] {
  return fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => {
    const { size, mtimeMs } = fs.statSync(path.join(dir, name));
    return `${name} ${size} ${mtimeMs}`;
  });
}

describe('broken checkpoints', () => {
  it('all have an expectation, in the vectors and here', () => {
    const described = Object.keys(JSON.parse(fs.readFileSync(path.join(BROKEN, 'EXPECT.json'), 'utf8')) as object).sort();
    const names = folders.map((entry) => entry.name).sort();
    expect(names.length).toBeGreaterThanOrEqual(49);
    expect(names).toEqual(described);
    expect(Object.keys(REFUSALS).sort()).toEqual(described);
  });

  it('come from a sound parent that opens', () => {
    expect(() => {
      readAll(GOOD);
    }).not.toThrow();
  });

  it.each(folders.map((entry) => entry.name))('%s is refused, naming file and subject, and nothing is written', (name) => {
    const dir = path.join(BROKEN, name);
    const before = inventory(dir);
    const started = performance.now();
    const error = caught(() => {
      readAll(dir);
    });
    expect(performance.now() - started).toBeLessThan(3000);
    const [code, file, ...words] = REFUSALS[name] ?? [];
    expect(error.message.startsWith(`${file ?? '?'}: `)).toBe(true);
    for (const word of words) expect(error.message).toContain(word);
    expect(error.code).toBe(code);
    expect(isErrorCode(error.code) && error.isUserFault).toBe(true);
    expect(error.file).toBe(path.join(dir, ...(file ?? '?').split('/')));
    expect(inventory(dir)).toEqual(before);
    for (const where of [dir, BROKEN, process.cwd()]) expect(fs.existsSync(path.join(where, 'PWNED'))).toBe(false);
  });
});
