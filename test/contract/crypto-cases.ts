// Data of the crypto contract: records that others published, and texts to try.
// From Mozilla's application-services (sync15, key_bundle), from the tests of Firefox OS' Sync app,
// and computed with node:crypto from the published keys.

import { type KeyBundle, keyBundle } from '../../crypto/keys.ts';
import type { CipherParts } from '../../platform/crypto-port.ts';

interface PublishedRecord {
  readonly title: string;
  readonly id: string;
  readonly bundle: KeyBundle;
  readonly parts: CipherParts;
  readonly text: string;
}

/** `length` ASCII characters. */
export function fill(length: number): string {
  return 'The quick brown fox jumps. '.repeat(Math.ceil(length / 27)).slice(0, length);
}

/** `length` units, with characters of one to four bytes in changing order. */
export function someText(length: number): string {
  const characters = ['a', 'b', 'é', 'ß', '日', '本', '😀', ' ', 'plain ASCII in between '];
  let text = '';
  for (let index = 0; text.length < length; index = (index * 5 + 3) % 8192) {
    text += characters[index % characters.length];
  }
  return text;
}

/** Bytes that are no UTF-8 (RFC 3629), each for one reason. */
export const badUtf8: readonly (readonly number[])[] = [
  [0x80],
  [0xbf],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xc3],
  [0xc3, 0x28],
  [0xc3, 0xc3],
  [0xe0, 0x80, 0x80],
  [0xe0, 0x9f, 0xbf],
  [0xe2, 0x82],
  [0xe2, 0x28, 0xa1],
  [0xe2, 0x82, 0x28],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xf0, 0x9f, 0x98],
  [0xf0, 0x9f, 0x28, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
  [0xfe],
  [0xff],
];

function bundleOf(encKey: string, macKey: string): KeyBundle {
  const bytes = (text: string) =>
    new Uint8Array(Buffer.from(text, text.length === 64 ? 'hex' : 'base64'));
  return keyBundle(bytes(encKey), bytes(macKey));
}

const key32 = (byte: string) => byte.repeat(32);
const chainDefault = bundleOf(key32('11'), key32('22'));
const chainSync = bundleOf(
  '9103e3f241298d68d8c8048f25822cc1c1dfe1938709c8793ba2cd8b9e8d60cc',
  '81fd33da652c55c3f7acf361956346904052977392a134075e2f0f1d1732d688',
);
const gaiaSync = bundleOf(
  'd63eb2610f1e5edc21b37fed22b93b0f9ea379840fb5c3c5eb95991b9b3bfab6',
  '9cbabfda0762bdf0b27431d81960c8cf5dab7d482901213a5a1b003eb0081ed0',
);
const gaiaDefault = bundleOf(
  '/XKu2GgjfQfrqoIJOQxdBkO++atxe0xO6C3fJaeAbmg=',
  'cVehNzSJd0YDn3JaPz7alyuOuDW1iHmCzlJMZqJdfTc=',
);

