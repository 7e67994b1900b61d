import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  closeSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/folders.ts';
import {
  createWhole,
  FileRefused,
  isDraftName,
  isOwn,
  openNew,
  readOwn,
  removeDrafts,
  replaceWhole,
} from './whole-files.ts';

const isRoot = process.geteuid?.() === 0;
const OTHER = 1;
const DRAFT_CHARS = 'A'.repeat(16);

let folder: string;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'file');
});
const text = (name = path): string => readFileSync(name, 'utf8');
const modeOf = (name: string): number => statSync(name).mode & 0o777;

/** A pipe with nobody at its other end. */
function pipeAt(name: string): string {
  spawnSync('mkfifo', ['-m', '600', name]);
  return name;
}

describe('a file that is replaced as a whole', () => {
  it('has all pieces, whatever they come as, and is for its owner only', async () => {
    writeFileSync(path, 'the old one', { mode: 0o644 });
    await replaceWhole(path, ['the ', new TextEncoder().encode('new one')]);
    expect([text(), modeOf(path), readdirSync(folder)]).toEqual(['the new one', 0o600, ['file']]);
    async function* later() {
      yield 'and ';
      yield 'later';
    }
    await replaceWhole(path, later());
    expect(text()).toBe('and later');
  });

  it('is the old one until all is there, and stays it where that ends in an error', async () => {
    writeFileSync(path, 'the old one');
    async function* broken() {
      yield 'half of ';
      expect(text()).toBe('the old one');
      throw new Error('there is no more');
    }
    await expect(replaceWhole(path, broken())).rejects.toThrow('there is no more');
    expect([text(), readdirSync(folder)]).toEqual(['the old one', ['file']]);
  });

  it('is written again where somebody has taken the draft for a leftover', async () => {
    let times = 0;
    const taken = Object.assign(['new'], {
      *[Symbol.iterator]() {
        if (++times === 1) removeDrafts(path);
        yield 'new';
      },
    });
    await replaceWhole(path, taken);
    expect([times, text()]).toEqual([2, 'new']);
    // What comes only once cannot be written twice.
    async function* once() {
      removeDrafts(path);
      yield 'x';
    }
    await expect(replaceWhole(path, once())).rejects.toMatchObject({ code: 'ENOENT' });
    expect(text()).toBe('new');
  });

  it('is the one that a link leads to, be it not there yet', async () => {
    const link = join(folder, 'link');
    symlinkSync(path, link);
    writeFileSync(path, 'old');
    await replaceWhole(link, ['through the link']);
    expect([lstatSync(link).isSymbolicLink(), text()]).toEqual([true, 'through the link']);
    rmSync(path);
    await replaceWhole(link, ['in its place']);
    expect([lstatSync(link).isSymbolicLink(), text(link)]).toEqual([false, 'in its place']);
  });

  it('cannot take the place of a folder, nor be in one that is not there', async () => {
    mkdirSync(path);
    await expect(replaceWhole(path, ['x'])).rejects.toMatchObject({ code: 'EISDIR' });
    const nowhere = join(folder, 'none', 'file');
    await expect(replaceWhole(nowhere, ['x'])).rejects.toMatchObject({ code: 'ENOENT' });
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('may be a pipe, which is written to', async () => {
    pipeAt(path);
    const reader = spawn('cat', [path]);
    let read = '';
    reader.stdout.on('data', (bytes) => {
      read += bytes;
    });
    await replaceWhole(path, ['into ', 'the pipe']);
    await once(reader, 'close');
    expect([read, lstatSync(path).isFIFO(), readdirSync(folder)]).toEqual([
      'into the pipe',
      true,
      ['file'],
    ]);
  });

  it.skipIf(!isRoot)('is not what another user has put there to lead elsewhere', async () => {
    const target = join(folder, 'target');
    writeFileSync(target, 'mine');
    symlinkSync(target, path);
    lchownSync(path, OTHER, OTHER);
    const refused = { message: 'what is there belongs to another user' };
    await expect(replaceWhole(path, ['x'])).rejects.toMatchObject(refused);
    expect(text(target)).toBe('mine');
    rmSync(path);
    pipeAt(path);
    chownSync(path, OTHER, OTHER);
    await expect(replaceWhole(path, ['x'])).rejects.toBeInstanceOf(FileRefused);
    // A link of one's own to it is no better.
    const link = join(folder, 'link');
    symlinkSync(path, link);
    await expect(replaceWhole(link, ['x'])).rejects.toMatchObject(refused);
  });

  it('is written into no file that somebody else has made for it', async () => {
    const spies = [`${path}.${process.pid}`, `${path}.draft`].map((name, at) => {
      writeFileSync(name, 'bait', { mode: 0o666 });
      linkSync(name, join(folder, `spy${at}`));
      return join(folder, `spy${at}`);
    });
    await replaceWhole(path, ['the secret']);
    expect([text(), ...spies.map(text)]).toEqual(['the secret', 'bait', 'bait']);
  });
});

describe('a file that is made', () => {
  it('is there as a whole, for its owner only, and takes the place of nothing', async () => {
    await createWhole(path, Uint8Array.of(104, 105));
    expect([text(), modeOf(path), readdirSync(folder)]).toEqual(['hi', 0o600, ['file']]);
    await expect(createWhole(path, Uint8Array.of(1))).rejects.toMatchObject({ code: 'EEXIST' });
    const link = join(folder, 'link');
    symlinkSync(join(folder, 'nothing'), link);
    await expect(createWhole(link, Uint8Array.of(1))).rejects.toMatchObject({ code: 'EEXIST' });
    expect([text(), readdirSync(folder).sort()]).toEqual(['hi', ['file', 'link']]);
  });
});

describe('a file that is opened to be written anew', () => {
  it('is a new one of its owner, in the place of what was there', () => {
    writeFileSync(path, 'a long old text', { mode: 0o644 });
    const other = join(folder, 'other');
    linkSync(path, other);
    const file = openNew(path);
    writeSync(file, 'new');
    closeSync(file);
    expect([text(), modeOf(path), text(other)]).toEqual(['new', 0o600, 'a long old text']);
  });

  it('is the pipe that is there', async () => {
    pipeAt(path);
    const reader = spawn('cat', [path]);
    const file = openNew(path);
    closeSync(file);
    await once(reader, 'close');
    expect(lstatSync(path).isFIFO()).toBe(true);
  });
});

describe('a file of this user', () => {
  it('is read, and seen by who asks for more', () => {
    writeFileSync(path, 'mine');
    const sizes: number[] = [];
    expect(readOwn(path, ({ size }) => sizes.push(size)).toString()).toBe('mine');
    expect(sizes).toEqual([4]);
    const wrong = new Error('not that way');
    const refuse = () => {
      throw wrong;
    };
    expect(() => readOwn(path, refuse)).toThrow(wrong);
    expect(() => readOwn(join(folder, 'none'))).toThrow(/ENOENT/);
  });

  it('is no folder and no pipe, which nobody waits for', () => {
    const refused = { message: 'it is not a file' };
    expect(() => readOwn(folder)).toThrow(expect.objectContaining(refused));
    expect(() => readOwn(pipeAt(path))).toThrow(expect.objectContaining(refused));
  });

  it.skipIf(!isRoot)('may be of anybody for the administrator, and else only of both', () => {
    writeFileSync(path, 'theirs', { mode: 0o644 });
    chownSync(path, OTHER, OTHER);
    expect(readOwn(path).toString()).toBe('theirs');
    expect([isOwn(0), isOwn(OTHER)]).toEqual([true, false]);
    process.seteuid?.(2);
    try {
      expect([isOwn(0), isOwn(2)]).toEqual([false, true]);
      expect(() => readOwn('/etc/hostname')).not.toThrow();
    } finally {
      process.seteuid?.(0);
    }
  });
});

describe('what killed processes were writing', () => {
  it('is known by its name', () => {
    expect(isDraftName(`file.${DRAFT_CHARS}.draft`)).toBe(true);
    for (const name of ['file.draft', `file.${DRAFT_CHARS}`, `file.${'A'.repeat(15)}.draft`]) {
      expect([name, isDraftName(name)]).toEqual([name, false]);
    }
  });

  it('is taken away, beside its own file and of this user only', () => {
    const [own, other] = [`file.${DRAFT_CHARS}.draft`, `other.${DRAFT_CHARS}.draft`];
    const kept = [other, 'file.draft', 'file.1', 'link'];
    for (const name of [own, other, 'file.draft', 'file.1']) writeFileSync(join(folder, name), '');
    if (isRoot) {
      const theirs = `file.${'B'.repeat(16)}.draft`;
      writeFileSync(join(folder, theirs), '');
      chownSync(join(folder, theirs), OTHER, OTHER);
      kept.push(theirs);
    }
    symlinkSync(path, join(folder, 'link'));
    // Where the file is not there yet, too.
    removeDrafts(path);
    expect(readdirSync(folder).sort()).toEqual([...kept].sort());
    writeFileSync(path, '');
    writeFileSync(join(folder, own), '');
    removeDrafts(join(folder, 'link'));
    expect(existsSync(join(folder, own))).toBe(false);
  });

  it('is nothing where there is no folder', () => {
    expect(() => removeDrafts(join(folder, 'none', 'file'))).not.toThrow();
  });

  it('is left by a process that is killed while it writes, for its owner only', async () => {
    const place = join(folder, 'place');
    mkdirSync(place);
    const file = join(place, 'file');
    const slow = join(folder, 'slow.mjs');
    const source = new URL('./whole-files.ts', import.meta.url).href;
    writeFileSync(
      slow,
      `import { replaceWhole } from '${source}';
       async function* pieces() {
         yield 'secret';
         console.log('begun');
         await new Promise((r) => setTimeout(r, 60_000));
       }
       await replaceWhole('${file}', pieces());`,
    );
    const tsx = import.meta.resolve('tsx');
    const child = spawn(process.execPath, ['--import', tsx, slow]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    const [draft = ''] = readdirSync(place);
    expect([text(join(place, draft)), modeOf(join(place, draft))]).toEqual(['secret', 0o600]);
    removeDrafts(join(place, 'other'));
    expect(readdirSync(place)).toEqual([draft]);
    removeDrafts(file);
    expect(readdirSync(place)).toEqual([]);
  });
});
