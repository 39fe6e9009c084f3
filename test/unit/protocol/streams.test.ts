import { describe, expect, it } from 'vitest';
import { TahError } from '../../../src/protocol/errors.ts';
import { STREAM_EVENTS } from '../../../src/protocol/rpc.ts';
import { IncomingStream, readStreamParams, sendStream } from '../../../src/protocol/streams.ts';
import type { CancelToken, Sending, ServerConnection } from '../../../src/protocol/streams.ts';

const never = (): Promise<void> => new Promise(() => undefined);

describe('IncomingStream', () => {
  it('gives what came before the end, then the error once, then nothing', async () => {
    let fail: (error: TahError) => void = () => undefined;
    const stream = new IncomingStream<number>(() => new Promise((_, reject) => { fail = reject; }));
    stream.push([1, 2]);
    fail(new TahError('engine.crashed', 'gone'));
    await stream.settled;
    expect([await stream.next(), await stream.next()]).toEqual([{ done: false, value: 1 }, { done: false, value: 2 }]);
    await expect(stream.next()).rejects.toMatchObject({ code: 'engine.crashed' });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('cancels at the other end when the reader leaves, and forgets what comes later', async () => {
    let token: CancelToken | undefined;
    const stream = new IncomingStream<number>((given) => { token = given; return never(); });
    stream.push([1]);
    await stream.return();
    expect(token?.isCancellationRequested).toBe(true);
    stream.push([2]);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('rejects a waiting reader when cancelled, without waiting for the other end', async () => {
    const stream = new IncomingStream<number>(never);
    const waiting = stream.next();
    stream.cancel();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('sendStream', () => {
  const sending: Sending<number> = {
    isMilestone: (event) => event < 0,
    nextTurn: () => new Promise((resolve) => { setImmediate(resolve); }),
    now: () => 0,
  };
  function connection(sent: (readonly number[])[]): ServerConnection {
    return {
      onRequest: () => { throw new Error('not used'); },
      sendNotification: (method, params) => {
        expect(method).toBe(STREAM_EVENTS);
        sent.push((params as { events: readonly number[] }).events);
        return Promise.resolve();
      },
    };
  }
  async function* from(...events: number[]): AsyncGenerator<number, void> {
    for (const event of events) {
      await Promise.resolve();
      yield event;
    }
  }

  it('puts the events of one turn into one message and sends a milestone at once', async () => {
    const sent: (readonly number[])[] = [];
    await sendStream(connection(sent), 1, from(-1, 1, 2, 3, -2, 4), new AbortController(), sending);
    expect(sent).toEqual([[-1], [1, 2, 3, -2], [4]]);
  });

  it('splits what would be one huge message', async () => {
    const sent: (readonly number[])[] = [];
    await sendStream(connection(sent), 1, from(...Array.from({ length: 200 }, (_, i) => i)), new AbortController(), sending);
    expect(sent.map((events) => events.length)).toEqual([64, 64, 64, 8]);
    expect(sent.flat()).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it('stops pulling when the connection is gone, and closes the source', async () => {
    let closed = false;
    async function* endless(): AsyncGenerator<number, void> {
      try {
        for (let i = 0; ; i++) yield await Promise.resolve(i);
      } finally {
        closed = true;
      }
    }
    const gone: ServerConnection = {
      onRequest: () => { throw new Error('not used'); },
      sendNotification: () => { throw new Error('closed'); },
    };
    await expect(sendStream(gone, 1, endless(), new AbortController(), sending)).rejects.toMatchObject({ code: 'cancelled' });
    expect(closed).toBe(true);
  });
});

describe('readStreamParams', () => {
  it.each([undefined, null, 3, [], {}, { stream: 'a', request: {} }, { stream: 1.5, request: {} }, { stream: 1, request: null }])('refuses %j', (params) => {
    expect(() => readStreamParams(params)).toThrow(TahError);
  });
});
