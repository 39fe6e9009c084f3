/** Addresses as users write them, and events as networks deliver them. */
import { describe, expect, it } from 'vitest';
import { readAddress } from '../../../src/endpoint/address.ts';
import { eventData } from '../../../src/endpoint/eventStream.ts';

describe('readAddress', () => {
  it.each([
    ['http://127.0.0.1:8000/v1', 'http://127.0.0.1:8000/v1', '127.0.0.1:8000', true, false],
    [' http://localhost:8000/ ', 'http://localhost:8000/v1', 'localhost:8000', true, false],
    ['https://gpu.example/llm/v1/', 'https://gpu.example/llm/v1', 'gpu.example', false, true],
    ['http://desk:30000/v1/chat/completions', 'http://desk:30000/v1', 'desk:30000', false, false],
    ['http://127.0.0.1.evil.example/v1', 'http://127.0.0.1.evil.example/v1', '127.0.0.1.evil.example', false, false],
  ])('%s', (url, base, host, loopback, encrypted) => {
    expect(readAddress(url)).toEqual({ base, host, loopback, encrypted });
  });

  it.each(['', 'desk', 'ftp://desk/v1', 'file:///etc/passwd', 'https://me:secret@desk/v1', 'https://desk/v1?key=secret'])('refuses %s', (url) => {
    expect(() => readAddress(url)).toThrow(expect.objectContaining({ code: 'input.bad-option' }) as Error);
  });

  it('never repeats a password', () => {
    try {
      readAddress('https://me:secret@desk/v1');
    } catch (error) {
      expect(String(error)).not.toContain('secret');
    }
  });
});

describe('eventData', () => {
  const TEXT = 'data: a√b\n\n: comment\ndata:two\r\ndata: lines\r\n\r\nevent: x\rdata: cr\r\rid: 5\n\ndata: last';
  const WANTED = ['a√b', 'two\nlines', 'cr', 'last'];

  it('is the same however the bytes are cut', async () => {
    const bytes = new TextEncoder().encode(TEXT);
    for (let size = 1; size <= bytes.length; size++) {
      const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
      const data: string[] = [];
      for await (const one of eventData((async function* () { await Promise.resolve(); yield* parts; })())) data.push(one);
      expect(data).toEqual(WANTED);
    }
  });

  it('does not collect an event without end', async () => {
    const endless = (async function* () { await Promise.resolve(); for (;;) yield new Uint8Array(1024 * 1024).fill(97); })();
    await expect(eventData(endless).next()).rejects.toThrow(RangeError);
  });
});
