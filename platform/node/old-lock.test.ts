import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, test } from 'vitest';
import { temporaryFolder } from '../../test/support/folders.ts';
import { isHeldByOld } from './old-lock.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const lock = (owner: string) => writeFileSync(join(folder, 'lock'), owner);

/** As the lock of a process says it. */
function ownerOf(processId: number): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
  return `${processId} ${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
}

it('is not there in a new folder, and not where the lock of today is', async () => {
  expect(await isHeldByOld(folder)).toBe(false);
  mkdirSync(join(folder, 'lock'));
  expect(await isHeldByOld(folder)).toBe(false);
  expect(readdirSync(folder)).toEqual(['lock']);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await expect(isHeldByOld(file)).rejects.toMatchObject({ code: 'ENOTDIR' });
});

it('is held while the process that it names runs', async () => {
  lock(ownerOf(process.pid));
  expect(await isHeldByOld(folder)).toBe(true);
  expect(readdirSync(folder)).toEqual(['lock']);
});

test.each([
  ['that ended', '999999999 boot 7'],
  ['whose id another one has, which began at another time', `${process.pid} boot 7`],
  ['with a number that is none', '-1 boot 7'],
  ['that it does not name', ''],
  ['that it does not name in figures', 'x'],
])('is removed when it is of a process %s', async (_, owner) => {
  lock(owner);
  expect(await isHeldByOld(folder)).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

it('is held while somebody answers beside it, whatever the process is called here', async () => {
  lock('999999999 boot 7');
  const server = createServer((socket) => socket.end());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve));
  expect(await isHeldByOld(folder)).toBe(true);
  expect(readdirSync(folder).sort()).toEqual(['lock', 'socket']);
});
