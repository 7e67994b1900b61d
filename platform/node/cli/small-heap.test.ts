import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const source = new URL('./small-heap.ts', import.meta.url).href;
const MIB = 1_048_576;

interface Room {
  /** Bytes that new objects take up in the end, and the whole heap at most. */
  readonly young: number;
  readonly highest: number;
  readonly stderr: string;
}

/** Of a process that holds some objects, and has made many that lived for a little while. */
async function roomOf(before: string): Promise<Room> {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    const { keepHeapSmall } = await import(${JSON.stringify(source)});
    ${before};
    const held = Array.from({ length: 200_000 }, (_, n) => ({ n }));
    let kept = [];
    let highest = 0;
    for (let n = 0; n < 4_000_000; n++) {
      kept.push({ n, text: 'x' + n });
      if (kept.length <= 20_000) continue;
      highest = Math.max(highest, process.memoryUsage().heapTotal);
      kept = [];
    }
    const space = getHeapSpaceStatistics().find((one) => one.space_name === 'new_space');
    console.log(JSON.stringify([space.space_size, highest, held.length]));`;
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  const [young, highest] = JSON.parse(stdout) as [number, number];
  return { young, highest, stderr };
}

it('keeps the heap in little room, and is silent where Node may not know how', async () => {
  const [free, small, newer] = await Promise.all(
    ['', 'keepHeapSmall()', 'keepHeapSmall("999.0.0")'].map(roomOf),
  );
  expect(free?.young).toBeGreaterThan(8 * MIB);
  expect(small?.young).toBeLessThanOrEqual(8 * MIB);
  expect(small?.highest).toBeLessThan(55 * MIB);
  expect(newer?.young).toBeGreaterThan(8 * MIB);
  expect([free, small, newer].map((one) => one?.stderr)).toEqual(['', '', '']);
});
