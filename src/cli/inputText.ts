/** Text that a command is given: as an argument, from standard input (`-`) or from a file. It must be UTF-8. */
import fs from 'node:fs';
import { TahError } from '../protocol/errors.ts';

const STDIN = 0;

/** @param text the argument, or - for standard input @throws TahError input.missing-file, input.bad-file */
export function problemText(text: string): string {
  return text === '-' ? readText(STDIN, 'standard input') : text;
}

/** @throws TahError input.bad-option unless just one of both is given; input.missing-file, input.bad-file */
export function textOrFile(text: string | undefined, file: string | undefined): string {
  if ((text === undefined) === (file === undefined)) throw new TahError('input.bad-option', 'Give either a text or --file FILE.');
  return file === undefined ? problemText(text ?? '') : readText(file, file);
}

function readText(source: string | number, name: string): string {
  let bytes: Uint8Array;
  try {
    bytes = fs.readFileSync(source);
  } catch (error) {
    throw new TahError('input.missing-file', `${name} can't be read: ${error instanceof Error ? error.message : String(error)}`, { file: name, cause: error });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new TahError('input.bad-file', `${name} is no UTF-8 text.`, { file: name, hint: 'Save it as UTF-8.', cause: error });
  }
}
