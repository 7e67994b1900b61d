import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sealRest } from '../../crypto/rest-secretbox.ts';
import type { DeviceCrypto } from '../../platform/crypto-port.ts';
import { manualClock } from '../../platform/memory/platform.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { testRandom, testVault } from '../../test/support/store.ts';
import { createVault, type Vault } from './vault.ts';

const KEY = new Uint8Array(32).fill(7);
const pause = async (): Promise<void> => undefined;

const random = testRandom();

/** As earlier builds have sealed: SPEC.md, format 1. */
async function sealedBefore(key: string, head: string, text: string): Promise<Uint8Array> {
  const pieces = text.match(/.{1,300}/gsu) ?? [''];
  const boxes: Uint8Array[] = [];
  for (const [index, piece] of pieces.entries()) {
    const values = [key, index, pieces.length, index === 0 ? head : '', piece];
    const box = await sealRest(KEY, random.random(24), values, pause);
    boxes.push(Uint8Array.of(box.length >> 8, box.length & 255), box);
  }
  return joined(boxes);
}

interface Kind {
  readonly by: string;
  readonly crypto?: DeviceCrypto;
  readonly format: number;
  readonly pieceChars: number;
  readonly sealed: Vault['seal'];
}

/** Who has sealed: the format of the boxes, and how many characters are in one. */
const KINDS: readonly Kind[] = [
  ...[undefined, nodeDeviceCrypto()].map((crypto) => ({
    by: crypto ? 'the device' : 'JavaScript',
    ...(crypto && { crypto }),
    format: 2,
    pieceChars: 4096,
    sealed: testVault(KEY, crypto).seal,
  })),
  { by: 'an earlier build', format: 1, pieceChars: 300, sealed: sealedBefore },
];

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

describe.each(KINDS)('a value that $by sealed', ({ crypto, format, pieceChars, sealed }) => {
  const vault = testVault(KEY, crypto);
  /** Several pieces long. */
  const LONG = 'sécrét \u{1f9a6} '.repeat((4 * pieceChars) / 10);
  const openedOf = (value: Uint8Array) => vault.open('k', value);

  test('says in which format it is', async () => {
    for (const box of boxesOf(await sealed('k', 'h', LONG))) expect(box[2]).toBe(format);
  });

  test('opens on a device that would seal otherwise', async () => {
    const value = await sealed('1.p.r.a', 'c1 2', LONG);
    const there = testVault(KEY, crypto ? undefined : nodeDeviceCrypto());
    expect(await there.open('1.p.r.a', value)).toEqual({ head: 'c1 2', text: LONG });
    expect(await there.open('1.p.o.a', value)).toBeNull();
    const bent = value.map((byte, at) => (at === 60 ? byte ^ 1 : byte));
    expect(await there.open('1.p.r.a', bent)).toBeNull();
  });

  test('opens to its head and text under its key', async () => {
    for (const [head, text] of [
      ['', ''],
      ['1795330000000 3', '{"a":"b"}'],
      ['h', LONG],
    ] as const) {
      expect(await openedOf(await sealed('k', head, text))).toEqual({ head, text });
    }
  });

  test('opens whatever its text is and wherever its pieces end', async () => {
    const unit = fc.constantFrom('a', 'é', '€', '\u{1f9a6}', '\0');
    const text = fc.string({ unit, minLength: pieceChars / 2 - 10, maxLength: pieceChars + 10 });
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        expect(await openedOf(await sealed('k', 'h', value))).toEqual({
          head: 'h',
          text: value,
        });
      }),
      { numRuns: 30 },
    );
  });

  test('tells nothing but its length', async () => {
    const [a, b] = [await sealed('k', 'h', LONG), await sealed('k', 'h', LONG)];
    expect(a).not.toEqual(b);
    expect(a).toHaveLength(b.length);
    expect(Buffer.from(a).includes('sécrét')).toBe(false);
  });

  test('does not open when any byte of it is another', async () => {
    const value = await sealed('k', 'h', 'password');
    for (let at = 0; at < value.length; at++) {
      const bent = value.slice();
      bent[at] = (bent[at] ?? 0) ^ 1;
      expect(await openedOf(bent), `byte ${at}`).toBeNull();
    }
  });

  test('does not open when it is cut at any byte, or one is added', async () => {
    const value = await sealed('k', 'h', 'x'.repeat(pieceChars + 80));
    for (let length = 0; length < value.length; length++) {
      expect(await openedOf(value.slice(0, length)), `${length} bytes`).toBeNull();
    }
    for (const more of [[0], [0, 0], [0, 1, 1]]) {
      expect(await openedOf(Uint8Array.of(...value, ...more))).toBeNull();
    }
  });

  test('does not open with pieces left out, doubled, swapped or another value’s', async () => {
    const [a, b, c] = boxesOf(await sealed('k', 'h', LONG));
    const other = boxesOf(await sealed('k', 'h', LONG.toUpperCase()));
    const rest = boxesOf(await sealed('k', 'h', LONG)).length - 3;
    expect(rest).toBeGreaterThan(0);
    for (const boxes of [[a], [b], [a, b], [b, a], [a, a], [a, c, b], [b, c], [a, other[1]]]) {
      expect(await openedOf(joined(boxes))).toBeNull();
    }
  });

  test('does not open under another key of the storage, nor of the device', async () => {
    const value = await sealed('1.p.r.a', 'h', 'password');
    expect(await vault.open('1.p.o.a', value)).toBeNull();
    expect(await vault.open('2.p.r.a', value)).toBeNull();
    expect(await testVault(new Uint8Array(32).fill(8), crypto).open('1.p.r.a', value)).toBeNull();
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

test('a device that cannot compute says nothing of the value', async () => {
  const broken = nodeDeviceCrypto();
  const vault = testVault(KEY, broken);
  const value = await vault.seal('k', 'h', 'text');
  const failed = Object.assign(new Error('the chip is asleep'), { code: 'failed' });
  broken.open = () => Promise.reject(failed);
  broken.seal = () => Promise.reject(failed);
  await expect(vault.open('k', value)).rejects.toBe(failed);
  await expect(vault.seal('k', 'h', 'text')).rejects.toBe(failed);
});

test('each call of the device is for a piece, however long the text is', async () => {
  const device = nodeDeviceCrypto();
  const chars: number[] = [];
  const seal = device.seal.bind(device);
  device.seal = (encKey, macKey, texts, ivs) => {
    chars.push(texts.join('').length);
    return seal(encKey, macKey, texts, ivs);
  };
  await testVault(KEY, device).seal('1.p.r.a', 'h', 'x'.repeat(300_000));
  expect(chars).toHaveLength(74);
  expect(Math.max(...chars)).toBeLessThan(4_200);
});

test('a long text is sealed and opened in slices', async () => {
  let pauses = 0;
  const clock = {
    ...manualClock(0),
    async pause() {
      pauses++;
    },
  };
  const sliced = createVault(new Uint8Array(32).fill(7), { entropy: testRandom(), clock });
  const text = 'x'.repeat(20_000);
  const value = await sliced.seal('k', 'h', text);
  expect(pauses).toBeGreaterThanOrEqual(16);
  pauses = 0;
  expect(await sliced.open('k', value)).toEqual({ head: 'h', text });
  expect(pauses).toBeGreaterThanOrEqual(16);
});
