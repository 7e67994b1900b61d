// One script or many, with parts or all at once: whatever a device evaluates is the same program.

import { runInThisContext } from 'node:vm';
import { parse } from 'acorn';
import { describe, expect, test } from 'vitest';
import { callFor, piecesOf, type Root } from './cut.ts';
import type { Whole } from './program.ts';
import { type Script, scriptsOf, wholeScript } from './scripts.ts';

const PROGRAM = `
  const table=[1,2,3],text="shared by all",own="of a part alone";
  let count=0;
  function up(){return++count}
  class Box{constructor(n){this.n=n}get twice(){return this.n*2}}
  function main(host,registry){
    host("booted");
    return{
      first(){return ${callFor('first')}.run(up())},
      second(){return ${callFor('second')}.run(up())},
      count(){return up()},
      word(){return text},
    };
  }
  function run_first(n){return[text,own,table[n],new Box(n).twice]}
  function run_second(n){return[text,n,${callFor('inner')}.run(n)]}
  function run_inner(n){return[text,deep(n)]}
  function deep(n){return n+table.length}
`;

const root = (name: string): Root => ({ name, locals: [`run_${name}`], left: `{run:run_${name}}` });

function whole(
  code = PROGRAM,
  roots: readonly Root[] = ['first', 'second', 'inner'].map(root),
): Whole {
  const program = parse(code, { ecmaVersion: 2022, sourceType: 'module' });
  return {
    ...{ pieces: piecesOf(code, program), boot: 'main', syntax: 2022, roots },
    ...{ globals: [], modules: [], inputs: {}, bytesOf: new Map() },
  };
}

interface Booted {
  first(): unknown;
  second(): unknown;
  count(): number;
  word(): string;
}
type Boot = (host: (word: string) => void) => Booted;

/** A device that evaluates the base, and a part when it is asked for. */
function device(scripts: readonly Script[]) {
  const loaded: string[] = [];
  const told: string[] = [];
  const registry: Record<string, unknown> = {
    part(name: string) {
      if (!loaded.includes(name)) {
        loaded.push(name);
        evaluate(scripts.filter(({ part }) => part === name));
      }
      return registry[name];
    },
  };
  const evaluate = (some: readonly Script[]): unknown =>
    some.map(({ code }) => runInThisContext(code)(registry)).at(-1);
  const boot = evaluate(scripts.filter(({ part }) => part === null)) as Boot;
  return { loaded, told, registry, program: boot((word) => void told.push(word)) };
}

/** All that the program says, in an order that loads each part late. */
function sayings(program: Booted): unknown[] {
  const { count, first, second, word } = program;
  return [count(), second(), first(), second(), count(), word()];
}

const SAYINGS = [
  1,
  ['shared by all', 2, ['shared by all', 5]],
  ['shared by all', 'of a part alone', undefined, 6],
  ['shared by all', 4, ['shared by all', 7]],
  5,
  'shared by all',
];

test('the whole program is one script that needs nobody to load a part', async () => {
  const boot = runInThisContext(await wholeScript(whole()))({}) as Boot;
  expect(sayings(boot(() => undefined))).toEqual(SAYINGS);
});

describe.each([1, 60, 200, 1_000_000])('in scripts of at most %i bytes', (bytesMax) => {
  test('the program says the same, and a part is loaded when it is first used', async () => {
    const { loaded, told, program } = device(await scriptsOf(whole(), bytesMax));
    expect([loaded, told]).toEqual([[], ['booted']]);
    expect(program.count()).toBe(1);
    expect(loaded).toEqual([]);
    program.second();
    expect(loaded).toEqual(['second', 'inner']);
    const again = device(await scriptsOf(whole(), bytesMax));
    expect(sayings(again.program)).toEqual(SAYINGS);
    expect(again.loaded).toEqual(['second', 'inner', 'first']);
  });

  test('a device that knows of no parts evaluates all in their order', async () => {
    const registry: Record<string, unknown> = { part: (name: string) => registry[name] };
    const scripts = await scriptsOf(whole(), bytesMax);
    const boot = scripts.map(({ code }) => runInThisContext(code)(registry)).at(-1) as Boot;
    expect(sayings(boot(() => undefined))).toEqual(SAYINGS);
  });

  test('nothing is left in the registry but what parts need', async () => {
    const { program, registry } = device(await scriptsOf(whole(), bytesMax));
    sayings(program);
    expect(registry).not.toHaveProperty('base');
    expect(registry).toHaveProperty('text');
    // What one part alone needs crosses where that part is cut itself.
    if (bytesMax < 1_000) return;
    const known = ['boot', 'first', 'inner', 'part', 'second', 'table', 'text'];
    expect(Object.keys(registry).sort()).toEqual(known);
  });
});

test('a part that holds nothing of its own is in the base', async () => {
  const code = `function run(){return 1}function main(){return{a:run(),b:${callFor('p')}.run()}}`;
  const scripts = await scriptsOf(
    whole(code, [{ name: 'p', locals: ['run'], left: '{run}' }]),
    1_000,
  );
  expect(scripts.map(({ part }) => part)).toEqual([null]);
  expect(device(scripts).program).toEqual({ a: 1, b: 1 });
});

test.each(['base', 'boot', 'part', 'registry', 'first'])(
  'a declaration cannot have the name that scripts know something else by: %s',
  async (name) => {
    const code = `const ${name}=1;function run(){}function main(){return ${name}}`;
    const roots = [{ name: 'first', locals: ['run'], left: '{run}' }];
    await expect(scriptsOf(whole(code, roots), 1_000)).rejects.toThrow(
      `a declaration has the name of a part: ${name}`,
    );
  },
);

test('a part may have a name that is no identifier', async () => {
  const code = `function run(){return 7}function main(){return ${callFor('a-b.c')}.run()}`;
  const all = whole(code, [{ name: 'a-b.c', locals: ['run'], left: '{run}' }]);
  expect((runInThisContext(await wholeScript(all))({}) as () => number)()).toBe(7);
  expect(device(await scriptsOf(all, 1_000)).program).toBe(7);
});
