// From kB and scoped keys to bundles: the vectors of the onepw protocol, of Android's and of
// desktop's account code, and what is refused.

import { pbkdf2Sync } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { decodeHex, encodeBase64, encodeHex } from './bytes.ts';
import { hkdf, hmac, hmacKey } from './hmac.ts';
import { clientState, parseCryptoKeys, syncKeyBundle } from './keys.ts';
import { encodeUtf8 } from './utf8.ts';

const hex = (text: string) => decodeHex(text) ?? new Uint8Array(0);
const picl = (name: string) => encodeUtf8(`identity.mozilla.com/picl/v1/${name}`);
const derived = (secret: string, name: string, length: number) =>
  encodeHex(hkdf(hex(secret), picl(name), length));
const xor = (one: Uint8Array, other: Uint8Array) =>
  encodeHex(one.map((byte, at) => byte ^ (other[at] ?? 0)));
const bundleHex = (key: Parameters<typeof syncKeyBundle>[0]) => {
  const { encKey, macKey } = syncKeyBundle(key);
  return encodeHex(encKey) + encodeHex(macKey);
};

describe('the key chain of the onepw protocol', () => {
  const stretched = 'e4e8889bd8bd61ad6de6b95c059d56e7b50dacdaf62bd84644af7e2add84345d';

  it('derives both secrets of a password', () => {
    const salt = picl('quickStretch:andré@example.org');
    const made = pbkdf2Sync('pässwörd', salt, 1000, 32, 'sha256');
    expect(made.toString('hex')).toBe(stretched);
    expect(derived(stretched, 'authPW', 32)).toBe(
      '247b675ffb4c46310bc87e26d712153abe5e1c90ef00a4784594f97ef54f2375',
    );
    expect(derived(stretched, 'unwrapBkey', 32)).toBe(
      'de6a2648b78284fcb9ffa81ba95803309cfba7af583c01a8a1a63e567234dd28',
    );
  });

  it('derives both secrets of a password stretched the second way', () => {
    const second = '1962d132874d2be60129f21229c42205e75661b08b7e657c4997972475459e41';
    expect(derived(second, 'authPW', 32)).toBe(
      'd278c764bd1852a14bfc4e9d8c1682b4f1a57edb9a9372bf8c370cc41592155b',
    );
    expect(derived(second, 'unwrapBkey', 32)).toBe(
      '616616095eff30032abf6a47df30d9a3fc799d8af5e8519905c1601170553493',
    );
  });

  it('derives the credentials of tokens', () => {
    expect(
      derived(
        '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
        'keyFetchToken',
        96,
      ),
    ).toBe(
      '3d0a7c02a15a62a2882f76e39b6494b500c022a8816e048625a495718998ba60' +
        '87b8937f61d38d0e29cd2d5600b3f4da0aa48ac41de36a0efe84bb4a9872ceb7' +
        '14f338a9e8c6324d9e102d4e6ee83b209796d5c74bb734a410e729e014a4a546',
    );
    expect(
      derived(
        'a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
        'sessionToken',
        64,
      ),
    ).toBe(
      'c0a29dcf46174973da1378696e4c82ae10f723cf4f4d9f75e39f4ae3851595ab' +
        '9d8f22998ee7f5798b887042466b72d53e56ab0c094388bf65831f702d2febc0',
    );
    expect(derived('0f'.repeat(32), 'sessionToken', 64).slice(0, 64)).toBe(
      '923ee512d6153af6796ecb3aaddb1e8a48a713ef79cf0dbcfcc124456fd3ed6a',
    );
  });

  it.each([
    {
      bundleKey: '14f338a9e8c6324d9e102d4e6ee83b209796d5c74bb734a410e729e014a4a546',
      sealed:
        'ee5c58845c7c9412b11bbd20920c2fddd83c33c9cd2c2de2d66b222613364636fc7e59d854d599f10e2128' +
        '01de3a47c34333f3b838ee3471e0f285649c332bbb',
      mac: '4c17f42a0b319bbba327d2b326ad23e937219b4de32e3ec7b3e3f740522ad6ef',
      keys:
        '202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f7effe354abecbcb234a8df' +
        'c2d7644b4ad339b525589738f2d27341bb8622ecd8',
    },
    {
      bundleKey: 'dedd009a8275a4f672bb4b41e14a117812c0b2f400c85fa058e0293f3f45726a',
      sealed:
        'df4717238a738501bd2ad8f7114ef193ea69751a40108149bfb88a5643a8d683a1e75b705d4db135130f08' +
        '96dbac0819ab7d54334e0cd4f9c945e0a7ada91899',
      mac: '756cedf4384be404844050270310bc2b396f100eeda0c7b428cfe77c40a873ae',
      keys:
        '939282904b808c6003ea31aeb14bc766d2ab70ba7dcaa54f820efcf4762b9619849ac9f71643ace46dcdd3' +
        '84633ec1bffe565852806ee2f859c3eba7fafeafec',
    },
  ])('unwraps a key bundle (%#)', ({ bundleKey, sealed, mac, keys }) => {
    const secrets = hkdf(hex(bundleKey), picl('account/keys'), 96);
    expect(encodeHex(hmac(hmacKey(secrets.slice(0, 32)), hex(sealed)))).toBe(mac);
    expect(xor(hex(sealed), secrets.slice(32))).toBe(keys);
  });

  it('ends in kB, the sync keys and the client state', () => {
    const kB = xor(
      hex('7effe354abecbcb234a8dfc2d7644b4ad339b525589738f2d27341bb8622ecd8'),
      hex('de6a2648b78284fcb9ffa81ba95803309cfba7af583c01a8a1a63e567234dd28'),
    );
    expect(kB).toBe('a095c51c1c6e384e8d5777d97e3c487a4fc2128a00ab395a73d57fedf41631f0');
    expect(bundleHex({ kB })).toBe(
      '9103e3f241298d68d8c8048f25822cc1c1dfe1938709c8793ba2cd8b9e8d60cc' +
        '81fd33da652c55c3f7acf361956346904052977392a134075e2f0f1d1732d688',
    );
    expect(clientState({ kB })).toBe('c3f3435531fb029f4e20d429c1709562');
  });
});

