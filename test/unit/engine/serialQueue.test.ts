import { describe, expect, it } from 'vitest';
import { SerialQueue } from '../../../src/engine/serialQueue.ts';

describe('SerialQueue', () => {
  it('lets one in at a time, in the order of asking', async () => {
    const queue = new SerialQueue();
    const order: string[] = [];
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        const leave = await queue.enter();
        order.push(`${name} in`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push(`${name} out`);
        leave();
      }),
    );
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
  });

  it('one that gives up its place does not let those behind it overtake the one inside', async () => {
    const queue = new SerialQueue();
    const leave = await queue.enter();
    const abort = new AbortController();
    const second = queue.enter(abort.signal);
    let thirdIsIn = false;
    const third = queue.enter().then((leaveThird) => { thirdIsIn = true; leaveThird(); });
    abort.abort();
    await expect(second).rejects.toMatchObject({ code: 'cancelled' });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(thirdIsIn).toBe(false);
    leave();
    await third;
    await queue.drained();
  });

  it('is drained only when the last has left', async () => {
    const queue = new SerialQueue();
    const leave = await queue.enter();
    let drained = false;
    const done = queue.drained().then(() => { drained = true; });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(drained).toBe(false);
    leave();
    await done;
  });
});