export const publishedRecords: readonly PublishedRecord[] = [
  {
    title: 'application-services: history',
    id: '5qRsgXWRJZXr',
    bundle: bundleOf(
      '9K/wLdXdw+nrTtXo4ZpECyHFNr4d7aYHqeg3KW9+m6Q=',
      'MMntEfutgLTc8FlTLQFms8/xMPmCldqPlq/QQXEjx70=',
    ),
    parts: {
      ciphertext:
        'NMsdnRulLwQsVcwxKW9XwaUe7ouJk5Wn80QhbD80l0HEcZGCynh45qIbeYBik0lgcHbKmlIxTJNwU+OeqipN+/' +
        'j7MqhjKOGIlvbpiPQQLC6/ffF2vbzL0nzMUuSyvaQzyGGkSYM2xUFt06aNivoQTvU2GgGmUK6MvadoY38hhW2L' +
        'CMkoZcNfgCqJ26lO1O0sEO6zHsk3IVz6vsKiJ2Hq6VCo7hu123wNegmujHWQSGyf8JeudZjKzfi0OFRRvvm4QA' +
        'KyBWf0MgrW1F8SFDnVfkq8amCB7NhdwhgLWbN+21NitNwWYknoEWe1m6hmGZDgDT32uxzWxCV8QqqrpH/ZggVi' +
        'Er9uMgoy4lYaWqP7G5WKvvechc62aqnsNEYhH26A5QgzmlNyvB+KPFvPsYzxDnSCjOoRSLx7GG86wT59QZw=',
      IV: 'GX8L37AAb2FZJMzIoXlX8w==',
      hmac: 'b1e6c18ac30deb70236bc0d65a46f7a4dce3b8b0e02cf92182b914e3afa5eebc',
    },
    text:
      '{"id":"5qRsgXWRJZXr","histUri":"file:///Users/jason/Library/Application%20Support/Firefo' +
      'x/Profiles/ksgd7wpk.LocalSyncServer/weave/logs/","title":"Index of file:///Users/jason/L' +
      'ibrary/Application Support/Firefox/Profiles/ksgd7wpk.LocalSyncServer/weave/logs/","visit' +
      's":[{"date":1319149012372425,"type":1}]}',
  },
  {
    title: 'a key chain: crypto/keys',
    id: 'keys',
    bundle: chainSync,
    parts: {
      ciphertext:
        '1l4mPhhBAuC3utxdrQ+fA1BgEi3mK8Htx8PsEhFkjMtKovbSyK2oWnOxvhkpGZRi6qVkUqX1bCGQ4/TfF/s8cM' +
        'yZ8ZIg2Pztl+HQn/MC3idBIk2mNy74iGSjPoVL/b3LDnicGUw5+u/InfkJwJ8EcMYc3CjweL+KWk2UI7eNtro6' +
        'P9WNqFH/UXwYeJKySL4LbrCU1JuZOD8qzHh20AdHKQ==',
      IV: 'AAECAwQFBgcICQoLDA0ODw==',
      hmac: '4e5aaa7fe24125727208e1aacc417acd2ec8f2a65b0201ca58026f67c4c110aa',
    },
    text:
      '{"id":"keys","collection":"crypto","default":["ERERERERERERERERERERERERERERERERERERERERE' +
      'RE=","IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI="],"collections":{}}',
  },
  {
    title: 'a key chain: deletion',
    id: 'AAAAAAAAAAAA',
    bundle: chainDefault,
    parts: {
      ciphertext: 'YAqKBif+pRFMWBfsMcPgduS3rb9QU1xlZGb+oFQoOU168S1pJrpgRKfzp9GQ9k3e',
      IV: 'EBESExQVFhcYGRobHB0eHw==',
      hmac: 'ca8c8079a983e50f7eeac2183ebf2d77564c9c9d14b3af0141ceaba0fc5654bd',
    },
    text: '{"id":"AAAAAAAAAAAA","deleted":true}',
  },
  {
    title: 'a key chain: whole blocks',
    id: 'BBBBBBBBBBBB',
    bundle: chainDefault,
    parts: {
      ciphertext: 'TPP6k/yQT6QkHBNJSjiMfJu6P/XoDPeqVtqNy37a1kEAYtqR01uKGK3Ajyqytghq',
      IV: 'EBESExQVFhcYGRobHB0eHw==',
      hmac: '5c47781f461955821146e312bca7e49547eb1b8ba2e1166376eaefc31e605733',
    },
    text: '{"id":"BBBBBBBBBBBB","t":"0123"}',
  },
  {
    title: 'a key chain: all widths of UTF-8',
    id: 'CCCCCCCCCCCC',
    bundle: chainDefault,
    parts: {
      ciphertext:
        't8SM5cJOzkjRC/7ArXjCudP5Ux7Qb2MrmAdBa7tECLi3YX0nyfpRFhD9qil9zkW+Zsxek6Z9jC058jxwf2z6z1' +
        'YTGwT6c1r2drDBfuWvLaYQuh9Jii/2a6C8IX9tU0UCgZp/1kXzoYDtisZ+70/7VGsGA/Jwmh310WV7mWDN0JzJ' +
        'rDa6kA6Q3ZG+crPaFOin',
      IV: 'EBESExQVFhcYGRobHB0eHw==',
      hmac: '229fa34ff1aaa2297fb3f73bf4ef523cfa3a1875958249cad99ac15bbc5527cd',
    },
    text:
      '{"id":"CCCCCCCCCCCC","histUri":"https://example.com/","title":"Größe 日本 😀","visits":[{"d' +
      'ate":1700000000000000,"type":1}]}',
  },
  {
    title: 'Firefox OS: crypto/keys',
    id: 'keys',
    bundle: gaiaSync,
    parts: {
      ciphertext:
        'PP5yNUYwJJoLcsL5o85i6RZfvanYDrwtChDD/LdKTZ8JOLubZ9DyRv3HMetSkbhL3HLvVm/FJ1Z4F2Z6IKQCxA' +
        'c5dNnLsBIUUxhOHLbT0x9/jfnqZ8fLtlbkogI3ZlNvbc8iUF1aX+boe0Pv43vM0VvzxrnJDYzZ2a6jm9nbzUn0' +
        'ldV9sv6vuvGHE6dANnRkZ3wA/q0q8UvjdwpzXBixAw==',
      IV: 'FmosM+XBNy81/9oEAgI4Uw==',
      hmac: '01a816e4577c6cf3f97b66b4382d0a3e7e9178c75a3d38ed9ac8ad6397c2ecce',
    },
    text:
      '{"default":["/XKu2GgjfQfrqoIJOQxdBkO++atxe0xO6C3fJaeAbmg=","cVehNzSJd0YDn3JaPz7alyuOuDW1' +
      'iHmCzlJMZqJdfTc="],"collections":{},"collection":"crypto","id":"keys"}',
  },
  {
    title: 'Firefox OS: history',
    id: '_9sCUbahs0ay',
    bundle: gaiaDefault,
    parts: {
      ciphertext:
        'o/VpkqMj1tlT8t2youwsS2FgvQeonoHxqjGsRTu1+4swfyBq/QsnKfgOOMmDIXZiPC3hOCNUlf/NtQiEe55hzJ' +
        'ZEKLBshaLfXotai6KrprwrmykfiXnwn73n+nYNs8BXL5awDHoaJToyFgF4PYokl7mwN7YC2xFiPgwO7Z2u/8r5' +
        'RfnPV9MoafqvlvUkW+Tqs+QHeHS/iuSA0P2h/j5ynt9v4xDWLVfEMce0KOKHQ5Qj7BmEPAieWP1trkkDmTdVi2' +
        'euWrs+fuG4C6PgY4A2j2DbNLVIloqpDVkqM2fgh0YOM9L2NC/uiKEb1Ynr2Fos',
      IV: 'kXL3hb11ltD+Jl0YFk+PlQ==',
      hmac: 'cb727efe7a3f0307921cecbd1a97c03f06a4d75c42026089494d84fcf92dbff9',
    },
    text:
      '{"id":"_9sCUbahs0ay","histUri":"https://developer.mozilla.org/en-US/docs/Web/JavaScript/' +
      'Reference/Global_Objects/Object/proto","title":"Object.prototype.__proto__ - JavaScript ' +
      '| MDN","visits":[{"date":1439366063808983,"type":1}]}',
  },
  {
    title: 'Firefox OS: deletion',
    id: '{2558f612-8ef4-634d-a603-2640dbb39147}',
    bundle: gaiaDefault,
    parts: {
      ciphertext:
        'wl+i/UTNZuI1Bd6V7X4cVLDIvGaqypL8Yf7cYGMF/nCINd6N/Xs2Hsv+IhGATxVGSS6E7hnTg4rdzlPv1NbawQ==',
      IV: 'AAECAwQFBgcICQoLDA0ODw==',
      hmac: '96b204561e4e0458c1fb653b95205a4c97f39074a2f79f4d08f170b07f4ff968',
    },
    text: '{"id":"{2558f612-8ef4-634d-a603-2640dbb39147}","deleted":true}',
  },
  {
    title: 'Firefox OS: Unicode',
    id: 'AAAAAAAAAAAA',
    bundle: gaiaDefault,
    parts: {
      ciphertext:
        'ZhPW+ZD4Gy1r3z0ErmqzcO+pTLKN9IJcawbWfgmthgnJfkzCr2HfgoR6uNxpJQWnzQLmS24W7gcKaV7Ze/LOEf' +
        'nj263m84qSyvvQWGkOlSoKlEx4xvelIZnUmWgsD2WhBA00sv80K3MDK5M4XYC89x79TPDPHBvMjgEGwbUy8fKr' +
        'B273u9RzmZC9qhogsirF',
      IV: 'AAECAwQFBgcICQoLDA0ODw==',
      hmac: 'b6efdfc53ef49ce273362133c26f8a3f9e402793d94b1d8051f366f52e780786',
    },
    text:
      '{"id":"AAAAAAAAAAAA","histUri":"https://example.org/é","title":"Žluťoučký 日本","visits":[' +
      '{"date":1439366063808983,"type":2}]}',
  },
];
