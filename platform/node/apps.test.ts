import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type AppsUnderTest, appsContract } from '../../test/contract/apps.ts';
import { APPS_MARK, nodeApps } from './apps.ts';

const FILE = 'http%3A%2F%2Fa.example.json';
const ORIGIN = 'http://a.example';
const APP = { manifest: { name: 'a' } };

const directories: string[] = [];
const newDirectory = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'kitsync-apps-'));
  directories.push(made);
  return made;
};
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

/** With a folder, which is there when somebody has asked for apps. */
async function used(directory: string) {
  const apps = nodeApps(directory);
  await apps.list('', 1);
  return apps;
}

appsContract('a folder of files', () => under(newDirectory()));

async function under(directory: string): Promise<AppsUnderTest> {
  const apps = await used(directory);
  const fileOf = (origin: string): string =>
    join(directory, 'apps', `${encodeURIComponent(origin)}.json`);
  return {
    apps,
    async person(origin, app) {
      if (app === null) rmSync(fileOf(origin));
      else writeFileSync(fileOf(origin), JSON.stringify(app));
    },
    async told(isTold) {
      for (let tries = 0; !isTold() && tries < 500; tries++) {
        await new Promise((done) => setTimeout(done, 20));
      }
    },
    async reopen() {
      apps.close();
      return under(directory);
    },
    close: async () => apps.close(),
  };
}

describe('a folder of apps', () => {
  it('has a file for each app, for its owner only', async () => {
    const directory = newDirectory();
    const apps = await used(directory);
    await apps.install(ORIGIN, APP);
    const folder = join(directory, 'apps');
    expect(readdirSync(folder).sort()).toEqual(['.mark', FILE]);
    expect(JSON.parse(readFileSync(join(folder, FILE), 'utf8'))).toEqual(APP);
  });

  it('passes over what is no file of an app', async () => {
    const directory = newDirectory();
    const apps = await used(directory);
    for (const name of [
      'README',
      'x.json',
      '%zz.json',
      'http:.json',
      `${FILE}.0123456789abcdef.draft`,
    ]) {
      writeFileSync(join(directory, 'apps', name), '{"manifest":{"name":"x"}}');
    }
    expect(await apps.list('', 100)).toEqual([]);
  });

  it.each([
    ['half of an app', '{"manifest":{"na'],
    ['a list', '[]'],
    ['no manifest', '{"name":"a"}'],
    ['a manifest that is a list', '{"manifest":[]}'],
  ])('lists a file that holds %s, and says that it cannot be read', async (_, text) => {
    const directory = newDirectory();
    const apps = await used(directory);
    writeFileSync(join(directory, 'apps', FILE), text);
    expect(await apps.list('', 100)).toHaveLength(1);
    await expect(apps.read(ORIGIN)).rejects.toMatchObject({ code: 'failed' });
    await apps.install(ORIGIN, APP);
    expect(await apps.read(ORIGIN)).toEqual(APP);
  });

  it('is not made before somebody asks for apps', async () => {
    const directory = newDirectory();
    const apps = nodeApps(directory);
    apps.changed(() => undefined);
    expect(readdirSync(directory)).toEqual([]);
    await Promise.all([apps.list('', 1), apps.read(ORIGIN), apps.install(ORIGIN, APP)]);
    expect(readdirSync(directory).sort()).toEqual(['apps', 'apps.mark']);
    expect(await apps.read('../../x')).toBeNull();
    apps.close();
  });

  it('that is not there any more is an error, and no folder without apps', async () => {
    const directory = newDirectory();
    const apps = await used(directory);
    await apps.install(ORIGIN, APP);
    const folder = join(directory, 'apps');
    renameSync(folder, `${folder}.away`);
    const isRefused = async (): Promise<void> => {
      for (const one of [apps, nodeApps(directory)]) {
        const failed = { code: 'failed', message: expect.stringContaining('not the folder') };
        await expect(one.list('', 100)).rejects.toMatchObject(failed);
        await expect(one.read(ORIGIN)).rejects.toMatchObject(failed);
        await expect(one.install(ORIGIN, APP)).rejects.toMatchObject(failed);
        await expect(one.uninstall(ORIGIN)).rejects.toMatchObject(failed);
      }
    };
    await isRefused();
    expect(existsSync(folder)).toBe(false);
    // A disk that is not mounted.
    mkdirSync(folder);
    await isRefused();
    rmSync(folder, { recursive: true });
    renameSync(`${folder}.away`, folder);
    expect(await apps.list('', 100)).toHaveLength(1);
  });

  it('stays what it is when all else was erased, and is used again', async () => {
    const directory = newDirectory();
    const before = await used(directory);
    await before.install(ORIGIN, APP);
    rmSync(join(directory, APPS_MARK));
    const apps = await used(directory);
    expect(await apps.read(ORIGIN)).toEqual(APP);
    await expect(before.list('', 1)).resolves.toHaveLength(1);
  });

  it('that may not be written says why, and has what it had', async () => {
    const directory = newDirectory();
    const apps = await used(directory);
    await apps.install(ORIGIN, APP);
    // A folder in the way is refused to the administrator, too.
    mkdirSync(join(directory, 'apps', 'http%3A%2F%2Fb.json'));
    await expect(apps.install('http://b', APP)).rejects.toMatchObject({ code: 'failed' });
    expect(await apps.read(ORIGIN)).toEqual(APP);
    chmodSync(join(directory, 'apps', FILE), 0o600);
    expect(await apps.read(ORIGIN)).toEqual(APP);
  });
});
