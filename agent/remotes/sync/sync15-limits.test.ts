import { describe, expect, test } from 'vitest';
import { json, type RemoteBench, remoteBench } from '../../../test/support/remote.ts';
import { SMALL_HEAP } from '../../limits.ts';
import { type Limits, limitsOf } from './sync15-limits.ts';
import { openNode } from './sync15-node.ts';

const TOKEN = { id: 'the-id', key: 'the-key', api_endpoint: 'https://node.test/1.5/7' };
const OLD: Limits = {
  max_request_bytes: 266_240,
  max_post_bytes: 262_144,
  max_post_records: 25,
  max_record_payload_bytes: 262_144,
  max_total_bytes: 100_000_000,
  max_total_records: 10_000,
};

function bench(configuration: unknown, status = 200): RemoteBench {
  return remoteBench(({ url }) =>
    json(url.includes('/1.0/sync') ? TOKEN : configuration, url.includes('/info/') ? status : 200),
  );
}

function limits({ options }: RemoteBench, collection = 'history'): Promise<Limits> {
  return limitsOf(openNode(options), options.cache, collection, SMALL_HEAP);
}

describe('the limits of a node', () => {
  const TOLD = {
    max_request_bytes: 2_625_536,
    max_post_bytes: 2_097_152,
    max_post_records: 20,
    max_record_payload_bytes: 2_097_152,
    max_total_bytes: 200_000_000,
    max_total_records: 5_000,
  };

  test('are what it says', async () => {
    expect(await limits(bench({ ...TOLD, max_quota_limit: 1, of_the_future: [] }))).toEqual(TOLD);
  });

  test.each([
    ['is an old one', {}, 404],
    ['says nothing', {}, 200],
    ['says nothing that can be used', { max_post_bytes: '5', max_total_records: -1 }, 200],
    ['says nonsense', [null], 200],
  ])('are those of the old servers where it %s', async (_how, configuration, status) => {
    expect(await limits(bench(configuration, status))).toEqual(OLD);
  });

  test('may be others for one collection', async () => {
    const it = bench({ ...TOLD, collections: { tabs: { max_post_bytes: 524_288, other: 1 } } });
    expect(await limits(it, 'tabs')).toEqual({ ...TOLD, max_post_bytes: 524_288 });
    expect(await limits(it, 'history')).toEqual(TOLD);
  });

  test('are asked for once', async () => {
    const it = bench(TOLD);
    await limits(it);
    await limits(it, 'passwords');
    expect(it.requests).toHaveLength(2);
  });

  test('never forbid a record that every server takes', async () => {
    const names = Object.keys(OLD) as (keyof Limits)[];
    const least = await limits(bench(Object.fromEntries(names.map((name) => [name, 1]))));
    const counts = { max_post_records: 1, max_total_records: 1 };
    expect(least).toEqual({
      ...Object.fromEntries(names.map((name) => [name, 16_384])),
      ...counts,
      max_request_bytes: 20_480,
    });
  });

  test('never ask for more records in one request than a device holds', async () => {
    expect((await limits(bench({ max_post_records: 1e9 }))).max_post_records).toBe(25);
  });

  test('are no question of an answer that fails', async () => {
    await expect(limits(bench({}, 503))).rejects.toMatchObject({ code: 'unavailable' });
  });
});
