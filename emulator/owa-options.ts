// The options of an OWA server, of `kitsync serve owa`. Errors are UsageErrors of one line that
// names the option.

import { wholeNumber } from './options.ts';
import { NONE } from './picl-options.ts';
import { OWA_LIMITS } from './servers/owa/limits.ts';
import { normalised } from './servers/owa/origins.ts';
import type { OwaOptions } from './servers/owa/owa.ts';
import { UsageError } from './usage.ts';

export const OWA_TABLE = {
  audience: { type: 'string', multiple: true, default: NONE },
  'verify-path': { type: 'string', default: '/verify' },
  'failure-status': { type: 'string', default: '200' },
  replace: { type: 'boolean', default: false },
  'purge-tombstones': { type: 'boolean', default: false },
  'tombstones-max': { type: 'string' },
  'auth-seconds': { type: 'string', default: '86400' },
} as const;

interface OwaValues {
  readonly audience: readonly string[];
  readonly 'verify-path': string;
  readonly 'failure-status': string;
  readonly replace: boolean;
  readonly 'purge-tombstones': boolean;
  readonly 'tombstones-max'?: string | undefined;
  readonly 'auth-seconds': string;
}

/** Deletions that a document keeps where old ones are purged. */
const TOMBSTONES_MAX = 2_000;

/** How long new values of Authorization come without a new login. */
const LOGIN_SECONDS = 30 * 86_400;

export function owaOf(values: OwaValues): Partial<OwaOptions> {
  return {
    audiences: values.audience.map(audience),
    verifyPath: verifyPath(values['verify-path']),
    failureStatus: failureStatus(values['failure-status']),
    replaces: values.replace,
    tombstonesMax: tombstonesMax(values['purge-tombstones'], values['tombstones-max']),
    authSeconds: wholeNumber('--auth-seconds', values['auth-seconds'], 60, LOGIN_SECONDS),
    loginSeconds: LOGIN_SECONDS,
  };
}

function audience(text: string): string {
  const origin = normalised(text);
  if (origin !== null) return origin;
  const wanted = 'an origin such as https://apps.example';
  throw new UsageError(`--audience must be ${wanted}, not ${JSON.stringify(text)}`);
}

function verifyPath(text: string): string {
  if (/^(\/[\w.-]*[\w-][\w.-]*)+$/.test(text) && !/^\/(apps|login)(\/|$)/.test(text)) return text;
  const wanted = 'a path such as /sync/verify, not below /apps or /login';
  throw new UsageError(`--verify-path must be ${wanted}, not ${JSON.stringify(text)}`);
}

function failureStatus(text: string): 200 | 400 {
  if (text === '200' || text === '400') return text === '200' ? 200 : 400;
  throw new UsageError(`--failure-status must be 200 or 400, not ${JSON.stringify(text)}`);
}

/** Null: none is ever purged. */
function tombstonesMax(purges: boolean, text = `${TOMBSTONES_MAX}`): number | null {
  const max = wholeNumber('--tombstones-max', text, 0, OWA_LIMITS.entriesMax);
  if (purges) return max;
  if (max === TOMBSTONES_MAX) return null;
  throw new UsageError('--tombstones-max is for --purge-tombstones');
}
