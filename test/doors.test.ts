// Who may import whom. Types count as the rest does: who knows a type knows the file that it
// stands in. A failure names the file and the rule. How each file is written is in shape.test.ts.

import { expect, test } from 'vitest';
import { checked } from './support/exceptions.ts';
import { byFile, circles, importsOf } from './support/imports.ts';
import { readSources } from './support/sources.ts';

interface Door {
  /** Files that the door is for: the first door that fits counts. */
  readonly of: RegExp;
  /** What they may import: modules by path, packages by name. */
  readonly to: RegExp;
  /** What they may import besides, as types only. */
  readonly types?: RegExp;
}

const TESTS = /(\.test\.ts|^test\/.*)$/;

const DOORS: readonly Door[] = [
  { of: TESTS, to: /./ },
  {
    of: /^crypto\//,
    to: /^(crypto\/|tweetnacl\b)/,
    types: /^platform\/ports\.ts$/,
  },
  { of: /^agent\//, to: /^(agent|crypto)\//, types: /^platform\/ports\.ts$/ },
  // The firmware's entry, its commands and its list of contents join the agent and the platform.
  {
    of: /^platform\/quickjs\/(commands|contents|entry)\.ts$/,
    to: /^(agent\/(index|contents\/lazy)|platform\/([^/]+|quickjs\/.*))\.ts$/,
  },
  { of: /^platform\/[^/]+$/, to: /^platform\/[^/]+$/ },
  { of: /^platform\/quickjs\//, to: /^platform\/([^/]+$|quickjs\/)/ },
  // Two folders serve several devices: sqlite (a store), web (what any fetch can do).
  { of: /^platform\/web\//, to: /^platform\/([^/]+$|web\/)/ },
  { of: /^platform\/sqlite\//, to: /^(platform\/([^/]+$|sqlite\/)|@sqlite\.org\/|node:)/ },
  { of: /^platform\/memory\//, to: /^platform\/([^/]+$|(memory|web)\/)/ },
  // The commands of a machine join the agent and the platform too, and sign its user in.
  {
    of: /^platform\/node\/cli\//,
    to: /^(agent\/(index|signin\/[^/]+)\.ts$|crypto\/onepw\.ts$|platform\/([^/]+$|node\/)|node:)/,
  },
  // It looks whether a folder's key opens what was sealed under it.
  {
    of: /^platform\/node\//,
    to: /^(platform\/([^/]+$|(node|sqlite|web)\/)|crypto\/rest\.ts$|node:)/,
  },
  {
    of: /^firmware-bundle\//,
    to: /^(firmware-bundle\/|node:|acorn$|esbuild$|terser$)/,
  },
  // What a package starts is what was built.
  { of: /^emulator\/bin\.mjs$/, to: /^(node:|firmware-bundle\/dist\.mjs$|dist\/cli\/)/ },
  // It holds the agent as a built file only, and has cryptography of its own: node:crypto.
  { of: /^emulator\//, to: /^(emulator|platform|firmware-bundle)\/|^[^./]+:|^[^./]*$|^@/ },
];

/**
 * agent/ from the ground up: a room (a file at its top, or a folder) imports from its own and from
 * layers below. The rooms of one layer do not know each other.
 */
const LAYERS: readonly (readonly string[])[] = [
  ['limits'],
  ['errors', 'config'],
  ['settings', 'status', 'schedule'],
  ['wire'],
  ['collections'],
  ['store'],
  ['remotes'],
  ['api', 'remotes/*', 'signin', 'sync'],
  ['several'],
  ['contents'],
  ['session'],
  ['sessions'],
  ['machine'],
  ['one-pass', 'timetable'],
  ['passes'],
  ['agent'],
  ['index'],
];
/** Sources at the top of agent/; the rest has a folder that says what it is about. */
const TOP_MAX = 14;

const sources = readSources();
const agent = [...sources.keys()].filter((path) => path.startsWith('agent/') && !TESTS.test(path));

test('every import goes through a door', () => {
  const found = byFile(sources, ({ path, imports }) => {
    const door = DOORS.find(({ of }) => of.test(path));
    if (!door) return ['is behind no door'];
    return imports
      .filter(({ to, asType }) => !door.to.test(to) && !(asType && door.types?.test(to)))
      .map(({ to, asType }) => `imports ${asType ? 'types of ' : ''}${to}`);
  });
  expect(checked('doors', found)).toEqual([]);
});

test('imports never go round in a circle, not those of types either', () => {
  const found = new Map(
    [...circles(sources)].map(([path, circle]) => [path, [circle.join(' -> ')]]),
  );
  expect(checked('circles', found)).toEqual([]);
});

test('in agent/ imports go down only', () => {
  const found = byFile(sources, ({ path }) => {
    if (!agent.includes(path)) return [];
    const from = roomOf(path);
    if (layerOf(from) < 0) return [`its room, ${from}, is in no layer`];
    return importsOf(sources, path)
      .map((to) => ({ to, room: roomOf(to) }))
      .filter(({ to, room }) => agent.includes(to) && room !== from)
      .filter(({ room }) => layerOf(room) >= layerOf(from))
      .map(({ to }) => `imports ${to}, which is not below it`);
  });
  expect(checked('layers', found)).toEqual([]);
});

test(`at most ${TOP_MAX} sources stand at the top of agent/, and every layer is there`, () => {
  expect(agent.filter((path) => path.split('/').length === 2).length).toBeLessThanOrEqual(TOP_MAX);
  const layers = new Set(agent.map((path) => layerOf(roomOf(path))));
  expect([...LAYERS.keys()].filter((layer) => !layers.has(layer))).toEqual([]);
});

/** `errors` of `agent/errors.ts`, `sync` of `agent/sync/push.ts`; each protocol has its own. */
function roomOf(path: string): string {
  const [top = '', next = ''] = path.slice('agent/'.length, -'.ts'.length).split('/');
  return top === 'remotes' && path.split('/').length > 3 ? `${top}/${next}` : top;
}

function layerOf(room: string): number {
  return LAYERS.findIndex((rooms) => rooms.includes(room.replace(/\/.*/, '/*')));
}
