/**
 * Changes a JSON text at a node of its tree: other types, numbers at their limits, names of prototypes and paths, nodes
 * exchanged, taken out, doubled or nested deeper than any program calls itself. Knows no schema.
 */

import fc from 'fast-check';
import type { Random } from '../random.ts';
import { sampled } from '../target.ts';
import { ODD } from './text.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
interface Place {
  readonly holder: Json[] | Record<string, Json>;
  readonly key: string;
}

const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', '', '..', '../../outside', '/etc/passwd', 'C:\\outside', '\u0000', '0', '-1', 'type', 'kind'];
const PATHS = ['../outside', '..', '.', '/', '/etc/passwd', '../../../../etc/passwd', 'a/../../b', '\\\\server\\share', 'C:\\x', 'x\u0000y', '%2e%2e%2f', '~', 'CON', 'model.safetensors/..', './model.safetensors', '....//x', 'file:///etc/passwd'];
const NUMBERS = [0, -0, 1, -1, 2, 3, 0.5, -0.5, 63, 64, 65, 255, 256, 1023, 65_536, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e9, 1e15, 1e100, 1e308, 5e-324, -1e308];
/** Numbers and nesting that no JavaScript value writes; put into the text at last. */
const RAW = ['1e999', '-1e999', '-0', '0.1e-400', '123456789012345678901234567890', '1.0', '1E2'];

/** Any JSON value, of fast-check, with keys that matter. */
const ANY: fc.Arbitrary<unknown> = fc.anything({ key: fc.oneof(fc.constantFrom(...NAMES), fc.string()), maxDepth: 3, withNullPrototype: false, values: [fc.constant(null), fc.boolean(), fc.double(), fc.integer(), fc.constantFrom(...NUMBERS), fc.string({ unit: 'binary' }), fc.constantFrom(...PATHS)] });

/** A JSON text of nothing that is known. */
export function inventJson(random: Random): string {
  return JSON.stringify(sampled(ANY, random) ?? null);
}

/** @param text valid JSON; the result may be none */
export function mutateJson(text: string, random: Random): string {
  const tree: { root?: Json } = { root: JSON.parse(text) as Json };
  const raw: string[] = [];
  for (let n = random.size(5); n > 0; n--) change(tree, random, raw);
  let result = JSON.stringify(tree.root ?? null).replace(/"@raw(\d+)@"/g, (_all, index: string) => raw[Number(index)] ?? 'null');
  // Damage to the text itself, and keys that are there twice.
  if (random.chance(0.05)) result = result.slice(0, random.int(result.length));
  if (random.chance(0.05)) {
    const at = random.int(result.length);
    result = result.slice(0, at) + random.pick([...ODD, ',', ':', '"x":1,', '//', '\ufeff']) + result.slice(at + random.int(2));
  }
  return result;
}

function change(tree: { root?: Json }, random: Random, raw: string[]): void {
  const places = placesOf(tree);
  if (places.length === 0) return;
  const place = random.pick(places);
  const value = valueAt(place);
  const other = random.pick(places);
  const put = (next: Json): void => { setAt(place, next); };
  const asRaw = (piece: string): void => { put(`@raw${raw.push(piece) - 1}@`); };
  const actions: readonly (() => void)[] = [
    () => { put(hostile(random)); },
    () => { put(hostile(random)); },
    () => { put(near(value, random)); },
    () => { put(near(value, random)); },
    () => { asRaw(random.pick(RAW)); },
    () => { removeAt(place); },
    () => { put(structuredClone(valueAt(other))); },
    () => { put([value]); },
    () => { put({ [random.pick(NAMES.slice(1))]: value }); },
    () => { if (isRecord(value)) setAt({ holder: value, key: random.pick(NAMES) }, hostile(random)); else put(hostile(random)); },
    () => { if (isRecord(value)) setAt({ holder: value, key: random.pick(NAMES) }, structuredClone(valueAt(other))); },
    () => { if (Array.isArray(value)) value.push(...structuredClone(value.slice(0, 50))); },
    () => { if (Array.isArray(value)) value.reverse(); },
    () => { if (random.chance(0.2)) asRaw(deep(random)); },
    () => { if (random.chance(0.1)) asRaw(wide(random)); },
  ];
  random.pick(actions)();
}

/** A small step from what is there: the edge of a limit is found that way. */
function near(value: Json, random: Random): Json {
  if (typeof value === 'number') return random.pick([value + 1, value - 1, -value, value * 2, value / 2, value + 0.5, value * 1000, Math.trunc(value), String(value)]);
  if (typeof value === 'boolean') return random.pick([!value, Number(value), String(value), null]);
  if (typeof value === 'string') {
    const at = random.int(value.length + 1);
    return random.pick([value.slice(0, at) + random.pick(ODD) + value.slice(at), value.slice(at), value.toUpperCase(), value + value, ` ${value}`, `${value}/`, `../${value}`, random.pick(PATHS), value.repeat(random.size(200))]);
  }
  return hostile(random);
}

function hostile(random: Random): Json {
  return random.pick<() => Json>([
    () => null, () => true, () => false, () => [], () => ({}), () => '',
    () => random.pick(NUMBERS), () => random.pick(NUMBERS), () => random.pick(PATHS), () => random.pick(NAMES), () => random.pick(ODD),
    () => 'x'.repeat(random.size(20_000)),
    () => Array.from({ length: random.size(300) }, () => random.pick(NUMBERS)),
    () => JSON.parse(inventJson(random)) as Json,
  ])();
}

function deep(random: Random): string {
  const depth = random.size(20_000);
  const [open, close] = random.pick([['[', ']'], ['{"a":', '}'], ['[{"__proto__":', '}]'], ['{"type":"Sequence","pretokenizers":[', ']}']] as const);
  return `${open.repeat(depth)}null${close.repeat(depth)}`;
}

function wide(random: Random): string {
  const size = random.size(30_000);
  return random.chance(0.5) ? `[${'0,'.repeat(size)}0]` : `{${Array.from({ length: Math.min(size, 5000) }, (_, i) => `"k${i}":0`).join()}}`;
}

function isRecord(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueAt({ holder, key }: Place): Json {
  return (Array.isArray(holder) ? holder[Number(key)] : Object.getOwnPropertyDescriptor(holder, key)?.value as Json | undefined) ?? null;
}

/** As JSON.parse does it: `__proto__` is a key like any other. */
function setAt({ holder, key }: Place, value: Json): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function removeAt({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else Reflect.deleteProperty(holder, key);
}

const MOST_PLACES = 3000;

/** Every node but those of very long lists. */
function placesOf(root: Record<string, Json>): readonly Place[] {
  const places: Place[] = [];
  const waiting: (Json[] | Record<string, Json>)[] = [root];
  for (let holder = waiting.pop(); holder !== undefined && places.length < MOST_PLACES; holder = waiting.pop()) {
    for (const key of Object.keys(holder).slice(0, 300)) {
      const place = { holder, key };
      places.push(place);
      const value = valueAt(place);
      if (typeof value === 'object' && value !== null) waiting.push(value);
    }
  }
  return places;
}
