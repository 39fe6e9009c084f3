/**
 * Main of `npm run bench`: how fast the engine is on this machine, as ratios against others measured in the same rounds.
 * Names the options and the order of the parts; what is measured how is in src/bench. Not part of the package.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { serve } from './bench/contestant.ts';
import { growth, memoryRows } from './bench/growth.ts';
import { importedIn } from './bench/importing.ts';
import { ourAnswers } from './bench/ours.ts';
import { growthPlot } from './bench/plot.ts';
import { cacheFolder, checkpointOf, modelOf, SHAPES, type ShapeName } from './bench/prepared.ts';
import { agreementRows, agreements, starts } from './bench/product.ts';
import { table, type Row } from './bench/report.ts';
import { speed } from './bench/speed.ts';
import { createTerminal } from './cli/terminal.ts';
import { resolveModel } from './cli/models.ts';
import { openModelFolder } from './engine/modelFolder.ts';

const PARTS = ['speed', 'growth', 'start', 'agreement', 'import'] as const;
type Part = (typeof PARTS)[number];
const HELP = `Speed of the engine on this machine, as ratios against others measured in the same rounds.

  npm run bench -- [options]

  --shape NAME      ${Object.keys(SHAPES).join(', ')} (default: 0.6b): a checkpoint with random weights is made
  --parts LIST      ${PARTS.join(',')} (default: all but import)
  --rounds N        rounds that count (default: 5)        --tokens N  tokens of a decode (default: 32)
  --threads N       of the peers (default: the cores of this machine)
  --no-peers        without llama.cpp and PyTorch         --python P  a Python, or an environment, with torch and transformers
  --problems N      held-out problems of the agreement (default: 200)
  --cache DIR       where checkpoints and llama.cpp are kept
  --json FILE       everything that was measured          --svg FILE  the plot of the growth
`;

function options() {
  const { values } = parseArgs({
    options: {
      shape: { type: 'string', default: '0.6b' },
      parts: { type: 'string', default: 'speed,growth,start,agreement' },
      rounds: { type: 'string', default: '5' },
      tokens: { type: 'string', default: '32' },
      threads: { type: 'string', default: String(os.availableParallelism()) },
      problems: { type: 'string', default: '200' },
      'no-peers': { type: 'boolean', default: false },
      python: { type: 'string' },
      cache: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      worker: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((entry) => entry === value);
  if (found === undefined) throw new Error(`--${name} is one of ${known.join(', ')}, not ${value}`);
  return found;
}

function count(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} is a whole number of at least 1, not ${value}`);
  return number;
}

async function main(): Promise<void> {
  const given = options();
  if (given.help) {
    process.stdout.write(HELP);
    return;
  }
  if (given.worker !== undefined) {
    await serve(await ourAnswers(given.worker));
    return;
  }
  const shape: ShapeName = oneOf('shape', given.shape, Object.keys(SHAPES) as ShapeName[]);
  const parts = given.parts.split(',').map((part): Part => oneOf('parts', part, PARTS));
  const [rounds, tokens, threads, problems] = [count('rounds', given.rounds), count('tokens', given.tokens), count('threads', given.threads), count('problems', given.problems)];
  const cache = cacheFolder(given.cache);
  const say = (text: string): void => { process.stderr.write(`${text}\n`); };
  const measured: Record<string, unknown> = { machine: machine(), shape, rounds, tokens, threads };
  const rows: Row[] = [];
  if (parts.includes('speed')) {
    const found = await speed({ shape, cache, rounds, tokens, threads, peers: !given['no-peers'], python: given.python, say });
    rows.push(...found.rows);
    measured['speed'] = found;
  }
  if (parts.includes('growth')) {
    const model = await modelOf(shape, false, cache);
    const points = await growth(model, tokens, rounds, say);
    const weights = openModelFolder(model).manifest.files.find((file) => file.path.endsWith('.data'))?.bytes ?? NaN;
    rows.push(...memoryRows(points, weights));
    measured['growth'] = points;
    if (given.svg !== undefined) fs.writeFileSync(given.svg, growthPlot(points, weights));
  }
  if (parts.includes('start')) {
    say('Starts of the bundled model');
    rows.push(...(await starts(await resolveModel(undefined, createTerminal({ json: true })), rounds)));
  }
  if (parts.includes('agreement')) {
    say('Agreement of the quantisations');
    const found = await agreements(cache, problems);
    rows.push(...agreementRows(found));
    measured['agreement'] = found;
  }
  if (parts.includes('import')) {
    say(`Importing the ${shape} shape`);
    const { seconds, largestMemory } = await importedIn(checkpointOf(shape, true, cache), path.join(cache, `${shape}.import`), 'int4');
    const only = (value: number) => ({ median: value, low: value, high: value });
    rows.push({ measure: `import of the ${shape} shape at int4: time`, goal: '<= 60 s at 1.7b', ours: only(seconds), unit: 's' });
    rows.push({ measure: `import of the ${shape} shape at int4: peak memory`, goal: '<= 2000 MB', ours: only(largestMemory / 1e6), unit: 'MB' });
    fs.rmSync(path.join(cache, `${shape}.import`), { recursive: true, force: true });
  }
  measured['rows'] = rows;
  if (given.json !== undefined) fs.writeFileSync(given.json, `${JSON.stringify(measured, null, 2)}\n`);
  process.stdout.write(`${machine()}; shape ${shape}, int4, ${rounds} rounds; median (lowest-highest)\n\n${table(rows).join('\n')}\n`);
}

function machine(): string {
  const [cpu] = os.cpus();
  return `${cpu?.model.trim() ?? 'unknown processor'}, ${os.availableParallelism()} cores, ${Math.round(os.totalmem() / 2 ** 30)} GB, ${process.platform}-${process.arch}, Node ${process.versions.node}`;
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
