// The device's own key, which what lies in its storage is sealed under: asked for, and not waited
// for without end. Who opens the store holds others up, a sign-out among them.

import type { Platform } from '../../platform/ports.ts';
import { ported, SyncError } from '../errors.ts';
import { DEVICE_KEY_MS_MAX } from '../limits.ts';

/** Errors: those of the port; `deviceFailed` where it does not answer in time. */
export async function deviceKeyOf({
  clock,
  identity,
}: Pick<Platform, 'clock' | 'identity'>): Promise<Uint8Array> {
  const late = clock.sleep(DEVICE_KEY_MS_MAX).then(() => null);
  const key = await ported(Promise.race([identity.deviceKey(), late]));
  if (key !== null) return key;
  throw new SyncError('deviceFailed', `deviceKey: no answer for ${DEVICE_KEY_MS_MAX} ms`);
}
