import { describe, expect, test } from 'vitest';
import { corsOf, pathOf, preflight, routeOf } from './services.ts';

const LIST = '/v1/buckets/b/collections/c/records';

describe('a path', () => {
  test.each([
    ['/v1/', 'hello'],
    ['/v1/__heartbeat__', 'heartbeat'],
    ['/v1/batch?a=b', 'batch'],
    [LIST, 'records'],
    [`${LIST}/%7Bid%7D`, 'record'],
  ])('%s is served', (target, name) => {
    expect(routeOf(target)).toMatchObject({ to: 'service', service: { name } });
  });

  test('names things without their escapes', () => {
    const route = routeOf('/v1/buckets/%62/collections/C%20d/records/%7B%C3%A9%7D?x=%41');
    expect(route).toMatchObject({ names: { bucket: 'b', collection: 'C d', id: '{é}' } });
    expect(pathOf('/v1/%7B%C3%A9%7D?x=%41')).toBe('/v1/{é}');
  });

  test.each([
    ['/', '/v1/'],
    ['//', '/v1/'],
    ['/batch?a=b?c', '/v1/batch?a=b?c'],
    ['/V1/', '/v1/V1/'],
    [`${LIST}/`, LIST],
    [`${LIST}/?_limit=1`, `${LIST}?_limit=1`],
    [`${LIST}/%0A`, LIST],
  ])('%s leads to %s', (target, elsewhere) => {
    expect(routeOf(target)).toEqual({ to: 'redirect', target: elsewhere });
  });

  test.each([
    ['/v1', 111],
    ['/v1//', 111],
    ['/v10/', 111],
    ['/v2/', 116],
    ['/v1/nothing', 111],
    ['/v1/%ff', 111],
    [`${LIST}/a%2Fb`, 111],
    ['/v1/buckets//collections/c/records', 111],
  ])('%s is nothing: errno %i', (target, errno) => {
    expect(routeOf(target)).toEqual({ to: 'nothing', errno });
  });
});

describe('a page', () => {
  const route = routeOf(LIST);
  const service = route.to === 'service' ? route.service : null;

  test('may read what a service has for it, wherever it is from', () => {
    const readable = corsOf(service, 'GET', 'https://page.test');
    expect(readable['Access-Control-Allow-Origin']).toBe('*');
    expect(readable['Access-Control-Expose-Headers']).toContain('Next-Page');
    expect(corsOf(service, 'POST', null)).toEqual({});
    expect(corsOf(null, 'GET', 'https://page.test')).toEqual({
      'Access-Control-Allow-Origin': 'https://page.test',
      'Access-Control-Expose-Headers': 'Alert, Backoff, Content-Length, Retry-After',
    });
  });

  test('asks before it sends what is not simple', async () => {
    if (service === null) throw new Error('no service');
    const asked = { Origin: 'https://page.test', 'Access-Control-Request-Method': 'GET' };
    const wanted = { ...asked, 'Access-Control-Request-Headers': 'x-a, x-b' };
    const { headers } = preflight(service, new Headers(wanted));
    expect(headers.get('access-control-allow-methods')).toBe('GET,HEAD,OPTIONS');
    expect(headers.get('access-control-allow-headers')).toMatch(/,x-a,x-b$/);
    const put = { ...asked, 'Access-Control-Request-Method': 'PUT' };
    expect(() => preflight(service, new Headers(put))).toThrow('Method not allowed');
    expect(() => preflight(service, new Headers())).toThrow('this header is mandatory');
  });
});
