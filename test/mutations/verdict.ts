// What a run of a suite says: which of its rules are red, where, and whether that is a verdict. A
// rule that ends in anything but an assertion has judged nothing: the broken line did not run.

import { isObject } from '../../emulator/servers/http.ts';
import type { Mutation } from './suite.ts';

type Outcome = 'green' | 'red' | 'broken';

/** A test of a suite as it ended: on which implementation, by which rule. */
export interface Judged {
  readonly rule: string;
  readonly on: string;
  readonly outcome: Outcome;
  /** The first line of why; empty for green. */
  readonly why: string;
}

/** How a run that is judged says that an expectation was not met; a property says it further in. */
const ASSERTION = /^(AssertionError\b|Error: Property failed[\s\S]*\bAssertionError\b)/;

/**
 * The tests that ran, of a JSON report of vitest. `under`: how the title of the suite's describe()
 * begins. Throws an Error for a report that is none, and for a file that could not be loaded.
 */
export function judged(report: string, under: string): Judged[] {
  const files = listOf(JSON.parse(report), 'testResults');
  return files.flatMap((file) => {
    const tests = listOf(file, 'assertionResults');
    const { message } = file;
    if (tests.length === 0) throw new Error(`does not load: ${message}`);
    return tests.flatMap((test) => judgedTest(test, under));
  });
}

/** A mutation that was tried: where its rule turned red, and why that does not count. */
export interface Tried {
  readonly mutation: Pick<Mutation, 'rule' | 'file' | 'from'>;
  readonly on: readonly string[];
  /** Where it ended by something else than an assertion, and by what. */
  readonly ended: readonly string[];
  readonly problem: string | null;
}

/** Why these tests do not show that `rule` has noticed a broken line; null: they do. */
export function problemOf(tests: readonly Judged[], rule: string, beside: string): string | null {
  const own = tests.filter((one) => one.rule === rule);
  if (own.length === 0) return 'there is no such rule';
  const red = own.filter(({ outcome }) => outcome === 'red');
  const ended = own.find(({ outcome }) => outcome === 'broken');
  if (red.length === 0) return ended === undefined ? 'nothing turns red' : `ends by ${ended.why}`;
  const places = new Set(red.map(({ on }) => on));
  const others = tests.filter((one) => one.rule === beside && places.has(one.on));
  const bad = others.find(({ outcome }) => outcome !== 'green');
  if (bad !== undefined) return `so does what has nothing to do with it: ${beside}: ${bad.why}`;
  return others.length > 0 ? null : `nothing runs beside it: ${beside}`;
}

/** By rule, what of the suite no mutation turns red, and what is wrong with the mutations. */
export function survivorsOf(rules: readonly Judged[], tried: readonly Tried[]): string[] {
  const counted = tried.filter(({ problem }) => problem === null);
  const names = [...new Set(rules.map(({ rule }) => rule))];
  const unseen = names.flatMap((rule) => {
    const caught = new Set(counted.flatMap((one) => (one.mutation.rule === rule ? one.on : [])));
    const places = rules.filter((one) => one.rule === rule && !caught.has(one.on));
    const where = caught.size === 0 ? '' : ` on ${places.map(({ on }) => on).join(', ')}`;
    return places.length === 0 ? [] : [`${rule}: nothing turns it red${where}`];
  });
  const useless = tried.flatMap(({ mutation: { rule, file, from }, problem }) =>
    problem === null ? [] : [`${rule}: ${file}: ${from.trim()}: ${problem}`],
  );
  return [...unseen, ...useless];
}

function judgedTest(test: Readonly<Record<string, unknown>>, under: string): Judged[] {
  const { title, status, ancestorTitles, failureMessages } = test;
  const titles = Array.isArray(ancestorTitles) ? ancestorTitles.map(String) : [];
  const at = titles.findIndex((one) => one.startsWith(under));
  if (at < 0 || (status !== 'passed' && status !== 'failed')) return [];
  const rule = [...titles.slice(at + 1), title].join(' ');
  const on = titles[at]?.slice(under.length) ?? '';
  const why = Array.isArray(failureMessages) ? failureMessages.map(String) : [];
  const isVerdict = why.length > 0 && why.every((one) => ASSERTION.test(one));
  const outcome = status === 'passed' ? 'green' : isVerdict ? 'red' : 'broken';
  const first = why.find((one) => !ASSERTION.test(one)) ?? why[0] ?? '';
  return [{ rule, on, outcome, why: first.split('\n')[0] ?? '' }];
}

function listOf(value: unknown, name: string): Readonly<Record<string, unknown>>[] {
  const list = isObject(value) ? value[name] : undefined;
  if (!Array.isArray(list) || !list.every(isObject)) throw new Error(`a report without ${name}`);
  return list;
}
