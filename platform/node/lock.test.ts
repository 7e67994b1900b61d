import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { lockDirectory } from './lock.ts';
import { openNodeStorage } from './storage.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'kitsync-lock-'));
const worker = join(folder, 'worker.mjs');
const children = new Set<ChildProcessWithoutNullStreams>();
let count = 0;

beforeAll(async () => {
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await build({
    entryPoints: [join(ROOT, 'test/support/lock-worker.ts')],
    outfile: worker,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  });
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true }));

function newDirectory(): string {
  const directory = join(folder, `d${++count}`);
  mkdirSync(directory, { mode: 0o700 });
  return directory;
}

interface Worker {
  readonly child: ChildProcessWithoutNullStreams;
  readonly lines: string[];
  complained(): string;
  /** The next line that it prints. */
  line(): Promise<string>;
}

/** `before`: a program that starts it, and its arguments. */
function start(args: readonly string[], before: readonly string[] = []): Worker {
  const [file = '', ...rest] = [...before, process.execPath, worker, ...args];
  const child = spawn(file, rest);
  children.add(child);
  child.once('close', () => children.delete(child));
  const lines: string[] = [];
  let read = 0;
  let begun = '';
  let complaints = '';
  child.stdout.on('data', (bytes) => {
    const texts = (begun + bytes).split('\n');
    begun = texts.pop() ?? '';
    lines.push(...texts);
    child.emit('lines');
  });
  child.stderr.on('data', (bytes) => {
    complaints += bytes;
  });
  return {
    child,
    lines,
    complained: () => complaints,
    async line() {
      while (lines.length === read) await once(child, 'lines');
      return lines[read++] ?? '';
    },
  };
}

const NAMESPACES = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--net'];
const hasNamespaces = spawnSync('unshare', [...NAMESPACES.slice(1), 'true']).status === 0;
const PLACES: readonly (readonly [name: string, before: readonly string[]])[] = [
  ['beside it', []],
  ...(hasNamespaces ? [['in a container', NAMESPACES] as const] : []),
];

describe('one directory has one owner', () => {
  for (const [where, before] of PLACES) {
    for (const [other, beforeOther] of PLACES) {
      it(`${where}, and a second process ${other} is refused`, async () => {
        const directory = newDirectory();
        const first = start([directory, 'a', '0'], before);
        expect(await first.line()).toBe('open');
        const second = start([directory, 'b', '0'], beforeOther);
        expect(await second.line()).toBe(`${directory} is in use`);
        first.child.stdin.write('\n');
        expect(await first.line()).toBe('1 a');
      });
    }
  }

  it.skipIf(hasNamespaces)('(this machine lets nobody make namespaces: not tried in containers)');

  it('also while it is stopped, and it goes on afterwards', async () => {
    const directory = newDirectory();
    const owner = start([directory, 'a', '0']);
    expect(await owner.line()).toBe('open');
    owner.child.kill('SIGSTOP');
    await expect(openNodeStorage(directory)).rejects.toThrow(`${directory} is in use`);
    owner.child.kill('SIGCONT');
    owner.child.stdin.write('\n');
    expect(await owner.line()).toBe('1 a');
  });

  it('that writes no more once its lock was taken over', async () => {
    const directory = newDirectory();
    const owner = start([directory, 'a', '0']);
    expect(await owner.line()).toBe('open');
    owner.child.stdin.write('\n');
    expect(await owner.line()).toBe('1 a');
    owner.child.kill('SIGSTOP');
    rmSync(join(directory, 'lock'), { recursive: true });
    const heir = await openNodeStorage(directory);
    await heir.commit([['last', '70']]);
    owner.child.kill('SIGCONT');
    owner.child.stdin.write('\n');
    expect(await owner.line()).toBe(`${directory} is in use`);
    owner.child.stdin.write('\n');
    expect(await owner.line()).toBe(`${directory} is in use`);
    await heir.commit([['last', '71']]);
    heir.close();
    const after = await openNodeStorage(directory);
    expect(await after.get(['last', 'n00000001', 'n00000002'])).toEqual(['71', 'a', null]);
    after.close();
  });

  it('that is told within seconds, and leaves the files of its heir alone', async () => {
    const directory = newDirectory();
    let told = (): void => undefined;
    const lost = new Promise<void>((resolve) => {
      told = resolve;
    });
    const owner = await openNodeStorage(directory, { onLost: told });
    await owner.commit([['k', 'old']]);
    rmSync(join(directory, 'lock'), { recursive: true });
    const heir = await openNodeStorage(directory);
    await heir.commit([['k', 'new']]);
    await lost;
    await expect(owner.commit([['k', 'late']])).rejects.toThrow('is in use');
    expect(() => owner.close()).not.toThrow();
    await heir.commit([['l', 'new']]);
    await expect(openNodeStorage(directory)).rejects.toThrow('is in use');
    heir.close();
    const after = await openNodeStorage(directory);
    expect(await after.get(['k', 'l'])).toEqual(['new', 'new']);
    after.close();
    expect(readdirSync(directory)).toEqual(['store']);
  });
});