describe('the sync key', () => {
  it('is derived from kB as Android does it', () => {
    const kB = 'd02d8fe39f28b601159c543f2deeb8f72bdf2043e8279aa08496fbd9ebaea361';
    const { encKey, macKey } = syncKeyBundle({ kB });
    expect(encodeBase64(encKey)).toBe('rsLwECkgPYeGbYl92e23FskfIbgld9TgeifEaB9ZwTI=');
    expect(encodeBase64(macKey)).toBe('fs75EseCD/VOLodlIGmwNabBjhTYBHFCe7CGIf0t8Tw=');
  });

  it('is derived from kB as Firefox OS does it', () => {
    const kB = '85c4f8c1d8e3e2186824c127af786891dd03c6e05b1b45f28f7181211bf2affb';
    expect(bundleHex({ kB })).toBe(
      'd63eb2610f1e5edc21b37fed22b93b0f9ea379840fb5c3c5eb95991b9b3bfab6' +
        '9cbabfda0762bdf0b27431d81960c8cf5dab7d482901213a5a1b003eb0081ed0',
    );
    expect(clientState({ kB })).toBe('518fef27c6bbc0220aab0f00b1a37308');
  });

  it.each([
    [
      'fd5c747806c07ce0b9d69dcfea144663e630b65ec4963596a22f24910d7dd15d',
      '6ae94683571c7a7c54dab4700aa3995f',
    ],
    [
      '6b813696a1f83a87e41506b7f33b991b985f3d6e0c934f867544e711882c179c',
      '630b070cdd4369880a82762436c5399d',
    ],
  ])('has the client state of desktop (%#)', (kB, state) => {
    expect(clientState({ kB })).toBe(state);
    expect(clientState({ kB: kB.toUpperCase() })).toBe(state);
  });

  const jwk = {
    kty: 'oct',
    kid: '1510726317123-IqQv4onc7VcVE1kTQkyyOw',
    k: 'DW_ll5GwX6SJ5GPqJVAuMUP2t6kDqhUulc2cbt26xbTcaKGQl-9l29FHAQ7kUiJETma4s9fIpEHrt909zgFang',
  } as const;

  it('comes from a scoped key as well, with the same client state', () => {
    const kB = 'eaf9570b7219a4187d3d6bf3cec2770c2e0719b7cc0dfbb38243d6f1881675e9';
    expect(bundleHex(jwk)).toBe(bundleHex({ kB }));
    expect(bundleHex(jwk)).toBe(
      '0d6fe59791b05fa489e463ea25502e3143f6b7a903aa152e95cd9c6eddbac5b4' +
        'dc68a19097ef65dbd147010ee45222444e66b8b3d7c8a441ebb7dd3dce015a9e',
    );
    expect(clientState(jwk)).toBe('22a42fe289dced5715135913424cb23b');
    expect(clientState(jwk)).toBe(clientState({ kB }));
  });

  it('is refused, the wrong field named, when it is not one', () => {
    const refused = (key: unknown, field: string) => {
      const run = () => [syncKeyBundle(key as typeof jwk), clientState(key as typeof jwk)];
      expect(run).toThrow(expect.objectContaining({ code: 'badKey' }));
      expect(run).toThrow(field);
    };
    for (const kB of ['', 'ab', 'zz'.repeat(32), '00'.repeat(31), 7, null]) refused({ kB }, 'kB');
    refused({ ...jwk, kty: 'EC' }, 'kty');
    for (const k of ['', jwk.k.slice(1), `${jwk.k}AA`, jwk.k.replace('_', '/'), `${jwk.k}==`, 7]) {
      refused({ ...jwk, k }, 'k is not');
    }
    for (const kid of [
      '',
      '1-',
      'IqQv4onc7VcVE1kTQkyyOw',
      `x${jwk.kid}`,
      `${jwk.kid}AAAA`,
      undefined,
    ]) {
      refused({ ...jwk, kid }, 'kid');
    }
  });
});

