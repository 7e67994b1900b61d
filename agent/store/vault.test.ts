import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { manualClock } from '../../platform/memory/platform.ts';
import { testRandom, testVault } from '../../test/support/store.ts';
import { createVault } from './vault.ts';

const vault = testVault();
/** Several pieces long. */
const LONG = 'sécrét \u{1f9a6} '.repeat(60);

const openedOf = async (value: Uint8Array) => vault.open('k', value);

/** The boxes of a sealed value, each with its length in front. */
function boxesOf(value: Uint8Array): Uint8Array[] {
  const boxes: Uint8Array[] = [];
  for (let at = 0; at < value.length; ) {
    const length = 2 + ((value[at] ?? 0) << 8) + (value[at + 1] ?? 0);
    boxes.push(value.slice(at, at + length));
    at += length;
  }
  return boxes;
}

const joined = (boxes: readonly (Uint8Array | undefined)[]): Uint8Array =>
  Uint8Array.from(boxes.flatMap((box) => [...(box ?? [])]));

describe('a sealed value', () => {
  test('opens to its head and text under its key', async () => {
    for (const [head, text] of [
      ['', ''],
      ['1795330000000 3', '{"a":"b"}'],
      ['h', LONG],
    ] as const) {
      expect(await openedOf(await vault.seal('k', head, text))).toEqual({ head, text });
    }
  });

  test('opens whatever its text is and wherever its pieces end', async () => {
    const unit = fc.constantFrom('a', 'é', '€', '\u{1f9a6}', '\0');
    const text = fc.string({ unit, minLength: 150, maxLength: 330 });
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        expect(await openedOf(await vault.seal('k', 'h', value))).toEqual({
          head: 'h',
          text: value,
        });
      }),
      { numRuns: 30 },
    );
  });

  test('tells nothing but its length', async () => {
    const [a, b] = [await vault.seal('k', 'h', LONG), await vault.seal('k', 'h', LONG)];
    expect(a).not.toEqual(b);
    expect(a).toHaveLength(b.length);
    expect(Buffer.from(a).includes('sécrét')).toBe(false);
  });

  test('does not open when any byte of it is another', async () => {
    const value = await vault.seal('k', 'h', 'password');
    for (let at = 0; at < value.length; at++) {
      const bent = value.slice();
      bent[at] = (bent[at] ?? 0) ^ 1;
      expect(await openedOf(bent), `byte ${at}`).toBeNull();
    }
  });

  test('does not open when it is cut at any byte, or one is added', async () => {
    const value = await vault.seal('k', 'h', 'x'.repeat(400));
    for (let length = 0; length < value.length; length++) {
      expect(await openedOf(value.slice(0, length)), `${length} bytes`).toBeNull();
    }
    for (const more of [[0], [0, 0], [0, 1, 1]]) {
      expect(await openedOf(Uint8Array.of(...value, ...more))).toBeNull();
    }
  });

  test('does not open with pieces left out, doubled, swapped or another value’s', async () => {
    const [a, b, c] = boxesOf(await vault.seal('k', 'h', LONG));
    const other = boxesOf(await vault.seal('k', 'h', LONG.toUpperCase()));
    const rest = boxesOf(await vault.seal('k', 'h', LONG)).length - 3;
    expect(rest).toBeGreaterThan(0);
    for (const boxes of [[a], [b], [a, b], [b, a], [a, a], [a, c, b], [b, c], [a, other[1]]]) {
      expect(await openedOf(joined(boxes))).toBeNull();
    }
  });

  test('does not open under another key of the storage, nor of the device', async () => {
    const value = await vault.seal('1.p.r.a', 'h', 'password');
    expect(await vault.open('1.p.o.a', value)).toBeNull();
    expect(await vault.open('2.p.r.a', value)).toBeNull();
    expect(await testVault(new Uint8Array(32).fill(8)).open('1.p.r.a', value)).toBeNull();
    expect(await vault.open('1.p.r.a', value)).toEqual({ head: 'h', text: 'password' });
  });

  test('does not open when it never was one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect(await openedOf(bytes)).toBeNull();
      }),
    );
  });
});

test('a long text is sealed and opened in slices', async () => {
  let pauses = 0;
  const clock = {
    ...manualClock(0),
    async pause() {
      pauses++;
    },
  };
  const sliced = createVault(new Uint8Array(32).fill(7), testRandom(), clock);
  const text = 'x'.repeat(20_000);
  const value = await sliced.seal('k', 'h', text);
  expect(pauses).toBeGreaterThanOrEqual(60);
  pauses = 0;
  expect(await sliced.open('k', value)).toEqual({ head: 'h', text });
  expect(pauses).toBeGreaterThanOrEqual(60);
});
