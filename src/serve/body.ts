/** Reads a request's JSON body, and no more of it than may be. Knows sizes and types, not what is asked. */

import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';

/**
 * @throws Refusal 413 where it is larger than `limit` bytes, 415 where it is no JSON by its header, 400 where it is
 *   none by its contents or the client went away
 */
export async function readJson(request: IncomingMessage, limit: number): Promise<unknown> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new Refusal(415, 'The body must be JSON: send "Content-Type: application/json".', { code: 'unsupported_media_type' });
  if (request.headers['content-encoding'] !== undefined) throw new Refusal(415, 'The body must not be compressed.', { code: 'unsupported_media_type' });
  const bytes = await readBytes(request, limit);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return JSON.parse(text) as unknown;
  } catch {
    // What is wrong with it is said; where, the client knows best.
    throw new Refusal(400, 'The body is no valid JSON in UTF-8.', { code: 'invalid_json' });
  }
}

async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, 'The body was cut off.', { code: 'incomplete_body' });
  }
  return Buffer.concat(chunks, length);
}

function tooLarge(limit: number): Refusal {
  return new Refusal(413, `The body is larger than ${limit} bytes.`, { code: 'request_too_large' });
}
