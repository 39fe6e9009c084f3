/** The report of Diagnose as features see it: the room itself is shared with the command line. */
export { privacyFilter } from '../diagnosis/privacy.ts';
export { renderReport } from '../diagnosis/report.ts';
export type { Named, Report } from '../diagnosis/report.ts';
