/** Downloads that go on: over cuts, stalls and cancellation, from a hub on loopback that does all of these. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DownloadProgress } from '../../../src/hub/progress.ts';
import { readRecord } from '../../../src/hub/record.ts';
import { HubServer, LISTING } from '../../fixtures/hubServer.ts';
import { TINY_CHECKPOINT } from '../../fixtures/tinyModel.ts';
import { failure, RETRIES, useHub, WEIGHTS } from './rig.ts';

const rig = useHub();

describe('a download', () => {
  it('brings the files of the layout and no others, checked, and the importer takes the folder', async () => {
    rig().hub.extraEntries = [{ type: 'file', path: 'pytorch_model.bin', size: 5e9, oid: '0'.repeat(40) }, { type: 'directory', path: 'lora', oid: '0'.repeat(40), size: 0 }];
    const steps: DownloadProgress[] = [];
    const { plan, receivedBytes } = await rig().download({ onProgress: (step) => steps.push(step) });
    rig().expectWhole();
    expect(fs.existsSync(path.join(rig().dir, 'vocab.json'))).toBe(false);
    expect(plan.thinksTwice).toBe(true);
    expect(receivedBytes).toBe(plan.totalBytes);
    expect(steps[0]).toMatchObject({ stage: 'listing' });
    expect(steps.at(-1)).toMatchObject({ stage: 'downloading', doneBytes: plan.totalBytes, totalBytes: plan.totalBytes });
    expect(await readRecord(rig().dir)).toMatchObject({ complete: true, repository: 'owner/tiny' });
    expect(rig().hub.askedFor('pytorch_model.bin')).toEqual([]);
  });

  it('asks for nothing that is there already', async () => {
    await rig().download();
    rig().hub.asked.length = 0;
    const { receivedBytes } = await rig().download();
    expect(receivedBytes).toBe(0);
    expect(rig().hub.asked.map(({ path: name }) => name)).toEqual([`/api/models/owner/tiny/tree/main`]);
  });

  it('brings a file again that has been changed on the disk', async () => {
    await rig().download();
    fs.writeFileSync(path.join(rig().dir, 'config.json'), 'x'.repeat(rig().hub.bytesOf('config.json').length));
    await rig().download();
    rig().expectWhole();
  });

  it('reads a listing of several pages', async () => {
    rig().hub.pageSize = 3;
    await rig().download();
    rig().expectWhole();
  });

  it('asks before the first byte: who says no gets nothing', async () => {
    let size = 0;
    const error = await failure(rig().download({ confirm: (plan) => { size = plan.totalBytes; return Promise.resolve(false); } }));
    expect([error.code, fs.existsSync(rig().dir)]).toEqual(['cancelled', false]);
    expect(size).toBeGreaterThan(1e6);
  });
});

describe('a connection that fails', () => {
  it('cut: goes on from there with Range and If-Range, and no byte comes twice', async () => {
    rig().hub.plan(WEIGHTS, { kind: 'cut', after: 300_000 });
    const { receivedBytes, plan } = await rig().download();
    rig().expectWhole();
    expect(rig().hub.askedFor(WEIGHTS)[1]).toMatchObject({ range: expect.stringMatching(/^bytes=[1-9]\d+-$/) as string, ifRange: rig().hub.etagOf(WEIGHTS), status: 206 });
    expect(receivedBytes).toBe(plan.totalBytes);
  });

  it('stalled: is dropped after the time without a byte and taken up again', async () => {
    rig().hub.plan(WEIGHTS, { kind: 'stall', after: 200_000 });
    const waits: string[] = [];
    await rig().download({ onProgress: ({ waiting }) => { if (waiting !== null) waits.push(waiting.reason); } });
    rig().expectWhole();
    expect(rig().hub.askedFor(WEIGHTS)).toHaveLength(2);
    expect(waits.join()).toMatch(/Nothing came from/);
  });

  it('slow, a few bytes at a time: is no stall', async () => {
    rig().hub.plan('tokenizer.json', { kind: 'trickle', bytes: 2500, pauseMs: 60 });
    await rig().download();
    rig().expectWhole();
    expect(rig().hub.askedFor('tokenizer.json')).toHaveLength(1);
  });

  it('cut every time without a byte: gives up after the tries, says what to do, and keeps what is there', async () => {
    rig().hub.plan(WEIGHTS, { kind: 'cut', after: 300_000 });
    rig().hub.plan(WEIGHTS, { kind: 'cut', after: 0 }, 100);
    const error = await failure(rig().download());
    expect(['hub.interrupted', 'hub.no-network']).toContain(error.code);
    expect(error.hint).toContain('Import a checkpoint folder');
    expect(fs.statSync(path.join(rig().dir, `${WEIGHTS}.part`)).size).toBeGreaterThan(0);
    expect(await readRecord(rig().dir)).toMatchObject({ complete: false });
  });

  it('no network at all: names the host and the way without one', async () => {
    const closed = await HubServer.start(TINY_CHECKPOINT);
    const { url } = closed;
    await closed.stop();
    const error = await failure(rig().download({}, { ...rig().source, hub: url }));
    expect(error).toMatchObject({ code: 'hub.no-network', subject: 'owner/tiny' });
    expect(error.message).toContain(new URL(url).host);
    expect(error.hint).toContain('Import a checkpoint folder');
  });

  it('a cut listing: is asked for again', async () => {
    rig().hub.plan(LISTING, { kind: 'cut', after: 100 });
    await rig().download();
    rig().expectWhole();
  });
});

describe('resuming', () => {
  it('goes on in a later download from the bytes on the disk', async () => {
    const there = await rig().interrupted();
    const { receivedBytes } = await rig().download();
    rig().expectWhole();
    expect(rig().hub.askedFor(WEIGHTS)).toMatchObject([{ range: `bytes=${there}-`, status: 206 }]);
    expect(receivedBytes).toBe(rig().hub.bytesOf(WEIGHTS).length - there);
  });

  it('a changed ETag: takes the whole file and mixes nothing', async () => {
    await rig().interrupted();
    rig().hub.touch(WEIGHTS);
    await rig().download();
    rig().expectWhole();
    expect(rig().hub.askedFor(WEIGHTS)).toMatchObject([{ status: 200 }]);
  });

  it('a server that goes on although the ETag has changed: starts over', async () => {
    const there = await rig().interrupted();
    rig().hub.touch(WEIGHTS);
    rig().hub.plan(WEIGHTS, { kind: 'ignore-if-range' });
    await rig().download();
    rig().expectWhole();
    expect(rig().hub.askedFor(WEIGHTS).map(({ range }) => range)).toEqual([`bytes=${there}-`, null]);
  });

  it('a server that knows no ranges: takes the whole file', async () => {
    await rig().interrupted();
    rig().hub.plan(WEIGHTS, { kind: 'ignore-range' });
    await rig().download();
    rig().expectWhole();
  });

  it('a server that sends another part: starts over', async () => {
    await rig().interrupted();
    rig().hub.plan(WEIGHTS, { kind: 'wrong-range' });
    await rig().download();
    rig().expectWhole();
  });

  it('416: throws the part away and starts over; 416 for the whole file is an error', async () => {
    await rig().interrupted();
    rig().hub.plan(WEIGHTS, { kind: 'status', status: 416 });
    await rig().download();
    rig().expectWhole();
    fs.rmSync(rig().dir, { recursive: true });
    rig().hub.plan(WEIGHTS, { kind: 'status', status: 416 }, 9);
    expect((await failure(rig().download())).code).toBe('hub.bad-answer');
  });

  it('damaged bytes of an earlier download: the hash tells, and they are brought again once', async () => {
    const there = await rig().interrupted();
    fs.writeFileSync(path.join(rig().dir, `${WEIGHTS}.part`), Buffer.alloc(there));
    await rig().download();
    rig().expectWhole();
  });

  it('a damaged state file: nothing of the part is believed', async () => {
    await rig().interrupted();
    fs.writeFileSync(path.join(rig().dir, `${WEIGHTS}.part.json`), '{"size":');
    await rig().download();
    rig().expectWhole();
    expect(rig().hub.askedFor(WEIGHTS)).toMatchObject([{ range: null }]);
  });
});

describe('cancelling', () => {
  it('ends at once, keeps what is there, and the next download goes on', async () => {
    rig().hub.plan(WEIGHTS, { kind: 'stall', after: 400_000 }, 9);
    const abort = new AbortController();
    const running = rig().download({
      signal: abort.signal,
      stallMs: 60_000,
    });
    const ended = failure(running);
    const part = path.join(rig().dir, `${WEIGHTS}.part`);
    await expect.poll(() => fs.existsSync(part) && fs.statSync(part).size, { timeout: 20_000 }).toBe(400_000);
    abort.abort();
    expect((await ended).code).toBe('cancelled');
    expect(fs.statSync(part).size).toBe(400_000);
    expect(fs.existsSync(path.join(rig().dir, '.tah-download.lock'))).toBe(false);
    rig().hub.reset();
    await rig().download();
    rig().expectWhole();
    expect(rig().hub.askedFor(WEIGHTS)).toMatchObject([{ range: 'bytes=400000-' }]);
  });

  it('ends a wait for the next try', async () => {
    rig().hub.plan(LISTING, { kind: 'status', status: 429, headers: { 'retry-after': '100' } });
    const abort = new AbortController();
    const running = rig().download({ signal: abort.signal, retries: { ...RETRIES, longestWaitMs: 1e9 }, onProgress: ({ waiting }) => { if (waiting !== null) abort.abort(); } });
    expect((await failure(running)).code).toBe('cancelled');
  });

  it('before the start: asks for nothing', async () => {
    expect((await failure(rig().download({ signal: AbortSignal.abort() }))).code).toBe('cancelled');
    expect(rig().hub.asked).toEqual([]);
  });

  it('one that was killed just after a file got its name leaves nothing beside it', async () => {
    await rig().download();
    fs.writeFileSync(path.join(rig().dir, `${WEIGHTS}.part.json`), '{}');
    await rig().download();
    rig().expectWhole();
  });
});
