/**
 * A benchmark's grader: is the answer in a model's text the reference answer? Its verdicts are those of Math-Verify,
 * which the field reports with; the test compares them on a table that Math-Verify itself has made. It believes a text
 * as a grader does, not as a user should: what is shown as verified is decided by check.ts alone.
 */

import { decided } from '../undecided.ts';
import { lastNumber, readings } from './find.ts';
import type { Form } from './form.ts';
import { normalAnswer } from './normal.ts';
import { readForm } from './read.ts';
import { sameForm } from './same.ts';

/**
 * @param text the whole text of the model
 * @param reference the benchmark's answer: a number, or LaTeX with or without dollar signs
 * May run for long on huge numbers: call it through gradeText of checker.ts.
 */
export function gradeAnswer(text: string, reference: string, kind: 'number' | 'latex'): boolean {
  const wanted = normalAnswer(kind === 'number' ? (lastNumber(reference) ?? reference) : reference);
  const gold = formOf(wanted);
  let fallback: string | null = null;
  for (const reading of readings(text)) {
    const given = normalAnswer(reading);
    fallback ??= given;
    const answer = formOf(given);
    if (answer !== null) return (gold !== null && sameIn(gold, answer)) || isSameText(wanted, fallback);
  }
  return fallback !== null && isSameText(wanted, fallback);
}

/** What neither side can read may still be the same letter by letter. */
function isSameText(a: string, b: string): boolean {
  return a.trim() !== '' && a.trim() === b.trim();
}

function formOf(normal: string): Form | null {
  return withinLimits(() => readForm(normal));
}

function sameIn(gold: Form, answer: Form): boolean {
  return withinLimits(() => sameForm(gold, answer)) ?? false;
}

/** Null for what can't be decided, and where the call stack or a bigint is exhausted. */
function withinLimits<T>(body: () => T): T | null {
  try {
    return decided(body);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
