// The collections that an app has for itself: records of any JSON members, as in any collection of
// an app's own, under the app's origin and a name that it has chosen. Servers know such a
// collection by a keyed hash of both, so that nobody learns from it which apps a user has, and all
// devices of the user mean the same one. How much of its app's room a record takes is in its index.

import { encodeBase64 } from '../../crypto/bytes.ts';
import { hmac, hmacKey } from '../../crypto/hmac.ts';
import { encodeUtf8 } from '../../crypto/utf8.ts';
import { APP_NAME_CHARS_MAX, APP_ORIGIN_CHARS_MAX } from '../limits.ts';
import type { Body, Collection } from './collection.ts';
import { generic } from './generic.ts';

/** Known by `<origin> <name>`: no origin has a space. */
export const appKind = {
  kind: 'app',
  names: '1 to 64 characters without control characters',

  collection(name: string): Collection | null {
    const end = name.indexOf(' ');
    const [app, own] = [name.slice(0, Math.max(end, 0)), name.slice(end + 1)];
    if (originOf(app) !== app || !isAppName(own)) return null;
    return {
      ...generic('app'),
      index: (body) => ['u', `${SIZE}${appBytes(body).toString(36)}`],
      changes: () => ({ app, name: own }),
    };
  },

  /** What servers call it: `a-` and 28 characters that only who has the user's key can make. */
  wireName(name: string, secret: Uint8Array): string {
    const hash = hmac(hmacKey(secret), encodeUtf8(name));
    return `a-${encodeBase64(hash, 'url').slice(0, 28)}`;
  },
};

/** What the index entries that tell sizes begin with. */
export const SIZE = 'z';

/** What a record counts against the quota of its app: UTF-8 bytes of its JSON. */
export function appBytes(body: Body): number {
  return encodeUtf8(JSON.stringify(body)).length;
}

/** Bytes that such an index entry tells; `suffix`: what stands behind `SIZE`. */
export function sizeIn(suffix: string): number {
  const size = Number.parseInt(suffix, 36);
  return Number.isSafeInteger(size) ? size : 0;
}

export function isAppName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    name !== '' &&
    name.length <= APP_NAME_CHARS_MAX &&
    !/[^ -~\u00a0-\ud7ff\ue000-\u{10ffff}]/u.test(name)
  );
}

/**
 * The origin of an app's address, as browsers write it: scheme and host in small letters, no port
 * that the scheme has anyway, nothing behind it. Null for what has none, and for what a browser
 * would first have to make another of: a host that is not ASCII, has escapes or is an address in
 * another form than four numbers.
 */
export function originOf(address: unknown): string | null {
  if (typeof address !== 'string' || address.length > APP_ORIGIN_CHARS_MAX) return null;
  const [, scheme = '', host = '', port = ''] = ORIGIN.exec(address) ?? [];
  const [kind, name] = [scheme.toLowerCase(), host.toLowerCase()];
  const usual = USUAL_PORTS.get(kind);
  if (usual === undefined || !isHost(name)) return null;
  const number = port === '' ? usual : Number(port);
  if (number > 65_535 || (usual < 0 && port !== '')) return null;
  return number === usual ? `${kind}://${name}` : `${kind}://${name}:${number}`;
}

const ORIGIN = /^([A-Za-z-]+):\/\/([A-Za-z0-9_.-]+)(?::(\d{0,5}))?(?:[/?#]|$)/;

/** By scheme; -1: it has no ports. */
const USUAL_PORTS: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([
  ['https', 443],
  ['http', 80],
  ['app', -1],
  ['moz-extension', -1],
  ['chrome-extension', -1],
]);

function isHost(host: string): boolean {
  const labels = host.split('.');
  // A host that ends in a dot is another one.
  const last = labels[labels.length - 1] || labels[labels.length - 2] || '';
  if (labels.slice(0, -1).includes('') || last === '' || /xn--/.test(host)) return false;
  if (!/^(\d+|0x[0-9a-f]*)$/.test(last)) return true;
  return (
    labels.length === 4 && labels.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && +part < 256)
  );
}