describe('crypto/keys', () => {
  const key = (byte: number) => encodeBase64(new Uint8Array(32).fill(byte));
  const body = {
    id: 'keys',
    collection: 'crypto',
    default: [key(1), key(2)],
    collections: { passwords: [key(3), key(4)], __proto__x: [key(5), key(6)] },
  };

  it("answers a collection's own bundle, and the default one for all others", () => {
    const keys = parseCryptoKeys(body);
    expect(keys.bundleFor('passwords').encKey).toEqual(new Uint8Array(32).fill(3));
    expect(keys.bundleFor('passwords').macKey).toEqual(new Uint8Array(32).fill(4));
    for (const name of ['history', '__proto__', 'constructor', 'toString', '']) {
      expect(keys.bundleFor(name).encKey).toEqual(new Uint8Array(32).fill(1));
    }
    expect(keys.bundleFor('history')).toBe(keys.bundleFor('tabs'));
  });

  it('takes a collection for what it is named, even __proto__', () => {
    const text = JSON.stringify(body).replace('__proto__x', '__proto__');
    const keys = parseCryptoKeys(JSON.parse(text));
    expect(keys.bundleFor('__proto__').encKey).toEqual(new Uint8Array(32).fill(5));
  });

  it('needs no keys of collections', () => {
    const { collections: _, ...bare } = body;
    expect(parseCryptoKeys(bare).bundleFor('passwords').encKey[0]).toBe(1);
  });

  it('has a fingerprint that follows the keys and is none of them', () => {
    const keys = parseCryptoKeys(body);
    const print = keys.fingerprint('history');
    expect(print).toMatch(/^[0-9a-f]{16}$/);
    expect(keys.fingerprint('tabs')).toBe(print);
    expect(keys.fingerprint('passwords')).not.toBe(print);
    const other = (field: object) => parseCryptoKeys({ ...body, ...field }).fingerprint('history');
    expect(other({ default: [key(1), key(9)] })).not.toBe(print);
    expect(other({ default: [key(9), key(2)] })).not.toBe(print);
    expect(other({ collections: {} })).toBe(print);
  });

  it('is refused, the wrong field named, when it is not as the format wants it', () => {
    for (const wrong of [null, 7, 'text', [], undefined]) {
      expect(() => parseCryptoKeys(wrong)).toThrow('badKeys: the body');
    }
    const pairs = [undefined, null, 7, {}, [], [key(1)], [key(1), key(2), key(3)], [key(1), 7]];
    const short = encodeBase64(new Uint8Array(31));
    for (const pair of [...pairs, [key(1), short], [key(1), `${key(2)} `], [key(1), '']]) {
      expect(() => parseCryptoKeys({ ...body, default: pair })).toThrow('badKeys: default');
      const collections = { history: pair };
      expect(() => parseCryptoKeys({ ...body, collections })).toThrow('badKeys: collections');
    }
    for (const collections of [7, 'text', []]) {
      expect(() => parseCryptoKeys({ ...body, collections })).toThrow('badKeys: collections');
    }
  });
});

it('shows no key, however a bundle is printed', () => {
  const bundle = syncKeyBundle({ kB: 'ab'.repeat(32) });
  const printed = [
    JSON.stringify({ bundle }),
    inspect(bundle),
    `${Object.keys(bundle)}${Object.entries(bundle)}`,
    JSON.stringify({ ...bundle }),
  ].join();
  expect(printed).toContain('[key bundle]');
  for (const key of [bundle.encKey, bundle.macKey]) {
    for (const text of [
      encodeHex(key),
      encodeBase64(key),
      key.join(),
      key.slice(0, 4).join(', '),
    ]) {
      expect(printed).not.toContain(text);
    }
  }
});
