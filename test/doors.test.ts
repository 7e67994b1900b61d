// Who may import whom, and what every source file keeps to. It reads the sources: imports as they
// stand, and what is left of a file once its types are gone, for the names that it takes from
// outside. A failure names the file and the rule; it runs no code of the project.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Program, parse } from 'acorn';
import { transform } from 'esbuild';
import { expect, test } from 'vitest';
import { freeNames, INTRINSICS } from '../firmware-bundle/globals.ts';

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
    to: /^(agent\/index|platform\/([^/]+|quickjs\/.*))\.ts$/,
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
  { of: /^firmware-bundle\//, to: /^(firmware-bundle\/|node:|acorn$|esbuild$)/ },
  // It holds the agent as a built file only, and has cryptography of its own: node:crypto.
  { of: /^emulator\//, to: /^(emulator|platform|firmware-bundle)\/|^[^./]+:|^[^./]*$|^@/ },
];

/** Device code: it must run where nothing but the language is. */
const BARE = /^(agent|crypto|platform\/quickjs)\/(?!.*\.test\.ts$)/;
const LINES_MAX = 420;

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['agent', 'crypto', 'emulator', 'firmware-bundle', 'platform', 'test'];
const files = new Map(
  await Promise.all(
    FOLDERS.flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) =>
        posix.join(folder, path),
      ),
    )
      .filter((path) => /(?<!\.d)\.ts$/.test(path) && !path.includes('/fixtures/'))
      .map(async (path) => [path, await read(path)] as const),
  ),
);

test('every import goes through a door', () => {
  const wrong = [...files].flatMap(([path, { code, types }]) => {
    const door = DOORS.find(({ of }) => of.test(path));
    if (!door) return [`${path} is behind no door`];
    const open = (to: string, asType: boolean): boolean =>
      door.to.test(to) || (asType && door.types?.test(to) === true);
    return [
      ...code.filter((to) => !open(to, false)).map((to) => `${path} imports ${to}`),
      ...types.filter((to) => !open(to, true)).map((to) => `${path} imports types of ${to}`),
    ];
  });
  expect(wrong).toEqual([]);
});

test('imports never go round in a circle', () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path))
      circles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
    if (done.has(path) || trail.includes(path)) return;
    for (const to of files.get(path)?.code ?? []) walk(to, [...trail, path]);
    done.add(path);
  };
  for (const path of files.keys()) walk(path, []);
  expect(circles).toEqual([]);
});

test('names have one home: no default exports, no barrel but agent/index.ts', () => {
  const wrong = [...files].flatMap(([path, { program }]) => {
    const only = program.body.length > 0 && program.body.every(passesOn);
    const kinds = new Set<string>(program.body.map((node) => node.type));
    return [
      ...(kinds.has('ExportDefaultDeclaration') ? [`${path} has a default export`] : []),
      ...(kinds.has('ExportAllDeclaration') ? [`${path} exports all of another file`] : []),
      ...(only && path !== 'agent/index.ts' ? [`${path} is a barrel`] : []),
    ];
  });
  expect(wrong).toEqual([]);
});

test('every file says first what it is, and stays short', () => {
  const wrong = [...files].flatMap(([path, { source }]) => {
    if (TESTS.test(path)) return [];
    const lines = source.split('\n').length - 1;
    return [
      ...(/^(\/\/|\/\*)/.test(source) || TESTS.test(path)
        ? []
        : [`${path} does not begin with a comment`]),
      ...(lines > LINES_MAX ? [`${path} has ${lines} lines, ${LINES_MAX} allowed`] : []),
    ];
  });
  expect(wrong).toEqual([]);
});

test('code for the device takes no name from outside', () => {
  const wrong = [...files].flatMap(([path, { program }]) =>
    BARE.test(path)
      ? freeNames(program)
          .filter(({ name }) => !INTRINSICS.has(name))
          .map(({ name }) => `${path} uses ${name}`)
      : [],
  );
  expect(wrong).toEqual([]);
});

interface Source {
  readonly source: string;
  /** Without its types. */
  readonly program: Program;
  /** What it imports to run, and what it imports as types: module paths and package names. */
  readonly code: readonly string[];
  readonly types: readonly string[];
}

async function read(path: string): Promise<Source> {
  const source = readFileSync(join(ROOT, path), 'utf8');
  const { code } = await transform(source, {
    loader: 'ts',
    target: 'es2022',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  const program = parse(code, { ecmaVersion: 2022, sourceType: 'module' });
  const resolve = (to: string): string => (to.startsWith('.') ? posix.join(dirname(path), to) : to);
  const statically = program.body.flatMap((node) =>
    'source' in node && node.source ? [String(node.source.value)] : [],
  );
  const lazily = [...code.matchAll(/\bimport\(["']([^"']+)["']/g)].map(([, to = '']) => to);
  const types = [...source.matchAll(/^(?:import|export) type\b[^;]*? from '([^']+)'/gm)];
  return {
    source,
    program,
    code: [...statically, ...lazily].map(resolve),
    types: types.map(([, to = '']) => resolve(to)),
  };
}

/** An import, or an export of what another file holds. */
function passesOn(node: Program['body'][number]): boolean {
  return 'source' in node && node.source != null;
}
