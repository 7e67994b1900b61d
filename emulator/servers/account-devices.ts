// A device of an account as it describes itself at the accounts server. What it says is checked as
// strictly as Firefox Accounts do; pushes and commands are not spoken here, and a device that
// offers them is refused.

import { type Body, problem } from './account-call.ts';

export interface AccountDevice {
  /** 32 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

const LENGTH_MAX = { id: 32, name: 255, type: 16 } as const;

/** The device as `before`, but for what `body` says of it. Errors: HttpError 400. */
export function checkedDevice(body: Body, before: AccountDevice): AccountDevice {
  const said: [string, string][] = Object.entries(body).map(([member, value]) => {
    const isKnown = member === 'id' || member === 'name' || member === 'type';
    if (!isKnown || typeof value !== 'string' || value === '' || value.length > LENGTH_MAX[member])
      throw problem(400, 107, `Invalid parameter in request body: ${member}`);
    return [member, value];
  });
  const device = { ...before, ...Object.fromEntries(said) };
  if (device.id !== before.id) throw problem(400, 123, 'Unknown device');
  return device;
}
