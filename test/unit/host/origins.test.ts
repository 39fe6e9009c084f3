import { describe, expect, it, vi } from 'vitest';
import { findOrigin, markOf, Origins } from '../../../src/host/origins.ts';
import type { Edit, Origin } from '../../../src/host/origins.ts';

const URI = 'vscode-notebook-cell:/a.ipynb#W0';

/** A document, its problem between `[` and `]`, after edits. */
function problemAfter(marked: string, ...edits: readonly Edit[]): string {
  const start = marked.indexOf('[');
  const end = marked.indexOf(']') - 1;
  const origins = new Origins();
  origins.set('run', { uri: URI, start, offset: end, text: markOf(marked.slice(start + 1, end + 1)) });
  origins.applyEdits(URI, edits);
  const now = origins.get('run');
  let text = marked.replace(/[[\]]/g, '');
  for (const edit of [...edits].sort((a, b) => b.offset - a.offset)) text = text.slice(0, edit.offset) + '+'.repeat(edit.inserted) + text.slice(edit.offset + edit.removed);
  return `${text.slice(0, now?.start)}[${text.slice(now?.start, now?.offset)}]${text.slice(now?.offset)}`;
}

describe('where a problem stood', () => {
  it('moves with the text before it, and not with what comes after', () => {
    expect(problemAfter('ab[xyz]cd', { offset: 0, removed: 1, inserted: 3 })).toBe('+++b[xyz]cd');
    expect(problemAfter('ab[xyz]cd', { offset: 6, removed: 1, inserted: 3 })).toBe('ab[xyz]c+++');
  });

  it('does not grow by what is put in at its ends', () => {
    expect(problemAfter('ab[xyz]cd', { offset: 2, removed: 0, inserted: 2 })).toBe('ab++[xyz]cd');
    expect(problemAfter('ab[xyz]cd', { offset: 5, removed: 0, inserted: 2 })).toBe('ab[xyz]++cd');
  });

  it('is what it was edited to', () => {
    expect(problemAfter('ab[xyz]cd', { offset: 3, removed: 1, inserted: 4 })).toBe('ab[x++++z]cd');
    expect(problemAfter('ab[xyz]cd', { offset: 2, removed: 3, inserted: 5 })).toBe('ab[+++++]cd');
    expect(problemAfter('ab[xyz]cd', { offset: 2, removed: 3, inserted: 0 })).toBe('ab[]cd');
  });

  it('follows several edits at once', () => {
    expect(problemAfter('ab[xyz]cd', { offset: 0, removed: 0, inserted: 2 }, { offset: 3, removed: 1, inserted: 0 }, { offset: 6, removed: 1, inserted: 1 })).toBe('++ab[xz]c+');
  });

  it('is not moved by edits of another document, and is copied with a run', () => {
    const origins = new Origins();
    const origin = { uri: URI, offset: 4, text: markOf('abcd') };
    origins.set('run', origin);
    origins.applyEdits('file:///b', [{ offset: 0, removed: 0, inserted: 9 }]);
    origins.copy('run', 'branch');
    origins.forget('run');
    expect([origins.get('run'), origins.get('branch')]).toEqual([null, origin]);
  });
});

/** Origins of the next window, which gets what this one saved through JSON, as VS Code keeps it. */
async function nextWindow(fill: (origins: Origins) => void, keep?: number): Promise<Origins> {
  let saved: unknown;
  const origins = new Origins({
    save: (state) => {
      saved = JSON.parse(JSON.stringify(state));
      return Promise.resolve();
    },
    ...(keep === undefined ? {} : { keep }),
  });
  fill(origins);
  await origins.flush();
  return new Origins({ saved });
}

describe('places of problems over the end of a window', () => {
  const origin: Origin = { uri: URI, start: 2, offset: 5, text: markOf('xyz') };

  it('are those of the last edit, and are said to be of an earlier window', async () => {
    const next = await nextWindow((origins) => {
      origins.set('run', origin);
      origins.applyEdits(URI, [{ offset: 0, removed: 0, inserted: 10 }]);
    });
    expect(next.get('run')).toEqual({ ...origin, start: 12, offset: 15, restored: true });
  });

  it('are the newest ones only, and none that was forgotten', async () => {
    const next = await nextWindow((origins) => {
      for (const run of ['a', 'b', 'c', 'd']) origins.set(run, origin);
      origins.copy('b', 'e');
      origins.forgetAllBut((run) => run !== 'd');
    }, 3);
    expect(['a', 'b', 'c', 'd', 'e'].map((run) => next.get(run) !== null)).toEqual([false, false, true, false, true]);
  });

  it('are saved some time after a change, once', async () => {
    const save = vi.fn(() => Promise.resolve());
    const origins = new Origins({ save, saveMs: 5 });
    origins.set('run', origin);
    origins.applyEdits(URI, [{ offset: 0, removed: 0, inserted: 1 }]);
    await vi.waitFor(() => { expect(save).toHaveBeenCalled(); });
    await origins.flush();
    expect(save).toHaveBeenCalledOnce();
  });

  it.each([undefined, 'text', [null, 7, {}, { runId: 'run', uri: URI, offset: -1, text: origin.text }, { runId: 'run', uri: URI, offset: 1, text: 'xyz' }]])('are none where what was kept is not readable: %j', (saved) => {
    expect(new Origins({ saved }).get('run')).toBeNull();
  });
});

describe('a problem that is looked for in its document', () => {
  const problem = 'Solve x = 1 for x';
  const at = (start: number, text = problem): Origin => ({ uri: URI, start, offset: start + text.length, text: markOf(text) });

  it('is found where it was, or at the nearest place that has it', () => {
    const document = `${problem}\n\n${problem}\n\n${problem}\n`;
    expect(findOrigin(document, at(19))?.start).toBe(19);
    expect(findOrigin(document, at(25))?.start).toBe(19);
    expect(findOrigin(document, at(500))).toEqual(at(38));
  });

  it('is not found where only its beginning is there', () => {
    const long = 'a'.repeat(100);
    expect(findOrigin(`${long}c ${long}b`, at(0, `${long}b`))?.start).toBe(102);
    expect(findOrigin(`${long}c`, at(0, `${long}b`))).toBeNull();
  });

  it('that was typed belongs to the line of the cursor, a blank one only where it was', () => {
    const line = (offset: number, text: string): Origin => ({ uri: URI, offset, text: markOf(text) });
    expect(findOrigin('one\r\ntwo\r\n', line(7, 'two'))?.offset).toBe(7);
    expect(findOrigin('new\none\ntwo\n', line(5, 'two'))?.offset).toBe(11);
    expect(findOrigin('\none', line(0, ''))?.offset).toBe(0);
    expect(findOrigin('one\n\n', line(0, ''))).toBeNull();
    expect(findOrigin('one', line(7, 'two'))).toBeNull();
  });
});
