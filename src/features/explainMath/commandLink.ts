/** The address of a command link in a hover. Pure. */

import type { DocumentPlace } from '../../host/problem/place.ts';

/** Everything in it is encoded, so that it can't end the link. */
export function commandLink(command: string, { uri, start, end }: DocumentPlace): string {
  return `command:${command}?${encodeURIComponent(JSON.stringify([uri, start, end])).replace(/[()'!*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)}`;
}
