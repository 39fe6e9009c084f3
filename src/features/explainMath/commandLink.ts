/** The addresses of command links in hovers and explanations. Pure. */

import type { DocumentPlace } from '../../host/problem/place.ts';

/** The one command of an explanation. */
export const EXPLANATION_COMMAND = 'thinkAtHard.selectModel';

/** Everything in it is encoded, so that it can't end the link. */
export function commandLink(command: string, { uri, start, end }: DocumentPlace): string {
  return `command:${command}?${encodeURIComponent(JSON.stringify([uri, start, end])).replace(/[()'!*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)}`;
}
