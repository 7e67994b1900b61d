import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { instantiateEngine } from '../vm-engine.ts';

describe('the counted allocator', () => {
  it('gives what fits, refuses the rest, and always knows the sum', async () => {
    const { quickjs, counters } = await instantiateEngine();
    const base = counters.liveBytes;
    const limit = base + 100_000;
    counters.limitBytes = limit;
    // A number asks for that many bytes; it may also free one of the blocks that are there.
    const step = fc.record({
      bytes: fc.nat({ max: 30_000 }),
      freed: fc.nat(),
      isFree: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 100 }), (steps) => {
        const blocks: { pointer: number; size: number }[] = [];
        for (const { bytes, freed, isFree } of steps) {
          const before = counters.liveBytes;
          const refusedBefore = counters.refused;
          const [block] = isFree ? blocks.splice(freed % (blocks.length || 1), 1) : [];
          if (block) {
            quickjs._free(block.pointer);
            expect(before - counters.liveBytes).toBe(block.size);
            continue;
          }
          const pointer = counters.allocate(bytes);
          const size = counters.liveBytes - before;
          if (pointer === 0) {
            expect(before + bytes + 24).toBeGreaterThan(limit);
            expect([size, counters.refused]).toEqual([0, refusedBefore + 1]);
          } else {
            expect(size).toBeGreaterThanOrEqual(bytes + 4);
            expect(size).toBeLessThanOrEqual(bytes + 24);
            blocks.push({ pointer, size });
          }
        }
        for (const { pointer } of blocks) quickjs._free(pointer);
        expect(counters.liveBytes).toBe(base);
      }),
    );
    expect(counters.peakBytes).toBeLessThanOrEqual(limit);
    expect(counters.refused).toBeGreaterThan(0);
  });

  it('never passes the limit, whatever the size of the block that would', async () => {
    const { quickjs, counters } = await instantiateEngine();
    const limit = counters.liveBytes + 5000;
    counters.limitBytes = limit;
    for (let bytes = 0; bytes < 100; bytes++) {
      const blocks: number[] = [];
      for (let block = -1; block !== 0; blocks.push(block)) block = counters.allocate(bytes);
      expect(limit - counters.liveBytes).toBeLessThan(bytes + 24);
      for (const block of blocks) quickjs._free(block);
    }
    expect(counters.peakBytes).toBeLessThanOrEqual(limit);
  });

  it('refuses sizes at which a sum of 32 bits would wrap around', async () => {
    const { counters } = await instantiateEngine();
    counters.limitBytes = 1 << 20;
    expect(counters.allocate(0xffff_ffff)).toBe(0);
    expect(counters.allocate(0x8000_0000)).toBe(0);
    expect(counters.refused).toBe(2);
  });
});

test('equal machines take equal bytes, whatever the program around them is called', async () => {
  const program = process.argv[1] ?? '';
  const takes = async (name: string): Promise<number> => {
    process.argv[1] = name;
    const { counters } = await instantiateEngine();
    return counters.liveBytes;
  };
  try {
    expect(await takes(`/${'long/'.repeat(100)}`)).toBe(await takes('/short'));
  } finally {
    process.argv[1] = program;
  }
});
