/**
 * MathML to words, by the Speech Rule Engine with its ClearSpeak rules, which read a formula as a teacher would.
 * Its language files lie in a folder beside the bundle; nothing is fetched. Runs in the formula worker only.
 */

import type * as speechEngine from 'speech-rule-engine/mjs/common/system.js';

/** Languages whose rules are shipped; keep in step with esbuild.mjs. */
const SPOKEN = new Set(['en', 'de', 'es', 'fr', 'it', 'ko']);

type SpeechEngine = typeof speechEngine;

let engine: Promise<SpeechEngine> | null = null;
let current: string | null = null;

/** It looks for its files when it is loaded, so it is loaded only once it can know where they are. */
async function loadEngine(rules: string): Promise<SpeechEngine> {
  Object.assign(globalThis, { SRE_JSON_PATH: rules });
  const loaded = await import('speech-rule-engine/mjs/common/system.js');
  await loaded.engineReady();
  return loaded;
}

/**
 * @param locale of the user interface, such as "de" or "pt-br"
 * @param rules folder with the language files
 */
export async function speak(mathMl: string, locale: string, rules: string): Promise<string> {
  const { engineReady, setupEngine, toSpeech } = await (engine ??= loadEngine(rules));
  const language = locale.slice(0, 2).toLowerCase();
  const wanted = SPOKEN.has(language) ? language : 'en';
  if (current !== wanted) {
    await setupEngine({ locale: wanted, domain: 'clearspeak', modality: 'speech' });
    await engineReady();
    current = wanted;
  }
  return toSpeech(mathMl).replace(/\s+/g, ' ').trim();
}
