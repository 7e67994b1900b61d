// This computer as the account's other devices see it.

import { readFileSync } from 'node:fs';
import { hostname, type } from 'node:os';
import type { AgentConfig } from '../../../agent/index.ts';

export type Device = NonNullable<AgentConfig['device']>;

/** `name`: as its user calls it; the host's name if it is null. */
export function deviceNamed(name: string | null): Device {
  return {
    name: name ?? (hostname() || 'Kitsync'),
    type: 'desktop',
    version: versionOf(),
    os: type() === 'Windows_NT' ? 'WINNT' : type(),
  };
}

/** Of this program. */
export function versionOf(): string {
  const file = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  return version;
}
