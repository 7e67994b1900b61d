// Hawk (github.com/mozilla/hawk): signing and checking the Authorization header of one request.
// As Sync storage wants it: SHA-256, clocks may be a year apart, nonces are not remembered.
// The path that is signed is the one a URL parser prints (WHATWG URL): `'` in a query is `%27`.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

interface HawkKey {
  readonly id: string;
  /** A text is used as it is, not decoded. */
  readonly key: string | Uint8Array;
}

export interface HawkRequest {
  readonly method: string;
  readonly url: URL;
  /** The media type and the body, to check a payload hash where the client sent one. */
  readonly contentType?: string;
  readonly body?: Uint8Array;
}

const CLOCK_SKEW_MAX_MS = 52 * 7 * 24 * 3600 * 1000;

/** The Authorization header for a request, without a payload hash. */
export function signHawk(
  request: HawkRequest,
  { id, key }: HawkKey,
  nowMs: number,
  nonce: string,
): string {
  const ts = String(Math.floor(nowMs / 1000));
  return `Hawk id="${id}", ts="${ts}", nonce="${nonce}", mac="${mac(request, key, { ts, nonce })}"`;
}

/** The attributes of a Hawk Authorization header's value (what follows the scheme). */
export function readHawk(value: string): ReadonlyMap<string, string> {
  return new Map(
    Array.from(value.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g), ([, name = '', text = '']) => [
      name,
      text,
    ]),
  );
}

/** Whether the attributes sign this request with this key. */
export function isSignedBy(
  request: HawkRequest,
  attributes: ReadonlyMap<string, string>,
  key: string | Uint8Array,
  nowMs: number,
): boolean {
  const ts = attributes.get('ts') ?? '';
  if (!/^\d+$/.test(ts) || !attributes.get('nonce')) return false;
  if (Math.abs(nowMs - Number(ts) * 1000) > CLOCK_SKEW_MAX_MS) return false;
  return hasMac(request, attributes, key) && hasHash(request, attributes);
}

/** Whether the MAC is that of the request without its body, whenever it was made. */
export function hasMac(
  request: HawkRequest,
  attributes: ReadonlyMap<string, string>,
  key: string | Uint8Array,
): boolean {
  const given = attributes.get('mac') ?? '';
  const signed = Object.fromEntries(attributes);
  const { hostname } = request.url;
  // Some clients sign an IPv6 address without its brackets.
  const hosts = new Set([hostname.toLowerCase(), hostname.replace(/^\[|\]$/g, '')]);
  return [...hosts].some((host) => isSame(mac(request, key, signed, host), given));
}

/** Whether the body is the one that was hashed, or none was. */
export function hasHash(request: HawkRequest, attributes: ReadonlyMap<string, string>): boolean {
  const hash = attributes.get('hash');
  return hash === undefined || isSame(payloadHash(request), hash);
}

/** What proves to the holder of the key that it is told the time by who has it, too. */
export function timeMac(ts: string, key: string): string {
  return createHmac('sha256', key).update(`hawk.1.ts\n${ts}\n`).digest('base64');
}

function mac(
  { method, url }: HawkRequest,
  key: string | Uint8Array,
  { ts, nonce, hash = '', ext = '', app, dlg = '' }: Partial<Record<string, string>>,
  host = url.hostname.toLowerCase(),
): string {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const lines = ['hawk.1.header', ts, nonce, method.toUpperCase(), targetOf(url)];
  lines.push(host, port, hash, ext);
  if (app !== undefined) lines.push(app, dlg);
  return createHmac('sha256', key)
    .update(`${lines.join('\n')}\n`)
    .digest('base64');
}

/** As it stands in the request: a question mark with nothing behind it is a part of it. */
function targetOf({ href, origin, hash }: URL): string {
  return href.slice(origin.length, href.length - hash.length);
}

function payloadHash({ contentType = '', body = new Uint8Array() }: HawkRequest): string {
  const mediaType = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  return createHash('sha256')
    .update(`hawk.1.payload\n${mediaType}\n`)
    .update(body)
    .update('\n')
    .digest('base64');
}

function isSame(a: string, b: string): boolean {
  const bytes = Buffer.from(a);
  const others = Buffer.from(b);
  return bytes.length === others.length && timingSafeEqual(bytes, others);
}
