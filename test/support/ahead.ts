// A service whose devices ask for the next page before the last one is stored.

import { readsAhead } from '../../agent/index.ts';
import type { RemoteDriver } from '../../agent/remotes/remote.ts';
import type { Service } from './service.ts';

export function aPageAhead<S extends Service>(service: S): S {
  const { drivers } = service.contents;
  const isWhole = (driver: (typeof drivers)[number]): driver is RemoteDriver => 'open' in driver;
  const ahead = drivers.filter(isWhole).map((driver) => readsAhead(driver));
  if (ahead.length < drivers.length) throw new TypeError('a driver is loaded later');
  return Object.assign(service, { contents: { ...service.contents, drivers: ahead } });
}
