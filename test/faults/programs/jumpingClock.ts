/** Required before a program: its clock, and no other's, jumps by up to ten years ahead or back all the time. */
import { jumpingDate } from '../jumpingDate.ts';

globalThis.Date = jumpingDate(Number(process.env['TAH_STRESS_CLOCK'] ?? 1));
