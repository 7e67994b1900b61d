// A program taken apart: every piece is in exactly one script, none needs one that is loaded later,
// and what a piece does when it runs is what it did in the whole.

import { runInThisContext } from 'node:vm';
import { parse } from 'acorn';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  callFor,
  cut,
  distribute,
  givenBy,
  type Piece,
  piecesOf,
  type Root,
  scriptOf,
  takenBy,
} from './cut.ts';

function pieces(code: string): Piece[] {
  return piecesOf(code, parse(code, { ecmaVersion: 2022, sourceType: 'module' }));
}

const named = (all: readonly Piece[], name: string): Piece | undefined =>
  all.find(({ declares }) => declares.includes(name));
const namesIn = (all: readonly Piece[]): string[] => all.flatMap(({ declares }) => declares);

describe('a piece', () => {
  test('is a declaration, each variable one of its own; exports are none', () => {
    const code = 'const a=1,b=2;let{c,d:[e]}={};class F{}function g(){}a;export{a};';
    expect(pieces(code).map(({ declares, kind }) => [declares, kind])).toEqual([
      [['a'], 'const'],
      [['b'], 'const'],
      [['c', 'e'], 'let'],
      [['F'], ''],
      [['g'], 'var'],
      [[], ';'],
    ]);
  });

  test('uses what other pieces declare, and not its own names or those of the language', () => {
    const all = pieces('const a=1,b=2;function f(a){let b=a;return f(g(b),Map)}function g(){a;b}');
    expect([...(named(all, 'f')?.uses ?? [])]).toEqual(['g']);
    expect([...(named(all, 'g')?.uses ?? [])]).toEqual(['a', 'b']);
  });

  test.each([
    ['function f(){return 1}', 'f=()=>{return 1}'],
    ['async function f(a,{b}=a,...c){await b}', 'f=async (a,{b}=a,...c)=>{await b}'],
  ])('%s may as well be an arrow', (code, arrow) => {
    expect(pieces(code)).toMatchObject([{ code: arrow, kind: 'var', isHoisted: true }]);
  });

  test.each([
    'function f(){return this}',
    'function f(){return()=>this}',
    'function f(){return arguments}',
    'function f(){return new.target}',
    'function*f(){yield 1}',
    'async function*f(){yield 1}',
    'function f(){}new f',
    'function f(){}f.member=1',
    'function f(){}f.prototype',
  ])('%s has to stay a function', (code) => {
    expect(named(pieces(code), 'f')).toMatchObject({ kind: '', isHoisted: true });
  });

  test('of the language’s own functions comes first, where it is called by a short name', () => {
    const all = pieces('const a=$0("1");');
    expect(all[0]).toMatchObject({ code: '$0=JSON.parse', declares: ['$0'], isHoisted: true });
    expect([...(named(all, 'a')?.uses ?? [])]).toEqual(['$0']);
    expect(namesIn(pieces('const a=1'))).toEqual(['a']);
  });
});

describe('a variable that changes', () => {
  const code = `let n=0;function up(){n++}function get(){return n}function none(){}
    const a=up,b=get;`;

  test('keeps together all who use it: they cannot be handed another one', () => {
    const all = pieces(code);
    for (const name of ['up', 'get']) {
      const { uses = [] } = named(all, name) ?? {};
      expect([...uses].sort()).toEqual(['get', 'n', 'up'].filter((one) => one !== name));
    }
    expect([...(named(all, 'none')?.uses ?? [])]).toEqual([]);
  });

  test('is refused in a statement, which has no name to be kept by', () => {
    expect(() => pieces('let n=0;function up(){n++}n;')).toThrow('a statement uses n');
  });
});

/** What of a program is in the base and in each part. */
function shared(code: string, base: readonly string[], roots: readonly Root[]) {
  const all = pieces(code);
  const found = distribute(all, base, roots);
  expect([...found.values()].flat()).toHaveLength(new Set([...found.values()].flat()).size);
  return Object.fromEntries([...found].map(([name, own]) => [name ?? 'base', namesIn(own)]));
}

const part = (name: string, ...locals: string[]): Root => ({ name, locals, left: `{${locals}}` });
const asks = (name: string): string => callFor(name);

describe('a part', () => {
  test('has what it alone needs, the base what both do', () => {
    const code = `const both=1,own=2;function boot(){both;${asks('p')}}function run(){both;own}`;
    expect(shared(code, ['boot'], [part('p', 'run')])).toEqual({
      base: ['both', 'boot'],
      p: ['own', 'run'],
    });
  });

  test('shares with another one what the base loads', () => {
    const code = `const both=1;function boot(){${asks('p')};${asks('q')}}
      function p(){both}function q(){both}`;
    expect(shared(code, ['boot'], [part('p', 'p'), part('q', 'q')])).toEqual({
      base: ['both', 'boot'],
      p: ['p'],
      q: ['q'],
    });
  });

  test('that only another part asks for finds there what both need', () => {
    const code = `const both=1;function boot(){${asks('p')}}
      function p(){both;${asks('q')}}function q(){both}`;
    expect(shared(code, ['boot'], [part('p', 'p'), part('q', 'q')])).toEqual({
      base: ['boot'],
      p: ['both', 'p'],
      q: ['q'],
    });
  });

  test('that two parts ask for cannot know which of them is there', () => {
    const code = `const both=1;function boot(){${asks('p')};${asks('q')}}
      function p(){both;${asks('r')}}function q(){${asks('r')}}function r(){both}`;
    expect(shared(code, ['boot'], [part('p', 'p'), part('q', 'q'), part('r', 'r')])).toMatchObject({
      base: ['both', 'boot'],
      r: ['r'],
    });
  });

  test('that asks for itself is the base’s to load', () => {
    const code = `const a=1;function boot(){}function p(){a;${asks('p')}}`;
    expect(shared(code, ['boot'], [part('p', 'p')])).toEqual({ base: ['boot'], p: ['a', 'p'] });
  });

  test('has no statement: those run when the program begins', () => {
    const code = `const a=1,b=2;a;function boot(){${asks('p')}}function p(){a;b}`;
    expect(shared(code, ['boot'], [part('p', 'p')])).toEqual({
      base: ['a', 'boot'],
      p: ['b', 'p'],
    });
    const found = distribute(pieces(code), ['boot'], [part('p', 'p')]);
    expect(found.get(null)?.map(({ kind }) => kind)).toContain(';');
    expect([...found.values()].flat()).toHaveLength(5);
  });
});

