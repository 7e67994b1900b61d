// What every way of computing encrypted records must refuse, and with which code: a part of the
// crypto contract (crypto.ts).

import { expect, it } from 'vitest';
import { type BsoCrypto, payloadUnitsMax } from '../../crypto/bso.ts';
import { badUtf8, fill } from './crypto-cases.ts';
import { encryptRaw, flips, openersOf, sealByNode, withRightMac } from './crypto-node.ts';

/** The part of the suite that is about payloads from outside. */
export function refusals(crypto: BsoCrypto): void {
  const { codeOf } = openersOf(crypto);

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
}
