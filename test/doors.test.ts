// Who may import whom, and who knows the words of a protocol. Types count as the rest does: who
// knows a type knows the file that it stands in; so do comments, which say what somebody has to
// know. A failure names the file and the rule. How each file is written is in shape.test.ts.

import { expect, test } from 'vitest';
import { builtOf, circles, faultsIn, importsOf, roomBelow } from './support/imports.ts';
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
    types: /^platform\/(ports|crypto-port)\.ts$/,
  },
  { of: /^agent\//, to: /^(agent|crypto)\//, types: /^platform\/(ports|crypto-port)\.ts$/ },
  // The firmware's entry, its commands and its list of contents join the agent and the platform.
  {
    of: /^platform\/quickjs\/(((app|conflict|installed)-)?commands|contents|entry)\.ts$/,
    to: /^(agent\/(index|contents\/lazy)|platform\/([^/]+|quickjs\/.*))\.ts$/,
  },
  { of: /^platform\/[^/]+$/, to: /^platform\/[^/]+$/ },
  { of: /^platform\/quickjs\//, to: /^platform\/([^/]+$|quickjs\/)/ },
  // Two folders serve several devices: sqlite (a store), web (what any fetch can do).
  { of: /^platform\/web\//, to: /^platform\/([^/]+$|web\/)/ },
  { of: /^platform\/sqlite\//, to: /^(platform\/([^/]+$|sqlite\/)|@sqlite\.org\/|node:)/ },
  { of: /^platform\/memory\//, to: /^platform\/([^/]+$|(memory|web)\/)/ },
  { of: /^platform\/node\/cli\/qr\.ts$/, to: /^uqr$/ },
  // The commands of a machine join the agent and the platform too, and sign its user in.
  {
    of: /^platform\/node\/cli\//,
    to: /^(agent\/(index|signin\/[^/]+)\.ts$|crypto\/onepw\.ts$|platform\/([^/]+$|node\/)|node:)/,
  },
  // A second implementation shares no line with the first.
  {
    of: /^platform\/node\/picl\//,
    to: /^(platform\/node\/(picl\/|(server-url|command-line)\.ts$|whole-files\.ts$)|node:)/,
  },
  // It looks whether a folder's key opens what was sealed under it.
  {
    of: /^platform\/node\//,
    to: /^(platform\/([^/]+$|(node|sqlite|web)\/)|crypto\/rest(-secretbox)?\.ts$|node:)/,
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
  ['several', 'installed'],
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

/**
 * What only a protocol says: its name, its documents, the members of its records, its headers,
 * paths and statuses. What a firmware calls its own engine is none of that, and how a user proves
 * who they are (tokens, assertions, a key's id) is the account manager's, whatever the protocol.
 */
const PROTOCOL_WORDS: readonly RegExp[] = [
  /firefox sync\b|sync storage|sync server|sync ?1\.5|sync15|syncto\b|kinto|picl\b/,
  /open web app|\bowa\b/,
  /meta.global|crypto.keys|sync_?ids?\b|\bbsos?\b|storageversion|\bdeclined\b/,
  /sort_?index|\bttl|\bengine(s|version|of)\b|client_?state|list_?refused|last_modified/,
  /unmodified|if-(none-)?match|weave|hawk|x-key-?id|x-last|token.?server|\b412\b/,
  /storage\/[a-z]+\/?[?']|batch=|newer=|_since=|'(clients|meta|crypto|global)'|\.clients\b/,
  /displayuri|(wipe|reset)(engine|all)/,
];

const LISTS = ['agent/index.ts', 'agent/contents/lazy.ts', 'agent/contents/kinto-sign-in.ts'];

/** Who says one of them, and why. */
const MAY_SAY = new Map<string, readonly RegExp[]>([
  // The two lists of what a build may hold.
  [
    'agent/index.ts',
    [
      /^export \{ (clients|kinto(Places, kintoSignIn)?|sync(15|to)) \} from '\.\/(remo|con)te/,
      /^export \{ (owa|picl) \} from '\.\/remotes\//,
    ],
  ],
  [
    'agent/contents/lazy.ts',
    [/(sync15|syncto|[kK]into|picl|owa)\b|kinto-sign-in/, /name: 'clients'|\/clients\.ts/],
  ],
  // What puts a sign-in and a protocol together.
  ['agent/contents/kinto-sign-in.ts', [/[kK]into/]],
  // What a repository of apps says: its records are documents of their own on every server.
  ['agent/collections/installed-apps.ts', [/\blast_modified\b/]],
  ['agent/collections/installed-entry.ts', [/\blast_modified\b/]],
  // A status shows it: whatever the protocol, a person may have switched a collection off
  // elsewhere.
  ['agent/status.ts', [/\bdeclined\b/]],
  // Names that values in stores have: what is stored is never renamed.
  ['agent/store/old-forms.ts', [/Firefox Sync|syncId/]],
  ['agent/store/state.ts', [/\bclientState\b/]],
  ['agent/store/owner.ts', [/\bclientState\b/]],
  ['agent/one-pass.ts', [/\bclientState\b/]],
  // The accounts server's client checks a key with it, and its protocol has a salt of that name.
  ['agent/signin/credentials.ts', [/\bclientState\b/]],
  ['agent/signin/password.ts', [/identity\\\.mozilla\\\.com\\\/picl/]],
]);

const sources = readSources();
const agent = [...sources.keys()].filter((path) => path.startsWith('agent/') && !TESTS.test(path));

test('every import goes through a door', () => {
  const found = faultsIn(sources, ({ path, imports }) => {
    const door = DOORS.find(({ of }) => of.test(path));
    if (!door) return ['is behind no door'];
    return imports
      .filter(({ to, asType }) => !door.to.test(to) && !(asType && door.types?.test(to)))
      .map(({ to, asType }) => `imports ${asType ? 'types of ' : ''}${to}`);
  });
  expect(found).toEqual([]);
});

test('imports never go round in a circle, not those of types either', () => {
  expect([...circles(sources).values()].map((circle) => circle.join(' -> '))).toEqual([]);
});

test('the second implementation of PiCL has no line of the agent, nor of its cryptography', () => {
  const second = [...sources.keys()].filter(
    (path) => path.startsWith('platform/node/picl/') && !TESTS.test(path),
  );
  // However far away: types count, too.
  const reached = new Set(second);
  for (const path of reached) for (const to of importsOf(sources, path)) reached.add(to);
  expect(second.length).toBeGreaterThan(5);
  expect([...reached].filter((path) => /^(agent|crypto)\//.test(path))).toEqual([]);
});

test('in agent/ imports go down only', () => {
  const found = faultsIn(sources, ({ path }) => {
    if (!agent.includes(path)) return [];
    const from = roomOf(path);
    if (layerOf(from) < 0) return [`its room, ${from}, is in no layer`];
    return importsOf(sources, path)
      .map((to) => ({ to, room: roomOf(to) }))
      .filter(({ to, room }) => agent.includes(to) && room !== from)
      .filter(({ room }) => layerOf(room) >= layerOf(from))
      .map(({ to }) => `imports ${to}, which is not below it`);
  });
  expect(found).toEqual([]);
});

test(`at most ${TOP_MAX} sources stand at the top of agent/, and every layer is there`, () => {
  expect(agent.filter((path) => path.split('/').length === 2).length).toBeLessThanOrEqual(TOP_MAX);
  const layers = new Set(agent.map((path) => layerOf(roomOf(path))));
  expect([...LAYERS.keys()].filter((layer) => !layers.has(layer))).toEqual([]);
});

test('agent/ is built no higher than that: its rooms and files have layers, and no circles', () => {
  const rooms = builtOf(sources, 'agent/', roomBelow);
  const files = builtOf(sources, 'agent/', (path) => path);
  expect([rooms.circling, files.circling, files.places]).toEqual([0, 0, agent.length]);
  expect(rooms.layers).toBeLessThanOrEqual(LAYERS.length);
  expect(files.layers).toBeGreaterThan(rooms.layers);
});

test('a protocol is one folder: only the lists of what a build holds import from it', () => {
  const found = faultsIn(sources, ({ path }) => {
    if (!agent.includes(path) || LISTS.includes(path)) return [];
    return importsOf(sources, path)
      .filter((to) => folderOf(to) !== null && folderOf(to) !== folderOf(path))
      .map((to) => `imports ${to}`);
  });
  expect(found).toEqual([]);
});

test('nothing of agent/ outside a protocol’s folder says its words', () => {
  const found = faultsIn(sources, ({ path, text }) => {
    if (!agent.includes(path) || path.startsWith('agent/remotes/')) return [];
    const may = MAY_SAY.get(path) ?? [];
    return text.split('\n').flatMap((line, at) => {
      const said = PROTOCOL_WORDS.flatMap((word) => word.exec(line.toLowerCase())?.[0] ?? []);
      return said.length === 0 || may.some((word) => word.test(line))
        ? []
        : [`line ${at + 1} says ${said.join(', ')}`];
    });
  });
  expect(found).toEqual([]);
});

test('every excuse for a protocol’s word is needed', () => {
  const idle = [...MAY_SAY].flatMap(([path, may]) => {
    const lines = sources.get(path)?.text.split('\n') ?? [];
    return may.filter((word) => !lines.some((line) => word.test(line))).map(() => path);
  });
  expect(idle).toEqual([]);
});

/** The folder of a protocol; null for what all protocols share, and for the rest. */
function folderOf(path: string): string | null {
  return /^agent\/remotes\/[^/]+\//.exec(path)?.[0] ?? null;
}

/** `errors` of `agent/errors.ts`, `sync` of `agent/sync/push.ts`; each protocol has its own. */
function roomOf(path: string): string {
  const [top = '', next = ''] = path.slice('agent/'.length, -'.ts'.length).split('/');
  return top === 'remotes' && path.split('/').length > 3 ? `${top}/${next}` : top;
}

function layerOf(room: string): number {
  return LAYERS.findIndex((rooms) => rooms.includes(room.replace(/\/.*/, '/*')));
}
