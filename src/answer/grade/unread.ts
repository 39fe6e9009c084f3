/** What the grader can't read. A grader's text is seen by no user, so its reasons are for whoever looks into it: in English alone. */

import { Undecided } from '../undecided.ts';

export class Unread extends Undecided {
  constructor(what: string) {
    super('not-readable');
    this.message = what;
  }
}
