// What a page of a PiCL log costs an emulated device, part by part: see picl-firmware.ts.

import { otherClient } from '../../emulator/servers/picl/other-client.ts';
import type { DeviceCrypto } from '../../platform/crypto-port.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { programFirmware, switchedOn } from './crypto-device.ts';
import { COLLECTION, KB, PAGE_KEY, PARTS, type Part } from './picl-firmware.ts';

/** Instructions of one change, by part. */
type PartCosts = { readonly [part in Part]: number };

/** Changes of a page, each with `bytes` of cleartext. */
export async function pageCosts(
  crypto: DeviceCrypto | null,
  changes: number,
  bytes: number,
): Promise<PartCosts> {
  const storage = new MemoryStorage();
  await storage.commit([[PAGE_KEY, pageOf(changes, bytes)]]);
  const device = switchedOn(storage, await programFirmware('picl-firmware.ts', true), crypto);
  await device.boot();
  await device.command('load', {});
  const costs = new Map<Part, number>();
  for (const part of PARTS) {
    const before = device.counters().instructions;
    await device.command(part, {});
    costs.set(part, device.counters().instructions - before);
  }
  const nothing = costs.get('nothing') ?? 0;
  const each = PARTS.map((part) => [part, ((costs.get(part) ?? 0) - nothing) / changes]);
  return Object.fromEntries(each);
}

function pageOf(count: number, bytes: number): string {
  const client = otherClient(KB, COLLECTION);
  const changes = [];
  let head = { seqnum: 0, changeid: Buffer.alloc(32).toString('base64url') };
  for (let n = 0; n < count; n++) {
    const text = JSON.stringify({ id: `record-${n}`, text: '' });
    const long = text.replace('""', `"${'x'.repeat(bytes - text.length)}"`);
    const change = client.change(head, client.wireId(`record-${n}`), long);
    changes.push(change);
    head = change;
  }
  return JSON.stringify({ changes });
}
