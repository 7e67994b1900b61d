// For tests of the lock, as a process of its own that can be killed at any time: counts in the
// storage of a directory, one commit a number, and prints each number when its commit has returned.
// `turns` commits at a time, then others. Usage: lock-worker DIRECTORY NAME TURNS; TURNS 0: it
// keeps the directory, and counts when it reads a line.

import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { InUseError, lockDirectory } from '../../platform/node/lock.ts';
import { type NodeStorage, openNodeStorage } from '../../platform/node/storage.ts';

const [directory = '', name = '', turns = '0'] = process.argv.slice(2);

async function count(storage: NodeStorage): Promise<void> {
  const [last] = await storage.get(['last']);
  const next = Number(last ?? 0) + 1;
  const key = `n${String(next).padStart(8, '0')}`;
  await storage.commit([
    ['last', `${next}`],
    [key, name],
  ]);
  process.stdout.write(`${next} ${name}\n`);
}

async function open(): Promise<NodeStorage> {
  for (;;) {
    try {
      return await openNodeStorage(directory);
    } catch (error) {
      if (!(error instanceof InUseError) || turns === '0') throw error;
      await setTimeout(20 * Math.random());
    }
  }
}

/** Takes the lock and gives it back, over and over, and prints a line for each time. */
async function churn(): Promise<never> {
  for (;;) {
    try {
      const lock = await lockDirectory(directory);
      lock.check();
      lock.release();
      process.stdout.write('had it\n');
    } catch (error) {
      if (!(error instanceof InUseError)) throw error;
    }
  }
}

if (turns === 'lock') await churn();

if (turns === '0') {
  const storage = await open().catch((error: Error) => {
    process.stdout.write(`${error.message}\n`);
    process.exit(1);
  });
  process.stdout.write('open\n');
  for (;;) {
    await once(process.stdin, 'data');
    await count(storage).catch((error: Error) => process.stdout.write(`${error.message}\n`));
  }
}

for (;;) {
  const storage = await open();
  for (let turn = 0; turn < Number(turns); turn++) await count(storage);
  storage.close();
  await setTimeout(10 * Math.random());
}