it('never has two writers, and loses nothing that was acknowledged, under kill -9', async () => {
  const directory = newDirectory();
  const workers: Worker[] = [];
  const spawnOne = (index: number): Worker => {
    const before = index % 3 === 2 && hasNamespaces ? NAMESPACES : [];
    const started = start([directory, `w${workers.length}`, '3'], before);
    workers.push(started);
    return started;
  };
  const running = [0, 1, 2, 3].map(spawnOne);
  const acknowledged = () => workers.flatMap(({ lines }) => lines);
  for (let round = 0; round < 24; round++) {
    const before = acknowledged().length;
    while (acknowledged().length === before) await setTimeout(10);
    await setTimeout(80 * Math.random());
    const index = round % running.length;
    running[index]?.child.kill('SIGKILL');
    running[index] = spawnOne(index);
  }
  const ended = running.map(({ child }) => once(child, 'close'));
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(ended);

  expect(workers.map((one) => one.complained()).join('')).toBe('');
  const lines = acknowledged();
  const numbers = lines.map((line) => Number(line.split(' ')[0]));
  expect(new Set(numbers).size).toBe(numbers.length);
  const storage = await openNodeStorage(directory);
  const keys = numbers.map((number) => `n${String(number).padStart(8, '0')}`);
  const values = await storage.get(keys);
  expect(values).toEqual(lines.map((line) => line.split(' ')[1]));
  storage.close();
  expect(readdirSync(directory)).toEqual(['store']);
});

it('is never refused for another reason than that somebody has it', async () => {
  const directory = newDirectory();
  const workers = Array.from({ length: 4 }, (_, n) => start([directory, `w${n}`, 'lock']));
  while (workers.some(({ lines }) => lines.length < 20)) {
    await setTimeout(20);
    expect(workers.map((one) => one.complained()).join('')).toBe('');
  }
});

describe('a flag that cannot be asked', () => {
  /** One that a process left in a place that this one cannot look into. */
  async function strangersFlag(directory: string): Promise<string> {
    const left = start([directory, 'a', '0']);
    await left.line();
    left.child.kill('SIGKILL');
    await once(left.child, 'close');
    const [name = ''] = readdirSync(join(directory, 'lock'));
    const path = join(directory, 'lock', `else!${name.slice(5)}`);
    renameSync(join(directory, 'lock', name), path);
    return path;
  }

  it('counts while somebody touches it', async () => {
    const directory = newDirectory();
    const path = await strangersFlag(directory);
    const owner = setInterval(() => utimesSync(path, new Date(), new Date()), 100);
    await expect(lockDirectory(directory, { leaseMs: 3_000 })).rejects.toThrow('is in use');
    clearInterval(owner);
  });

  it('is taken down when nobody has touched it for a while', async () => {
    const directory = newDirectory();
    await strangersFlag(directory);
    const lock = await lockDirectory(directory, { leaseMs: 600 });
    lock.check();
    expect(readdirSync(join(directory, 'lock'))).toHaveLength(1);
    lock.release();
  });

  it('is answered by the owner: it touches its own', async () => {
    const directory = newDirectory();
    const lock = await lockDirectory(directory);
    const [name = ''] = readdirSync(join(directory, 'lock'));
    const path = join(directory, 'lock', name);
    utimesSync(path, 1, 1);
    await setTimeout(2_500);
    expect(statSync(path).mtimeMs).toBe(1_000);
    writeFileSync(join(directory, 'lock', 'else!abcdef'), '');
    await setTimeout(2_500);
    expect(statSync(path).mtimeMs).toBeGreaterThan(1_000);
    lock.release();
  });
});

describe('the lock of an older Kitsync', () => {
  const ownText = (): string => {
    const { stdout } = spawnSync('cat', [
      '/proc/sys/kernel/random/boot_id',
      `/proc/${process.pid}/stat`,
    ]);
    const [boot = '', stat = ''] = stdout.toString().split('\n');
    return `${process.pid} ${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  };

  it('is honoured while its owner runs', async () => {
    const directory = newDirectory();
    writeFileSync(join(directory, 'lock'), ownText());
    await expect(lockDirectory(directory)).rejects.toThrow('is in use');
  });

  it('is removed when its owner has ended', async () => {
    const directory = newDirectory();
    writeFileSync(join(directory, 'lock'), ownText().replace(/ \d+$/, ' 1'));
    (await lockDirectory(directory)).release();
    expect(readdirSync(directory)).toEqual([]);
  });
});

it('says what is wrong with a path that no socket can have', async () => {
  const directory = join(folder, 'x'.repeat(90));
  mkdirSync(directory);
  await expect(lockDirectory(directory)).rejects.toThrow('is over 86 bytes');
});
