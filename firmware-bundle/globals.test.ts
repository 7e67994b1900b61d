// Which names count as taken from outside, case by case.

import { parse } from 'acorn';
import { describe, expect, test } from 'vitest';
import { freeNames } from './globals.ts';

function namesOf(code: string): string[] {
  const program = parse(code, { ecmaVersion: 'latest', sourceType: 'module' });
  return freeNames(program).map(({ name }) => name);
}

describe('names from outside are', () => {
  test.each([
    ['used', 'fetch(url)', ['fetch', 'url']],
    ['asked for behind typeof', 'typeof window', ['window']],
    ['assigned without a declaration', 'leak = 1', ['leak']],
    ['read as defaults and computed keys', 'const { [a]: x = b } = {}', ['a', 'b']],
    ['used where a block no longer declares them', '{ let a = 1; } a', ['a']],
    ['exported, shorthand or inherited', 'class A extends B {} f({ c })', ['B', 'f', 'c']],
    [
      'modules by name and random numbers',
      'import(m); Math.random()',
      ['import()', 'm', 'Math.random', 'Math'],
    ],
    ['random numbers by another spelling', 'Math["random"]()', ['Math.random', 'Math']],
  ])('%s', (_, code, names) => {
    expect(namesOf(code)).toEqual(names);
  });
});

describe('names from outside are not', () => {
  test.each([
    [
      'properties, methods and keys',
      'const o = { fetch: 1, get now() { return this.fetch; } }; o.self',
    ],
    ['labels', 'a: for (;;) { continue a; }'],
    ['hoisted', 'f(x); function f() { x = 1; { var y = 2; } return y; } var x;'],
    ['parameters, however deep', '(({ a, b: [c, ...d] }, e = a, ...f) => [a, c, d, e, f])()'],
    [
      'a caught error, a loop, arguments',
      'try { for (const i of []) i; } catch ({ m }) { m; } (function () { arguments; })',
    ],
    ['a named expression', '(function g() { g; }); (class H { static { var v; H; v; } })'],
    [
      'imported',
      'import d, { a as b } from "x"; import * as n from "y"; export { a, b as c } from "z"; d(' +
        'b, n)',
    ],
  ])('%s', (_, code) => {
    expect(namesOf(code)).toEqual([]);
  });
});
