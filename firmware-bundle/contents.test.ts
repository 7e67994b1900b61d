// What a firmware can be asked to hold, built for real.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isWhole } from '../test/sim/share.ts';
import { buildFirmware, sourceWith, weigh, weighVariants } from './build.ts';
import { contentsModule, syncNames } from './contents.ts';
import { type FirmwareSource, readProgram } from './program.ts';
import { variantTable } from './size.ts';
import targets from './targets.json' with { type: 'json' };

const PROFILE = 'panasonic-cx700';
const SYNTAX = targets[PROFILE].syntax;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'contents-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** As one script, shrunk: that takes seconds. */
const weighed = once((...names) => weigh(PROFILE, sourceWith(names)));

/** What each module costs before that, by its path. */
async function modulesOf(source: FirmwareSource): Promise<(path: string) => number> {
  const { bytesOf } = await readProgram(source, SYNTAX);
  return (path) => bytesOf.get(path) ?? 0;
}

const read = once((...names) => modulesOf(sourceWith(names)));

/** The same for the same names: the sources stay as they are. */
function once<Made>(make: (...names: string[]) => Promise<Made>) {
  const known = new Map<string, Promise<Made>>();
  return (...names: string[]): Promise<Made> => {
    const key = names.join();
    const made = known.get(key) ?? make(...names);
    known.set(key, made);
    return made;
  };
}

