// The platform of a program that a test puts on the emulated device, with all of its cryptography
// where it has some.

import { computingOf } from '../../platform/quickjs/computing.ts';
import { createHostPlatform, type Host } from '../../platform/quickjs/host.ts';

export function programPlatform(host: Host): ReturnType<typeof createHostPlatform> {
  const hasCrypto = host('config', 0, '', '', null) === 'device';
  return createHostPlatform(host, hasCrypto, undefined, undefined, undefined, computingOf);
}
