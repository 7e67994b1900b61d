import { expect, test, vi } from 'vitest';
import { createLock } from './lock.ts';

test('tasks run one at a time, in the order in which they asked', async () => {
  const lock = createLock();
  const log: string[] = [];
  const task = (name: string, turns: number) => async () => {
    log.push(`${name} begins`);
    for (let n = 0; n < turns; n++) await null;
    log.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all([lock.run(task('a', 9)), lock.run(task('b', 0))]);
  expect(results).toEqual(['a', 'b']);
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('a task that fails fails alone', async () => {
  const lock = createLock();
  const failing = lock.run(async () => {
    throw new Error('mine');
  });
  const next = lock.run(async () => 'fine');
  await expect(failing).rejects.toThrow('mine');
  expect(await next).toBe('fine');
});

test('a task that no memory is left to wait for never begins', async () => {
  const lock = createLock();
  let begun = 0;
  const task = async (): Promise<number> => ++begun;
  vi.spyOn(Promise.prototype, 'catch').mockImplementationOnce(() => {
    throw new RangeError('out of memory');
  });
  expect(() => lock.run(task)).toThrow('out of memory');
  expect(await lock.run(task)).toBe(1);
});
