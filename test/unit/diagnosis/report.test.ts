/** A report holds nothing private: whatever is planted, in whatever place, is not in what a user pastes. */
import { describe, expect, it } from 'vitest';
import { privacyFilter } from '../../../src/diagnosis/privacy.ts';
import { renderReport, type Report } from '../../../src/diagnosis/report.ts';

const USER = 'Zoe.Quirk';
const filter = privacyFilter({ home: `/home/${USER}`, userName: USER, hostName: 'quirk-laptop', secrets: ['my-thesis-folder'] });

describe('the privacy filter', () => {
  it.each([
    [`/home/${USER}/secret-project/model.onnx can't be read`],
    [`at ${USER.toLowerCase()} on quirk-laptop`],
    [`C:\\Users\\${USER}\\Documents\\secret-project\\x.bin is missing`],
    [`/home/${USER}`],
    ['/data/secret-project/sub/model.onnx'],
    ['token hf_AbCdEf0123456789 was refused'],
    ['Authorization: Bearer hf_AbCdEf0123456789'],
    ['a model in my-thesis-folder'],
    [`file:///home/${USER}/secret-project/x`],
    [`\\\\server\\secret-project\\share\\x`],
  ])('takes out of %j what is private', (text) => {
    const clean = filter(text);
    for (const planted of [USER, USER.toLowerCase(), 'quirk-laptop', 'secret-project', 'hf_AbCdEf', 'thesis']) expect(clean).not.toContain(planted);
  });

  it.each(['Node 20.20.2', 'used: the graph of this model folder is made for the CPU', 'int4, 1.7 B parameters, 2 passes at most', '40 tokens, 113 tokens/s', 'nics-efc/TaH-plus-1.7B', 'and/or'])('leaves %j alone', (text) => {
    expect(filter(text)).toBe(text);
  });

  it('keeps the last part of a path: which file it was is what matters', () => {
    expect(filter(`/home/${USER}/a/b/model.onnx.data has 3 bytes`)).toBe('…/model.onnx.data has 3 bytes');
  });

  it('finds the home folder of Windows with either slash', () => {
    const windows = privacyFilter({ home: 'C:\\Users\\Zoe', userName: 'Zoe', hostName: 'x1' });
    expect(windows('c:/users/zoe/a.txt and C:\\Users\\Zoe\\b.txt')).not.toMatch(/zoe/i);
  });

  it('a user called "node" does not make the report unreadable', () => {
    expect(privacyFilter({ home: '/home/node', userName: 'node', hostName: 'x1' })('Node 20 in /home/node/app/x')).toBe('Node 20 in …/x');
  });
});

describe('the report', () => {
  const planted = `/home/${USER}/secret-project/x hf_AbCdEf0123456789`;
  /** The engine's programs are named by their paths. */
  const named = (value: string, name = `the Node (${planted})`): { name: string; value: string }[] => [{ name, value }];
  const report: Report = {
    versions: named(planted),
    system: named(planted),
    engine: named(planted),
    providers: named(planted),
    models: [{ id: `model-of-${USER}`, source: 'imported', quantization: 'int4', parameters: 1.7e9, maxIter: 2, hash: 'ab'.repeat(32) }],
    brokenModels: ['model.corrupted'],
    settings: named(planted),
    errors: [{ code: 'hub.no-network', count: 2, last: '2026-01-01T00:00:00Z' }],
    selfCheck: { ok: false, text: planted },
  };

  it('has what was planted in none of its parts', () => {
    const text = renderReport(report, filter);
    for (const secret of [USER, 'secret-project', 'hf_AbCdEf']) expect(text).not.toContain(secret);
    for (const kept of ['model.corrupted', 'hub.no-network', 'Fails', '1700.0 M parameters']) expect(text).toContain(kept);
  });

  it('is a table whatever a value holds: no row is broken, no HTML and no link is made', () => {
    const text = renderReport({ ...report, providers: named('a|b\n<img src=x> [x](command:y)', 'n') }, (value) => value);
    const row = text.split('\n').find((line) => line.includes('a\\|b'));
    expect(row).toBe('| n | a\\|b &lt;img src=x&gt; \\[x\\](command:y) |');
  });
});
