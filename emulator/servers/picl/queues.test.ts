// Many writers of one log: what the storage is asked for them, and that nobody is refused by what
// is over.

import { expect, test } from 'vitest';
import { memoryStorage } from '../storage/local-storage.ts';
import type { ServerStorage } from '../storage/server-storage.ts';
import type { Change } from './changes.ts';
import { keptLogs, type Logs } from './log.ts';
import { Pen } from './testing.ts';

/** Counts the transactions of a storage that several processes have. */
function counted(storage: ServerStorage): { logs: Logs; count: number } {
  const counting = { count: 0, logs: keptLogs(storage) };
  counting.logs = keptLogs({
    ...storage,
    transaction: (lock, work) => {
      counting.count++;
      return storage.transaction(lock, work);
    },
  });
  return counting;
}

/** Whether a change was taken, which is made for this head. */
function append(logs: Logs, { seqnum }: Pen, change: Change): Promise<boolean> {
  const check = ({ head }: { head: { seqnum: number } }): void => {
    if (head.seqnum !== seqnum) throw new Error('overtaken');
  };
  const taken = logs.write('user', 'name', (log) => log.append([change], 0), check);
  return taken.then(
    () => true,
    (error: Error) => {
      if (error.message === 'overtaken') return false;
      throw error;
    },
  );
}

function on(pen: Pen, key: string): [Pen, Change] {
  return [pen, new Pen(pen.seqnum, pen.changeid).write(key, key)];
}

test('of a hundred for one head one is taken, and the others cost no transaction', async () => {
  const process = counted(memoryStorage());
  const keys = Array.from({ length: 100 }, (_, n) => `k${n}`);
  const taken = await Promise.all(keys.map((key) => append(process.logs, ...on(new Pen(), key))));
  expect(taken).toEqual(keys.map((_, n) => n === 0));
  expect(process.count).toBe(1);
});

test('who comes on the new head while others wait is taken behind them', async () => {
  const { logs } = counted(memoryStorage());
  const [empty, first] = on(new Pen(), 'a');
  const next = new Pen(first.seqnum, first.changeid);
  const asked = [
    append(logs, empty, first),
    append(logs, ...on(new Pen(), 'b')),
    append(logs, ...on(next, 'c')),
    append(logs, ...on(new Pen(), 'd')),
  ];
  expect(await Promise.all(asked)).toEqual([true, false, true, false]);
});

test('what another process has written is seen, whoever waits in this one', async () => {
  const storage = memoryStorage();
  const [here, there] = [counted(storage).logs, counted(storage).logs];
  const [empty, first] = on(new Pen(), 'a');
  expect(await append(there, empty, first)).toBe(true);
  const [next, second] = on(new Pen(first.seqnum, first.changeid), 'b');
  const last = on(new Pen(second.seqnum, second.changeid), 'c');
  const asked = [append(here, next, second), append(there, ...last), append(here, ...last)];
  expect(await Promise.all(asked)).toEqual([true, true, false]);
});

test('nobody is refused by an end that was over when it came', async () => {
  const storage = memoryStorage();
  let open = (): void => undefined;
  const gates = [Promise.resolve(), new Promise<void>((resolve) => (open = resolve))];
  const transaction: ServerStorage['transaction'] = async (lock, work) => {
    await gates.shift();
    return storage.transaction(lock, work);
  };
  const [here, there] = [keptLogs({ ...storage, transaction }), keptLogs(storage)];
  const [empty, first] = on(new Pen(), 'a');
  const [next, second] = on(new Pen(first.seqnum, first.changeid), 'b');
  const written = append(here, empty, first);
  const held = append(here, ...on(next, 'c'));
  expect([await written, await append(there, next, second)]).toEqual([true, true]);
  const late = append(here, ...on(new Pen(second.seqnum, second.changeid), 'd'));
  open();
  expect([await held, await late]).toEqual([false, true]);
});

test('a write that fails leaves nothing that others are judged by', async () => {
  const process = counted(memoryStorage());
  const [empty, first] = on(new Pen(), 'a');
  const failing = process.logs.write('user', 'name', async (log) => {
    await log.append([first], 0);
    throw new Error('the disk is full');
  });
  const waiting = append(process.logs, empty, first);
  await expect(failing).rejects.toThrow('the disk is full');
  expect(await waiting).toBe(true);
});
