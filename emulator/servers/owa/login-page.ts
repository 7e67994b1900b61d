// The hosted login page: a button for a frame in the pages of the whitelist, whose scripts may open
// no window of a login by themselves. An assertion that it gets goes to a page of the whitelist and
// to no other; no other page can have it in a frame, either.

import { createHash } from 'node:crypto';
import type { HeaderValues } from '../http.ts';
import { LOGIN_SCRIPT } from './login-script.ts';

interface LoginPageOptions {
  /** The server's, without a trailing slash. */
  readonly baseUrl: string;
  readonly accountsUrl: string;
  /** The whitelist. */
  readonly origins: readonly string[];
}

interface Page {
  readonly headers: HeaderValues;
  readonly text: string;
}

/** By their paths below the server's. */
export function loginPages(options: LoginPageOptions): ReadonlyMap<string, Page> {
  const script = { headers: headersOf('text/javascript'), text: LOGIN_SCRIPT };
  const policy = { 'Content-Security-Policy': policyOf(options) };
  const page = { headers: { ...headersOf('text/html'), ...policy }, text: htmlOf(options) };
  return new Map([
    ['login', page],
    ['login.js', script],
  ]);
}

const STYLE = 'body{font:message-box;margin:0}fieldset{border:0;margin:0;padding:0}';

function headersOf(type: string): HeaderValues {
  return {
    'Content-Type': `${type}; charset=utf-8`,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  };
}

function policyOf({ baseUrl, accountsUrl, origins }: LoginPageOptions): string {
  const style = createHash('sha256').update(STYLE).digest('base64');
  return [
    "default-src 'none'",
    `script-src ${baseUrl}/login.js`,
    `style-src 'sha256-${style}'`,
    `connect-src ${new URL(accountsUrl).origin}`,
    `frame-ancestors ${origins.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function htmlOf({ baseUrl, accountsUrl, origins }: LoginPageOptions): string {
  const audience = new URL(baseUrl).origin;
  const config = JSON.stringify({ origins, audience, accounts: accountsUrl });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sign in</title>
<style>${STYLE}</style>
<body data-config="${escaped(config)}">
<form id="login">
<fieldset name="fields" hidden>
<label>Email <input name="email" type="email" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
</fieldset>
<button name="button">Sign in</button>
<output id="said"></output>
</form>
<script src="${escaped(baseUrl)}/login.js"></script>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
