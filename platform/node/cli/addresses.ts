// Addresses as browsers write them: percent-encoded, hosts in ASCII. A record that an app puts with
// an address as people write it would be another page, or another site, to every browser of the
// account.

import { parsedUrl } from '../../parsed-url.ts';
import { UsageError } from './complaint.ts';

type Members = { readonly [name: string]: unknown };

/**
 * The record with its addresses as a browser has them. One that `existing` has, the record as it is
 * listed, is no change and stays as it is, however another client wrote it. Errors: `UsageError`,
 * which names the member.
 */
export function withPlainAddresses(
  collection: string,
  record: Members,
  existing: Members | null = null,
): Members {
  const forms = FORMS.get(collection) ?? [];
  const known = Object.values(existing ?? {});
  const plain = forms.flatMap(([name, form]) => {
    const value = record[name];
    const isGiven = typeof value === 'string' && !known.includes(value);
    return isGiven ? [[name, form(name, value)] as const] : [];
  });
  return { ...record, ...Object.fromEntries(plain) };
}

type Form = (name: string, value: string) => string;

const page: Form = (name, value) => parse(name, value).href;

/** Scheme, host and port. Of a scheme that has no origin, the address stays as it is. */
const site: Form = (name, value) => {
  const { origin } = parse(name, value);
  return origin === 'null' ? value : origin;
};

/** A login may also be for the forms of any page, or for those that a script sends. */
const target: Form = (name, value) =>
  value === '' || value === 'javascript:' ? value : site(name, value);

const FORMS: ReadonlyMap<string, readonly (readonly [name: string, form: Form])[]> = new Map([
  [
    'history',
    [
      ['url', page],
      ['histUri', page],
    ],
  ],
  [
    'passwords',
    [
      ['origin', site],
      ['hostname', site],
      ['formActionOrigin', target],
      ['formSubmitURL', target],
    ],
  ],
]);

function parse(name: string, value: string): URL {
  const url = parsedUrl(value);
  if (url !== null) return url;
  throw new UsageError(`${name} is not a URL: ${JSON.stringify(value)}`);
}
