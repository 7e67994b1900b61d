// Hawk: how a request to a Sync 1.5 storage server is signed, as a header.
// The caller brings the time and the nonce, and keeps the key, which JavaScript makes ready once. A
// device that computes MACs signs; one that fails at it is no reason not to ask.
// Nothing here knows of retries or clocks.

import type { DeviceCrypto } from '../platform/crypto-port.ts';
import { encodeBase64 } from './bytes.ts';
import { CryptoError } from './error.ts';
import { type HmacKey, hmac, hmacKey } from './hmac.ts';
import { sha256 } from './sha256.ts';
import { encodeUtf8 } from './utf8.ts';

/** HMAC-SHA-256 of a text of ASCII: 32 bytes. */
type HawkKey = (text: string) => Promise<Uint8Array>;

export interface HawkCredentials {
  readonly id: string;
  readonly key: HawkKey;
}

export interface HawkRequest {
  readonly method: string;
  /** Absolute, percent-encoded, an international host in its ASCII form. */
  readonly url: string;
  readonly timeSeconds: number;
  /** ASCII. */
  readonly nonce: string;
}

/** What else a signature may be over; storage servers want neither. */
export interface HawkExtras {
  /** What `hawkPayloadHash` answers; absent, the body is not signed. */
  readonly hash?: string;
  /** ASCII without a backslash or a line end. */
  readonly ext?: string;
}

/** A key for many requests; the token server's `key` is used as the text that it is. */
export function hawkKey(key: string, device?: Pick<DeviceCrypto, 'compute'>): HawkKey {
  const bytes = encodeUtf8(key);
  const compute = bytes.length > deviceKeyBytesMax ? undefined : device?.compute;
  let ready: HmacKey | null = null;
  return async (text) => {
    const answers = await compute?.call(device, 'hmac', bytes, [[encodeUtf8(text)]]).catch(none);
    const mac = answers?.[0];
    if (mac?.length === macBytes) return mac;
    ready ??= hmacKey(bytes);
    return hmac(ready, text);
  };
}

/** See `Algorithm`. */
const deviceKeyBytesMax = 1024;
const macBytes = 32;

function none(error: unknown): [] {
  if ((error as { code?: unknown } | null)?.code !== 'failed') throw error;
  return [];
}

/** The value of the `Authorization` header. Errors: `CryptoError` `badUrl`, those of the device. */
export async function hawkHeader(
  { id, key }: HawkCredentials,
  request: HawkRequest,
): Promise<string> {
  const { timeSeconds, nonce } = request;
  const mac = await hawkMac(key, request);
  return `Hawk id="${id}", ts="${timeSeconds}", nonce="${nonce}", mac="${mac}"`;
}

/** The signature of a request, base64. Errors: as `hawkHeader`. */
export async function hawkMac(key: HawkKey, request: HawkRequest & HawkExtras): Promise<string> {
  const { host, port, resource } = splitUrl(request.url);
  const lines = [
    'hawk.1.header',
    String(request.timeSeconds),
    request.nonce,
    request.method.toUpperCase(),
    resource,
    host,
    port,
    request.hash ?? '',
    request.ext ?? '',
  ];
  return encodeBase64(await key(textOfLines(lines)));
}

/** The hash of a body, base64. Of the content type, parameters do not count. */
export function hawkPayloadHash(body: string, contentType = ''): string {
  const type = contentType.replace(/;.*$/s, '').trim().toLowerCase();
  return encodeBase64(sha256(encodeUtf8(textOfLines(['hawk.1.payload', type, body]))));
}

function textOfLines(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

function splitUrl(url: string): { host: string; port: string; resource: string } {
  const match = /^(https?):\/\/([\w.-]+|\[[\da-f:.]+\])(?::(\d+))?([/?][!-~]*)?$/i.exec(url);
  if (match === null) throw new CryptoError('badUrl', 'no absolute http URL in ASCII');
  const [, scheme = '', host = '', port, rest = '/'] = match;
  const resource = rest.replace(/#.*$/, '');
  return {
    host: host.toLowerCase(),
    port: port ?? (scheme.toLowerCase() === 'https' ? '443' : '80'),
    resource: resource.startsWith('/') ? resource : `/${resource}`,
  };
}
