// A rule counts as held only by an assertion that failed, on each implementation, beside a rule
// that holds.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/sources.ts';
import { SUITES } from './suites.ts';
import { changed } from './tree.ts';
import { type Judged, judged, problemOf, survivorsOf } from './verdict.ts';

const UNDER = 'the contract: ';
const RED = 'AssertionError: expected 1 to be 2\n    at rule.ts:1';

type Test = readonly [on: string, rule: string, ...why: string[]];

function reportOf(...tests: readonly Test[]): string {
  const assertionResults = tests.map(([on, title, ...failureMessages]) => ({
    ancestorTitles: [`${UNDER}${on}`],
    title,
    status: failureMessages.length === 0 ? 'passed' : 'failed',
    failureMessages,
  }));
  return JSON.stringify({ testResults: [{ message: '', assertionResults }] });
}

const problem = (...tests: readonly Test[]): string | null =>
  problemOf(judged(reportOf(...tests), UNDER), 'keeps', 'reads');

test('an assertion that failed is a verdict, and any other error is none', () => {
  const property = `Error: Property failed after 1 tests\nCaused by: ${RED}`;
  const report = reportOf(
    ['one', 'keeps', RED],
    ['two', 'keeps', property],
    ['three', 'keeps', 'TypeError: x is not a function\n    at x.ts:1'],
    ['four', 'keeps', RED, 'Error: Test timed out in 5000ms.'],
    ['five', 'keeps'],
  );
  expect(judged(report, UNDER).map(({ on, outcome }) => `${on} ${outcome}`)).toEqual([
    'one red',
    'two red',
    'three broken',
    'four broken',
    'five green',
  ]);
});

test('what was not asked for is not judged, and a rule in a group is named with it', () => {
  const skipped = { ancestorTitles: [`${UNDER}one`], title: 'a', status: 'skipped' };
  const other = { ancestorTitles: ['another suite'], title: 'b', status: 'passed' };
  const inGroup = {
    ...{ ancestorTitles: [`${UNDER}one`, 'an answer'], title: 'ends', status: 'passed' },
    failureMessages: [],
  };
  const report = { testResults: [{ assertionResults: [skipped, other, inGroup] }] };
  const rules = judged(JSON.stringify(report), UNDER);
  expect(rules.map(({ rule }) => rule)).toEqual(['an answer ends']);
});

test('a file that does not load is no verdict', () => {
  const message = 'SyntaxError: Unexpected token';
  const report = JSON.stringify({ testResults: [{ message, assertionResults: [] }] });
  expect(() => judged(report, UNDER)).toThrow('does not load: SyntaxError');
  expect(() => judged('{}', UNDER)).toThrow('a report without testResults');
});

test('a red rule counts where another one holds beside it', () => {
  expect(problem(['one', 'keeps', RED], ['one', 'reads'])).toBeNull();
  expect(problem(['one', 'keeps'], ['one', 'reads'])).toBe('nothing turns red');
  expect(problem(['one', 'keeps', 'TypeError: x'], ['one', 'reads'])).toBe('ends by TypeError: x');
  expect(problem(['one', 'keeps', RED], ['one', 'reads', RED])).toMatch(/^so does what has noth/);
  expect(problem(['one', 'keeps', RED], ['two', 'reads'])).toBe('nothing runs beside it: reads');
  expect(problem(['one', 'reads'])).toBe('there is no such rule');
});

test('a rule survives where no mutation turns it red, and a useless mutation is named', () => {
  const rule = (name: string, on: string): Judged => ({
    rule: name,
    on,
    outcome: 'green',
    why: '',
  });
  const rules = [rule('keeps', 'one'), rule('keeps', 'two'), rule('reads', 'one')];
  const mutation = { rule: 'keeps', file: 'a.ts', from: 'b' };
  const caught = { mutation, on: ['one'], ended: [], problem: null };
  expect(survivorsOf(rules, [caught])).toEqual([
    'keeps: nothing turns it red on two',
    'reads: nothing turns it red',
  ]);
  const late = { mutation, on: ['two'], ended: [], problem: 'is there 0 times' };
  expect(survivorsOf(rules.slice(0, 1), [caught, late])).toEqual([
    'keeps: a.ts: b: is there 0 times',
  ]);
  expect(survivorsOf(rules.slice(0, 2), [caught, { ...late, problem: null }])).toEqual([]);
});

test('a line is broken where it is there once, as it is written', () => {
  expect(changed('a = b;', 'b', '$&c')).toBe('a = $&c;');
  expect(() => changed('a = a;', 'a', 'c')).toThrow('is there 2 times, not once: a');
  expect(() => changed('a', 'b', 'c')).toThrow('is there 0 times');
});

test('every line that `npm run test:mutations` breaks is there once', () => {
  const moved = SUITES.flatMap(({ mutations }) => mutations).flatMap(({ file, from, to, rule }) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return text.split(from).length === 2 && from !== to ? [] : [`${rule}: ${file}: ${from}`];
  });
  expect(moved).toEqual([]);
});