describe('a firmware', () => {
  test('with one protocol carries nothing of the other and is smaller', async () => {
    const [both, without] = [await read(), await read('sync15')];
    expect(both('agent/remotes/sync/syncto.ts')).toBeGreaterThan(0);
    expect(without('agent/remotes/sync/syncto.ts')).toBe(0);
    expect(without('agent/remotes/sync/sync15.ts')).toBeGreaterThan(0);
    expect((await weighed('sync15')).bytes).toBeLessThan((await weighed()).bytes);
  });

  test('sends bodies in pieces if a protocol of it streams them, and else lacks how', async () => {
    const pieces = 'platform/quickjs/pieces.ts';
    expect((await read())(pieces)).toBe(0);
    const contents = contentsModule(['sync15'], ['sync15']);
    const streaming = await modulesOf({ ...sourceWith(['sync15']), contents });
    expect(streaming(pieces)).toBeGreaterThan(0);
  });

  test("knows of the account's devices, unless its list leaves them out", async () => {
    const [shipped, smaller] = [await read('sync15'), await read('sync15', 'history')];
    // Their name stays.
    const clients = 'agent/remotes/sync/clients.ts';
    expect(smaller(clients)).toBeLessThan(shipped(clients) / 20);
    const passwords = 'agent/collections/passwords.ts';
    expect(smaller(passwords)).toBeLessThan(shipped(passwords) / 2);
  });

  test('has strategies for conflicts if it is asked for, and nothing of them else', async () => {
    const [shipped, asked] = [await read(), await read('sync15', 'strategies')];
    for (const path of [
      'agent/api/conflicts.ts',
      'agent/collections/strategy.ts',
      'agent/store/undecided.ts',
      'platform/quickjs/conflict-commands.ts',
    ]) {
      expect(shipped(path), path).toBe(0);
      expect(asked(path), path).toBeGreaterThan(0);
    }
  });

  test('has what apps make for themselves if it is asked for, and nothing of it else', async () => {
    const [shipped, asked] = [await read(), await read('sync15', 'apps')];
    for (const path of [
      'agent/several/apps.ts',
      'agent/several/several.ts',
      'agent/remotes/app-secret.ts',
      'agent/collections/app.ts',
      'platform/quickjs/app-commands.ts',
    ]) {
      expect(shipped(path), path).toBe(0);
      expect(asked(path), path).toBeGreaterThan(0);
    }
    expect(asked('platform/quickjs/conflict-commands.ts')).toBe(0);
    const both = await read('sync15', 'apps', 'strategies');
    expect(both('platform/quickjs/conflict-commands.ts')).toBeGreaterThan(0);
    expect(both('platform/quickjs/app-commands.ts')).toBeGreaterThan(0);
  });

  test("has the user's apps on the system if it is asked for, and nothing of it else", async () => {
    const [shipped, asked] = [await read(), await read('sync15', 'installedApps')];
    for (const path of [
      'agent/collections/installed-apps.ts',
      'agent/installed/installed.ts',
      'agent/installed/reconcile.ts',
      'agent/installed/shelf.ts',
      'platform/quickjs/installed-commands.ts',
      'platform/quickjs/system-apps.ts',
    ]) {
      expect(shipped(path), path).toBe(0);
      expect(asked(path), path).toBeGreaterThan(0);
    }
  });

  test('signs users in itself if it is asked for, and carries nothing of that else', async () => {
    const [shipped, own, both] = [
      await read(),
      await read('sync15', 'signIn'),
      await read('sync15', 'signIn', 'passwordSignIn'),
    ];
    const [companion, password] = ['agent/signin/companion.ts', 'agent/signin/password.ts'];
    expect([shipped(companion), shipped(password)]).toEqual([0, 0]);
    expect(own(companion)).toBeGreaterThan(0);
    expect([own(password), own('crypto/onepw.ts')]).toEqual([0, 0]);
    expect(both(password)).toBeGreaterThan(0);
    expect(both('agent/remotes/sync/clients.ts')).toBeGreaterThan(0);
  });

  test('speaks with a Kinto where it is asked for, and carries nothing of that else', async () => {
    const [shipped, all] = [await read(), await read(...syncNames)];
    const [own, recovering] = [
      await read('kinto', 'contacts'),
      await read('kinto', 'contacts', 'recoverySignIn'),
    ];
    const [remote, asked] = ['agent/remotes/kinto/kinto.ts', 'platform/quickjs/credentials.ts'];
    const [recovery, positions] = ['agent/signin/recovery.ts', 'agent/remotes/kinto/position.ts'];
    const paths = [remote, asked, recovery, positions];
    expect([...paths.map(shipped), ...paths.map(all)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect([own(remote) > 0, own(asked) > 0, own(recovery)]).toEqual([true, true, 0]);
    expect(own('agent/remotes/sync/syncto.ts')).toBe(0);
    expect(recovering(recovery)).toBeGreaterThan(0);
    expect(recovering('agent/signin/companion.ts')).toBe(0);
  });

  test('speaks with a PiCL storage where it is asked for, and only there', async () => {
    const [shipped, all, own] = [await read(), await read(...syncNames), await read('picl')];
    const parts = ['agent/remotes/picl/picl.ts', 'crypto/gcm.ts', 'platform/quickjs/computing.ts'];
    expect(parts.flatMap((path) => [shipped(path), all(path)])).toEqual([0, 0, 0, 0, 0, 0]);
    expect(parts.map((path) => own(path) > 0)).toEqual([true, true, true]);
    expect(own('agent/remotes/sync/syncto.ts')).toBe(0);
  });

  test('signs in to accounts, by a name and a code, or either by its remote', async () => {
    const names = ['sync15', 'kinto', 'contacts'];
    const [account, code] = ['agent/signin/companion.ts', 'agent/signin/recovery.ts'];
    const signIns = ['signIn', 'recoverySignIn'];
    for (const asked of [[], ['signIn'], ['recoverySignIn'], signIns]) {
      const bytes = await read(...names, ...asked);
      const has = [account, code].map((path) => bytes(path) > 0);
      expect(has).toEqual(signIns.map((name) => asked.includes(name)));
    }
    expect(contentsModule([...names, ...signIns])).toContain('signIn: eitherSignIn\n');
  });

  test("holds an app's own collection, and several remotes, where it is asked for", async () => {
    const module = contentsModule(['syncto', 'generic(notes)', 'several', 'generic(a.b)']);
    expect(module).toContain('collections: [generic("notes"), generic("a.b")]');
    const [shipped, own] = [await read(), await read('sync15', 'generic(notes)', 'several')];
    expect(shipped('agent/collections/generic.ts')).toBe(0);
    expect(shipped('agent/several/several.ts')).toBe(0);
    expect(own('agent/collections/generic.ts')).toBeGreaterThan(0);
    expect(own('agent/several/several.ts')).toBeGreaterThan(0);
  });

  test.each(['generic()', 'generic(history)', 'generic(meta)', 'generic(a b)', 'generic("x")'])(
    'is refused %s, by its name',
    (name) => {
      expect(() => contentsModule(['sync15', name])).toThrow(
        `--with ${name}: NAME of generic(NAME) must be 1 to 32 of A-Z a-z 0-9 . _ -, and not`,
      );
    },
  );

  test.each([
    ['sync15', '[history, passwords],\n  devices: clients'],
    ['kinto', '[contacts, settings, readingList],\n  \n'],
    ['picl', '[history, passwords],\n  \n'],
    ['owa', '[installedApps],\n  installed\n'],
    ['kinto,strategies', '[contacts, settings, readingList],\n  strategies\n'],
    ['owa,contacts', '[contacts],\n  \n'],
    ['kinto,sync15', '[history, passwords, contacts, settings, readingList],\n  devices: clients'],
  ])('with %s and no data has what that protocol is for', (names, collections) => {
    expect(contentsModule(names.split(','))).toContain(`collections: ${collections}`);
  });

  test('as it ships is within 128 KiB, as one script and as several', async () => {
    const { manifest } = await buildFirmware(PROFILE, join(folder, 'shipped'));
    expect(manifest.whole.bytes).toBeLessThanOrEqual(131_072);
    expect(manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(131_072);
    const parts = manifest.parts.map(({ part }) => part);
    expect(parts).toEqual(expect.arrayContaining(['syncto', 'sync15', 'history', 'passwords']));
  });

  test.runIf(isWhole)('with all that Firefox Sync syncs stays in its budget', async () => {
    await buildFirmware(PROFILE, join(folder, 'everything'), sourceWith(syncNames));
    const everything = await read(...syncNames);
    expect(everything('agent/collections/bookmarks.ts')).toBeGreaterThan(0);
    expect((await weighed(...syncNames)).bytes).toBeLessThanOrEqual(
      targets[PROFILE].chosenBytesMax,
    );
  });

  test.runIf(isWhole)('that the README shows stays in its budget', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const shown = [...readme.matchAll(/^\| `--with ([^` ]+)` \|/gm)].map(
      ([, names]) => names ?? '',
    );
    expect(shown).toContain('sync15,history');
    for (const names of shown) {
      const { bytes } = await weighed(...names.split(','));
      expect(bytes, names).toBeLessThanOrEqual(targets[PROFILE].chosenBytesMax);
    }
  });

  // Three more firmwares to shrink.
  test.runIf(isWhole)(
    'is listed beside those without Syncto, without Sync 1.5 and with everything',
    async () => {
      const [shipped, direct, gateway, all, own] = await weighVariants(PROFILE);
      const [both, without] = [await weighed(), await weighed('sync15')];
      expect([shipped?.bytes, direct?.bytes]).toEqual([both.bytes, without.bytes]);
      expect(gateway?.bytes).toBeLessThan(both.bytes);
      expect(all?.bytes).toBeGreaterThan(both.bytes);
      expect(own?.bytes).toBeGreaterThan(without.bytes);
      const table = variantTable([shipped, direct].flatMap((one) => one ?? []));
      expect(table).toMatch(/^ +bytes +gzip -9 +agent.js of\n +\d+ +\d+ +npm run build\n/);
      expect(table).toContain(
        `${without.bytes}     ${direct?.gzipBytes}  npm run build -- --with sync15`,
      );
    },
  );

  test('with something unknown is not built', () => {
    expect(() => contentsModule(['sync15', 'caldav'])).toThrow(
      '--with caldav: there are syncto, sync15, kinto, picl,',
    );
  });
});
