// All that lies on a storage: the port tells keys and values apart.

import type { ScanRange, Storage, Value } from '../../platform/ports.ts';

/** Keys with their values, in the order of the range. */
export async function rowsOf(
  storage: Pick<Storage, 'get' | 'scan'>,
  range: ScanRange = { from: '!', to: '~~', limit: 100_000 },
): Promise<[key: string, value: Value][]> {
  const keys = await storage.scan(range);
  const values = await storage.get(keys);
  return keys.map((key, index) => [key, values[index] ?? '']);
}
