// What every implementation of the port `Apps` checks alike: what an origin and an app may be, and
// how it refuses. Pure.

import type { AppsErrorCode, SystemApp } from './ports.ts';

/** UTF-16 units of an app's origin, as ports.ts says. */
const ORIGIN_CHARS_MAX = 200;
/** Apps that one list names. */
const LISTED_MAX = 100;

export class AppsError extends Error {
  override readonly name = 'AppsError';
  readonly code: AppsErrorCode;

  constructor(code: AppsErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Whether a text may be the id of an app. */
export function isOrigin(text: unknown): text is string {
  return typeof text === 'string' && text.length <= ORIGIN_CHARS_MAX && ORIGIN.test(text);
}

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[!-~]+$/;

/**
 * What a system that can show an app has to know of it. Errors: `AppsError` `refused` names the
 * member.
 */
export function checkApp(origin: string, app: SystemApp): void {
  if (!isOrigin(origin)) {
    throw new AppsError('refused', `origin: no origin of up to ${ORIGIN_CHARS_MAX} characters`);
  }
  const { manifest } = app;
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest)) {
    throw new AppsError('refused', 'manifest: not an object');
  }
  if (typeof manifest.name !== 'string' || manifest.name === '') {
    throw new AppsError('refused', 'manifest.name: not a text');
  }
}

/** An app as it is stored: its members in one order, and no other ones. */
export function textOfApp(app: SystemApp): string {
  const { manifest, manifest_url, install_data, install_origin, install_time } = app;
  return JSON.stringify({ manifest, manifest_url, install_data, install_origin, install_time });
}

/** Errors: RangeError for a limit that the port does not allow. */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LISTED_MAX) {
    throw new RangeError(`limit: not an integer from 1 to ${LISTED_MAX}`);
  }
}
