/**
 * Who may come in. A page in a browser can send requests to this machine: it is known by its Origin, by Sec-Fetch-Site,
 * or, when it has turned its own name into this machine's address (DNS rebinding), by the Host. A program needs the
 * token. Pure: reads headers, answers nothing.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from './refusal.ts';

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'] as const;

/** @throws Refusal 403 for what a foreign page in a browser sends */
export function refuseForeign(headers: IncomingHttpHeaders, port: number): void {
  const hosts = LOOPBACK_NAMES.map((name) => `${name}:${port}`);
  // The default port may be left out.
  if (port === 80) hosts.push(...LOOPBACK_NAMES);
  const host = headers.host?.toLowerCase();
  if (host === undefined || !hosts.includes(host)) {
    throw new Refusal(403, 'This server answers requests to 127.0.0.1 and localhost only; the Host header names another one.', { code: 'foreign_host' });
  }
  const { origin } = headers;
  if (origin !== undefined && !hosts.includes(origin.toLowerCase().replace(/^http:\/\//, ''))) {
    throw new Refusal(403, 'This server answers no web pages: the request comes from a foreign Origin.', { code: 'foreign_origin' });
  }
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new Refusal(403, 'This server answers no web pages: the request comes from another site.', { code: 'foreign_origin' });
  }
}

/** A token as it is kept: only its hash, so that a comparison takes the same time for every wrong one. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** @throws Refusal 401 without the token */
export function refuseStranger(headers: IncomingHttpHeaders, tokenHash: Buffer): void {
  const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (given === undefined) {
    throw new Refusal(401, 'You need the token that tah serve printed at its start: send it as "Authorization: Bearer TOKEN".', { code: 'missing_api_key', headers: { 'www-authenticate': 'Bearer' } });
  }
  if (!timingSafeEqual(hashToken(given), tokenHash)) {
    throw new Refusal(401, 'The token is not the one of this server.', { code: 'invalid_api_key', headers: { 'www-authenticate': 'Bearer' } });
  }
}
