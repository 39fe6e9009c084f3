/** Main of the processes of `npm run test:fuzz -- --self-check`. */

import { TARGETS } from './brokenTargets.ts';
import { fuzzProcess } from './fuzzProcess.ts';

await fuzzProcess(TARGETS);
