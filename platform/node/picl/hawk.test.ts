import { expect, test } from 'vitest';
import { PICL_VECTORS } from '../../../test/picl/fixtures.ts';
import { challengedTime, hawkHeader } from './hawk.ts';

const { creds, ts, nonce, requests, stale } = PICL_VECTORS.hawk;

test('a header is that of the vectors', () => {
  const [get] = requests;
  expect(hawkHeader('GET', get?.url ?? '', creds, ts, nonce)).toBe(get?.header);
  expect(hawkHeader('GET', get?.url ?? '', creds, ts)).not.toBe(get?.header);
});

test.each(['http://[::1]:8080/c', 'http://127.0.0.1/c'])('another host: %s', (url) => {
  const other = hawkHeader('GET', url.replace(/^http:/, 'https:'), creds, ts, nonce);
  expect(hawkHeader('GET', url, creds, ts, nonce) === other).toBe(url.includes('8080'));
});

test('a server’s time counts where it is proven', () => {
  expect(challengedTime(stale.www_authenticate, creds)).toBe(stale.server_ts);
  expect(
    challengedTime(stale.www_authenticate.replace('1371500000', '1371500001'), creds),
  ).toBeNull();
  expect(challengedTime('Hawk', creds)).toBeNull();
  expect(challengedTime(null, creds)).toBeNull();
});
