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
import type { Sent } from './case.ts';

interface Surroundings {
  readonly nowMs: number;
  /** The origin of the servers behind Syncto. */
  readonly upstream: string;
  /** Of the case: no two have the same assertion. */
  readonly index: number;
  /** What it says: only words in it are known. */
  readonly steps: readonly Sent[];
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Half a second more than what is asked of the token server, so that it is the same next time. */
const SHORT_MS = 100_500;

export function wordsOf({
  nowMs,
  upstream,
  index,
  steps,
}: Surroundings): ReadonlyMap<string, string> {
  const issuer = new URL(upstream).host;
  const issuedAtMs = nowMs - HOUR_MS + index;
  const certified = (expiresMs: number): string => certificateOf(issuer, nowMs, expiresMs);
  const signed = (lifeMs: number, audience = `${upstream}/token`, certificateMs = HOUR_MS) =>
    signAssertion(CLIENT_TEST_KEY, certified(nowMs + certificateMs), {
      audience,
      issuedAtMs,
      expiresMs: nowMs + lifeMs,
    });
  const kinds: Readonly<Record<string, () => string>> = {
    bucket: () => clientState(TEST_KB),
    assertion: () => signed(15 * MINUTE_MS),
    other: () => signed(14 * MINUTE_MS),
    short: () => signed(SHORT_MS),
    expired: () => signed(-MINUTE_MS),
    elsewhere: () => signed(15 * MINUTE_MS, 'https://elsewhere.test'),
    shortCertificate: () => signed(15 * MINUTE_MS, undefined, SHORT_MS),
    // Behind the last dot is the assertion's own signature.
    forged: () => signed(15 * MINUTE_MS).replace(/\.(.)([^.]*)$/, '.A$2'),
    textExpiry: () => `a.${part({ exp: 'soon', index })}.x`,
    noExpiry: () => `a.${part({ index })}.x`,
    numberPart: () => `a.${part(index)}.x`,
    listPart: () => `a.${part([index])}.x`,
    nullPart: () => `a.${part(null)}.${index}`,
    noParts: () => `nothing${index}`,
  };
  const text = JSON.stringify(steps);
  return new Map(
    Object.entries(kinds)
      .filter(([word]) => text.includes(`<${word}>`))
      .map(([word, make]) => [word, make()]),
  );
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
