// What a firmware can be asked to hold, built for real.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildFirmware, sourceWith, weigh, weighVariants } from './build.ts';
import { contentsModule, syncNames } from './contents.ts';
import { variantTable } from './size.ts';

const PROFILE = 'panasonic-cx700';
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'contents-'));
});
afterAll(() => rm(folder, { recursive: true }));

const built = async (...names: string[]) => {
  const size = await weigh(PROFILE, sourceWith(names));
  const modules = size.groups.flatMap((group) => group.modules);
  const weighs = (path: string) => modules.find((module) => module.path === path)?.bytes ?? 0;
  return { bytes: size.bytes, weighs };
};

describe('a firmware', () => {
  test('with one protocol carries nothing of the other and is smaller', async () => {
    const [both, without] = [await built(), await built('sync15')];
    expect(both.weighs('agent/remotes/sync/syncto.ts')).toBeGreaterThan(0);
    expect(without.weighs('agent/remotes/sync/syncto.ts')).toBe(0);
    expect(without.weighs('agent/remotes/sync/sync15.ts')).toBeGreaterThan(0);
    expect(without.bytes).toBeLessThan(both.bytes);
  });

  test('sends bodies in pieces if a protocol of it streams them, and else lacks how', async () => {
    const pieces = 'platform/quickjs/pieces.ts';
    expect((await built()).weighs(pieces)).toBe(0);
    const source = { ...sourceWith(['sync15']), contents: contentsModule(['sync15'], ['sync15']) };
    const size = await weigh(PROFILE, source);
    const modules = size.groups.flatMap((group) => group.modules);
    expect(modules.find(({ path }) => path === pieces)?.bytes).toBeGreaterThan(0);
  });

  test("knows of the account's devices, unless its list leaves them out", async () => {
    const [shipped, smaller] = [await built('sync15'), await built('sync15', 'history')];
    expect(shipped.weighs('agent/collections/clients.ts')).toBeGreaterThan(0);
    expect(smaller.weighs('agent/collections/clients.ts')).toBe(0);
    const passwords = 'agent/collections/passwords.ts';
    expect(smaller.weighs(passwords)).toBeLessThan(shipped.weighs(passwords) / 2);
  });

  test('signs users in itself if it is asked for, and carries nothing of that else', async () => {
    const [shipped, own, both] = [
      await built(),
      await built('sync15', 'signIn'),
      await built('sync15', 'signIn', 'passwordSignIn'),
    ];
    const [companion, password] = ['agent/signin/companion.ts', 'agent/signin/password.ts'];
    expect([shipped.weighs(companion), shipped.weighs(password)]).toEqual([0, 0]);
    expect(own.weighs(companion)).toBeGreaterThan(0);
    expect([own.weighs(password), own.weighs('crypto/onepw.ts')]).toEqual([0, 0]);
    expect(both.weighs(password)).toBeGreaterThan(0);
    expect(both.weighs('agent/collections/clients.ts')).toBeGreaterThan(0);
  });

  test("holds an app's own collection, and several remotes, where it is asked for", async () => {
    const module = contentsModule(['syncto', 'generic(notes)', 'several', 'generic(a.b)']);
    expect(module).toContain('collections: [generic("notes"), generic("a.b")]');
    const [shipped, own] = [await built(), await built('sync15', 'generic(notes)', 'several')];
    expect(shipped.weighs('agent/collections/generic.ts')).toBe(0);
    expect(shipped.weighs('agent/several/several.ts')).toBe(0);
    expect(own.weighs('agent/collections/generic.ts')).toBeGreaterThan(0);
    expect(own.weighs('agent/several/several.ts')).toBeGreaterThan(0);
  });

  test.each(['generic()', 'generic(history)', 'generic(meta)', 'generic(a b)', 'generic("x")'])(
    'is refused %s, by its name',
    (name) => {
      expect(() => contentsModule([name])).toThrow(`--with ${name}: there are `);
    },
  );

  test('as it ships is within 128 KiB, as one script and as several', async () => {
    const { manifest } = await buildFirmware(PROFILE, join(folder, 'shipped'));
    expect(manifest.whole.bytes).toBeLessThanOrEqual(131_072);
    expect(manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(131_072);
    const parts = manifest.parts.map(({ part }) => part);
    expect(parts).toEqual(expect.arrayContaining(['syncto', 'sync15', 'history', 'passwords']));
  });

  test('with all that can be synced stays in its budget', async () => {
    await buildFirmware(PROFILE, join(folder, 'everything'), sourceWith(syncNames));
    const everything = await built(...syncNames);
    expect(everything.weighs('agent/collections/bookmarks.ts')).toBeGreaterThan(0);
    expect(everything.bytes).toBeLessThanOrEqual(163_840);
  });

  test('is listed beside those without Syncto, without Sync 1.5 and with everything', async () => {
    const [shipped, direct, gateway, all, own] = await weighVariants(PROFILE);
    const [both, without] = [await built(), await built('sync15')];
    expect([shipped?.bytes, direct?.bytes]).toEqual([both.bytes, without.bytes]);
    expect(gateway?.bytes).toBeLessThan(both.bytes);
    expect(all?.bytes).toBeGreaterThan(both.bytes);
    expect(own?.bytes).toBeGreaterThan(without.bytes);
    const table = variantTable([shipped, direct].flatMap((one) => one ?? []));
    expect(table).toMatch(/^ +bytes +gzip -9 +agent.js of\n +\d+ +\d+ +npm run build\n/);
    expect(table).toContain(
      `${without.bytes}     ${direct?.gzipBytes}  npm run build -- --with sync15`,
    );
  });

  test('with something unknown is not built', () => {
    expect(() => contentsModule(['sync15', 'picl'])).toThrow('--with picl: there are syncto');
  });
});
