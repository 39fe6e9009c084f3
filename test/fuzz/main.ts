/** Main of the processes of `npm run test:fuzz`. */

import { fuzzProcess } from './fuzzProcess.ts';
import { TARGETS } from './targets.ts';

await fuzzProcess(TARGETS);
