// What the words of a case stand for: the account's client state, and assertions of every kind.
// Every case has its own, so that no gateway has kept credentials for them yet.

import {
  type BrowserIdKey,
  signAssertion,
  signCertificate,
  toBrowserIdKey,
} from '../../emulator/servers/browserid.ts';
import { clientState } from '../../emulator/servers/sync-keys.ts';
import { ACCOUNTS_TEST_KEY, CLIENT_TEST_KEY } from '../../emulator/servers/test-keys.ts';
import { TEST_KB } from '../../emulator/servers/testing.ts';

interface Surroundings {
  readonly nowMs: number;
  /** The origin of the servers behind Syncto. */
  readonly upstream: string;
  /** Of the case: no two have the same assertion. */
  readonly index: number;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Half a second more than what is asked of the token server, so that it is the same next time. */
const SHORT_MS = 100_500;

export function wordsOf({ nowMs, upstream, index }: Surroundings): ReadonlyMap<string, string> {
  const issuer = new URL(upstream).host;
  const certificate = certificateOf(issuer, nowMs, nowMs + 24 * HOUR_MS);
  const audience = `${upstream}/token`;
  const issuedAtMs = nowMs - HOUR_MS + index;
  const signed = (expiresMs: number, to = audience, of = certificate): string =>
    signAssertion(CLIENT_TEST_KEY, of, { audience: to, issuedAtMs, expiresMs });
  const good = signed(nowMs + 15 * MINUTE_MS);
  const [head = '', claims = '', rest = ''] = good.split('.');
  return new Map([
    ['bucket', clientState(TEST_KB)],
    ['assertion', good],
    ['other', signed(nowMs + 14 * MINUTE_MS)],
    ['short', signed(nowMs + SHORT_MS)],
    ['expired', signed(nowMs - MINUTE_MS)],
    ['elsewhere', signed(nowMs + 15 * MINUTE_MS, 'https://elsewhere.test')],
    ['shortCertificate', shortCertificate(issuer, nowMs, signed)],
    ['forged', [head, claims, `A${rest}`, ...good.split('.').slice(3)].join('.')],
    ['textExpiry', `${head}.${part({ exp: 'soon', index })}.x`],
    ['noExpiry', `${head}.${part({ index })}.x`],
    ['numberPart', `${head}.${Buffer.from(String(index)).toString('base64url')}.x`],
    ['listPart', `${head}.${part([index])}.x`],
    ['nullPart', `${head}.${part(null)}.${index}`],
    ['noParts', `nothing${index}`],
  ]);
}

function shortCertificate(
  issuer: string,
  nowMs: number,
  signed: (expiresMs: number, to: undefined, of: string) => string,
): string {
  const certificate = certificateOf(issuer, nowMs, nowMs + SHORT_MS);
  return signed(nowMs + 15 * MINUTE_MS, undefined, certificate);
}

function certificateOf(issuer: string, nowMs: number, expiresMs: number): string {
  const publicKey: BrowserIdKey = toBrowserIdKey(CLIENT_TEST_KEY);
  return signCertificate(ACCOUNTS_TEST_KEY, {
    issuer,
    publicKey,
    uid: 'a'.repeat(32),
    generation: 1,
    keysChangedAtMs: 1,
    email: 'user@example.test',
    nowMs,
    durationMs: expiresMs - nowMs,
  });
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
