/**
 * Downloads as a window does, in a process that a test may kill or stop: HUB, REPOSITORY, REVISION and FOLDER as
 * arguments. Prints the received bytes at its end; a failure goes to standard error as JSON, with exit code 1.
 */
import { Downloads } from '../../../src/host/downloads.ts';
import { TahError } from '../../../src/protocol/errors.ts';

const [, , hub, repository, revision, folder, stallMs] = process.argv;
if (hub === undefined || repository === undefined || revision === undefined || folder === undefined) throw new Error('usage: downloadProgram HUB REPOSITORY REVISION FOLDER [STALL_MS]');
const downloads = new Downloads({
  folder,
  fetch: () => fetch,
  timing: { stallMs: Number(stallMs ?? 5000), retries: { attempts: 20, delaysMs: [20, 50, 100], longestWaitMs: 60_000 } },
});
downloads.start({ hub, repository, revision }, {}).then(
  ({ receivedBytes }) => {
    process.stdout.write(`${receivedBytes}\n`);
  },
  (error: unknown) => {
    process.stderr.write(`${JSON.stringify(TahError.from(error).toData())}\n`);
    process.exitCode = 1;
  },
);
