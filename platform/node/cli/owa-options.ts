// What a person typed after `kitsync sign-in --owa`, checked.

import { UsageError } from './complaint.ts';
import { owaUrl } from './credentials.ts';
import { exclude, needed, text, urlOf } from './typed.ts';

/** A sign-in to a server of Open Web Apps, for which an accounts server vouches. */
export interface OwaSignInOptions {
  /** Of the login there. */
  readonly owaUrl: string;
  /** The accounts server's pages, without a slash at the end. */
  readonly accountsUrl: string;
  readonly email: string;
  /** Its first line is the password; null: it is asked for. */
  readonly passwordFile: string | null;
  readonly credentialsFile: string;
  /** As in `SyncOptions`. */
  readonly allowHttp: boolean;
}

export const OWA_ACCOUNT = { owa: text } as const;

/** Those that such a server has no use for. */
const OTHERS = ['kinto', 'user', 'bearer', 'code', 'key-of', 'new-key', 'client-id'] as const;

type Given = 'owa' | 'accounts' | 'email' | 'password-file' | 'credentials';

/** Errors: `UsageError`. */
export function owaOptions(
  values: { readonly 'allow-http': boolean; readonly redirect?: string | undefined } & {
    readonly [Name in Given | (typeof OTHERS)[number]]?: string | boolean | undefined;
  },
): OwaSignInOptions {
  for (const other of [...OTHERS, 'redirect']) exclude(values, 'owa', other);
  const given = (name: Given) => {
    const value = values[name];
    return typeof value === 'string' ? needed(`--${name}`, value) : null;
  };
  const allowHttp = values['allow-http'];
  const email = needed('--email', given('email') ?? '');
  if (!/^\P{Cc}{1,320}$/u.test(email)) throw new UsageError('--email must be an address');
  return {
    owaUrl: owaUrl(urlOf('--owa', given('owa') ?? '', allowHttp)),
    accountsUrl: urlOf('--accounts', given('accounts') ?? '', allowHttp),
    ...{ email, allowHttp },
    passwordFile: given('password-file'),
    credentialsFile: needed('--credentials', given('credentials') ?? ''),
  };
}
