// The command `kitsync compact`, and the same once an hour in a server: what a PiCL storage need
// not keep of its histories goes, while others write.

import { type CompactOptions, parseCompact } from './picl-options.ts';
import { compact } from './servers/picl/compaction.ts';
import type { Keep } from './servers/picl/log.ts';
import { openMade } from './servers/storage/served-database.ts';
import type { ServerStorage } from './servers/storage/server-storage.ts';

const EVERY_MS = 3_600_000;

/** Resolves to the exit code. Errors: UsageError. */
export async function compactOnce(args: readonly string[]): Promise<number> {
  const { database, keep }: CompactOptions = parseCompact(args);
  const storage = await openMade(database);
  try {
    const { collections, changes } = await compact(storage, keep, Date.now());
    process.stdout.write(`${changes} changes of ${collections} collections are history no more\n`);
    return 0;
  } finally {
    await storage.close();
  }
}

/** Now and every hour; what is returned ends it, and resolves when nothing of it is at work. */
export function compactHourly(
  storage: ServerStorage,
  keep: Keep,
  everyMs = EVERY_MS,
): () => Promise<void> {
  // What could not be done now is done an hour later.
  const once = () => compact(storage, keep, Date.now()).then(nothing, nothing);
  let running = once();
  const timer = setInterval(() => {
    running = running.then(once);
  }, everyMs);
  return () => {
    clearInterval(timer);
    return running;
  };
}

function nothing(): void {}
