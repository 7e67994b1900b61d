// What every way of computing encrypted records must do, as one suite that takes the way as an
// argument: published records, the order and the codes of refusals, and agreement with node:crypto,
// which this file uses as the reference to craft records that no honest client would write.

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BsoCrypto,
  type OpenedBso,
  payloadUnitsMax,
  type SealedBso,
} from '../../crypto/bso.ts';
import { type KeyBundle, keyBundle } from '../../crypto/keys.ts';
import type { CipherParts, Entropy } from '../../platform/ports.ts';
import { badUtf8, fill, publishedRecords, someText } from './crypto-cases.ts';

export function cryptoContract(name: string, make: (entropy: Entropy) => BsoCrypto): void {
  const crypto = make(goodEntropy);

  async function openOne(payload: string, id = 'A', bundle = someBundle): Promise<OpenedBso> {
    const [opened] = await crypto.open(bundle, [{ id, payload }]);
    if (opened === undefined) throw new Error('no answer');
    return opened;
  }

  const codeOf = async (payload: string, id?: string) => {
    const opened = await openOne(payload, id);
    return opened.ok ? 'ok' : opened.code;
  };

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

    it('refuses a payload of the wrong shape', async () => {
      const parts = sealByNode('{"id":"A"}');
      const shapes: unknown[] = [null, 1, 'text', [], [parts], {}];
      for (const member of ['ciphertext', 'IV', 'hmac']) {
        for (const value of [undefined, null, 7, true, {}, [parts.ciphertext]]) {
          shapes.push({ ...parts, [member]: value });
        }
      }
      for (const shape of shapes) expect(await codeOf(JSON.stringify(shape))).toBe('badPayload');
      for (const text of ['', '{', 'null', '<html>', '\0', `${JSON.stringify(parts)}x`]) {
        expect(await codeOf(text)).toBe('badPayload');
      }
    });

    it('takes a payload in any order, with spaces, escapes and members of others', async () => {
      const { ciphertext, IV, hmac } = sealByNode('{"id":"A","t":"??>>~~"}');
      const slashes = JSON.stringify({ ciphertext, IV, hmac }).replaceAll('/', '\\/');
      for (const text of [slashes, slashes.replace('IV', '\\u0049V')]) {
        expect(await codeOf(text)).toBe('ok');
      }
      for (const parts of [
        { hmac, IV, ciphertext },
        { IV, more: [{}, 1], hmac, ciphertext },
      ]) {
        expect(await codeOf(JSON.stringify(parts))).toBe('ok');
        expect(await codeOf(` ${JSON.stringify(parts, null, 2)}\n`)).toBe('ok');
      }
      const twice = `{"hmac":"00",${JSON.stringify({ ciphertext, IV, hmac }).slice(1)}`;
      expect(await codeOf(twice)).toBe('ok');
      expect(await codeOf(`${JSON.stringify({ ciphertext, IV, hmac })}"x"`)).toBe('badPayload');
      expect(await codeOf(`{"__proto__":"x","IV":"${IV}","hmac":"${hmac}"}`)).toBe('badPayload');
    });

    it('refuses a payload that would fill the memory when parsed', async () => {
      const { ciphertext, IV, hmac } = sealByNode('{"id":"A"}');
      for (const more of ['['.repeat(99) + ']'.repeat(99), `[${'{},'.repeat(99)}0]`]) {
        const text = JSON.stringify({ ciphertext, IV, hmac }).replace('{', `{"more":${more},`);
        expect(await codeOf(text)).toBe('badPayload');
      }
      for (const text of [
        '['.repeat(300_000),
        '"'.repeat(300_000),
        `{"a":${'[0],'.repeat(90_000)}`,
      ]) {
        expect(await codeOf(text)).toBe('badPayload');
      }
    });

    it('refuses a payload past its size unread', async () => {
      const payload = JSON.stringify(sealByNode('{"id":"A"}'));
      expect(await codeOf(payload.padEnd(payloadUnitsMax))).toBe('ok');
      expect(await codeOf(payload.padEnd(payloadUnitsMax + 1))).toBe('tooLarge');
    });

    it('refuses every changed bit of the ciphertext and of the MAC', async () => {
      for (const length of [0, 40, 100]) {
        const parts = sealByNode(JSON.stringify({ id: 'A', t: fill(length) }));
        for (const member of ['ciphertext', 'hmac'] as const) {
          const form = member === 'hmac' ? 'hex' : 'base64';
          for (const flipped of flips(Buffer.from(parts[member], form))) {
            const payload = JSON.stringify({ ...parts, [member]: flipped.toString(form) });
            expect(await codeOf(payload)).toBe('badMac');
          }
        }
      }
    });

    it('refuses every changed bit of the IV of a body that begins with its id', async () => {
      const parts = sealByNode('{"id":"AbCdEfGhIjKl","title":"x"}');
      for (const flipped of flips(Buffer.from(parts.IV, 'base64'))) {
        const payload = JSON.stringify({ ...parts, IV: flipped.toString('base64') });
        expect(await codeOf(payload, 'AbCdEfGhIjKl')).not.toBe('ok');
      }
    });

    it('refuses a member that is shorter or longer by up to 32 characters', async () => {
      const parts = sealByNode(JSON.stringify({ id: 'A', t: fill(60) }));
      const wanted = { ciphertext: 'badMac', IV: 'badIv', hmac: 'badMac' };
      for (const member of ['ciphertext', 'IV', 'hmac'] as const) {
        const whole = parts[member];
        for (let count = 1; count <= 32; count++) {
          const changed = [whole.slice(0, -count), whole.slice(count), whole + 'A'.repeat(count)];
          for (const text of [...changed, whole + '='.repeat(count), whole + '0'.repeat(count)]) {
            expect(await codeOf(JSON.stringify({ ...parts, [member]: text }))).toBe(wanted[member]);
          }
        }
      }
    });

    it('takes a MAC in upper case and nothing else for a MAC', async () => {
      const parts = sealByNode('{"id":"A"}');
      const withMac = (hmac: string) => codeOf(JSON.stringify({ ...parts, hmac }));
      expect(await withMac(parts.hmac.toUpperCase())).toBe('ok');
      const macs = ['', ' ', parts.hmac.slice(0, 63), `${parts.hmac}0`, ` ${parts.hmac.slice(1)}`];
      const base64 = Buffer.from(parts.hmac, 'hex').toString('base64');
      for (const hmac of [...macs, `g${parts.hmac.slice(1)}`, '\0'.repeat(64), base64]) {
        expect(await withMac(hmac)).toBe('badMac');
      }
    });

    it('refuses an IV that is not 16 bytes of strict base64', async () => {
      const parts = sealByNode('{"id":"A"}', Buffer.alloc(16, 0xfb));
      const ivs = ['', 'AAAA', `${parts.IV}\n`, ` ${parts.IV}`, parts.IV.replace(/=+$/, '')];
      const urlForm = parts.IV.replace(/\+/g, '-').replace(/\//g, '_');
      const strayBits = `${parts.IV.slice(0, 21)}/==`;
      for (const IV of [...ivs, urlForm, strayBits, parts.IV.replace('=', '\0')]) {
        expect(IV).not.toBe(parts.IV);
        expect(await codeOf(JSON.stringify({ ...parts, IV }))).toBe('badIv');
      }
    });

    it('refuses a ciphertext that is no base64, though its MAC is right', async () => {
      const { ciphertext } = sealByNode(JSON.stringify({ id: 'A', t: fill(200) }));
      const texts = [`${ciphertext.slice(0, -1)}`, ` ${ciphertext.slice(1)}`, `${ciphertext}=`];
      for (const character of ['-', '_', '=', '\0', '\n', '.', '\x7f']) {
        for (const at of [0, 1, 63, 64, 100]) {
          texts.push(ciphertext.slice(0, at) + character + ciphertext.slice(at + 1));
        }
      }
      for (const text of texts) expect(await codeOf(withRightMac(text))).toBe('badBase64');
    });

    it('refuses a ciphertext that is no whole blocks', async () => {
      for (const length of [0, 1, 15, 17, 47, 49, 100]) {
        const text = Buffer.alloc(length, 7).toString('base64');
        expect(await codeOf(withRightMac(text))).toBe('badPadding');
      }
    });

    it('refuses wrong padding', async () => {
      for (const length of [0, 100]) {
        const text = Buffer.from(JSON.stringify({ id: 'A', t: fill(length) }));
        const used = text.length % 16;
        const full = 16 - used;
        const endings = [
          Buffer.alloc(full, 0),
          Buffer.alloc(full, full + 1),
          Buffer.alloc(full, 17),
          Buffer.alloc(full, 255),
          Buffer.concat([Buffer.from([0]), Buffer.alloc(full - 1, full)]),
          // As many as they say, and more than a block has.
          ...[17, 20, 32, 100].map((count) => {
            const blank = Buffer.alloc((32 - ((used + count) % 16)) % 16, 0x20);
            return Buffer.concat([blank, Buffer.alloc(count, count)]);
          }),
        ];
        for (const ending of endings) {
          const payload = JSON.stringify(encryptRaw(Buffer.concat([text, ending])));
          expect(await codeOf(payload)).toBe('badPadding');
        }
      }
    });

    it('refuses what is not UTF-8, wherever it is', async () => {
      for (const bytes of badUtf8) {
        for (const before of [0, 1, 15, 16, 30, 47, 48, 100]) {
          const text = Buffer.concat([Buffer.alloc(before, 0x20), Buffer.from(bytes)]);
          expect(await codeOf(JSON.stringify(sealByNode(text)))).toBe('badUtf8');
          const inside = Buffer.concat([text, Buffer.alloc(20, 0x20)]);
          expect(await codeOf(JSON.stringify(sealByNode(inside)))).toBe('badUtf8');
        }
      }
    });

    it('refuses a text that is no JSON, a byte order mark included', async () => {
      const deep = '['.repeat(1000);
      for (const text of [
        '',
        ' ',
        '{',
        "{'id':'A'}",
        '{"id":"A",}',
        '\ufeff{"id":"A"}',
        'NaN',
        deep,
      ]) {
        expect(await codeOf(JSON.stringify(sealByNode(text)))).toBe('badJson');
      }
    });

    it('refuses JSON that is no object', async () => {
      for (const text of ['null', '1', 'true', '"A"', '[]', '[{"id":"A"}]']) {
        expect(await codeOf(JSON.stringify(sealByNode(text)))).toBe('notAnObject');
      }
    });

    it('refuses a body whose id is not the id of its envelope', async () => {
      const bodies = ['{}', '{"id":"a"}', '{"id":1}', '{"id":null}', '{"id":["A"]}', '{"ID":"A"}'];
      const late = ['{"id":"A","id":"B"}', '{"__proto__":{"id":"A"}}', '{"id":"A "}'];
      for (const text of [...bodies, ...late]) {
        expect(await codeOf(JSON.stringify(sealByNode(text)))).toBe('idMismatch');
      }
    });

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

const goodEntropy: Entropy = { random: (count) => new Uint8Array(randomBytes(count)) };
const someBundle: KeyBundle = keyBundle(
  new Uint8Array(32).map((_, at) => at * 7),
  new Uint8Array(32).map((_, at) => at * 11 + 3),
);

function sealByNode(text: string | Buffer, iv: Buffer = randomBytes(16)): CipherParts {
  const bytes = Buffer.from(text);
  const padding = 16 - (bytes.length % 16);
  return encryptRaw(Buffer.concat([bytes, Buffer.alloc(padding, padding)]), iv);
}

/** Encrypts whole blocks as they are. */
function encryptRaw(blocks: Buffer, iv: Buffer = randomBytes(16)): CipherParts {
  const cipher = createCipheriv('aes-256-cbc', someBundle.encKey, iv).setAutoPadding(false);
  const ciphertext = Buffer.concat([cipher.update(blocks), cipher.final()]).toString('base64');
  return { ciphertext, IV: iv.toString('base64'), hmac: macOf(ciphertext) };
}

function unsealByNode(payload: string): string {
  const parts = JSON.parse(payload) as CipherParts;
  expect(parts.hmac).toBe(macOf(parts.ciphertext));
  const iv = Buffer.from(parts.IV, 'base64');
  const decipher = createDecipheriv('aes-256-cbc', someBundle.encKey, iv);
  return decipher.update(parts.ciphertext, 'base64', 'utf8') + decipher.final('utf8');
}

function macOf(ciphertext: string): string {
  return createHmac('sha256', someBundle.macKey).update(ciphertext).digest('hex');
}

function withRightMac(ciphertext: string): string {
  return JSON.stringify({ ciphertext, IV: 'AAECAwQFBgcICQoLDA0ODw==', hmac: macOf(ciphertext) });
}

function flipMac(payload: string): string {
  const parts = JSON.parse(payload) as CipherParts;
  return JSON.stringify({
    ...parts,
    hmac: parts.hmac.replace(/^./, (x) => (x === '0' ? '1' : '0')),
  });
}

/** The bytes, each time with another bit changed. */
function* flips(bytes: Buffer): Generator<Buffer> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}