describe('a cut', () => {
  const piece = (n: number, uses: readonly number[], length: number): Piece => ({
    ...{ code: 'x'.repeat(length), kind: 'var', isHoisted: false, declares: [`v${n}`] },
    uses: new Set(uses.map((one) => `v${one}`)),
  });
  const program = fc
    .array(fc.tuple(fc.array(fc.nat(30), { maxLength: 3 }), fc.integer({ min: 1, max: 9 })), {
      minLength: 1,
      maxLength: 30,
    })
    .map((all) =>
      all.map(([uses, length], n) =>
        piece(
          n,
          uses.filter((one) => one < all.length),
          length,
        ),
      ),
    );
  const sizeOf = (run: readonly Piece[]): number =>
    run.reduce((sum, { code }) => sum + code.length, 0);
  const placesOf = (run: readonly Piece[]): number[] =>
    run.map(({ declares }) => Number(`${declares[0]}`.slice(1)));

  test('leaves the pieces in their order, and lets none use a later run', () => {
    fc.assert(
      fc.property(program, fc.integer({ min: 1, max: 40 }), (all, bytesMax) => {
        const runs = cut(all, bytesMax);
        expect(runs.flat()).toEqual(all);
        for (const run of runs) {
          const last = Math.max(...placesOf(run));
          for (const name of run.flatMap(({ uses }) => [...uses])) {
            expect(Number(name.slice(1))).toBeLessThanOrEqual(last);
          }
        }
      }),
    );
  });

  test('is as small as was asked for, unless a run cannot be cut', () => {
    fc.assert(
      fc.property(program, fc.integer({ min: 1, max: 40 }), (all, bytesMax) => {
        for (const run of cut(all, bytesMax)) {
          if (sizeOf(run) <= bytesMax) continue;
          const places = placesOf(run);
          const first = places[0] ?? 0;
          // Wherever it is cut, a piece before uses one behind.
          for (const end of places.slice(1)) {
            const needed = run
              .slice(0, end - first)
              .flatMap(({ uses }) => [...uses].map((name) => Number(name.slice(1))));
            expect(Math.max(0, ...needed)).toBeGreaterThanOrEqual(end);
          }
        }
      }),
    );
  });

  test('of small pieces fills its runs', () => {
    const all = Array.from({ length: 10 }, (_, n) => piece(n, [], 4));
    expect(cut(all, 8).map((run) => run.length)).toEqual([2, 2, 2, 2, 2]);
  });
});

describe('a script', () => {
  /** What a run of pieces leaves behind, as an engine evaluates it. */
  const ran = (code: string, end: string, registry: object = {}): unknown => {
    const script = scriptOf(pieces(code), { from: () => 'registry', end });
    return runInThisContext(script)(registry);
  };

  test('runs its pieces in their order, functions first', () => {
    expect(ran('const a=f();function f(){return 1}let b=a+1;var c=b+1;', 'return[a,b,c]')).toEqual([
      1, 2, 3,
    ]);
  });

  test('runs statements where they stand', () => {
    expect(
      ran('const list=[];list.push(1);const n=list.length;list.push(2);', 'return[list,n]'),
    ).toEqual([[1, 2], 1]);
  });

  test('takes what others have given, and nothing else', () => {
    const own = pieces('const given=1,kept=2,all=[given,kept];function run(){return all}');
    const [later, earlier] = [own.slice(2), own.slice(0, 2)];
    expect([takenBy(later), givenBy(earlier, later)]).toEqual([
      ['given', 'kept'],
      ['given', 'kept'],
    ]);
    const script = scriptOf(later, { from: () => 'registry', end: 'return run()' });
    expect(runInThisContext(script)({ given: 3, kept: 4 })).toEqual([3, 4]);
    expect(takenBy(own)).toEqual([]);
    expect(givenBy(later, earlier)).toEqual([]);
  });

  test('takes each name from where it is', () => {
    const script = scriptOf(pieces('const a=1,b=2,sum=a+b;').slice(2), {
      from: (name) => (name === 'a' ? 'registry' : 'registry.base'),
      end: 'return sum',
    });
    expect(runInThisContext(script)({ a: 10, b: 0, base: { a: 0, b: 20 } })).toBe(30);
  });

  test('is strict', () => {
    expect(() => ran('', 'undeclared=1')).toThrow(ReferenceError);
  });
});
