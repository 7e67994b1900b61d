// The firmware's promises, shown on a small program in a bare QuickJS context: no global is there,
// so none is needed; both forms behave alike; and every rule of the build refuses what breaks it.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getQuickJS } from 'quickjs-emscripten';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildFirmware, type FirmwareFile, type FirmwareReport, profileNames } from './build.ts';
import { type FirmwareSource, readProgram } from './program.ts';
import { scriptsOf } from './scripts.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FIXTURE = { root: ROOT, entry: 'firmware-bundle/fixtures/entry.ts' };
let dir = '';
let report: FirmwareReport;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firmware-'));
  report = await buildFirmware('panasonic-cx700', join(dir, 'out'), FIXTURE);
});
afterAll(() => rm(dir, { recursive: true }));

/** Loads scripts as BRIDGE.md says, and calls `boot` with a host that remembers what it is told. */
async function run(scripts: readonly string[]): Promise<unknown> {
  const quickjs = await getQuickJS();
  return quickjs.evalCode(
    `delete globalThis.Date; delete Math.random;
     var told = [], registry = {}, boot;
     for (var script of ${JSON.stringify(scripts)}) boot = (0, eval)(script)(registry);
     [told, boot((text) => { told.push(text) }).answer]`,
  );
}

function texts(files: readonly FirmwareFile[]): Promise<string[]> {
  return Promise.all(files.map(({ file }) => readFile(join(report.outDir, file), 'utf8')));
}

/** Builds the program whose entry is `source`. */
async function buildSource(name: string, source: string): Promise<FirmwareReport> {
  await writeFile(join(dir, name), source);
  return buildFirmware('kaios-256mb', join(dir, 'refused'), { root: dir, entry: name });
}

describe('the scripts', () => {
  const expected = [['refusal 2'], '1,2,255, grüß \u{1f600}'];

  test('run as one file in an engine without any host object', async () => {
    expect(await run(await texts([report.manifest.whole]))).toEqual(expected);
  });

  test('run in the parts of the manifest', async () => {
    expect(await run(await texts(report.manifest.parts))).toEqual(expected);
  });

  test('share state and classes, even when each holds as little as it can', async () => {
    const scripts = await scriptsOf(await readProgram(FIXTURE, 2020), 1);
    expect(scripts.length).toBeGreaterThan(report.manifest.parts.length);
    expect(await run(scripts.map(({ code }) => code))).toEqual(expected);
  });

  test('look a function of the language up once, and only if they call it', async () => {
    const told =
      'export const boot = (tell) => tell(JSON.stringify([Math.max(1, 2), JSON.stringify';
    const { manifest, outDir } = await buildSource('often.ts', `${told}({})])); // Math.min`);
    for (const { file } of [manifest.whole, ...manifest.parts]) {
      const text = await readFile(join(outDir, file), 'utf8');
      expect(text.match(/JSON\.stringify|Math\.\w+/g)).toEqual(['JSON.stringify', 'Math.max']);
      const quickjs = await getQuickJS();
      expect(quickjs.evalCode(`${text.trim()}({})((told) => told)`)).toBe('[2,"{}"]');
    }
  });

  test('leave out what nobody asks for', async () => {
    const { whole, parts } = report.manifest;
    for (const text of await texts([whole, ...parts])) {
      expect(text).not.toMatch(/left out|\beval\(|new Function\(/);
    }
  });

  test('are listed in the manifest with their size and hash', async () => {
    const manifest = JSON.parse(await readFile(join(report.outDir, 'manifest.json'), 'utf8'));
    expect(manifest).toEqual(report.manifest);
    for (const { file, bytes, sha256 } of [manifest.whole, ...manifest.parts]) {
      const content = await readFile(join(report.outDir, file));
      expect(content.length).toBe(bytes);
      expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
    }
  });

  test('come out the same byte for byte', async () => {
    const again = await buildFirmware('panasonic-cx700', join(dir, 'again'), FIXTURE);
    expect(again.manifest).toEqual(report.manifest);
  });
});

describe('the size report', () => {
  test('accounts for the file but for its frame, package by package', () => {
    const { groups, bytes } = report.size;
    expect(groups.map((group) => group.name)).toEqual(['tweetnacl', 'firmware-bundle']);
    const known = groups.reduce((sum, group) => sum + group.bytes, 0);
    expect(known).toBeGreaterThan(0.95 * bytes);
  });
});

describe('the build refuses', () => {
  test('an unknown profile', async () => {
    await expect(buildFirmware('toaster', dir, FIXTURE)).rejects.toThrow(
      `no profile toaster: there are ${profileNames.join(', ')}`,
    );
  });

  test.each([
    ['Date', 'Date.now()'],
    ['fetch', 'typeof fetch === "function"'],
    ['console', 'console.log(1)'],
    ['Math.random', 'Math.random()'],
    ['eval', '(0, eval)("1")'],
    ['Function', 'new Function("return 1")()'],
  ])('the global %s', async (name, expression) => {
    const source = `export const boot = () => ${expression};`;
    await expect(buildSource('global.ts', source)).rejects.toThrow(
      `a device may lack what the firmware uses: ${name}`,
    );
  });

  test('a package that is not on its list', async () => {
    const source = { root: ROOT, entry: 'firmware-bundle/fixtures/package.ts' };
    await expect(buildFirmware('kaios-256mb', dir, source)).rejects.toThrow(
      'the package acorn is not allowed',
    );
  });

  test('a file over its budget', async () => {
    const source = `export const boot = () => ${JSON.stringify('x'.repeat(140_000))};`;
    await expect(buildSource('fat.ts', source)).rejects.toThrow(/over its budget: 140\d+ bytes/);
  });

  test('and leaves the folder as it was', async () => {
    const place = join(dir, 'kept');
    const build = (source: FirmwareSource) => buildFirmware('kaios-256mb', place, source);
    await build(FIXTURE);
    const kept = await readFile(join(place, 'manifest.json'));
    const fat = `export const boot = () => ${JSON.stringify('x'.repeat(140_000))};`;
    await writeFile(join(dir, 'fat.ts'), fat);
    await expect(build({ root: dir, entry: 'fat.ts' })).rejects.toThrow('over its budget');
    expect(await readFile(join(place, 'manifest.json'))).toEqual(kept);
  });
});
