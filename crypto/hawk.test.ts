// Hawk: the vectors of desktop Firefox, of the protocol's own text and of application-services, and
// the `hawk` package as a server that believes the headers.

import { createRequire } from 'node:module';
import { describe, expect, it, vi } from 'vitest';
import { nodeDeviceCrypto } from '../platform/node/crypto.ts';
import { encodeBase64 } from './bytes.ts';
import {
  type HawkExtras,
  type HawkRequest,
  hawkHeader,
  hawkKey,
  hawkMac,
  hawkPayloadHash,
} from './hawk.ts';

const firefox = {
  key: '2983d45yun89q',
  id: '123456',
  timeSeconds: 1353809207,
  nonce: 'Ygvqdz',
};
const written = 'something to write about';

const signed: [string, HawkRequest & HawkExtras, string][] = [
  [
    firefox.key,
    {
      ...firefox,
      method: 'POST',
      url: 'https://example.net/somewhere/over/the/rainbow',
      hash: hawkPayloadHash(written, 'text/plain'),
      ext: 'Bazinga!',
    },
    'q1CwFoSHzPZSkbIvl0oYlD+91rBUEvFk763nMjMndj8=',
  ],
  [
    firefox.key,
    {
      ...firefox,
      method: 'post',
      url: 'https://example.net/somewhere/over/the/rainbow',
      hash: hawkPayloadHash(written, 'Text/Plain; charset=utf-8'),
    },
    'HTgtd0jPI6E4izx8e4OHdO36q00xFCU0FolNq3RiCYs=',
  ],
  [
    firefox.key,
    { ...firefox, method: 'POST', url: 'http://example.net/path' },
    'S3f8E4hAURAqJxOlsYugkPZxLoRYrClgbSQ/3FmKMbY=',
  ],
  [
    firefox.key,
    { ...firefox, method: 'POST', url: 'http://example.net:1234/path' },
    '6D3JSFDtozuq8QvJTNUc1JzeCfy6h5oRvlhmSTPv6LE=',
  ],
  [
    firefox.key,
    { ...firefox, method: 'POST', url: 'http://xn--xample-ova.net/path' },
    'pILiHl1q8bbNQIdaaLwAFyaFmDU70MGehFuCs3AA5M0=',
  ],
  [
    'werxhqb98rpaxn39848xrunpaw3489ruxnpa98w4rxn',
    {
      method: 'GET',
      url: 'http://example.com:8000/resource/1?b=1&a=2',
      timeSeconds: 1353832234,
      nonce: 'j4h3g2',
      ext: 'some-app-ext-data',
    },
    '6R4rV5iE+NPoym+WwjeHzjAGXUtLNIxmo1vpMofpLAE=',
  ],
  [
    'werxhqb98rpaxn39848xrunpaw3489ruxnpa98w4rxn',
    {
      method: 'POST',
      url: 'http://example.com:8000/resource/1?b=1&a=2',
      timeSeconds: 1353832234,
      nonce: 'j4h3g2',
      ext: 'some-app-ext-data',
      hash: hawkPayloadHash('Thank you for flying Hawk', 'text/plain'),
    },
    'aSe1DERmZuRl3pI36/9BdZmnErTw3sNzOOAUlfeKjVw=',
  ],
];

it.each(signed)('signs the published requests (%#)', async (key, request, mac) => {
  expect(await hawkMac(hawkKey(key), request)).toBe(mac);
});

it.each(signed)('has a device that can sign them (%#)', async (key, request, mac) => {
  const device = nodeDeviceCrypto();
  const compute = vi.fn(device.compute?.bind(device));
  expect(await hawkMac(hawkKey(key, { compute }), request)).toBe(mac);
  expect(compute).toHaveBeenCalledOnce();
});

