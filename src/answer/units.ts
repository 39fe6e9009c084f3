/**
 * Units of measurement and money: names, dimension, exact size in the dimension's base unit.
 * Knows which names are also letters of algebra (m, g, t): those count as units only where the writing shows it.
 */

import { add, divide, fromDecimal, multiply, negate, rational } from './rational.ts';
import type { Rational } from './rational.ts';

export type Dimension = 'length' | 'area' | 'space' | 'mass' | 'volume' | 'time' | 'months' | 'speed' | 'angle' | 'data' | `money:${string}` | `thing:${string}`;

export interface Unit {
  readonly name: string;
  readonly dimension: Dimension;
  /** In the base unit: metre, square metre, cubic metre, gram, litre, second, month, metre a second, degree, bit. */
  readonly size: Rational;
}

const table = new Map<string, Unit>();

function define(dimension: Dimension, size: string, names: string): void {
  const [top = '1', bottom = '1'] = size.split('/');
  const list = names.split(' ');
  for (const name of list) table.set(name, { name: list[0] ?? name, dimension, size: divide(fromDecimal(top), fromDecimal(bottom)) });
}

define('length', '1000', 'km kilometre kilometres kilometer kilometers kms');
define('length', '1', 'm metre metres meter meters');
define('length', '0.1', 'dm decimetre decimetres decimeter decimeters');
define('length', '0.01', 'cm centimetre centimetres centimeter centimeters cms');
define('length', '0.001', 'mm millimetre millimetres millimeter millimeters');
define('length', '0.0254', 'inch inches');
define('length', '0.3048', 'ft foot feet');
define('length', '0.9144', 'yd yard yards');
define('length', '1609.344', 'mi mile miles');
define('area', '1', 'm² m^2 m^{2} sqm');
define('area', '0.0001', 'cm² cm^2 cm^{2}');
define('area', '0.000001', 'mm² mm^2 mm^{2}');
define('area', '1000000', 'km² km^2 km^{2}');
define('space', '1', 'm³ m^3 m^{3}');
define('space', '0.000001', 'cm³ cm^3 cm^{3}');
define('mass', '1000000', 't tonne tonnes tons');
define('mass', '1000', 'kg kilogram kilograms kilo kilos kgs');
define('mass', '1', 'g gram grams');
define('mass', '0.001', 'mg milligram milligrams');
define('mass', '453.59237', 'lb lbs');
define('volume', '1', 'l L litre litres liter liters');
define('volume', '0.1', 'dl dL decilitre decilitres deciliter deciliters');
define('volume', '0.01', 'cl cL centilitre centilitres centiliter centiliters');
define('volume', '0.001', 'ml mL millilitre millilitres milliliter milliliters');
define('time', '604800', 'weeks week');
define('time', '86400', 'days day d');
define('time', '3600', 'h hour hours hr hrs');
define('time', '60', 'min minute minutes mins');
define('time', '1', 's second seconds sec secs');
define('time', '0.001', 'ms millisecond milliseconds');
define('months', '12', 'years year');
define('months', '1', 'months month');
define('speed', '5/18', 'km/h kmh kph');
define('speed', '1', 'm/s');
define('angle', '1', '° degree degrees deg');
define('money:dollar', '1', '$ dollar dollars USD');
define('money:dollar', '0.01', '¢ cent cents');
define('money:euro', '1', '€ euro euros EUR');
define('money:pound', '1', '£ pound pounds GBP');
define('money:yen', '1', '¥ yen');
for (const thing of 'apple egg pen book person people student ticket coin marble pencil card orange box bottle point dog cat child children unit square'.split(' ')) {
  define(`thing:${thing}`, '1', `${thing} ${thing}s ${thing}es`);
}

/** Single letters that algebra uses too. */
const LETTERS = new Set(['m', 'g', 't', 'l', 'L', 'h', 's', 'd']);

export function unitNamed(name: string): Unit | null {
  const plain = name.trim();
  return table.get(plain) ?? table.get(plain.replace(/\^\{(\d)\}/, '^$1')) ?? (plain.length > 3 ? (table.get(plain.toLowerCase()) ?? null) : null);
}
export function isAlsoALetter(name: string): boolean {
  return LETTERS.has(name.trim());
}
/** How many `to` one `from` is. null: not of one kind. */
export function conversionFactor(from: Unit, to: Unit): Rational | null {
  return from.dimension === to.dimension ? divide(from.size, to.size) : null;
}

export interface Quantity {
  readonly value: Rational;
  readonly unit: Unit;
}

/** Sum of "2 h 15 min" in the base unit of its dimension; null for a mixture of kinds. */
export function totalOf(parts: readonly Quantity[]): Quantity | null {
  const [first] = parts;
  if (first === undefined || parts.some((part) => part.unit.dimension !== first.unit.dimension)) return null;
  let total = rational(0n);
  for (const part of parts) {
    total = add(total, multiply(part.value, part.unit.size));
  }
  return { value: total, unit: { ...first.unit, size: rational(1n) } };
}

/** "2 h 15 min", "3\text{ km}": numbers with units and nothing else; null for any other text. */
export function readQuantities(text: string): Quantity[] | null {
  const plain = text
    .replace(/\\(?:text|mathrm|textrm|operatorname)\{([^{}]*)\}/g, ' $1 ')
    .replace(/\\[,;:! ]|~/g, ' ')
    .replace(/\band\b|,(?!\d{3}(?!\d))/g, ' ')
    .replace(/(\d),(?=\d{3}(?!\d))/g, '$1')
    .trim();
  const parts: Quantity[] = [];
  const pattern = /\s*(-?\d+(?:\.\d+)?(?:\/\d+)?)\s*([\p{L}°²³]+(?:\^\{?\d\}?)?(?:\/[hs])?)/uy;
  while (pattern.lastIndex < plain.length) {
    const match = pattern.exec(plain);
    if (match === null) return null;
    const unit = unitNamed(match[2] ?? '');
    if (unit === null) return null;
    const [top = '', bottom = '1'] = (match[1] ?? '').split('/');
    if (/^0+$/.test(bottom)) return null;
    const size = divide(fromDecimal(top.replace('-', '')), fromDecimal(bottom));
    parts.push({ value: top.startsWith('-') ? negate(size) : size, unit });
  }
  return parts.length === 0 ? null : parts;
}
