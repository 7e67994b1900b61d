// What a firmware calls by a short name stays inside of it, as far as the files say. That nothing
// of it crosses a bridge is seen in emulator/members.test.ts.

import { readdirSync, readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { type AnyNode, parse } from 'acorn';
import { beforeAll, expect, test } from 'vitest';
import { sourceWith } from './build.ts';
import { contentNames } from './contents.ts';
import type { Piece } from './cut.ts';
import { nodesOf } from './globals.ts';
import { shortMembers } from './members.ts';
import { readProgram } from './program.ts';

const NAMES = Object.keys(shortMembers);
const ROOT = new URL('../', import.meta.url);
/** What is stored, or set by the device, whole. */
const OF_JSON = `config errors limits settings status schedule/backoff store/collection-state
  store/state several/app-data several/instances`.split(/\s+/);
/** Words that errors, events and results of functions say, too; no member is looked up by them. */
const TEXTS: readonly string[] = ['fork', 'mirror', 'moved', 'quarantine', 'staged', 'take'];
/** In no JSON: the name of a database on a computer, and of a number in what lies in an outbox. */
const OF_SPEC: readonly string[] = ['store', 'tries'];
/** What the emulator keeps for accounts, and what published vectors call their parts. */
const OF_ACCOUNTS: readonly string[] = ['nonce', 'store', 'verdict'];

const textOf = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');
const own = (names: Iterable<string>): string[] =>
  NAMES.filter((name) => [...names].includes(name));

/** The declarations of a firmware that holds all that there is. */
async function everything(members = shortMembers): Promise<readonly Piece[]> {
  const source = sourceWith([...contentNames, 'generic(notes)']);
  return (await readProgram(source, 2020, members)).pieces;
}

let shipped: readonly AnyNode[];
beforeAll(async () => {
  shipped = (await everything()).flatMap(nodesIn);
});

function nodesIn({ code, kind }: Piece): readonly AnyNode[] {
  const text = kind.length > 1 ? `var ${code}` : code;
  return [...nodesOf(parse(text, { ecmaVersion: 2020, sourceType: 'module' }))];
}

/** What a program calls members of objects. */
const membersOf = (nodes: readonly AnyNode[]): Set<string> =>
  new Set(
    nodes.flatMap((node) => {
      if (node.type !== 'MemberExpression' && node.type !== 'Property') return [];
      const name = node.type === 'Property' ? node.key : node.property;
      return !node.computed && name.type === 'Identifier' ? [name.name] : [];
    }),
  );

/** All members that JSON somewhere in a text has, be it JSON in a text of JSON. */
function membersIn(text: string): Set<string> {
  return new Set([...text.matchAll(/\b(\w+)\\*"\s*:/g)].map(([, name = '']) => name));
}

test('no two members have one name, and all are in some firmware', () => {
  expect(new Set(Object.values(shortMembers)).size).toBe(NAMES.length);
  const used = membersOf(shipped);
  expect(NAMES.filter((name) => !used.has(shortMembers[name] ?? ''))).toEqual([]);
});

test('none has a name that the program has itself', async () => {
  const long = membersOf((await everything({})).flatMap(nodesIn));
  expect([...long]).toEqual(expect.arrayContaining(['iv', 'k']));
  expect(Object.values(shortMembers).filter((name) => long.has(name))).toEqual([]);
});

test('no text of the program names one, by which it could be asked for', () => {
  const texts = shipped.flatMap((node) =>
    node.type === 'Literal' && typeof node.value === 'string' ? [node.value] : [],
  );
  const words = texts
    .filter((text) => /^[\w$]+( [\w$]+)*$/.test(text))
    .flatMap((t) => t.split(' '));
  expect(words).toContain('collection');
  expect(own(words).filter((name) => !TEXTS.includes(name))).toEqual([]);
});

test('no form of what is stored, set or said to apps declares one', () => {
  for (const name of OF_JSON) {
    const found = textOf(`agent/${name}.ts`).matchAll(/^ +(?:readonly )?(\w+)\??: /gm);
    const declared = [...found].map(([, member = '']) => member);
    expect(declared.length).toBeGreaterThan(0);
    expect(own(declared), name).toEqual([]);
  }
});

test.each(['SPEC.md', 'platform/quickjs/BRIDGE.md'])('%s names none as a member', (path) => {
  const text = textOf(path);
  const members = [
    ...membersIn(text),
    ...[...text.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  ];
  expect(members.length).toBeGreaterThan(10);
  expect(own(members).filter((name) => !OF_SPEC.includes(name))).toEqual([]);
});

test('no account of Firefox, answer of Syncto or flash of an older version has one', () => {
  const folder = new URL('test/fixtures/', ROOT);
  const files = readdirSync(folder, { recursive: true }).map((file) => `${file}`);
  const bytesOf = (file: string): Buffer => readFileSync(new URL(file, folder));
  const texts = files.filter((file) => file.endsWith('.json')).map((file) => `${bytesOf(file)}`);
  for (const file of files.filter((file) => file.endsWith('.json.br'))) {
    const pages = `${brotliDecompressSync(bytesOf(file))}`.matchAll(/"([A-Za-z0-9+/=]{64,})"/g);
    texts.push(
      ...[...pages].map(([, page = '']) => Buffer.from(page, 'base64').toString('latin1')),
    );
  }
  const members = new Set(texts.flatMap((text) => [...membersIn(text)]));
  for (const known of ['histUri', 'clientState']) expect(members).toContain(known);
  expect(own(members).filter((name) => !OF_ACCOUNTS.includes(name))).toEqual([]);
});