describe('signs in JavaScript', () => {
  const [key, request, mac] = signed[0] as (typeof signed)[number];

  it.each([
    ['fails', () => Promise.reject(Object.assign(new Error('no'), { code: 'failed' }))],
    ['refuses', () => Promise.resolve([null])],
    ['answers half a MAC', () => Promise.resolve([new Uint8Array(16)])],
  ])('where the device %s', async (_what, compute) => {
    expect(await hawkMac(hawkKey(key, { compute }), request)).toBe(mac);
  });

  it('with a key that is too long for a device', async () => {
    const compute = vi.fn();
    const long = 'k'.repeat(1025);
    const right = await hawkMac(hawkKey(long), request);
    expect(await hawkMac(hawkKey(long, { compute }), request)).toBe(right);
    expect(compute).not.toHaveBeenCalled();
  });
});

it("takes no failure of the engine for the device's", async () => {
  const failure = new RangeError('out of memory');
  const [key, request] = signed[0] as (typeof signed)[number];
  const compute = () => Promise.reject(failure);
  await expect(hawkMac(hawkKey(key, { compute }), request)).rejects.toBe(failure);
});

it.each([
  [written, 'text/plain', '2QfCt3GuY9HQnHWyWD3wX68ZOKbynqlfYmuO2ZBRqtY='],
  ['andré@example.org', undefined, '66DiyapJ0oGgj09IXWdMv8VCg9xk0PL5RqX7bNnQW2k='],
  ['Thank you for flying Hawk', 'text/plain', 'Yi9LfIIFRtBEPt74PVmbTF/xVAwPn7ub15ePICfgnuY='],
  [
    'pàyload',
    'text/plain',
    encodeBase64(
      new Uint8Array(
        Buffer.from('e4eef1e0eb729e70d3fe765919ec57b0b5363d872adfbc67c23b5324881fc632', 'hex'),
      ),
    ),
  ],
])('hashes the published bodies (%#)', (body, contentType, hash) => {
  expect(hawkPayloadHash(body, contentType)).toBe(hash);
});

it('writes a header that a Hawk server believes, and no other request', async () => {
  const hawk = createRequire(import.meta.url)('hawk') as {
    server: {
      authenticate(
        request: object,
        find: () => object,
        options: object,
      ): Promise<{ artifacts: object }>;
    };
  };
  const credentials = { id: 'an id', key: 'a key as text', algorithm: 'sha256' };
  const request: HawkRequest = {
    method: 'GET',
    url: 'https://sync.example.org/1.5/7/storage/history?newer=1.25&full=1#here',
    timeSeconds: Math.floor(Date.now() / 1000),
    nonce: 'k3j4h2',
  };
  const asked = (header: string, url: string) =>
    hawk.server.authenticate(
      { method: 'GET', url, host: 'sync.example.org', port: 443, authorization: header },
      () => credentials,
      {},
    );
  const key = hawkKey(credentials.key);
  const plain = await hawkHeader({ ...credentials, key }, request);
  const path = '/1.5/7/storage/history?newer=1.25&full=1';
  expect(plain).toMatch(/^Hawk id="an id", ts="\d+", nonce="k3j4h2", mac="[\w+/]{43}="$/);
  await expect(asked(plain, path)).resolves.toMatchObject({ artifacts: { resource: path } });
  await expect(asked(plain, `${path}&limit=1`)).rejects.toThrow('Bad mac');
});

it.each([
  '',
  '/path',
  'ftp://example.org/',
  'http://exämple.org/',
  'http://user@example.org/',
  'http://a b/',
  'http://example.org/a b',
  'http://example.org:/',
  'http://',
])('refuses to sign %j', async (url) => {
  const request = { method: 'GET', url, timeSeconds: 1, nonce: 'n' };
  await expect(hawkMac(hawkKey('key'), request)).rejects.toMatchObject({ code: 'badUrl' });
});

it('takes a URL without a path for its root, and an address for a host', async () => {
  const key = hawkKey('key');
  const mac = (url: string) => hawkMac(key, { method: 'GET', url, timeSeconds: 1, nonce: 'n' });
  expect(await mac('http://example.org')).toBe(await mac('HTTP://EXAMPLE.org:80/'));
  expect(await mac('https://example.org?a=1')).toBe(await mac('https://example.org:443/?a=1'));
  expect(await mac('http://[::1]:8000/a')).not.toBe(await mac('http://[::2]:8000/a'));
});
