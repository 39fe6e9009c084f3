/**
 * Main of the engine process: forked by the extension host, serves EngineApi and ImporterApi to it, ends with it.
 * What it knows: which engine and which importer, and what lies beside it. The rest is in engine/processLife.ts.
 */

import path from 'node:path';
import { createEngine } from './engine/engine.ts';
import { serveParent } from './engine/processLife.ts';
import { createChooser } from './engine/providers/choose.ts';
import { cacheFolder, ProviderRecord } from './engine/providers/record.ts';
import { findSelfTest } from './engine/providers/selfTest.ts';
import { loadTokenizer } from './engine/text/tokenizer.ts';
import { createImporter } from './importer/importer.ts';

const dist = import.meta.dirname;
const choose = createChooser({
  probeEntry: path.join(dist, 'providerProbe.cjs'),
  selfTestFolder: () => Promise.resolve(findSelfTest(path.join(dist, 'models'))),
  record: new ProviderRecord(cacheFolder()),
});

serveParent({ createEngine: () => createEngine(choose), createImporter: () => createImporter({ checkTokenizer: loadTokenizer }) });
