// What every way of computing over bytes in bulk must do, as one suite that takes the way as an
// argument: published vectors, agreement with node:crypto at every length around the borders of
// blocks, the order of answers, and what is a refusal, what an error.

import { createCipheriv, createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AesItem, type AesMode, type BulkCrypto, itemBytesMax } from '../../crypto/bulk.ts';
import { cbcCase, gcmCases, hmacCases, sha256Cases } from './bulk-cases.ts';

interface BulkContractOptions {
  /** Lengths that are tried beside those up to 100. */
  readonly lengths?: readonly number[];
  /** Of a property's cases. */
  readonly numRuns?: number;
}

const LENGTHS = [
  ...[127, 128, 129, 255, 256, 257, 1_023, 1_024, 1_025, 3_071, 3_072, 3_073],
  ...[16_383, 16_384, 16_385, 65_535, 65_536],
];

export function bulkContract(
  name: string,
  make: () => BulkCrypto | Promise<BulkCrypto>,
  { lengths = LENGTHS, numRuns = 60 }: BulkContractOptions = {},
): void {
  let bulk: BulkCrypto;
  beforeAll(async () => {
    bulk = await make();
  });

  const items = [...Array(101).keys(), ...lengths].map(someBytes);
  const opened = async (mode: AesMode, item: AesItem, key = someKey) =>
    hexOf(await bulk.decrypt(mode, key, [item]));

  describe(`the bulk contract: ${name}`, () => {
    it('hashes the messages of FIPS 180', async () => {
      const digests = await bulk.sha256(sha256Cases.map(({ message }) => latin1(message)));
      expect(hexOf(digests)).toEqual(sha256Cases.map(({ digest }) => digest));
    });

    it.each(hmacCases)('authenticates the messages of RFC 4231 (%#)', async (one) => {
      const { key, message, digest } = one;
      expect(hexOf(await bulk.hmac(hex(key), [latin1(message)]))).toEqual([digest]);
    });

    it('encrypts and decrypts the blocks of SP 800-38A', async () => {
      const [key, iv, plain] = [hex(cbcCase.key), hex(cbcCase.iv), hex(cbcCase.plain)];
      const [sealed] = await bulk.encrypt('cbc', key, [{ iv, bytes: plain }]);
      expect(hexOf([sealed])[0]?.slice(0, 128)).toBe(cbcCase.sealed);
      expect(sealed).toHaveLength(80);
      const bytes = sealed ?? plain;
      expect(await opened('cbc', { iv, bytes }, key)).toEqual([cbcCase.plain]);
    });

    it.each(gcmCases)('encrypts and decrypts the published messages of GCM (%#)', async (one) => {
      const [key, iv, aad] = [hex(one.key), hex(one.iv), hex(one.aad)];
      const sealed = await bulk.encrypt('gcm', key, [{ iv, aad, bytes: hex(one.plain) }]);
      expect(hexOf(sealed)).toEqual([one.sealed]);
      expect(await opened('gcm', { iv, aad, bytes: hex(one.sealed) }, key)).toEqual([one.plain]);
    });

    it('hashes and authenticates as node:crypto does, whatever the length', async () => {
      const digests = items.map((bytes) => createHash('sha256').update(bytes).digest('hex'));
      expect(hexOf(await bulk.sha256(items))).toEqual(digests);
      const macs = items.map((bytes) => createHmac('sha256', someKey).update(bytes).digest('hex'));
      expect(hexOf(await bulk.hmac(someKey, items))).toEqual(macs);
    });

    it.each([0, 1, 63, 64, 65, 1_024])('takes a key of HMAC of %i bytes', async (length) => {
      const key = someBytes(length);
      const mac = createHmac('sha256', key).update('x').digest('hex');
      expect(hexOf(await bulk.hmac(key, [latin1('x')]))).toEqual([mac]);
    });

    it.each(MODES)(
      'encrypts for node:crypto and decrypts it, at every length: %s',
      async (mode) => {
        const plain = items.map((bytes, at) => ({ ...someIv(mode, at), bytes }));
        const theirs = plain.map((item) => sealByNode(mode, item));
        const sealed = await bulk.encrypt(mode, someKey, plain);
        expect(hexOf(sealed)).toEqual(hexOf(theirs));
        const boxes = plain.map((item, at) => ({ ...item, bytes: theirs[at] ?? item.bytes }));
        expect(hexOf(await bulk.decrypt(mode, someKey, boxes))).toEqual(hexOf(items));
      },
    );

    it.each([0, 1, 15, 16, 17, 300])('authenticates %i bytes beside the text', async (length) => {
      const item = { iv: someBytes(12), aad: someBytes(length), bytes: someBytes(20) };
      const theirs = sealByNode('gcm', item);
      expect(hexOf(await bulk.encrypt('gcm', someKey, [item]))).toEqual(hexOf([theirs]));
      expect(await opened('gcm', { ...item, bytes: theirs })).toEqual(hexOf([item.bytes]));
    });

    it('computes what node:crypto computes, of any bytes', async () => {
      const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
      const some = fc.uint8Array({ maxLength: 200 });
      await fc.assert(
        fc.asyncProperty(bytesOf(32), bytesOf(16), some, some, async (key, iv, aad, bytes) => {
          const cbc = { iv, bytes };
          const gcm = { iv: iv.slice(0, 12), aad, bytes };
          expect(hexOf(await bulk.encrypt('cbc', key, [cbc]))).toEqual(
            hexOf([sealByNode('cbc', cbc, key)]),
          );
          expect(hexOf(await bulk.encrypt('gcm', key, [gcm]))).toEqual(
            hexOf([sealByNode('gcm', gcm, key)]),
          );
        }),
        { numRuns },
      );
    });

    it('answers in the order of the items, those that do not open among them', async () => {
      const plain = Array.from({ length: 200 }, (_, at) => someBytes((at * 37) % 500));
      const digests = plain.map((bytes) => createHash('sha256').update(bytes).digest('hex'));
      expect(hexOf(await bulk.sha256(plain))).toEqual(digests);
      const boxes = plain.map((bytes, at) => {
        const item = { ...someIv('gcm', at), bytes };
        const sealed = sealByNode('gcm', item);
        if (at % 7 === 3) sealed[0] = (sealed[0] ?? 0) ^ 1;
        return { ...item, bytes: at % 7 === 5 ? sealed.subarray(0, 9) : sealed };
      });
      const wanted = plain.map((bytes, at) => (at % 7 === 3 || at % 7 === 5 ? null : bytes));
      expect(hexOf(await bulk.decrypt('gcm', someKey, boxes))).toEqual(hexOf(wanted));
    });

    it('answers nothing to no items', async () => {
      expect(await bulk.sha256([])).toEqual([]);
      expect(await bulk.hmac(someKey, [])).toEqual([]);
      for (const mode of MODES) {
        expect(await bulk.encrypt(mode, someKey, [])).toEqual([]);
        expect(await bulk.decrypt(mode, someKey, [])).toEqual([]);
      }
    });

    it('leaves what it is given as it was', async () => {
      const [bytes, iv, key] = [someBytes(100), someBytes(16), someBytes(32)];
      await bulk.sha256([bytes]);
      await bulk.hmac(key, [bytes]);
      for (const item of [
        { mode: 'cbc' as const, iv, bytes },
        { mode: 'gcm' as const, iv: iv.slice(0, 12), bytes },
      ]) {
        const [sealed = bytes] = await bulk.encrypt(item.mode, key, [item]);
        const before = hexOf([sealed]);
        await bulk.decrypt(item.mode, key, [{ iv: item.iv, bytes: sealed }]);
        expect(hexOf([sealed])).toEqual(before);
      }
      expect(hexOf([bytes, iv, key])).toEqual(
        hexOf([someBytes(100), someBytes(16), someBytes(32)]),
      );
    });

    it('refuses wrong padding as a value', async () => {
      const iv = someBytes(16);
      const text = someBytes(20);
      const endings = [
        ...[0, 13, 17, 255].map((byte) => Buffer.alloc(12, byte)),
        Buffer.from([...Buffer.alloc(11, 12).fill(0, 0, 1), 12]),
        // As many as they say, and more than a block has.
        ...[28, 44].map((count) => Buffer.alloc(count, count)),
      ];
      const boxes = endings.map((ending) => ({ iv, bytes: blocksByNode(iv, text, ending) }));
      expect(await bulk.decrypt('cbc', someKey, boxes)).toEqual(boxes.map(() => null));
      const right = { iv, bytes: blocksByNode(iv, text, Buffer.alloc(12, 12)) };
      expect(await opened('cbc', right)).toEqual(hexOf([text]));
    });

    it('refuses as a value whatever has one bit changed, or another key, IV or data', async () => {
      const item = { iv: someBytes(12), aad: someBytes(3), bytes: someBytes(20) };
      const sealed = sealByNode('gcm', item);
      const right = { ...item, bytes: sealed };
      expect(await opened('gcm', right)).toEqual(hexOf([item.bytes]));
      const changed = [...flips(sealed)].map((bytes) => ({ ...item, bytes }));
      for (const bytes of [Buffer.concat([sealed, Buffer.alloc(1)]), sealed.subarray(1)]) {
        changed.push({ ...item, bytes });
      }
      for (const iv of flips(item.iv)) changed.push({ ...right, iv });
      for (const aad of [...flips(item.aad), someBytes(2), someBytes(0)]) {
        changed.push({ ...right, aad });
      }
      const answers = await bulk.decrypt('gcm', someKey, changed);
      expect(answers).toEqual(changed.map(() => null));
      expect(await opened('gcm', right, someBytes(32).reverse())).toEqual([null]);
    });

    it('refuses as a value what has a length that encrypting never answers', async () => {
      const iv = someBytes(16);
      const short = [0, 1, 15, 17, 31].map((length) => ({ iv, bytes: someBytes(length) }));
      const odd = [0, 12, 15, 17].map((length) => ({ iv: someBytes(length), bytes: iv }));
      const cbc = [...short, ...odd];
      expect(await bulk.decrypt('cbc', someKey, cbc)).toEqual(cbc.map(() => null));
      const untagged = [0, 1, 15].map((length) => ({
        iv: someBytes(12),
        bytes: someBytes(length),
      }));
      const gcm = [...untagged, ...odd.map(({ iv }) => ({ iv, bytes: someBytes(40) }))];
      // An IV of 12 bytes is right for GCM, and the tag is not.
      expect(await bulk.decrypt('gcm', someKey, gcm)).toEqual(gcm.map(() => null));
    });

    it('refuses a key, an IV and an item of another length than it takes', async () => {
      const bytes = someBytes(16);
      for (const mode of MODES) {
        const item = { ...someIv(mode, 1), bytes };
        for (const length of [0, 16, 31, 33]) {
          const key = someBytes(length);
          const refused = { code: 'badKey' };
          await expect(bulk.encrypt(mode, key, [item])).rejects.toMatchObject(refused);
          await expect(bulk.decrypt(mode, key, [item])).rejects.toMatchObject(refused);
        }
        for (const length of [0, 11, 13, 15, 17]) {
          const odd = { iv: someBytes(length), bytes };
          await expect(bulk.encrypt(mode, someKey, [item, odd])).rejects.toMatchObject({
            code: 'badEntropy',
          });
        }
      }
      await expect(bulk.hmac(someBytes(1_025), [bytes])).rejects.toMatchObject({ code: 'badKey' });
      const long = new Uint8Array(itemBytesMax + 1);
      await expect(bulk.sha256([bytes, long])).rejects.toMatchObject({ code: 'tooLarge' });
    });
  });
}

