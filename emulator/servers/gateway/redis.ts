// Kept credentials in Redis, where every process of a gateway finds them. What Redis cannot do
// costs time and nothing else: an entry that is not found in time is as good as none, and one that
// cannot be written is asked for again.

import { UsageError } from '../../usage.ts';
import type { CacheStore } from '../syncto/sealed-cache.ts';
import { causeOf, type Log } from './log.ts';

/** A question to Redis ends after this, whatever it does. */
const ANSWER_MS_MAX = 500;
const CONNECT_MS_MAX = 2_000;
const RETRY_MS_MAX = 5_000;

interface RedisStore extends CacheStore {
  close(): void;
}

/** Does not wait for Redis to answer. Errors: UsageError where the package is missing. */
export async function openRedis(url: string, log: Log): Promise<RedisStore> {
  const { Redis } = await import('ioredis').catch(() => {
    throw new UsageError('--redis needs a package: npm install ioredis');
  });
  const redis = new Redis(url, {
    commandTimeout: ANSWER_MS_MAX,
    connectTimeout: CONNECT_MS_MAX,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * 100, RETRY_MS_MAX),
  });
  let isUp: boolean | null = null;
  const turned = (up: boolean, cause?: string): void => {
    if (isUp !== up) log('cache', { isUp: up, cause });
    isUp = up;
  };
  redis.on('ready', () => turned(true));
  redis.on('error', (error) => turned(false, causeOf(error)));
  redis.on('close', () => turned(false));
  return {
    get: (name) => redis.get(name).catch(() => null),
    put: async (name, value, lifeMs) => {
      await redis.set(name, value, 'PX', Math.ceil(lifeMs)).catch(() => undefined);
    },
    close: () => redis.disconnect(),
  };
}
