import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/support/folders.ts';
import { replaceFolder } from './folder.ts';

let parent: string;
let place: string;
beforeEach(() => {
  parent = join(temporaryFolder(), 'parent');
  place = join(parent, 'place');
});

const fillWith =
  (text: string, name = 'file') =>
  async (folder: string) => {
    await writeFile(join(folder, name), text);
    return text;
  };
const text = (name = 'file') => readFile(join(place, name), 'utf8');

describe('a folder that is replaced as a whole', () => {
  it('is made with all that leads to it, and gives what was made of it', async () => {
    expect(await replaceFolder(place, fillWith('one'))).toBe('one');
    expect([await text(), await readdir(parent)]).toEqual(['one', ['place']]);
  });

  it('takes the place of the old one with all that was in it', async () => {
    await replaceFolder(place, fillWith('one', 'old'));
    await replaceFolder(place, async (folder) => {
      expect(await readdir(folder)).toEqual([]);
      expect(dirname(folder)).toBe(parent);
      expect(await text('old')).toBe('one');
      await fillWith('two')(folder);
    });
    expect([await readdir(place), await readdir(parent)]).toEqual([['file'], ['place']]);
  });

  it('stays as it was when what fills it fails', async () => {
    await replaceFolder(place, fillWith('one'));
    const failing = async (folder: string) => {
      await fillWith('two')(folder);
      throw new Error('over its budget');
    };
    await expect(replaceFolder(place, failing)).rejects.toThrow('over its budget');
    expect([await text(), await readdir(parent)]).toEqual(['one', ['place']]);
  });

  it('stays as it was when it cannot be put there', async () => {
    await replaceFolder(place, fillWith('one'));
    const vanishing = (folder: string) => rm(folder, { recursive: true });
    await expect(replaceFolder(place, vanishing)).rejects.toMatchObject({ code: 'ENOENT' });
    expect([await text(), await readdir(parent)]).toEqual(['one', ['place']]);
    await mkdir(join(parent, 'other'));
    await writeFile(join(parent, 'other', 'file'), '');
    const below = join(parent, 'other', 'file', 'place');
    await expect(replaceFolder(below, fillWith('x'))).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it('is one of those that were made at the same time, whole', async () => {
    await replaceFolder(place, fillWith('0'));
    const made = Array.from({ length: 12 }, (_, at) =>
      replaceFolder(place, async (folder) => {
        await fillWith(`${at}`, 'first')(folder);
        await fillWith(`${at}`, 'second')(folder);
      }),
    );
    await Promise.all(made);
    expect(await text('first')).toBe(await text('second'));
    expect([await readdir(place), await readdir(parent)]).toEqual([['first', 'second'], ['place']]);
  });
});

describe('what a killed process has left beside it', () => {
  it('is taken away after an hour, and nothing else is', async () => {
    const hourAgo = new Date(Date.now() - 3_600_001);
    const [old, fresh] = ['place.AAAAAAAA.building', 'place.BBBBBBBB.building'];
    const others = ['other.AAAAAAAA.building', 'place.building', 'place.AAAAAAA.building'];
    for (const name of [old, fresh, ...others]) {
      await mkdir(join(parent, name), { recursive: true });
      if (name !== fresh) await utimes(join(parent, name), hourAgo, hourAgo);
    }
    await replaceFolder(place, fillWith('one'));
    expect(await readdir(parent)).toEqual([...others, fresh, 'place'].sort());
  });
});
