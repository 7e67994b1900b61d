import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const source = new URL('./young-heap.ts', import.meta.url).href;

/** Bytes that new objects take up in a process that has made many of them, and what it printed. */
async function youngBytes(before: string): Promise<{ bytes: number; stderr: string }> {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    const { keepYoungHeapSmall } = await import(${JSON.stringify(source)});
    ${before};
    let kept = [];
    for (let n = 0; n < 500_000; n++) {
      kept.push({ n, text: 'x' + n });
      if (kept.length > 20_000) kept = [];
    }
    const space = getHeapSpaceStatistics().find((one) => one.space_name === 'new_space');
    console.log(space.space_size);`;
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  return { bytes: Number(stdout), stderr };
}

it('keeps new objects in little room, and is silent where Node may not know how', async () => {
  const MIB = 1_048_576;
  const [free, small, newer] = await Promise.all(
    ['', 'keepYoungHeapSmall()', 'keepYoungHeapSmall("999.0.0")'].map(youngBytes),
  );
  expect(free?.bytes).toBeGreaterThan(8 * MIB);
  expect(small?.bytes).toBeLessThanOrEqual(8 * MIB);
  expect(newer?.bytes).toBeGreaterThan(8 * MIB);
  expect([free, small, newer].map((one) => one?.stderr)).toEqual(['', '', '']);
});
