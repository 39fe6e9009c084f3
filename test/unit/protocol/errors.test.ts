import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, TahError } from '../../../src/protocol/errors.ts';

const documented = fs.readFileSync(path.join(import.meta.dirname, '../../../docs/errors.md'), 'utf8');

describe('errors', () => {
  it('docs/errors.md explains every code, and none that does not exist', () => {
    const inDocs = [...documented.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
    expect(inDocs.toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  it('travels as data and comes back as it was', () => {
    const error = new TahError('model.corrupted', 'x is cut.', { file: '/m/x', hint: 'Import again.', subject: 'x' });
    const back = TahError.fromData(JSON.parse(JSON.stringify(error.toData())) as ReturnType<TahError['toData']>);
    expect(back).toMatchObject({ code: 'model.corrupted', message: 'x is cut.', file: '/m/x', hint: 'Import again.', subject: 'x' });
    expect(back.isUserFault).toBe(true);
  });

  it('anything else that is thrown is our fault', () => {
    expect(TahError.from(new RangeError('oops'))).toMatchObject({ code: 'internal', message: 'oops', isUserFault: false });
  });
});
