// What every way of computing from text to text must do, as one suite that takes the way as an
// argument: published vectors, agreement with node:crypto at every length around the borders of
// blocks and groups, the order of answers, and what is refused, with which word.

import { createCipheriv, createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { itemUnitsMax, type TextCrypto } from '../../crypto/texts.ts';
import type { TextAlgorithm } from '../../platform/crypto-port.ts';
import { gcmCases, hmacCases, sha256Cases } from './bulk-cases.ts';

interface TextContractOptions {
  /** Lengths that are tried beside those up to 200. */
  readonly lengths?: readonly number[];
  /** Of a property's cases. */
  readonly numRuns?: number;
}

const LENGTHS = [255, 256, 257, 1_023, 1_024, 1_025, 4_095, 4_096, 4_097, 16_384, 65_536, 196_542];

export function textContract(
  name: string,
  make: () => TextCrypto | Promise<TextCrypto>,
  { lengths = LENGTHS, numRuns = 60 }: TextContractOptions = {},
): void {
  let compute: TextCrypto;
  beforeAll(async () => {
    compute = await make();
  });

  const texts = [...Array(201).keys(), ...lengths].map(someText);
  const answers = async (algorithm: TextAlgorithm, key: Uint8Array, items: readonly string[][]) =>
    (await compute(algorithm, key, items)).map((one) => ('text' in one ? one.text : one));
  const alone = (text: string) => [text];
  const opened = (aad: string, sealed: readonly string[], key = KEY) =>
    answers(
      'gcmDecrypt',
      key,
      sealed.map((one) => [aad, one]),
    );

  describe(`the contract of texts: ${name}`, () => {
    it('hashes and authenticates the published messages', async () => {
      const plain = sha256Cases.filter(({ message }) => ASCII.test(message));
      expect(plain.length).toBeGreaterThan(2);
      expect(
        await answers(
          'sha256',
          NONE,
          plain.map(({ message }) => [message]),
        ),
      ).toEqual(plain.map(({ digest }) => fromHex(digest).toString('base64url')));
      const signed = hmacCases.filter(({ message }) => ASCII.test(message));
      expect(signed.length).toBeGreaterThan(2);
      for (const { key, message, digest } of signed) {
        const mac = fromHex(digest).toString('base64url');
        expect(await answers('hmac', fromHex(key), [[message]])).toEqual([mac]);
        expect(await answers('hmacCheck', fromHex(key), [[message, mac]])).toEqual(['']);
      }
    });

    it('opens the published messages of GCM that are texts', async () => {
      const cases = gcmCases.filter(
        ({ plain, aad }) => isText(fromHex(plain)) && isText(fromHex(aad)),
      );
      expect(cases.length).toBeGreaterThan(0);
      for (const { key, iv, aad, plain, sealed } of cases) {
        const head = Buffer.from(`01${iv}`, 'hex').toString('base64url');
        const whole = Buffer.from(`01${iv}${sealed}`, 'hex').toString('base64url');
        const [beside, text] = [`${fromHex(aad)}`, `${fromHex(plain)}`];
        expect(await answers('gcmEncrypt', fromHex(key), [[head, beside, text]])).toEqual([whole]);
        expect(await opened(beside, [whole], fromHex(key))).toEqual([text]);
      }
    });

    it('computes what node:crypto computes, whatever the length', async () => {
      expect(await answers('sha256', NONE, texts.map(alone))).toEqual(texts.map(hashByNode));
      expect(await answers('hmac', KEY, texts.map(alone))).toEqual(
        texts.map((text) => macByNode(text)),
      );
      const pairs = texts.map((text) => [text, macByNode(text)]);
      expect(await answers('hmacCheck', KEY, pairs)).toEqual(texts.map(() => ''));
      const sealed = texts.map((text) => sealByNode(HEAD, AAD, text));
      expect(
        await answers(
          'gcmEncrypt',
          KEY,
          texts.map((text) => [HEAD, AAD, text]),
        ),
      ).toEqual(sealed);
      expect(await opened(AAD, sealed)).toEqual(texts);
    });

    it('hashes base64url, and opens what it has hashed, whatever the length', async () => {
      const sealed = texts.map((text) => sealByNode(HEAD, AAD, text));
      for (let at = 0; at < sealed.length; at += 20) {
        const some = sealed.slice(at, at + 20);
        expect(await answers('sha256', NONE, some.map(alone))).toEqual(some.map(hashByNode));
        expect(await opened(AAD, some)).toEqual(texts.slice(at, at + 20));
        expect(await opened(AAD, [...some, ...some].slice(0, 3))).toHaveLength(3);
      }
    });

    it.each([0, 1, 63, 64, 65, 1_024])('takes a key of HMAC of %i bytes', async (length) => {
      const key = new Uint8Array(length).map((_, at) => at * 7);
      const mac = createHmac('sha256', key).update('x').digest('base64url');
      expect(await answers('hmac', key, [['x']])).toEqual([mac]);
    });

    it('takes every well-formed text, be it hashed, signed, sealed or beside it', async () => {
      const some = fc.string({ unit: 'binary', maxLength: 200 });
      await fc.assert(
        fc.asyncProperty(some, some, async (text, aad) => {
          expect(await answers('sha256', NONE, [[text]])).toEqual([hashByNode(text)]);
          expect(await answers('hmac', KEY, [[text]])).toEqual([macByNode(text)]);
          const sealed = sealByNode(HEAD, aad, text);
          expect(await answers('gcmEncrypt', KEY, [[HEAD, aad, text]])).toEqual([sealed]);
          expect(await opened(aad, [sealed])).toEqual([text]);
        }),
        { numRuns, seed: 1 },
      );
      const long = ['ü', '\u{1f600}', '\ufeffx'].map((one) => one.repeat(700));
      expect(await answers('sha256', NONE, long.map(alone))).toEqual(long.map(hashByNode));
      expect(
        await opened(
          AAD,
          long.map((text) => sealByNode(HEAD, AAD, text)),
        ),
      ).toEqual(long);
    });

    it('refuses half a surrogate pair, and nothing else of what it is given', async () => {
      const refused = { code: 'badUtf8' };
      for (const text of ['\ud800', 'a\udc00', `${'x'.repeat(64)}\ud83d`, `\ud83d${fill(600)}`]) {
        expect(await answers('sha256', NONE, [['a'], [text], ['b']])).toEqual([
          ...[hashByNode('a'), refused, hashByNode('b')],
        ]);
        expect(await answers('hmac', KEY, [[text]])).toEqual([refused]);
        expect(await answers('hmacCheck', KEY, [[text, macByNode('x')]])).toEqual([refused]);
        expect(await answers('gcmEncrypt', KEY, [[HEAD, AAD, text]])).toEqual([refused]);
        expect(await answers('gcmEncrypt', KEY, [[HEAD, text, 'x']])).toEqual([refused]);
        expect(await opened(text, [sealByNode(HEAD, AAD, 'x')])).toEqual([refused]);
      }
    });

    it('finds every MAC wrong that is another text, by any character', async () => {
      const mac = macByNode('text');
      const others = [
        '',
        'A',
        mac.slice(1),
        `${mac}A`,
        `${mac}=`,
        ` ${mac}`,
        '\ud800',
        'é'.repeat(43),
      ];
      for (let at = 0; at < mac.length; at++) {
        const other = mac[at] === 'B' ? 'C' : 'B';
        others.push(`${mac.slice(0, at)}${other}${mac.slice(at + 1)}`);
      }
      // Of the last character, two bits mean nothing.
      others.push(mac.slice(0, -1) + next(mac.slice(-1)));
      const answered = await answers(
        'hmacCheck',
        KEY,
        others.map((other) => ['text', other]),
      );
      expect(answered).toEqual(others.map(() => ({ code: 'badMac' })));
      expect(await answers('hmacCheck', KEY, [['other', mac]])).toEqual([{ code: 'badMac' }]);
    });

    it('refuses what is no base64url as such, wherever it is wrong', async () => {
      const sealed = sealByNode(HEAD, AAD, fill(200));
      const wrong = ['=', '+', '/', ' ', '\n', 'é', '\u0141', '\ud800'].flatMap((mark) =>
        [0, 1, 20, 63, 64, 100, sealed.length - 1].map(
          (at) => sealed.slice(0, at) + mark + sealed.slice(at + 1),
        ),
      );
      wrong.push(`${sealed}=`, `${sealed} `, '!', 'A', 'AAAAA');
      for (let length = 40; length < 44; length++) {
        const text = sealByNode(HEAD, AAD, 'x'.repeat(length));
        if (text.length % 4 !== 0) wrong.push(text.slice(0, -1) + next(text.slice(-1)));
        else wrong.push(`${text}A`);
      }
      expect(await opened(AAD, wrong)).toEqual(wrong.map(() => ({ code: 'badBase64' })));
      // What was hashed before is refused as well.
      await answers(
        'sha256',
        NONE,
        wrong.filter((text) => !/[\ud800-\udfff]/.test(text)).map(alone),
      );
      expect(await opened(AAD, wrong)).toEqual(wrong.map(() => ({ code: 'badBase64' })));
    });

    it('opens nothing that is short, changed by one bit, or of another place or key', async () => {
      const sealed = sealByNode(HEAD, AAD, 'text');
      const bytes = Buffer.from(sealed, 'base64url');
      const changed: string[] = [];
      for (let length = 0; length < bytes.length; length++) {
        changed.push(bytes.subarray(0, length).toString('base64url'));
      }
      for (let bit = 8; bit < 8 * bytes.length; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        changed.push(flipped.toString('base64url'));
      }
      changed.push(Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url'));
      const refused = changed.map(() => ({ code: 'badMac' }));
      expect(await opened(AAD, changed)).toEqual(refused);
      expect(await opened(`${AAD} `, [sealed])).toEqual([{ code: 'badMac' }]);
      expect(await opened(AAD, [sealed], new Uint8Array(32))).toEqual([{ code: 'badMac' }]);
      // Of the first byte nothing is said.
      bytes[0] = 2;
      expect(await opened(AAD, [bytes.toString('base64url'), sealed])).toEqual(['text', 'text']);
    });

    it('refuses what opens and is no UTF-8', async () => {
      const bad = ['ff', 'c3', 'eda080', 'c080', `${'61'.repeat(200)}e2`, `${'c3bc'.repeat(90)}80`];
      const sealed = bad.map((hex) => sealByNode(HEAD, AAD, fromHex(hex)));
      expect(await opened(AAD, sealed)).toEqual(bad.map(() => ({ code: 'badUtf8' })));
    });

    it('answers in the order of the items, refused ones among them', async () => {
      const list = Array.from({ length: 150 }, (_, at) => fill((at * 37) % 500));
      const sealed = list.map((text, at) => {
        const right = sealByNode(HEAD, AAD, text);
        return at % 7 === 3 ? `${right.slice(0, -5)}!${right.slice(-4)}` : right;
      });
      expect(await opened(AAD, sealed)).toEqual(
        list.map((text, at) => (at % 7 === 3 ? { code: 'badBase64' } : text)),
      );
      for (const algorithm of ['sha256', 'hmac', 'hmacCheck', 'gcmEncrypt', 'gcmDecrypt'] as const)
        expect(await compute(algorithm, KEY, [])).toEqual([]);
    });

    it('refuses an item that is too long for anybody', async () => {
      await expect(compute('sha256', NONE, [['x'.repeat(itemUnitsMax + 1)]])).rejects.toMatchObject(
        {
          code: 'tooLarge',
        },
      );
    });
  });
}

const NONE = new Uint8Array(0);
const KEY = new Uint8Array(32).map((_, at) => at * 89 + 3);
const HEAD = Buffer.from(new Uint8Array(13).map((_, at) => 1 + at * 31)).toString('base64url');
const AAD = 'picl-payload-v1\nthings\nkey\n12\n';
const ASCII = /^[\0-\x7f]*$/;
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The digit behind another one, which differs from it in its lowest bits. */
function next(digit: string): string {
  return DIGITS[DIGITS.indexOf(digit) ^ 1] ?? '';
}

/** With a letter that is no ASCII in every third one. */
function someText(length: number): string {
  const text = fill(length);
  return length % 3 === 2 ? `${text.slice(2)}ü\u20ac` : text;
}

function fill(length: number): string {
  return 'the quick brown fox jumps over the lazy dog, '.repeat(length / 40 + 1).slice(0, length);
}

function hashByNode(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function macByNode(text: string): string {
  return createHmac('sha256', KEY).update(text).digest('base64url');
}

function sealByNode(head: string, aad: string, text: string | Uint8Array): string {
  const before = Buffer.from(head, 'base64url');
  const cipher = createCipheriv('aes-256-gcm', KEY, before.subarray(1)).setAAD(Buffer.from(aad));
  const sealed = [before, cipher.update(text), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(sealed).toString('base64url');
}

function fromHex(hex: string): Buffer<ArrayBuffer> {
  return Buffer.from(hex, 'hex');
}

function isText(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString()).equals(bytes);
}
