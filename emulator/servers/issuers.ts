// Outside accounts servers whose access tokens a token server believes. Their public keys come from
// a file, or are asked for by OpenID discovery: when a token names one that is not known yet, and
// again after an hour. Nothing that a token says decides who is asked.

import type { JsonWebKey } from 'node:crypto';
import { parsedUrl } from '../../platform/parsed-url.ts';
import { type Handler, isObject, parseObject, textOf } from './http.ts';

export interface Issuer {
  /** What its tokens say in `iss`. */
  readonly url: string;
  /** Its keys now. `unknownId`: of a key that was not among the last ones. */
  keys(unknownId: string | null): Promise<readonly JsonWebKey[]>;
}

/** The key of that id; undefined: the issuer has none. `unavailable`: it cannot be asked now. */
export async function keyFor(
  issuer: Issuer,
  id: unknown,
): Promise<JsonWebKey | undefined | 'unavailable'> {
  const find = (keys: readonly JsonWebKey[]) =>
    keys.find((key) => key.kty === 'RSA' && (id === undefined || key.kid === id));
  try {
    return find(await issuer.keys(null)) ?? find(await issuer.keys(String(id)));
  } catch {
    return 'unavailable';
  }
}

/** An issuer whose keys are known: `{"issuer": "https://...", "keys": [...]}`. Errors: Error. */
export function issuerOfFile(text: string): Issuer {
  const file = parseObject(text);
  const url = file?.issuer;
  if (typeof url !== 'string' || parsedUrl(url) === null) throw new Error('issuer is not a URL');
  const keys = keysOf(file);
  if (keys.length === 0) throw new Error('keys has no RSA key');
  return { url, keys: async () => keys };
}

/** An issuer that is asked, at most once in a while. */
export function askedIssuer(
  url: string,
  { fetch, nowMs }: { readonly fetch: Handler; nowMs(): number },
): Issuer {
  let known: { readonly keys: readonly JsonWebKey[]; readonly atMs: number } | null = null;
  let asking: Promise<readonly JsonWebKey[]> | null = null;
  const ask = async () => {
    const place = `${url.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const { issuer, jwks_uri } = await documentAt(fetch, place);
    if (issuer !== url) throw new Error(`${place} is of another issuer`);
    if (typeof jwks_uri !== 'string' || !isSafe(jwks_uri)) throw new Error('jwks_uri is not https');
    const keys = keysOf(await documentAt(fetch, jwks_uri));
    known = { keys, atMs: nowMs() };
    return keys;
  };
  return {
    url,
    async keys(unknownId) {
      const ageMs = known === null ? Number.POSITIVE_INFINITY : nowMs() - known.atMs;
      const isFresh = ageMs >= 0 && ageMs < (unknownId === null ? FRESH_MS : RETRY_MS);
      if (known !== null && isFresh) return known.keys;
      asking ??= ask().finally(() => {
        asking = null;
      });
      // Keys that were good an hour ago are better than none.
      return known !== null && unknownId === null ? asking.catch(keep(known.keys)) : asking;
    },
  };
}

/** How long keys are taken for the present ones. */
const FRESH_MS = 3_600_000;
/** A key that nobody knows does not make anybody ask more often than this. */
const RETRY_MS = 60_000;
const ANSWER_BYTES_MAX = 65_536;
const ANSWER_MS_MAX = 10_000;

/** Not to be read on the way, or on this machine. */
export function isSafe(url: string): boolean {
  const { protocol = '', hostname = '' } = parsedUrl(url) ?? {};
  return protocol === 'https:' || (protocol === 'http:' && hostname === '127.0.0.1');
}

async function documentAt(fetch: Handler, url: string): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const response = await fetch(new Request(url, { redirect: 'error', signal }));
  const document = response.status === 200 && parseObject(await textOf(response, ANSWER_BYTES_MAX));
  if (!document) throw new Error(`${url} answers ${response.status}`);
  return document;
}

function keysOf(document: Readonly<Record<string, unknown>> | null): JsonWebKey[] {
  const { keys } = document ?? {};
  if (!Array.isArray(keys)) return [];
  return (keys as unknown[]).filter(
    (key): key is JsonWebKey => isObject(key) && key.kty === 'RSA' && typeof key.n === 'string',
  );
}

function keep<T>(value: T): () => T {
  return () => value;
}