const MODES: readonly AesMode[] = ['cbc', 'gcm'];
const CIPHERS = { cbc: 'aes-256-cbc', gcm: 'aes-256-gcm' } as const;

function someBytes(length: number): Uint8Array {
  return new Uint8Array(length).map((_, at) => at * 89 + (at >> 8) * 7 + length);
}

const someKey = someBytes(32);

function someIv(mode: AesMode, seed: number): { readonly iv: Uint8Array } {
  return { iv: new Uint8Array(mode === 'cbc' ? 16 : 12).map((_, at) => at * 5 + seed) };
}

function sealByNode(mode: AesMode, { iv, bytes, aad }: AesItem, key = someKey): Buffer {
  if (mode === 'cbc') {
    const cipher = createCipheriv(CIPHERS.cbc, key, iv);
    return Buffer.concat([cipher.update(bytes), cipher.final()]);
  }
  const cipher = createCipheriv(CIPHERS.gcm, key, iv).setAAD(aad ?? new Uint8Array(0));
  return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** Whole blocks, encrypted as they are. */
function blocksByNode(iv: Uint8Array, text: Uint8Array, ending: Uint8Array): Buffer {
  const cipher = createCipheriv(CIPHERS.cbc, someKey, iv).setAutoPadding(false);
  return Buffer.concat([cipher.update(text), cipher.update(ending), cipher.final()]);
}

/** The bytes, each time with another bit changed. */
function* flips(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

function hexOf(list: readonly (Uint8Array | null | undefined)[]): (string | null)[] {
  return list.map((bytes) => (bytes ? Buffer.from(bytes).toString('hex') : null));
}
