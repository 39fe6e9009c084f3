/** What a download refuses: wrong answers, wrong contents, hostile names, full disks; and where a token goes. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LISTING } from '../../fixtures/hubServer.ts';
import { TINY_CHECKPOINT } from '../../fixtures/tinyModel.ts';
import { failure, useHub, WEIGHTS } from './rig.ts';

const rig = useHub();

describe('a hub that answers wrongly', () => {
  it.each([
    [401, 'hub.unauthorized'],
    [403, 'hub.forbidden'],
    [404, 'hub.not-found'],
    [429, 'hub.rate-limited'],
    [500, 'hub.server-error'],
    [503, 'hub.server-error'],
    [418, 'hub.bad-answer'],
  ])('status %i, for the listing or for a file: %s', async (status, code) => {
    const headers = { 'retry-after': '0' };
    rig().hub.plan(LISTING, { kind: 'status', status, headers }, 50);
    const listing = await failure(rig().download());
    expect([listing.code, listing.subject]).toEqual([code, 'owner/tiny']);
    expect(listing.hint).not.toBe(undefined);
    rig().hub.reset();
    rig().hub.plan(WEIGHTS, { kind: 'status', status, headers }, 50);
    const file = await failure(rig().download());
    expect(file.code).toBe(code);
    expect(file.message).toMatch(status === 418 ? /418/ : /127\.0\.0\.1/);
  });

  it('500 or 429 once: waits, as long as Retry-After says, and goes on', async () => {
    rig().hub.plan(LISTING, { kind: 'status', status: 500 });
    rig().hub.plan(WEIGHTS, { kind: 'status', status: 429, headers: { 'retry-after': '0' } });
    rig().hub.plan(WEIGHTS, { kind: 'status', status: 503 });
    await rig().download();
    rig().expectWhole();
  });

  it('429 with a wait that nobody sits out: says how long', async () => {
    rig().hub.plan(LISTING, { kind: 'status', status: 429, headers: { 'retry-after': '7200' } });
    const error = await failure(rig().download());
    expect([error.code, error.message]).toEqual(['hub.rate-limited', expect.stringContaining('7200 seconds')]);
    expect(rig().hub.asked).toHaveLength(1);
  });

  it.each([
    ['too much announced', { kind: 'lie-about-length', by: 100 }],
    ['too little announced', { kind: 'lie-about-length', by: -100 }],
    ['too much sent', { kind: 'long', extra: 10 }],
    ['too little sent, every time', { kind: 'short', bytes: 0 }],
  ] as const)('a wrong length, %s: is refused', async (_, fault) => {
    rig().hub.plan(WEIGHTS, fault, 50);
    const error = await failure(rig().download());
    expect([error.code, error.subject]).toEqual(['hub.wrong-length', WEIGHTS]);
    expect(fs.existsSync(path.join(rig().dir, WEIGHTS))).toBe(false);
  });

  it.each([WEIGHTS, 'config.json'])('other contents of the right length in %s: are thrown away', async (file) => {
    rig().hub.plan(file, { kind: 'corrupt' }, 50);
    const error = await failure(rig().download());
    expect([error.code, error.subject]).toEqual(['hub.wrong-hash', file]);
    expect(fs.existsSync(path.join(rig().dir, file))).toBe(false);
    // Nothing of it is left to be taken up again.
    expect(fs.statSync(path.join(rig().dir, `${file}.part`)).size).toBe(0);
  });

  it.each(['no JSON', '{}', 'null', '[{"type":"file"}]', '[{"type":"file","path":"config.json","size":-1}]', '[{"type":"file","path":"config.json"}]', '[{"type":"file","path":"a","si'])('the listing %s: is refused', async (text) => {
    rig().hub.plan(LISTING, { kind: 'text', text }, 50);
    expect((await failure(rig().download())).code).toBe('hub.bad-answer');
    expect(fs.existsSync(rig().dir)).toBe(false);
  });

  it.each(['../outside.json', 'lora/../../outside', '/etc/passwd', 'C:\\windows\\x', 'lora\\..\\..\\x', './config.json', 'a//b', 'a\nb', '..'])('a listing that names %j: is refused before anything is written', async (name) => {
    rig().hub.extraEntries = [{ type: 'file', path: name, size: 1, oid: '0'.repeat(40) }];
    const error = await failure(rig().download());
    expect([error.code, error.subject]).toEqual(['hub.bad-path', name]);
    expect(fs.readdirSync(rig().root)).toEqual([]);
  });

  it('a listing that names a file twice: is refused', async () => {
    rig().hub.extraEntries = [{ type: 'file', path: 'config.json', size: 1, oid: '0'.repeat(40) }];
    expect((await failure(rig().download())).message).toContain('twice');
  });
});

describe('a repository that is no checkpoint', () => {
  it.each(['config.json', WEIGHTS, 'lora/adapter_model.safetensors', 'iter_decider.bin'])('without %s: says which file is missing', async (file) => {
    const bytes = rig().hub.bytesOf(file);
    rig().hub.set(file, null);
    const error = await failure(rig().download()).finally(() => { rig().hub.set(file, bytes); });
    expect(error.code).toBe('hub.not-a-checkpoint');
    expect(error.message).toContain(file);
    expect(fs.existsSync(rig().dir)).toBe(false);
  });
});

describe('shards', () => {
  const index = (shards: Readonly<Record<string, string>>): Buffer => Buffer.from(JSON.stringify({ weight_map: shards }));
  const [bytes] = [fs.readFileSync(path.join(TINY_CHECKPOINT, WEIGHTS))];
  const SHARD = 'model-00001-of-00001.safetensors';

  beforeEach(() => {
    rig().hub.set(WEIGHTS, null);
    rig().hub.set(SHARD, bytes);
    rig().hub.set('stray-00001-of-00001.safetensors', Buffer.from('x'));
  });
  afterEach(() => {
    for (const name of [SHARD, 'stray-00001-of-00001.safetensors', 'model.safetensors.index.json']) rig().hub.set(name, null);
    rig().hub.set(WEIGHTS, bytes);
  });

  it('those that the index names are brought, others not', async () => {
    rig().hub.set('model.safetensors.index.json', index({ a: SHARD, b: SHARD }));
    const { plan } = await rig().download();
    expect(plan.files.map((file) => file.path).filter((name) => name.includes('0000'))).toEqual([SHARD]);
    expect(fs.existsSync(path.join(rig().dir, SHARD))).toBe(true);
  });

  it('a shard that is not there, or that leads elsewhere: is refused', async () => {
    rig().hub.set('model.safetensors.index.json', index({ a: 'model-00002-of-00002.safetensors' }));
    expect((await failure(rig().download())).code).toBe('hub.not-a-checkpoint');
    rig().hub.set('model.safetensors.index.json', index({ a: '../../x.safetensors' }));
    expect((await failure(rig().download())).code).toBe('hub.bad-path');
  });
});

describe('a token', () => {
  const TOKEN = 'hf_secret';

  it('opens a gated repository, and is in no message', async () => {
    rig().hub.token = TOKEN;
    const without = await failure(rig().download());
    expect(without.code).toBe('hub.unauthorized');
    const wrong = await failure(rig().download({ token: 'hf_wrong' }));
    expect(`${wrong.code} ${wrong.message} ${wrong.hint ?? ''}`).toMatch(/^hub\.unauthorized .*token/);
    expect(JSON.stringify(wrong.toData())).not.toContain('hf_wrong');
    await rig().download({ token: TOKEN });
    rig().expectWhole();
  });

  it('goes to no other host that a redirect leads to', async () => {
    const place = `/owner/tiny/resolve/main/${WEIGHTS}`;
    rig().hub.plan(WEIGHTS, { kind: 'redirect', to: `${rig().hub.otherUrl}${place}?signature=secret` });
    await rig().download({ token: TOKEN });
    rig().expectWhole();
    const byHost = rig().hub.askedFor(WEIGHTS).map(({ host, authorization }) => [host.split(':')[0], authorization]);
    expect(byHost).toEqual([['127.0.0.1', `Bearer ${TOKEN}`], ['localhost', null]]);
  });

  it('goes along with a redirect inside of the hub', async () => {
    rig().hub.plan(LISTING, { kind: 'redirect', to: '/api/models/owner/tiny/tree/main?recursive=true' });
    rig().hub.token = TOKEN;
    await rig().download({ token: TOKEN });
    rig().expectWhole();
  });

  it('is never sent in the clear over a network', async () => {
    const seen: (string | null)[] = [];
    const spy: typeof fetch = (_, init) => {
      seen.push(new Headers(init?.headers).get('authorization'));
      return Promise.resolve(new Response('', { status: 404 }));
    };
    await failure(rig().download({ token: TOKEN, fetch: spy }, { ...rig().source, hub: 'http://mirror.example' }));
    await failure(rig().download({ token: TOKEN, fetch: spy }, { ...rig().source, hub: 'https://mirror.example' }));
    expect(seen).toEqual([null, `Bearer ${TOKEN}`]);
  });

  it.each([
    ['in a circle', `/owner/tiny/resolve/main/${WEIGHTS}`],
    ['to a file', 'file:///etc/passwd'],
    ['nowhere', 'http://'],
  ])('a redirect %s: is refused', async (_, to) => {
    rig().hub.plan(WEIGHTS, { kind: 'redirect', to }, 50);
    expect((await failure(rig().download())).code).toBe('hub.bad-answer');
  });
});

describe('disk and folder', () => {
  it('too little space: is said before anything is brought, with both numbers', async () => {
    const error = await failure(rig().download({ freeBytes: () => Promise.resolve(1_000_000) }));
    expect(error.code).toBe('hub.disk-full');
    expect(error.message).toMatch(/needs 68 MB .* 1\.0 MB free/);
    expect(rig().hub.askedFor(WEIGHTS)).toEqual([]);
  });

  it('what is there already needs no space again', async () => {
    await rig().download();
    await rig().download({ freeBytes: () => Promise.resolve(64 * 1024 * 1024) });
  });

  it('a folder with something else in it: is not touched', async () => {
    fs.mkdirSync(rig().dir);
    fs.writeFileSync(path.join(rig().dir, 'config.json'), 'mine');
    expect((await failure(rig().download())).code).toBe('hub.exists');
    expect(fs.readFileSync(path.join(rig().dir, 'config.json'), 'utf8')).toBe('mine');
    expect(rig().hub.asked).toEqual([]);
  });

  it('a folder with another repository: is not touched', async () => {
    await rig().download();
    expect((await failure(rig().download({}, { ...rig().source, repository: 'owner/other' }))).message).toContain('holds owner/tiny');
  });

  it('a folder that cannot be made: names it', async () => {
    fs.writeFileSync(path.join(rig().root, 'ckpt'), 'a file');
    const error = await failure(rig().download());
    expect([error.code, error.file]).toEqual(['hub.cannot-write', rig().dir]);
  });

  it('two downloads into one folder: the second is told, and the first is whole', async () => {
    rig().hub.plan(WEIGHTS, { kind: 'trickle', bytes: 200_000, pauseMs: 50 });
    const first = rig().download();
    await expect.poll(() => fs.existsSync(path.join(rig().dir, '.tah-download.lock'))).toBe(true);
    expect((await failure(rig().download())).code).toBe('hub.busy');
    await first;
    rig().expectWhole();
  });

  it('a lock whose owner is gone is taken over', async () => {
    fs.mkdirSync(rig().dir);
    fs.writeFileSync(path.join(rig().dir, '.tah-download.lock'), '999999999 abc');
    await rig().download();
    rig().expectWhole();
  });
});
