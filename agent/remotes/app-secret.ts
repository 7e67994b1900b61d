// The secret that apps' collections are named with. Whoever has another key calls them otherwise.

import { encodeBase64 } from '../../crypto/bytes.ts';
import { restKey } from '../../crypto/rest.ts';
import type { Platform } from '../../platform/ports.ts';
import { SyncError } from '../errors.ts';
import { DEVICE_KEY_MS_MAX } from '../limits.ts';
import { deviceKeyOf } from '../store/device-key.ts';
import { createVault, type Vault } from '../store/vault.ts';
import { derivedSecret, keepSecret, keptSecret } from './kept-secret.ts';

/** Errors: those of the storage, and of the account manager where nothing is kept. */
export async function appSecret(platform: Platform, generation: string): Promise<Uint8Array> {
  const vault = await vaultOf(platform);
  const known = await keptSecret(platform, vault, secretKey(generation));
  if (known !== null) return known;
  const secret = await derived(platform);
  await keepSecret(platform, vault, secretKey(generation), secret);
  return secret;
}

/**
 * Whether the user has another key than the one that the secret was made of; the secret is made
 * anew then. A key that nobody tells is no other one. Errors: those of the storage.
 */
export async function followKey(platform: Platform, generation: string): Promise<boolean> {
  const secret = await derived(platform).catch(unlessUnknown);
  if (secret === null) return false;
  const vault = await vaultOf(platform);
  const known = await keptSecret(platform, vault, secretKey(generation));
  if (known !== null && encodeBase64(known) === encodeBase64(secret)) return false;
  await keepSecret(platform, vault, secretKey(generation), secret);
  return true;
}

/** The account manager may be away, have no key that is one, or not answer in time. */
function unlessUnknown(error: unknown): null {
  if (error instanceof SyncError && error.code !== 'outOfMemory') return null;
  throw error;
}

async function vaultOf(platform: Platform): Promise<Vault> {
  return createVault(restKey(await deviceKeyOf(platform)), platform);
}

/** Errors: as of `derivedSecret`; `deviceFailed` where there is no answer in time. */
async function derived(platform: Platform): Promise<Uint8Array> {
  const late = platform.clock.sleep(DEVICE_KEY_MS_MAX).then(() => null);
  const secret = await Promise.race([derivedSecret(platform, 'kitsync/v1/apps'), late]);
  if (secret !== null) return secret;
  throw new SyncError('deviceFailed', `syncKey: no answer for ${DEVICE_KEY_MS_MAX} ms`);
}

const secretKey = (generation: string): string => `${generation}.i`;
