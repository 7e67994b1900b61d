// Passwords: the vectors of the onepw protocol, those of PBKDF2, and agreement with node:crypto.

import { pbkdf2Sync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHex, encodeHex } from './bytes.ts';
import { clientState, syncKeyBundle } from './keys.ts';
import {
  openKeyBundle,
  passwordKeys,
  pbkdf2,
  scopedSyncKey,
  stretchPassword,
  stretchPasswordV2,
  tokenKeys,
} from './onepw.ts';
import { encodeUtf8 } from './utf8.ts';

const hex = (text: string) => decodeHex(text) ?? new Uint8Array(0);
const pause = async () => {};
const hexOf = (keys: object) =>
  Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, encodeHex(key)]));

describe('PBKDF2 with HMAC-SHA256', () => {
  it.each([
    [1, '120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b'],
    [2, 'ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43'],
    [4096, 'c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a'],
  ])('is as published after %i rounds', async (rounds, key) => {
    const password = encodeUtf8('password');
    expect(encodeHex(await pbkdf2(password, encodeUtf8('salt'), rounds, pause))).toBe(key);
  });

  it('is what node:crypto computes', async () => {
    const some = fc.uint8Array({ maxLength: 150 });
    const rounds = fc.integer({ min: 1, max: 90 });
    await fc.assert(
      fc.asyncProperty(some, some, rounds, async (password, salt, count) => {
        const theirs = new Uint8Array(pbkdf2Sync(password, salt, count, 32, 'sha256'));
        expect(await pbkdf2(password, salt, count, pause)).toEqual(theirs);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the vectors of the protocol', () => {
  const unwrapBKey = 'de6a2648b78284fcb9ffa81ba95803309cfba7af583c01a8a1a63e567234dd28';
  const bundleKey = '14f338a9e8c6324d9e102d4e6ee83b209796d5c74bb734a410e729e014a4a546';
  const bundle =
    'ee5c58845c7c9412b11bbd20920c2fddd83c33c9cd2c2de2d66b222613364636fc7e59d854d599f10e212801de' +
    '3a47c34333f3b838ee3471e0f285649c332bbb' +
    '4c17f42a0b319bbba327d2b326ad23e937219b4de32e3ec7b3e3f740522ad6ef';
  const kB = 'a095c51c1c6e384e8d5777d97e3c487a4fc2128a00ab395a73d57fedf41631f0';

  it('stretch a password, and draw from it what is shown and what is kept', async () => {
    let turns = 0;
    const stretched = await stretchPassword('andré@example.org', 'pässwörd', async () => {
      turns++;
    });
    expect(encodeHex(stretched)).toBe(
      'e4e8889bd8bd61ad6de6b95c059d56e7b50dacdaf62bd84644af7e2add84345d',
    );
    expect(hexOf(passwordKeys(stretched))).toEqual({
      authPW: '247b675ffb4c46310bc87e26d712153abe5e1c90ef00a4784594f97ef54f2375',
      unwrapBKey,
    });
    expect(turns).toBe(31);
  });

  it('stretch a password the second way', async () => {
    const salt = '0123456789abcdef0123456789abcdef';
    const stretched = await stretchPasswordV2(salt, 'pässwörd', pause);
    expect(encodeHex(stretched)).toBe(
      '1962d132874d2be60129f21229c42205e75661b08b7e657c4997972475459e41',
    );
    expect(hexOf(passwordKeys(stretched))).toEqual({
      authPW: 'd278c764bd1852a14bfc4e9d8c1682b4f1a57edb9a9372bf8c370cc41592155b',
      unwrapBKey: '616616095eff30032abf6a47df30d9a3fc799d8af5e8519905c1601170553493',
    });
  });

  it('turn tokens into ids and keys', () => {
    const token = hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f');
    expect(hexOf(tokenKeys(token, 'keyFetchToken'))).toEqual({
      id: '3d0a7c02a15a62a2882f76e39b6494b500c022a8816e048625a495718998ba60',
      bundleKey,
    });
    expect(hexOf(tokenKeys(hex('0f'.repeat(32)), 'sessionToken')).id).toBe(
      '923ee512d6153af6796ecb3aaddb1e8a48a713ef79cf0dbcfcc124456fd3ed6a',
    );
  });

  it('open the key bundle, and no other', () => {
    const open = (key: string, text: string) => openKeyBundle(hex(key), hex(text), hex(unwrapBKey));
    expect(encodeHex(open(bundleKey, bundle) ?? new Uint8Array(0))).toBe(kB);
    expect(open('00'.repeat(32), bundle)).toBeNull();
    for (const wrong of ['', '00', bundle.slice(2), `${bundle}00`, `00${bundle.slice(2)}`]) {
      expect(open(bundleKey, wrong)).toBeNull();
    }
    const second = openKeyBundle(
      hex('dedd009a8275a4f672bb4b41e14a117812c0b2f400c85fa058e0293f3f45726a'),
      hex(
        'df4717238a738501bd2ad8f7114ef193ea69751a40108149bfb88a5643a8d683a1e75b705d4db135130f08' +
          '96dbac0819ab7d54334e0cd4f9c945e0a7ada91899' +
          '756cedf4384be404844050270310bc2b396f100eeda0c7b428cfe77c40a873ae',
      ),
      new Uint8Array(32),
    );
    expect(encodeHex(second ?? new Uint8Array(0))).toBe(
      '849ac9f71643ace46dcdd384633ec1bffe565852806ee2f859c3eba7fafeafec',
    );
  });
});

it('makes the scoped key that the page of an accounts server delivers', () => {
  const kB = 'eaf9570b7219a4187d3d6bf3cec2770c2e0719b7cc0dfbb38243d6f1881675e9';
  const key = scopedSyncKey(kB, 1_510_726_317_123);
  expect(key).toEqual({
    kty: 'oct',
    kid: '1510726317123-IqQv4onc7VcVE1kTQkyyOw',
    k: 'DW_ll5GwX6SJ5GPqJVAuMUP2t6kDqhUulc2cbt26xbTcaKGQl-9l29FHAQ7kUiJETma4s9fIpEHrt909zgFang',
  });
  expect(clientState(key)).toBe(clientState({ kB }));
  expect(syncKeyBundle(key).encKey).toEqual(syncKeyBundle({ kB }).encKey);
});
