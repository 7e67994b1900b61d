// What every way of computing encrypted records must do, as one suite that takes the way as an
// argument: published records, the order and the codes of refusals, and agreement with node:crypto,
// which this file uses as the reference to craft records that no honest client would write.

import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BsoCrypto, SealedBso } from '../../crypto/bso.ts';
import { keyBundle } from '../../crypto/keys.ts';
import type { CipherParts } from '../../platform/crypto-port.ts';
import type { Entropy } from '../../platform/ports.ts';
import { fill, publishedRecords, someText } from './crypto-cases.ts';
import {
  flipMac,
  goodEntropy,
  openersOf,
  sealByNode,
  someBundle,
  unsealByNode,
} from './crypto-node.ts';
import { refusals } from './crypto-refusals.ts';

export function cryptoContract(name: string, make: (entropy: Entropy) => BsoCrypto): void {
  const crypto = make(goodEntropy);

  const { openOne, codeOf } = openersOf(crypto);

  describe(`the crypto contract: ${name}`, () => {
    it.each(publishedRecords)('opens the published record "$title"', async (record) => {
      const { id, bundle, parts, text } = record;
      const opened = await openOne(JSON.stringify(parts), id, bundle);
      expect(opened).toEqual({ id, ok: true, text, body: JSON.parse(text) });
    });

    it.each(publishedRecords)(
      'seals the published record "$title" byte for byte',
      async (record) => {
        const { bundle, parts, text } = record;
        const fixed = make({ random: () => new Uint8Array(Buffer.from(parts.IV, 'base64')) });
        const { ciphertext, IV, hmac } = parts;
        expect(await fixed.seal(bundle, [text])).toEqual([
          JSON.stringify({ ciphertext, IV, hmac }),
        ]);
      },
    );

    it('seals for node:crypto and opens what it sealed, whatever the length', async () => {
      const lengths = [...Array(130).keys(), 1023, 1024, 1025, 4096, 6143, 6144, 6145, 9000];
      const texts = lengths.map((length) => JSON.stringify({ id: 'A', t: fill(length) }));
      const payloads = await crypto.seal(someBundle, texts);
      expect(payloads.map(unsealByNode)).toEqual(texts);
      const items = texts.map((text) => ({ id: 'A', payload: JSON.stringify(sealByNode(text)) }));
      const opened = await crypto.open(someBundle, items);
      expect(opened.map((one) => one.ok && one.text)).toEqual(texts);
    });

    it('carries every well-formed text through', async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), async (t) => {
          const text = JSON.stringify({ id: 'A', t });
          const [payload = ''] = await crypto.seal(someBundle, [text]);
          expect(unsealByNode(payload)).toBe(text);
          expect(await openOne(payload)).toMatchObject({ ok: true, text });
        }),
        { numRuns: 60 },
      );
    });

    it('carries a record of 256 KiB through, characters of every width in it', async () => {
      const text = JSON.stringify({ id: 'A', t: someText(220_000) });
      expect(Buffer.byteLength(text)).toBeGreaterThan(256 * 1024);
      const [payload = ''] = await crypto.seal(someBundle, [text]);
      expect(unsealByNode(payload) === text).toBe(true);
      const opened = await openOne(payload);
      expect(opened.ok && opened.text === text).toBe(true);
    });

    it('answers in the order of the records, the bad ones among them', async () => {
      const items: SealedBso[] = [];
      for (let index = 0; index < 200; index++) {
        const id = `r${index}`;
        const payload = JSON.stringify(sealByNode(JSON.stringify({ id, t: fill(index) })));
        items.push({
          id,
          payload: index % 7 === 3 ? '{' : index % 7 === 5 ? flipMac(payload) : payload,
        });
      }
      const opened = await crypto.open(someBundle, items);
      expect(opened.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
      opened.forEach((one, index) => {
        const code = index % 7 === 3 ? 'badPayload' : index % 7 === 5 ? 'badMac' : 'ok';
        expect(one.ok ? 'ok' : one.code).toBe(code);
      });
      expect(await crypto.open(someBundle, [])).toEqual([]);
      expect(await crypto.seal(someBundle, [])).toEqual([]);
    });

    refusals(crypto);

    it('keeps an id exactly, however odd', async () => {
      for (const id of [
        '__proto__',
        'constructor',
        '{2558f612-8ef4-634d-a603-2640dbb39147}',
        '-_',
        ' ',
      ]) {
        const text = JSON.stringify({ id, deleted: true });
        const payload = JSON.stringify(sealByNode(text));
        expect(await openOne(payload, id)).toMatchObject({ ok: true, id, text });
      }
    });

    it('takes a deletion without an id when it is nothing but that', async () => {
      expect(await codeOf(JSON.stringify(sealByNode('{"deleted":true}')))).toBe('ok');
      for (const text of [
        '{"deleted":false}',
        '{"deleted":true,"id":"B"}',
        '{"deleted":true,"t":1}',
      ]) {
        expect(await codeOf(JSON.stringify(sealByNode(text)))).toBe('idMismatch');
      }
    });

    it('opens nothing under another key', async () => {
      const payload = JSON.stringify(sealByNode('{"id":"A"}'));
      const other = keyBundle(someBundle.encKey, new Uint8Array(32));
      expect(await openOne(payload, 'A', other)).toEqual({ id: 'A', ok: false, code: 'badMac' });
      const wrong = await openOne(payload, 'A', keyBundle(new Uint8Array(32), someBundle.macKey));
      expect(wrong.ok).toBe(false);
    });

    it('never throws for a payload, whatever is changed in it', async () => {
      const payload = JSON.stringify(sealByNode('{"id":"A","t":"x"}'));
      const change = fc.tuple(
        fc.nat(payload.length),
        fc.nat(4),
        fc.string({ unit: 'binary', maxLength: 4 }),
      );
      await fc.assert(
        fc.asyncProperty(change, async ([at, gone, text]) => {
          const changed = payload.slice(0, at) + text + payload.slice(at + gone);
          const opened = await openOne(changed);
          if (opened.ok) expect(opened.text).toBe('{"id":"A","t":"x"}');
        }),
        { numRuns: 300 },
      );
    });

    it('refuses to seal half a surrogate pair', async () => {
      for (const text of [
        '\ud800',
        'a\udfff',
        '\udc00\ud800',
        `${fill(511)}\ud83d`,
        '\ud83d\ud83d\ude00',
      ]) {
        await expect(crypto.seal(someBundle, ['{"id":"A"}', text])).rejects.toMatchObject({
          code: 'badText',
        });
      }
    });

    it('seals every record under an IV of its own', async () => {
      const ivs = new Set<string>();
      for (let batch = 0; batch < 5; batch++) {
        const payloads = await crypto.seal(someBundle, Array<string>(150).fill('{"id":"A"}'));
        for (const payload of payloads) ivs.add((JSON.parse(payload) as CipherParts).IV);
      }
      expect(ivs.size).toBe(750);
    });

    it('seals nothing with a broken source of random numbers', async () => {
      const broken: Entropy['random'][] = [
        (count) => new Uint8Array(count),
        (count) => new Uint8Array(count).fill(7),
        (count) => new Uint8Array(randomBytes(count - 1)),
        () => new Uint8Array(0),
      ];
      for (const random of broken) {
        const sealing = make({ random }).seal(someBundle, ['{"id":"A"}', '{"id":"B"}']);
        await expect(sealing).rejects.toMatchObject({ code: 'badEntropy' });
      }
      const stuck = make({ random: (count) => new Uint8Array(count).fill(7) });
      await stuck.seal(someBundle, ['{"id":"A"}']);
      await expect(stuck.seal(someBundle, ['{"id":"A"}'])).rejects.toMatchObject({
        code: 'badEntropy',
      });
    });
  });
}
