import { describe, expect, test } from 'vitest';
import { NS_PER_MS, realClock, virtualClock } from './clock.ts';

/** Runs until nothing is left. */
async function runAll(clock: { step(): Promise<boolean> }): Promise<void> {
  while (await clock.step());
}

describe('virtual time', () => {
  test('stands still until work is charged or an event is waited for', async () => {
    const clock = virtualClock();
    expect(clock.nowNs()).toBe(0);
    clock.spend(1500);
    expect(clock.nowNs()).toBe(1500);
    clock.at(10_000, () => {});
    expect(clock.nowNs()).toBe(1500);
    await clock.step();
    expect(clock.nowNs()).toBe(10_000);
  });

  test('runs events by due time, and those of one instant in the order of asking', async () => {
    const clock = virtualClock();
    const ran: string[] = [];
    for (const [dueNs, name] of [
      [30, 'c'],
      [10, 'a1'],
      [20, 'b'],
      [10, 'a2'],
      [10, 'a3'],
    ] as const) {
      clock.at(dueNs, () => void ran.push(name));
    }
    await runAll(clock);
    expect(ran).toEqual(['a1', 'a2', 'a3', 'b', 'c']);
  });

  test('keeps the order with a thousand events', async () => {
    const clock = virtualClock();
    const dues = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 613);
    const ran: [number, number][] = [];
    for (const [index, dueNs] of dues.entries())
      clock.at(dueNs, () => void ran.push([dueNs, index]));
    await runAll(clock);
    expect(ran).toEqual(
      dues.map((due, i): [number, number] => [due, i]).sort((a, b) => a[0] - b[0]),
    );
  });

  test('runs a late event at once: an event does not turn time back', async () => {
    const clock = virtualClock();
    clock.at(10, () => clock.spend(1000));
    clock.at(20, () => expect(clock.nowNs()).toBe(1010));
    await runAll(clock);
    expect.assertions(1);
  });

  test('an event asked for now runs after those that are already due', async () => {
    const clock = virtualClock();
    const ran: string[] = [];
    clock.at(5, () => void ran.push('due'));
    clock.spend(10);
    clock.at(clock.nowNs(), () => void ran.push('asked now'));
    clock.at(0, () => void ran.push('asked for the past'));
    await runAll(clock);
    expect(ran).toEqual(['due', 'asked now', 'asked for the past']);
  });

  test('waits for an asynchronous event before the next one', async () => {
    const clock = virtualClock();
    const ran: string[] = [];
    clock.at(1, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      ran.push('slow');
    });
    clock.at(2, () => void ran.push('fast'));
    await runAll(clock);
    expect(ran).toEqual(['slow', 'fast']);
  });

  test('throws what an event throws, and goes on afterwards', async () => {
    const clock = virtualClock();
    clock.at(1, () => {
      throw new Error('power');
    });
    clock.at(2, () => {});
    await expect(clock.step()).rejects.toThrow('power');
    expect(await clock.step()).toBe(true);
  });

  test('forgets its events when the power goes', async () => {
    const clock = virtualClock();
    clock.at(1, () => expect.unreachable());
    clock.clear();
    expect(await clock.step()).toBe(false);
  });
});

describe('real time', () => {
  test('waits for an event and takes no time for charged work', async () => {
    const clock = realClock();
    clock.spend(3_600_000 * NS_PER_MS);
    const dueNs = clock.nowNs() + 5 * NS_PER_MS;
    clock.at(dueNs, () => {});
    await clock.step();
    expect(clock.nowNs()).toBeGreaterThanOrEqual(dueNs - NS_PER_MS);
    expect(clock.nowNs()).toBeLessThan(60_000 * NS_PER_MS);
  });
});
