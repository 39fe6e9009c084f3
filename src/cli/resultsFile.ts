/**
 * The results of an evaluation as it goes, a line each, so that a stopped one goes on where it was. The first line says
 * with which settings; results of others are never mixed. A line that was being written when the machine stopped is
 * done again.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { TahError } from '../protocol/errors.ts';

/** @typeParam Result what is kept, by its id */
export class ResultsFile<Result extends { readonly id: string }> {
  /** By its id. */
  readonly done = new Map<string, Result>();

  /**
   * @param settings everything that a result depends on
   * @throws TahError input.bad-file where the file has other settings, or is no such file
   */
  constructor(private readonly file: string, settings: unknown) {
    const wanted = JSON.stringify({ settings });
    if (!existsSync(file)) {
      mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
      appendFileSync(file, `${wanted}\n`);
      return;
    }
    const text = readFileSync(file, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const [head = '', ...lines] = whole.split('\n');
    if (head !== wanted) {
      throw new TahError('input.bad-file', `${file} holds results of another model, task or setting.`, { file, hint: 'Delete it, or name another file with --resume.' });
    }
    for (const line of lines) if (line !== '') this.take(line);
    truncateSync(file, Buffer.byteLength(whole));
  }

  add(result: Result): void {
    if (this.done.has(result.id)) return;
    this.done.set(result.id, result);
    appendFileSync(this.file, `${JSON.stringify(result)}\n`);
  }

  private take(line: string): void {
    try {
      const result = JSON.parse(line) as Result;
      this.done.set(result.id, result);
    } catch (cause) {
      throw new TahError('input.bad-file', `${this.file} has a line that is no result: ${line.slice(0, 60)}`, { file: this.file, hint: 'Delete it, or name another file with --resume.', cause });
    }
  }
}
