/**
 * Main of the engine process: forked by the extension host, serves EngineApi and ImporterApi to it, ends with it.
 * What it knows: which engine and which importer. The rest is in engine/processLife.ts.
 */

import { createEngine } from './engine/engine.ts';
import { serveParent } from './engine/processLife.ts';
import { loadTokenizer } from './engine/text/tokenizer.ts';
import { createImporter } from './importer/importer.ts';

serveParent({ createEngine, createImporter: () => createImporter({ checkTokenizer: loadTokenizer }) });
